"""What a run does next, and which run comes first: read off the folded states alone."""

from __future__ import annotations

from workbench.core.messages import waiting
from workbench.core.state import MAX_STEP_FAILURES, RunState

PREPARE, TURN, PACK = "prepare", "turn", "pack"


def next_step(run: RunState) -> str | None:
    """`prepare`, `turn` or `pack`; None while the run is over, held, waiting, at work or resting."""
    if run.outcome or run.step is not None or run.waiting_for or run.paused or run.failures >= MAX_STEP_FAILURES:
        return None
    speaks = run.sent_back or bool(waiting(run))  # a person does: that goes before all else
    if not speaks and (run.resting or run.to_decide):
        return None
    if not run.workspace:
        return PREPARE
    return PACK if run.submission and not speaks else TURN


def queue_order(runs: list[RunState]) -> list[RunState]:
    """The runs that want a place, first come first: priority, then age, then id."""
    waiting = [run for run in runs if next_step(run) is not None]
    return sorted(waiting, key=lambda run: (-run.priority, run.queued_at, run.id))
