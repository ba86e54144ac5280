"""Several packs at once: tried out together, the one that breaks the union found and left, the rest merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from ace_world import Call, World, git

from workbench.ace.wiring import queueing, trial
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.mergepack import MergePack
from workbench.core.decide import pack as packs
from workbench.core.queue import Turn, culprit
from workbench.core.state import PackState
from workbench.model import events as e
from workbench.model.digests import canonical, digest_of
from workbench.model.ids import pack_id


class Examiner:
    """Evidence without a suite: what is red says `is_red`, of the names of the packs' missions."""

    def __init__(self, world: World, place: Workplace, is_red: Callable[[set[str]], bool]) -> None:
        self.world, self.place, self.is_red = world, place, is_red
        self.tried: list[tuple[str, ...]] = []
        self.renewals: list[str] = []
        self.worse: set[str] = set()

    def union(self, packs: Sequence[PackState]) -> PackState:
        united = trial.unite(self.place, packs)
        names = tuple(pack.mission for pack in packs)
        self.tried.append(names)
        verdict = "not-ready" if self.is_red(set(names)) else "needs-human"
        made = msgspec.structs.replace(packs[0], id="-".join(names), verdict=verdict, headline="1 test fails")
        return msgspec.structs.replace(made, tree=united.commit)

    def renewed(self, pack: PackState) -> PackState:
        self.renewals.append(pack.id)
        journal, base = self.world.journal, git(self.world.repository, "rev-parse", "main")
        name = pack_id(pack.run, pack.revision + 1)
        union = trial.unite(self.place, [pack])
        tree = git(self.world.journal.directory / "store.git", "rev-parse", f"{union.commit}^{{tree}}")
        verdict = "not-ready" if pack.mission in self.worse else "ready"
        mrp = msgspec.json.decode(journal.blobs.get(pack.blob), type=MergePack)
        mrp = msgspec.structs.replace(mrp, id=name, base=base, tree=tree, revision=pack.revision + 1, verdict=verdict)
        asked = e.PackRequested(
            pack=name, mission=pack.mission, run=pack.run, revision=mrp.revision, base_ref=pack.base_ref,
            base_commit=base, head=pack.head, into=pack.into,
        )  # fmt: skip
        done = e.PackSubmitted(
            pack=name, mission=pack.mission, run=pack.run, revision=mrp.revision, verdict=verdict, base_commit=base,
            head=pack.head, tree=tree, policy_digest=pack.policy_digest, brief_digest="", digest=digest_of(mrp),
            blob=journal.blobs.put(canonical(mrp)), headline="1 test fails",
        )  # fmt: skip
        self.world.append(packs.request_pack(asked))
        self.world.append(packs.submit_pack(done, [pack]))
        found = journal.pack(name)
        assert found is not None
        return found


def approved(call: Call, world: World, *missions: str) -> dict[str, str]:
    named = {}
    for mission in missions:
        (run,) = world.mission(mission)
        named[mission] = world.pack(run, files={f"{mission}.py": "NEW = 1\n"})
        assert call("approve", named[mission], "--why", f"{mission} is fine").code == 0
    return named


def go(world: World, is_red: Callable[[set[str]], bool], *, worse: str = "") -> tuple[list[Turn], Examiner]:
    with Workplace(world.repository) as place:
        examiner = Examiner(world, place, is_red)
        examiner.worse = set(worse)
        packs, held = queueing.queued(place, ())
        return [*held, *queueing.merge_all(place, packs, examiner)], examiner


def test_the_culprit_is_found_and_the_rest_is_merged(call: Call, world: World, repository: Path) -> None:
    """Each with its own decision: the first as it was approved, others on what the queue merged before them.

    What is worse there than it was when it was approved is for a person to decide anew.
    """
    line = approved(call, world, *"abcd")
    turns, examiner = go(world, lambda names: {"a", "c"} <= names, worse="d")
    assert {turn.pack: turn.state for turn in turns} == {
        line["c"]: "red",
        line["a"]: "merged",
        "MRP-b.1-2": "merged",
        line["d"]: "held",
    }
    assert (turns[0].before, "1 test fails" in turns[0].reason) == ((line["a"], line["b"]), True)
    assert examiner.tried == [("a", "b", "c", "d"), ("a", "b"), ("a", "b", "c"), ("a", "b", "d")]
    assert {path.name for path in repository.glob("?.py")} == {"a.py", "b.py"}
    assert git(repository, "status", "--porcelain") == ""
    said = call("show", "VCR-MRP-b.1-2", "--json").one
    assert "b is fine (carried over by the merge queue from VCR-MRP-b.1-1 of Ada Coach" in str(said)
    assert "decide on MRP-d.1-2" in turns[-1].reason
    held = world.journal.pack("MRP-d.1-2")
    assert held is not None and held.state == "submitted"
    assert call("merge", line["c"]).code == 1  # its evidence is stale now, as anybody's would be
    assert call("journal", "verify").code == 0


