"""What stands on another's head: what follows when that moves, and which is merged first."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from workbench.core.attention import ADRIFT, concerns
from workbench.core.decide.stack import follow
from workbench.core.fold import fold
from workbench.core.forecast import Branch, kin_of
from workbench.core.next_step import next_step
from workbench.core.stack import Footing, footing, parents_first
from workbench.core.state import Merge, PackState, RunState
from workbench.core.status import run_status
from workbench.model import events as e

NOW = "2026-01-01T00:00:00.000Z"
MAIN = "refs/heads/main"


def run(name: str, **more: Any) -> RunState:
    kept = {"agent": "a", "driver": "scripted", "branch": "b", "base_commit": "0", "into": MAIN, "workspace": "w"}
    return RunState(id=name, mission=name.partition(".")[0], queued_at=NOW, version=7, **{**kept, **more})


def pack(name: str, **more: Any) -> PackState:
    kept = {
        "base_ref": MAIN,
        "base_commit": "p1",
        "head": "c1",
        "state": "submitted",
        "into": MAIN,
        "version": 3,
        "submitted_at": NOW,
    }
    return PackState(id=f"MRP-{name}-1", mission=name.partition(".")[0], run=name, revision=1, **{**kept, **more})


CHILD = run("child.1", on="parent.1", pack="MRP-child.1-1", to_decide=True, head="c1")
PARENT = run("parent.1", pack="MRP-parent.1-1", to_decide=True, head="p1")
OURS = pack("child.1", on="parent.1")
MERGED = pack("parent.1", state="merged", head="p2", merge=Merge(ref=MAIN, old="0", new="m", mode="merge"))
UNDONE = replace(MERGED, state="approved", merge=None)


def applied(state: RunState, proposed: e.Proposed) -> RunState:
    event = e.Event(
        seq=1, id="x", stream=proposed.stream, version=8, kind="x", schema=1, actor="aee", at=NOW,
        payload=proposed.payload, prev_hash="", hash="",
    )  # fmt: skip
    after = fold(state, event)
    assert isinstance(after, RunState)
    return after


@pytest.mark.parametrize(
    ("parent", "below", "child", "ours", "wanted"),
    [
        (PARENT, pack("parent.1", head="p1"), CHILD, OURS, ""),
        (PARENT, pack("parent.1", head="p2"), CHILD, OURS, "parent.1, on which it stands, moved"),
        (PARENT, pack("parent.1", head="p2", state="changes-requested"), CHILD, OURS, "moved"),
        (PARENT, pack("parent.1", head="p2"), CHILD, replace(OURS, state="approved"), "moved"),
        (PARENT, pack("parent.1", head="p2"), CHILD, replace(OURS, state="changes-requested"), ""),
        (PARENT, pack("parent.1", head="p2"), replace(CHILD, submission="c1"), OURS, ""),
        (PARENT, pack("parent.1", head="p2"), replace(CHILD, outcome="stopped"), OURS, ""),
        (PARENT, pack("parent.1", head="p2"), CHILD, None, ""),
        (replace(PARENT, outcome="merged"), MERGED, CHILD, OURS, "is merged"),
        (replace(PARENT, outcome="merged"), MERGED, CHILD, replace(OURS, base_commit="m"), ""),
        (replace(PARENT, outcome="merged"), MERGED, CHILD, replace(OURS, on="", base_commit="later"), ""),
        (replace(PARENT, outcome="merged"), UNDONE, CHILD, OURS, "moved"),
        (replace(PARENT, outcome="merged"), UNDONE, CHILD, replace(OURS, on="", base_commit="m"), "is merged no more"),
        (replace(PARENT, outcome="failed"), pack("parent.1", head="p1"), CHILD, OURS, ""),
    ],
)
def test_evidence_is_made_anew_exactly_when_what_is_below_stands_elsewhere(
    parent: RunState, below: PackState, child: RunState, ours: PackState | None, wanted: str
) -> None:
    """Once for each place: what was asked for is not asked for again, and nothing moves under an agent at work."""
    decision = follow(child, ours, footing("parent.1", parent, below))
    assert (decision is not None) == bool(wanted)
    if decision is None or ours is None:
        return
    (asked,) = decision.events
    assert isinstance(asked.payload, e.EvidenceRequested) and asked.payload.reason.endswith(wanted)
    assert follow(applied(child, asked), ours, footing("parent.1", parent, below)) is None


@pytest.mark.parametrize("outcome", ["rejected", "stopped", "superseded", "merged"])
def test_what_stands_on_what_is_gone_waits_for_a_person(outcome: str) -> None:
    """The run says so in the inbox, once; a person who lets it go on is not asked again.

    A merge that a commit took out again is gone, too: the branch has the commits, and not what they did.
    """
    child = replace(CHILD, to_decide=False, pack="")
    reverted = replace(UNDONE, reverted="Not this way") if outcome == "merged" else None
    below = footing("parent.1", replace(PARENT, outcome=outcome, reason="Not this way"), reverted)
    decision = follow(child, None, below)
    assert decision is not None
    held = applied(child, decision.events[0])
    assert next_step(held) is None and run_status(held) == "waiting-human" and follow(held, None, below) is None
    (row,) = concerns(runs=[held], consultations=(), packs=(), aee_running=True, now=NOW)
    assert row.category == ADRIFT and row.blocking and "parent.1" in row.title and "Not this way" in row.title
    freed = applied(held, e.Proposed(stream="run/child.1", payload=e.RunResumed(run="child.1"), actor="human:a"))
    assert next_step(freed) == "turn" and follow(freed, None, below) is None


def test_the_inbox_names_what_comes_first() -> None:
    """An approved pack on what is not merged is not offered for merging."""
    ours = replace(OURS, state="approved")

    def row(parent: RunState, base: str) -> Any:
        tips = {"parent.1": base}
        found = concerns(runs=[parent, CHILD], consultations=(), packs=[ours], aee_running=True, now=NOW, tips=tips)
        return found[0]

    assert (row(PARENT, "p1").next, row(PARENT, "p1").facts) == ("workbench mrp show MRP-parent.1-1", "on parent.1")
    assert "its base moved" in row(PARENT, "p2").facts
    assert row(replace(PARENT, outcome="merged"), "p1").next == ""


def test_nothing_comes_before_what_it_stands_on() -> None:
    """In an order of merges; what is unknown or stands in a ring loses nobody."""
    on = {"c": "b", "b": "a", "x": "gone"}
    assert parents_first(("c", "x", "b", "d", "a"), on) == ("x", "d", "a", "b", "c")
    assert sorted(parents_first(("a", "b"), {"a": "b", "b": "a"})) == ["a", "b"]


def test_what_stands_on_another_does_not_clash_with_it() -> None:
    """They share its changes. Two that stand on one are no kin: they may clash."""
    made = [Branch(name=name, head=name, target=MAIN, group=name, on=on) for name, on in
            (("a", ""), ("b", "a"), ("c", "b"), ("d", "a"))]  # fmt: skip
    kin = kin_of(made)
    assert kin["c"] == {"a", "b", "c"} and kin["a"] == {"a", "b", "c", "d"} and "d" not in kin["b"]
    assert Footing(parent="a", state="stands").head == ""
