"""Packs: requested, submitted, decided, merged and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.decide import comment
from workbench.core.decide.decision import (
    Decision,
    mission_stream,
    on_pack,
    on_run,
    pack_stream,
    required_reason,
    run_stream,
)
from workbench.core.decide.run import INTERRUPTED
from workbench.core.next_step import PACK
from workbench.core.state import MissionState, PackState, RunState
from workbench.model import events as e
from workbench.model.errors import AlreadyResolved, Refused
from workbench.model.ids import derived_id, resolution_id

DECISIONS = ("approve", "select", "request-changes", "reject")
APPROVALS = ("approve", "select")  # select: of one version out of several

# --- what the AEE decides ---------------------------------------------------------------------------------------------


def request_pack(requested: e.PackRequested, known: PackState | None = None) -> Decision:
    """Assembly begins, anew if `known` says that it failed. The same request again is recognised."""
    again = (known.version,) if known is not None and known.state == "failed" else ()
    event = on_pack(requested.pack, requested, id=derived_id(requested.pack, "requested", *again))
    return Decision(events=(event,))


def with_failed_pack(ended: Decision, pack: PackState | None) -> Decision:
    """What ended a step, and with it the pack that the run was assembling, if nothing goes on with that one."""
    over = next((event.payload for event in ended.events if _ends_pack(event.payload)), None)
    if over is None or pack is None or pack.state != "assembling":
        return ended
    if isinstance(over, e.StepFailed):
        gone = e.PackFailed(pack=pack.id, reason=over.reason, hint=over.hint)
    else:
        assert isinstance(over, e.StepFinished)  # what ends a pack is one of two
        gone = e.PackFailed(pack=pack.id, reason=over.detail, hint="What the agent delivers next is examined anew.")
    event = on_pack(pack.id, gone, id=derived_id(pack.id, "failed", over.number, over.attempt))
    return Decision(events=(*ended.events, event), expect=ended.expect)


def _ends_pack(payload: e.Payload) -> bool:
    """Whether a pack at work is not gone on with: its run failed, or a person interrupted it."""
    if isinstance(payload, e.StepFailed):
        return payload.final
    return isinstance(payload, e.StepFinished) and payload.step == PACK and payload.outcome == INTERRUPTED


def submit_pack(submitted: e.PackSubmitted, older: Sequence[PackState]) -> Decision:
    """The pack is whole and waits for a person; undecided packs of earlier revisions are superseded."""
    pack, run = submitted.pack, submitted.run
    shown = e.RunPackSubmitted(run=run, pack=pack, revision=submitted.revision, verdict=submitted.verdict)
    events = [
        on_pack(pack, submitted, id=derived_id(pack, "submitted")),
        on_run(run, shown, id=derived_id(pack, "run-submitted")),
    ]
    for earlier in older:
        if earlier.id != pack and earlier.state in ("submitted", "approved", "changes-requested"):
            gone = e.PackSuperseded(pack=earlier.id, by=pack)
            events.append(on_pack(earlier.id, gone, id=derived_id(earlier.id, "superseded")))
    return Decision(events=tuple(events))


# --- what people decide -----------------------------------------------------------------------------------------------


def decide_pack(
    pack: PackState,
    run: RunState | None,
    *,
    decision: str,
    rationale: str,
    required_changes: tuple[str, ...] = (),
    conditions: tuple[str, ...] = (),
    left_behind: tuple[str, ...] = (),
    decided_by: str,
    actor: str,
    at: str,
    mission: MissionState | None = None,
    siblings: Sequence[RunState] = (),
    verified: bool = False,
    further: bool = False,
) -> Decision:
    """Approve, send back or reject. `siblings` are the mission's other runs, `left_behind` the packs not selected.

    `further` says that this approval may join those that an approved pack has.

    Raises AlreadyResolved when somebody decided it first and Refused when it is not there to be decided.
    """
    reason = required_reason(rationale, what="A decision")
    if decision == "request-changes":
        required_changes = (*required_changes, *comment.batch(pack.comments))
    if not (further and decision == "approve" and pack.state == "approved" and pack.merging is None):
        _refuse_undecidable(pack, decision)
    _refuse_disturbing(pack, run, decision)
    resolution = resolution_id(pack.id, len(pack.decisions) + 1)
    document: dict[str, Any] = {
        "id": resolution,
        "target": {"kind": "mrp", "id": pack.id, "digest": pack.digest},
        "decision": decision,
        "rationale": reason,
        **({"selected": [pack.id], "left_behind": list(left_behind)} if decision == "select" else {}),
        "conditions": list(conditions),
        "required_changes": list(required_changes),
        "decided_by": {"who": decided_by, "role": "coach", "resolver": "human", "verified": verified},
        "at": at,
        "applies_to": "this",
        "cites": [f"base@{pack.base_commit}", f"head@{pack.head}", f"tree@{pack.tree}"],
    }
    decided = e.PackDecided(
        pack=pack.id, decision=decision, resolution=resolution, decided_by=decided_by, document=document
    )
    events = [on_pack(pack.id, decided, actor=actor)]
    expect = {pack_stream(pack.id): pack.version}
    if run is not None and (is_open(run) or _was_taken_back(pack, run)):
        events += _told_to_run(pack, run, decided, reason, required_changes, actor)
        expect[run_stream(run.id)] = run.version  # nothing goes on in a run whose pack waits for a person
        if decision == "reject":
            events += _mission_over(mission, siblings, outcome="rejected", reason=reason, actor=actor)
    return Decision(events=tuple(events), expect=expect)


def is_open(run: RunState) -> bool:
    """Whether a run may still go on: one that failed can be resumed."""
    return run.outcome in ("", "failed")


def _was_taken_back(pack: PackState, run: RunState) -> bool:
    return run.outcome == "merged" and run.pack == pack.id and pack.state == "approved"


def _refuse_disturbing(pack: PackState, run: RunState | None, decision: str) -> None:
    if run is None:
        return
    if run.submission and run.pack == pack.id and not run.outcome:
        raise Refused(
            f"{pack.id} is being examined again.", hint=f"workbench wait {run.id}; then decide on its new pack."
        )
    if decision == "request-changes" and run.composed:
        raise Refused(
            f"{pack.id} was composed by a person: there is no agent behind it.",
            hint=f"Compose another one: workbench compare {run.mission} --compose PACK[:PATH,...] --why TEXT",
        )
    if decision == "request-changes" and _was_taken_back(pack, run):
        raise Refused(
            f"{pack.id} was merged and taken back; its run is over.",
            hint="Start a new mission, or gate the branch again: workbench mrp build --base BRANCH --head " + pack.id,
        )


def renew_evidence(pack: PackState, run: RunState, *, reason: str, actor: str) -> Decision:
    """Have the delivery examined again on the base as it stands now; the new pack supersedes this one."""
    if run.outcome or pack.state not in ("submitted", "approved", "failed") or run.pack not in ("", pack.id):
        raise Refused(f"{pack.id} is {pack.state}; its evidence cannot be renewed.")
    if run.submission:
        raise Refused(f"{pack.id} is being examined again already.", hint=f"workbench wait {run.id}")
    asked = e.EvidenceRequested(run=run.id, pack=pack.id, reason=reason)
    return Decision(events=(on_run(run.id, asked, actor=actor),), expect={pack_stream(pack.id): pack.version})


def _refuse_undecidable(pack: PackState, decision: str) -> None:
    if decision not in DECISIONS:
        raise Refused(f"{decision!r} is no decision.", hint=f"One of {', '.join(DECISIONS)}.")
    may_change = pack.state == "approved" and decision not in APPROVALS and pack.merging is None
    if pack.state == "submitted" or may_change:
        return
    if pack.decisions:
        last = pack.decisions[-1]
        who = last.get("decided_by", {}).get("who", "somebody")
        raise AlreadyResolved(
            f"{pack.id} is {pack.state}: {who} decided {last.get('decision')} at {last.get('at')}.",
            hint=f"workbench show {last.get('id')} prints the decision.",
            data={"pack": pack.id, "decided_by": who, "at": last.get("at"), "decision": last.get("decision")},
        )
    raise Refused(f"{pack.id} is {pack.state}; there is nothing to decide.", hint=pack.hint or pack.reason)


def _told_to_run(
    pack: PackState,
    run: RunState,
    decided: e.PackDecided,
    reason: str,
    required_changes: tuple[str, ...],
    actor: str,
) -> list[e.Proposed]:
    if decided.decision == "reject":
        ended = e.RunEnded(run=run.id, outcome="rejected", reason=reason)
        return [on_run(run.id, ended, actor=actor)]
    if decided.decision == "request-changes":
        if run.driver == "branch":
            return []
        asked = e.ChangesRequested(
            run=run.id, pack=pack.id, resolution=decided.resolution, text=reason, required_changes=required_changes
        )
        return [on_run(run.id, asked, actor=actor)]
    return []


def _mission_over(
    mission: MissionState | None, siblings: Sequence[RunState], *, outcome: str, reason: str, actor: str
) -> list[e.Proposed]:
    if mission is None or mission.outcome not in ("", "merged") or any(is_open(sibling) for sibling in siblings):
        return []
    ended = e.MissionEnded(mission=mission.id, outcome=outcome, reason=reason)
    return [e.Proposed(stream=mission_stream(mission.id), payload=ended, actor=actor)]


# --- merge and undo: intent, effect, outcome ------------------------------------------------------------------------


def start_merge(pack: PackState, *, old: str, new: str, mode: str, actor: str) -> Decision:
    """The intent to move the pack's target. Raises Refused unless the pack is approved and no merge is under way."""
    if pack.state == "merged":
        raise Refused(f"{pack.id} is merged already.", hint=f"workbench undo {pack.id} takes it back.")
    if pack.state != "approved":
        raise Refused(
            f"{pack.id} is {pack.state}, not approved.", hint=f"workbench approve {pack.id} --why TEXT comes first."
        )
    if not pack.into:
        raise Refused(f"{pack.id} has no branch to merge into.", hint="Start the mission with --into BRANCH.")
    started = e.MergeStarted(
        pack=pack.id, ref=pack.into, old=old, new=new, mode=mode, merge_base_commit=pack.base_commit
    )
    return Decision(events=(on_pack(pack.id, started, actor=actor),), expect={pack_stream(pack.id): pack.version})