def test_what_conflicts_or_may_not_be_queued_is_left_and_named(call: Call, world: World, repository: Path) -> None:
    """A conflict is seen before anything is examined; what was approved in spite of its verdict goes by itself.

    Uncommitted work stays, and so does the pack that would touch it.
    """
    line = approved(call, world, "a", "b")
    (run,) = world.mission("clash")
    clash = world.pack(run, files={"a.py": "OTHER = 1\n"})
    call("approve", clash, "--why", "fine")
    (bold,) = world.mission("bold")
    red = world.pack(bold, verdict="not-ready", files={"e.py": "NEW = 1\n"})
    assert call("approve", red, "--why", "I know better", "--override").code == 0
    (repository / "b.py").write_text("MINE = 1\n")
    turns, _ = go(world, lambda _: False)
    assert {turn.pack: turn.state for turn in turns} == {
        red: "held", clash: "conflict", line["a"]: "merged", line["b"]: "held",
    }  # fmt: skip
    assert (repository / "b.py").read_text() == "MINE = 1\n"


@pytest.mark.parametrize("breaks", [False, True])
def test_what_stands_on_another_goes_after_it_or_stays(call: Call, world: World, breaks: bool) -> None:
    """It is neither tried nor examined while that does not go, and goes right after it."""
    named = approved(call, world, "a")
    (low,), (top,) = world.mission("low"), world.mission("top", on="low.1")
    named["low"] = world.pack(low, files={"low.py": "NEW = 1\n"})
    named["top"] = world.pack(top, files={"top.py": "NEW = 1\n"}, on=low)
    call("approve", named["top"], "--why", "fine")
    with Workplace(world.repository) as place:
        (only,), (held,) = queueing.queued(place, ())
    assert (only.id, held.pack, held.state) == (named["a"], named["top"], "held")
    assert f"workbench merge {named['low']} comes first" in held.reason
    call("approve", named["low"], "--why", "fine")
    turns, examiner = go(world, lambda names: breaks and {"a", "low"} <= names)
    states = {turn.pack.split("-")[1]: turn.state for turn in turns}
    if not breaks:
        assert [*states.items()] == [("a.1", "merged"), ("low.1", "merged"), ("top.1", "merged")]
        return
    assert states == {"low.1": "red", "top.1": "held", "a.1": "merged"}
    assert "low.1, which is left" in turns[1].reason and examiner.renewals == []


def test_a_queue_is_of_one_branch_and_says_when_there_is_nothing(call: Call, world: World) -> None:
    """What makes no sense is refused in words."""
    assert call("merge").code == 2
    empty = call("merge", "--queue")
    assert (empty.code, "Nothing is approved" in empty.err) == (0, True)
    (run,) = world.mission()
    name = world.pack(run)
    left = call("merge", "--queue", name, "--json")
    assert (left.code, left.one["state"], left.one["reason"]) == (1, "held", "it is submitted, not approved")
    assert call("merge", "--queue", name, "--override", "now").code == 2
    assert call("merge", "--queue", "nothing-like-it").code == 2


@pytest.mark.parametrize("count", range(2, 12))
def test_the_culprit_is_where_red_begins_and_few_are_tried(count: int) -> None:
    """Wherever it is, a logarithm of trials finds it."""
    for guilty in range(1, count):
        tried: list[int] = []

        def is_red(first: int, guilty: int = guilty, tried: list[int] = tried) -> bool:
            tried.append(first)
            return first > guilty

        assert culprit(count, is_red) == guilty
        assert len(tried) <= count.bit_length()
