"""What follows for a run when what it stands on moved, was merged, or will never be."""

from __future__ import annotations

from workbench.core.decide.decision import Decision, on_run, pack_stream, run_stream
from workbench.core.decide.pack import is_open
from workbench.core.stack import Footing
from workbench.core.state import PackState, RunState
from workbench.model import events as e
from workbench.model.ids import derived_id


def follow(run: RunState, pack: PackState | None, below: Footing) -> Decision | None:
    """The next thing that is to happen to a run on `below`; None: nothing. `pack` is the run's newest one.

    It depends on the states alone, and names what it does, so that asking again after a crash repeats nothing.
    """
    if not run.on or not is_open(run):
        return None
    if below.state == "gone":
        return None if run.lost == below.reason else _lost(run, below)
    if pack is None or run.outcome or run.submission or pack.state not in ("submitted", "approved"):
        return None  # what is delivered next, or is being examined, will stand where it should
    if below.state == "merged" and not pack.on:
        return None  # it stands on the branch by now, like any other
    stands = below.merged_as if below.state == "merged" else below.head
    if not stands or pack.base_commit == stands:
        return None
    what = "is merged" if below.state == "merged" else "moved" if pack.on else "is merged no more"
    asked = e.EvidenceRequested(run=run.id, pack=pack.id, reason=f"{below.parent}, on which it stands, {what}")
    event = on_run(run.id, asked, id=derived_id(run.id, "followed", pack.id, stands))
    return Decision(events=(event,), expect={run_stream(run.id): run.version, pack_stream(pack.id): pack.version})


def _lost(run: RunState, below: Footing) -> Decision:
    lost = e.FootingLost(run=run.id, parent=below.parent, reason=below.reason)
    return Decision(events=(on_run(run.id, lost, id=derived_id(run.id, "lost", below.parent, below.reason)),))
