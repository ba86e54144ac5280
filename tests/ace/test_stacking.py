"""Missions on the head of another, as a person starts them."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import trial
from workbench.ace.wiring.comparing import ask_crossed
from workbench.ace.wiring.differing import changed_files
from workbench.ace.wiring.reading import since
from workbench.ace.wiring.workplace import Workplace

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


@pytest.fixture
def stacked(world: World) -> list[str]:
    """A pack, and two versions of a mission on its head."""
    (below,) = world.mission("below")
    packs = [world.pack(below, files={"below.py": "BELOW = 1\n"})]
    above = world.mission("above", runs=2, on=below)
    return packs + [world.pack(run, files={"above.py": f"ABOVE = {run[-1]}\n"}, on=below) for run in above]


def test_versions_are_held_to_each_others_tests_on_the_head_below(stacked: list[str], world: World) -> None:
    """That base is no commit of the person's: the store keeps it, and the branch binds."""
    below, *versions = (world.journal.pack(name) for name in stacked)
    with Workplace(world.repository) as place:
        asked = [world.journal.run(name) for name in ask_crossed(place, "above")]
    assert below is not None and len(asked) == 2
    for run, version in zip(asked, versions, strict=True):
        assert run is not None and version is not None
        assert (run.base_commit, run.submission, run.authority) == (below.head, version.head, world.base)
        assert (run.into, run.base_ref, run.on) == ("", "", "")  # nothing of it is to be merged, or follows anything
    store = world.journal.directory / "store.git"
    kept = git(store, "for-each-ref", "--format=%(objectname)", "refs/workbench/bases").split()
    assert {run.base_commit for run in asked if run} | {run.submission for run in asked if run} <= {*kept}


def test_what_was_made_on_a_head_that_is_gone_is_not_built_anew(call: Call, world: World) -> None:
    """The head is named, and what helps."""
    (run,) = world.mission("above")
    lost = "f" * 40
    pack = world.pack(run, base=lost, authority=world.base)
    refused = call("mrp", "verify", pack, "--rerun")
    assert refused.code == 1 and lost in refused.err and "mrp build --base BRANCH --head" in refused.err, refused


def test_an_undo_is_told_to_what_stands_on_it(stacked: list[str], call: Call, world: World) -> None:
    """Moved back, it stands on that again; where a commit took it out, it is merged no more and nothing follows it.

    A trial of what stands on it names what comes along.
    """
    below, above, _ = stacked
    assert call("approve", above, "--why", "fine").err.strip().endswith("its evidence is made anew by itself then")
    with Workplace(world.repository) as place, place.reading() as ledger:
        packs = [found for name in (above, below) if (found := ledger.pack(name)) is not None]
        assert trial.unite(place, packs[:1]).along == ("below.1",) and trial.unite(place, packs).along == ()
    assert call("approve", below, "--why", "fine").code == 0 and call("merge", below).code == 0
    assert "above.1 stands on it again" in call("undo", below).err
    assert call("merge", below).code == 0
    git(world.repository, "commit", "-q", "--allow-empty", "-m", "Later")
    undone = call("undo", below, "--revert")
    assert undone.code == 0 and "above.1 stood on it, and waits for a person now" in undone.err
    refused = call("merge", above)
    assert refused.code == 1 and "taken out again" in refused.err and "Without what was taken out" in refused.err


def test_what_changed_since_a_revision_is_the_runs_own_work(world: World) -> None:
    """Where what is below was made anew, nothing of its first form shows in what came of it above."""
    (below,), (above,) = world.mission("below"), world.mission("above", on="below.1")
    world.pack(below, files={"shop.py": "PRICE = 5\n", "dropped.py": "GONE = 1\n"})
    first = world.pack(above, files={"above.py": "ABOVE = 1\n"}, on=below)
    world.pack(below, files={"shop.py": "PRICE = 6\n"}, revision=2)
    second = world.pack(above, files={"above.py": "ABOVE = 2\n"}, on=below, revision=2)
    pack = world.journal.pack(second)
    assert pack is not None
    with Workplace(world.repository) as place:
        assert [file.path for file in changed_files(place, since(place, pack, first), pack.tree)] == ["above.py"]