def finish_merge(
    pack: PackState, run: RunState | None, mission: MissionState | None, siblings: Sequence[RunState], *, actor: str
) -> Decision:
    """The target stands at the result: the run and its mission are done, the other versions superseded."""
    merging = pack.merging
    if merging is None:
        raise Refused(f"{pack.id} has no merge under way.")
    merged = e.PackMerged(pack=pack.id, ref=merging.ref, old=merging.old, new=merging.new, mode=merging.mode)
    once = merging.new, pack.version  # a pack may be merged again after an undo
    events = [on_pack(pack.id, merged, actor=actor, id=derived_id(pack.id, "merged", *once))]
    expect = {pack_stream(pack.id): pack.version}
    if run is not None and is_open(run):
        ended = e.RunEnded(run=run.id, outcome="merged")
        events.append(on_run(run.id, ended, actor=actor, id=derived_id(pack.id, "run-merged", *once)))
        for sibling in siblings:
            if is_open(sibling):
                left = e.RunEnded(run=sibling.id, outcome="superseded", reason=f"{pack.id} was merged")
                events.append(on_run(sibling.id, left, actor=actor, id=derived_id(sibling.id, "superseded", *once)))
        if mission is not None and not mission.outcome:
            done = e.MissionEnded(mission=mission.id, outcome="merged", reason=pack.id)
            events.append(e.Proposed(stream=mission_stream(mission.id), payload=done, actor=actor))
            expect[mission_stream(mission.id)] = mission.version
    return Decision(events=tuple(events), expect=expect)


