"""Missions on the head of another, as a person starts them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import Call, World

SCRIPT = "agent: above\nsteps:\n  - submit: {message: Nothing, rationale: {approach: plainly}}\n"


@pytest.fixture
def start(call: Call, tmp_path: Path) -> Call:
    """Starts a mission with further words, and no AEE."""
    script = tmp_path / "above.yaml"
    script.write_text(SCRIPT)
    words = ("--script", str(script), "--no-start", "--json")
    return lambda *more: call("run", "Something on top", *words, *more)


def test_work_starts_on_what_another_mission_delivered(start: Call, call: Call, world: World) -> None:
    """Named by mission, run or pack; it goes where that goes, and is bound by the branch and not by what is below."""
    (below,) = world.mission("below")
    pack = world.pack(below, files={"shop.py": "PRICE = 9\n"})
    found = world.journal.pack(pack)
    assert found is not None
    for wanted in ("below", below, pack):
        said = start("--on", wanted)
        assert said.code == 0, said
        started = said.one
        run = world.journal.run(started["runs"][0])
        assert run is not None and (started["on"], started["base"], started["into"]) == (below, found.head, found.into)
        assert (run.on, run.authority, run.base_commit) == (below, world.base, found.head)
    rows = {row["id"]: row["on"] for row in call("missions", "--json").rows}
    assert rows == {"below": "", "something-on-top": below, "something-on-top-2": below, "something-on-top-3": below}
    assert f"on {below}@{found.head[:12]} (current)" in call("show", "something-on-top").out
    assert f"stands on {below}" in call("show", "something-on-top.1").out
    assert below in call("missions").out


def test_what_nothing_can_stand_on_is_refused_with_what_helps(start: Call, call: Call, world: World) -> None:
    """Nothing is begun then."""
    (bare,), several, (merged,) = world.mission("bare"), world.mission("several", runs=2), world.mission("merged")
    for run in several:
        world.pack(run, files={"shop.py": f"PRICE = 7{run[-1]}\n"})
    pack = world.pack(merged, files={"more.py": "MORE = 1\n"})
    assert call("approve", pack, "--why", "fine").code == 0 and call("merge", pack).code == 0
    for words, said in (
        (("--on", "nobody"), "nobody"),
        (("--on", bare), "has delivered nothing yet"),
        (("--on", "several"), "several.1, several.2"),
        (("--on", "merged"), "is merged already"),
        (("--on", "several.1", "--base", "main"), "Leave --base and --into out"),
    ):
        refused = start(*words)
        assert refused.code != 0 and said in refused.err, refused
    assert len(world.journal.missions()) == 3
