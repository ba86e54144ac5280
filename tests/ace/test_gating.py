"""Evidence renewed, and branches that are handed in: what is asked for, once, and how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import gating
from workbench.ace.wiring.gating import BuildOrder, await_pack, renew, request
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide import run as runs
from workbench.journal.store import SqliteJournal
from workbench.model import events as e
from workbench.model.errors import NeedsHuman, Refused
from workbench.model.ids import pack_id
from workbench.ports import States


@pytest.fixture
def place(repository: Path) -> Iterator[Workplace]:
    with Workplace(repository) as opened:
        yield opened


@pytest.fixture
def gate(place: Workplace, repository: Path) -> str:
    """A branch that was handed in."""
    git(repository, "branch", "feature")
    return request(place, BuildOrder(base="main", head="feature"))


def test_two_people_who_hand_in_the_same_branch_at_once_get_two_runs(
    world: World, place: Workplace, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second takes the next name, with a branch of that name."""
    git(repository, "branch", "feature")
    order, draw, others = BuildOrder(base="main", head="feature"), gating._free_name, [1]

    def late(states: States, wanted: str) -> str:
        name = draw(states, wanted)
        if others:
            others.pop()
            request(place, order)  # somebody else's arrives between the name and the append
        return name

    monkeypatch.setattr(gating, "_free_name", late)
    name = request(place, order)
    run = world.journal.run(name)
    assert run is not None
    assert name == f"feature-{world.base[:8]}-2"
    assert run.branch.endswith(name)


def gated(journal: SqliteJournal, run: str) -> None:
    """Its pack is there."""
    done = e.PackSubmitted(
        pack=pack_id(run, 1), mission="", run=run, revision=1, verdict="needs-human", base_commit="b", head="h",
        tree="t", policy_digest="", brief_digest="", digest="", blob="",
    )  # fmt: skip
    asked = e.PackRequested(pack=done.pack, mission="", run=run, revision=1, base_ref="", base_commit="b", head="h")
    for decision in (packs.request_pack(asked), packs.submit_pack(done, [])):
        journal.append(decision.events)


def test_a_renewal_is_asked_for_once_and_only_the_pack_step_follows(
    world: World, place: Workplace, repository: Path
) -> None:
    """The same delivery is examined again; asking while it is under way adds nothing."""
    (run,) = world.mission()
    name = world.pack(run)
    git(repository, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    first, again = renew(place, name), renew(place, run)
    assert first == again
    assert (first.run, first.revision, first.moved) == (run, 2, True)
    assert first.base == git(repository, "rev-parse", "main")
    kinds = [event.kind for event in world.journal.read(f"run/{run}")]
    assert kinds.count("EvidenceRequested") == 1
    state = world.journal.run(run)
    assert state is not None
    assert state.submission == state.head


def test_a_run_that_is_over_names_the_way_that_is_left(call: Call, world: World, place: Workplace) -> None:
    """After a rejection the commits can still be handed in by themselves."""
    (run,) = world.mission()
    name = world.pack(run)
    call("reject", name, "--why", "no")
    with pytest.raises(Refused) as refused:
        renew(place, name)
    assert refused.value.hint.endswith(f"workbench mrp build --base main --head {name}")


@pytest.mark.parametrize("words", [[], ["--base", "main"], ["MRP-x", "--base", "main"], ["MRP-x", "--sandbox", "none"]])
def test_a_build_is_of_a_pack_or_of_a_branch(call: Call, words: list[str]) -> None:
    """What binds a pack cannot be changed by renewing it, and half a branch is none."""
    assert call("mrp", "build", *words, "--json").error["id"] == "UsageError"


def test_a_wait_for_a_pack_ends_where_only_a_person_can_go_on(world: World, place: Workplace) -> None:
    """A paused run, or one whose preparation asks for trust, makes no pack by itself."""
    (run,) = world.mission()
    state = world.journal.run(run)
    assert state is not None
    world.append(runs.pause_run(state, reason="", actor="human:ada"))
    with pytest.raises(NeedsHuman):
        await_pack(place, run, timeout=5)
    (other,) = world.mission("taxes")
    world.question(other)
    with pytest.raises(NeedsHuman):
        await_pack(place, other, timeout=5)


def test_a_branch_that_was_handed_in_is_done_with_its_pack(call: Call, gate: str, journal: SqliteJournal) -> None:
    """Nobody has to decide it, so it never looks like work that waits."""
    assert call("runs", "--json").one["status"] == "queued"
    gated(journal, gate)
    row = call("runs", "--json").one
    assert (row["status"], row["stage"], row["agent"]) == ("done", "gated", "")
    assert call("runs").out.splitlines()[1].split()[1] == "-"
    assert call("runs", "--live", "--json").rows == []
    assert call("inbox", "--json").rows == []
    assert call("wait", "--no-start").code == 0
    assert call("wait", gate, "--no-start").code == 2
    assert "handed in" in call("show", gate).out
    (queued,) = [event for event in journal.read(f"run/{gate}") if event.kind == "RunQueued"]
    assert queued.actor == "human:Ada Coach <ada@example.org>"