def abandon_merge(pack: PackState, *, reason: str, actor: str) -> Decision:
    """The target did not move."""
    abandoned = e.MergeAbandoned(pack=pack.id, reason=reason)
    return Decision(events=(on_pack(pack.id, abandoned, actor=actor),), expect={pack_stream(pack.id): pack.version})


def start_undo(pack: PackState, *, old: str, new: str, how: str, actor: str) -> Decision:
    """The intent to take a merge back. Raises Refused unless the pack is merged."""
    if pack.state != "merged" or pack.merge is None:
        raise Refused(f"{pack.id} is {pack.state}, not merged.")
    started = e.UndoStarted(pack=pack.id, ref=pack.merge.ref, old=old, new=new, how=how)
    return Decision(events=(on_pack(pack.id, started, actor=actor),), expect={pack_stream(pack.id): pack.version})


def finish_undo(pack: PackState, *, actor: str) -> Decision:
    """The merge was taken back; the pack stands approved again."""
    undoing = pack.undoing
    if undoing is None:
        raise Refused(f"{pack.id} has no undo under way.")
    undone = e.MergeUndone(pack=pack.id, ref=undoing.ref, old=undoing.old, new=undoing.new, how=undoing.mode)
    return Decision(events=(on_pack(pack.id, undone, actor=actor),), expect={pack_stream(pack.id): pack.version})


def abandon_undo(pack: PackState, *, reason: str, actor: str) -> Decision:
    """The target did not move: the merge stands as it was."""
    if pack.undoing is None:
        raise Refused(f"{pack.id} has no undo under way.")
    abandoned = e.UndoAbandoned(pack=pack.id, reason=reason)
    return Decision(events=(on_pack(pack.id, abandoned, actor=actor),), expect={pack_stream(pack.id): pack.version})
