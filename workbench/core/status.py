"""The one word for how a run or a mission stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from workbench.core.messages import is_spoken_to
from workbench.core.next_step import next_step
from workbench.core.state import MAX_STEP_FAILURES, MissionState, PackState, RunState

Status = Literal[
    "queued", "running", "waiting-human", "waiting-quota", "paused", "done", "failed", "stopped", "unknown"
]
OUTSIDE = "waiting outside"  # the stage of a run whose approved pack others are to merge
_ENDED: dict[str, Status] = {
    "merged": "done",
    "superseded": "done",
    "rejected": "stopped",
    "stopped": "stopped",
    "failed": "failed",
}
# A mission shows the most pressing status of its runs.
_PRESSING: tuple[Status, ...] = (
    "waiting-human", "running", "queued", "waiting-quota", "paused", "unknown", "failed", "stopped", "done",
)  # fmt: skip


def is_gate(run: RunState) -> bool:
    """Whether the run only carries a branch that a person handed in: its pack is all that it is for."""
    return not run.mission


def taken_back(runs: Iterable[RunState], approved: Iterable[PackState]) -> frozenset[str]:
    """Runs that were merged, and whose merge was taken back: their newest pack stands approved again."""
    waiting = {pack.id for pack in approved if pack.state == "approved"}
    return frozenset(run.id for run in runs if run.outcome == "merged" and run.pack in waiting)


def is_over(mission: MissionState, runs: Sequence[RunState], undone: Collection[str] = ()) -> bool:
    """Whether the mission ended, and stays so: one whose merge was taken back waits for a person again."""
    return bool(mission.outcome) and not any(run.id in undone for run in runs)


def run_status(run: RunState, undone: Collection[str] = ()) -> Status:
    """The status of one run. A branch that was handed in is done with its pack, whether or not somebody decides it."""
    if run.id in undone:
        return "waiting-human"
    if run.outcome:
        return _ENDED.get(run.outcome, "unknown")
    if run.to_decide and is_gate(run):
        return "done"
    if run.waiting_for or run.failures >= MAX_STEP_FAILURES or (run.lost and run.paused):
        return "waiting-human"
    if (run.to_decide or run.resting) and not is_spoken_to(run):
        return "waiting-human"
    if run.paused:
        return "paused"
    if run.step is not None:
        return "running"
    return "queued" if next_step(run) is not None else "unknown"


def mission_status(mission: MissionState, runs: Sequence[RunState], undone: Collection[str] = ()) -> Status:
    """The status of a mission with these runs, of which the merges of those in `undone` were taken back."""
    if is_over(mission, runs, undone):
        return _ENDED.get(mission.outcome, "unknown")
    statuses = {run_status(run, undone) for run in runs}
    return next((status for status in _PRESSING if status in statuses), "queued")


def stage(run: RunState, undone: Collection[str] = ()) -> str:
    """What the run is at, in one word: its step, or what it waits for."""
    if run.id in undone:
        return "undone"
    if run.outcome:
        return run.outcome
    if run.waiting_for:
        return "consultation"
    if run.to_decide and not is_spoken_to(run):
        return OUTSIDE if run.outside else "gated" if is_gate(run) else "review"
    if run.step is not None:
        return run.step.name
    return next_step(run) or "idle"
