"""What a run does next, and what holds it."""

from __future__ import annotations

import pytest
from msgspec import structs

from workbench.core.next_step import next_step
from workbench.core.state import MAX_STEP_FAILURES, RunState, Step

READY = RunState(
    id="m.1", mission="m", agent="a", driver="d", branch="b", base_commit="c", workspace="/w", queued_at="2026"
)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [({"workspace": ""}, "prepare"), ({}, "turn"), ({"submission": "d" * 40}, "pack")],
)
def test_a_run_goes_from_its_workspace_to_its_turns_to_its_pack(changes: dict[str, str], wanted: str) -> None:
    """A workspace first; then turns until something is delivered, which is examined."""
    assert next_step(structs.replace(READY, **changes)) == wanted


@pytest.mark.parametrize(
    "holds",
    [
        {"outcome": "merged"},
        {"step": Step(name="turn", number=1, attempt=1, epoch=1, aee="x")},
        {"waiting_for": ("CRP-m.1-1",)},
        {"paused": True},
        {"resting": True},
        {"to_decide": True},
        {"failures": MAX_STEP_FAILURES},
    ],
    ids=lambda holds: next(iter(holds)),
)
@pytest.mark.parametrize("at", [{}, {"workspace": ""}, {"submission": "d" * 40}], ids=["turn", "prepare", "pack"])
def test_what_holds_a_run_holds_it_before_every_step(holds: dict[str, object], at: dict[str, str]) -> None:
    """The end, a step at work, a person's answer, pause or decision, rest, and too many failures."""
    assert next_step(structs.replace(READY, **at)) is not None
    assert next_step(structs.replace(READY, **at, **holds)) is None
