"""The one word for how a run or a mission stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.core.next_step import next_step
from workbench.core.state import MAX_STEP_FAILURES, MissionState, RunState

Status = Literal[
    "queued", "running", "waiting-human", "waiting-quota", "paused", "done", "failed", "stopped", "unknown"
]
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


def run_status(run: RunState) -> Status:
    """The status of one run. A branch that was handed in is done with its pack, whether or not somebody decides it."""
    if run.outcome:
        return _ENDED.get(run.outcome, "unknown")
    if run.to_decide and is_gate(run):
        return "done"
    if run.waiting_for or run.to_decide or run.resting or run.failures >= MAX_STEP_FAILURES:
        return "waiting-human"
    if run.paused:
        return "paused"
    if run.step is not None:
        return "running"
    return "queued" if next_step(run) is not None else "unknown"


def mission_status(mission: MissionState, runs: Sequence[RunState]) -> Status:
    """The status of a mission with these runs."""
    if mission.outcome:
        return _ENDED.get(mission.outcome, "unknown")
    statuses = {run_status(run) for run in runs}
    return next((status for status in _PRESSING if status in statuses), "queued")


def stage(run: RunState) -> str:
    """What the run is at, in one word: its step, or what it waits for."""
    if run.outcome:
        return run.outcome
    if run.waiting_for:
        return "consultation"
    if run.to_decide:
        return "gated" if is_gate(run) else "review"
    if run.step is not None:
        return run.step.name
    return next_step(run) or "idle"
