"""How far a run has come on its way from a brief to a merge, for one-glance bars. It reads the folded states alone."""

from __future__ import annotations

from workbench.core.next_step import PACK, PREPARE, next_step
from workbench.core.state import RunState

STAGES = ("prepare", "work", "pack", "review")


def reached(run: RunState) -> int:
    """How many stages of `STAGES` are behind the run: 0 before its workspace stands, 4 once it was merged."""
    if run.outcome == "merged":
        return len(STAGES)
    if run.to_decide:
        return 3
    step = run.step.name if run.step is not None else (run.unfinished or next_step(run))
    if step == PACK or run.submission:
        return 2
    return 0 if step == PREPARE or not run.workspace else 1
