"""The pure folds: what an event makes of the state of its stream.

One table, `FOLDS`, from payload type to a small function `(state or None, event) -> state`. An event that changes no
state has no row; it, and an unknown kind, only moves the version on, so that a decision may rest on `state.version`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from workbench.core.fold_delivery import DELIVERY_FOLDS
from workbench.core.fold_message import MESSAGE_FOLDS
from workbench.core.fold_stack import STACK_FOLDS
from workbench.core.next_step import TURN
from workbench.core.state import (
    Comment,
    ConsultationState,
    Merge,
    MissionState,
    PackState,
    RunState,
    State,
    Step,
)
from workbench.model import events as e

SETTLED = ("merged", "rejected", "superseded")  # ends of a run that stopping it later does not change
LAST_ACT_LENGTH = 120  # characters kept of a run's last act for one-line views


def fold(state: State | None, event: e.Event) -> State | None:
    """The state of `event.stream` after `event`; `state` is None before the first one."""
    step = FOLDS.get(type(event.payload))
    folded: State | None = state if step is None else step(state, event)
    return None if folded is None else replace(folded, version=event.version)


def _mission_started(_: None, event: e.Event) -> MissionState:
    p = _payload(event, e.MissionStarted)
    return MissionState(id=p.mission, started_at=event.at, **_shared(p, MissionState))


def _mission_ended(state: MissionState, event: e.Event) -> MissionState:
    p = _payload(event, e.MissionEnded)
    return replace(state, outcome=p.outcome, reason=p.reason)


def _run_queued(_: None, event: e.Event) -> RunState:
    p = _payload(event, e.RunQueued)
    return RunState(id=p.run, queued_at=event.at, last_at=event.at, **_shared(p, RunState))


def _versions_composed(state: RunState, event: e.Event) -> RunState:
    return replace(state, composed=_payload(event, e.VersionsComposed).document)


def _step_started(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.StepStarted)
    step = Step(name=p.step, number=p.number, attempt=p.attempt, epoch=p.epoch, aee=p.aee, at=event.at)
    fresh = p.number > state.steps
    return replace(
        state,
        step=step,
        steps=p.number,
        attempts=p.attempt,
        failures=0 if fresh else state.failures,
        unfinished="",
        epoch=p.epoch,
        resting=False,
        sent_back=state.sent_back and p.step != TURN,
        last_at=event.at,
    )


def _child_started(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.ChildStarted)
    if state.step is None or state.step.epoch != p.epoch:
        return state
    return replace(state, step=replace(state.step, pid=p.pid, started_ticks=p.started_ticks))


def _step_finished(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.StepFinished)
    delivered = bool(state.submission or state.to_decide)  # by an earlier turn: this one was about a message
    return replace(
        state,
        step=None,
        failures=0,
        unfinished="",
        resting=p.outcome == "ended" and not delivered,
        reason=p.detail if p.outcome == "ended" else state.reason,
        last_at=event.at,
    )


def _step_interrupted(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.StepInterrupted)
    return replace(state, step=None, unfinished=p.step, last_at=event.at)


def _step_failed(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.StepFailed)
    failures = state.failures + 1
    return replace(state, step=None, failures=failures, unfinished=p.step, reason=p.reason, last_at=event.at)


def _workspace_prepared(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.WorkspacePrepared)
    return replace(state, workspace=p.workspace, sandbox=p.sandbox, last_at=event.at)


def _first_tests_ran(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.FirstTestsRan)
    act = f"of {p.tests} tests run first {len(p.failed) or 'none'} failed: {', '.join(p.failed)}".removesuffix(": ")
    return replace(state, last_act=act[:LAST_ACT_LENGTH], last_at=event.at)


def _thought_recorded(state: RunState, event: e.Event) -> RunState:
    text = _payload(event, e.ThoughtRecorded).text
    return replace(state, last_act=text[:LAST_ACT_LENGTH], last_at=event.at)


def _tool_called(state: RunState, event: e.Event) -> RunState:
    title = _payload(event, e.ToolCalled).title
    return replace(state, last_act=title[:LAST_ACT_LENGTH], calls=state.calls + 1, last_at=event.at)


def _tool_returned(state: RunState, event: e.Event) -> RunState:
    return replace(state, last_at=event.at)


def _model_called(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.ModelCalled)
    tokens = state.tokens + p.tokens_in + p.tokens_out + p.tokens_cache_write + p.tokens_cache_read
    return replace(state, tokens=tokens, cost_usd=state.cost_usd + p.cost_usd, last_at=event.at)


def _commits_fetched(state: RunState, event: e.Event) -> RunState:
    return replace(state, head=_payload(event, e.CommitsFetched).head, last_at=event.at)


def _delivery_submitted(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.DeliverySubmitted)
    going = replace(state, head=p.head, submission=p.head, rationale=p.rationale, last_at=event.at)
    return replace(going, to_decide=False)


def _run_awaits_answer(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.RunAwaitsAnswer)
    return replace(
        state, waiting_for=(*state.waiting_for, p.consultation), questions=state.questions + 1, last_at=event.at
    )


def _run_answered(state: RunState, event: e.Event) -> RunState:
    answered = _payload(event, e.RunAnswered).consultation
    return replace(state, waiting_for=tuple(c for c in state.waiting_for if c != answered), last_at=event.at)


def _run_paused(state: RunState, _: e.Event) -> RunState:
    return replace(state, paused=True)


def _run_resumed(state: RunState, _: e.Event) -> RunState:
    outcome = "" if state.outcome == "failed" else state.outcome
    return replace(state, paused=False, resting=False, failures=0, outcome=outcome)


def _run_stopped(state: RunState, event: e.Event) -> RunState:
    if state.outcome in SETTLED:
        return state
    p = _payload(event, e.RunStopped)
    return replace(state, outcome="stopped", reason=p.reason, waiting_for=(), last_at=event.at)


def _run_ended(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.RunEnded)
    if p.outcome == "failed" and state.outcome:
        return state  # a person's word, or a merge, came first
    ended = p.outcome
    return replace(state, outcome=ended, reason=p.reason, to_decide=False, waiting_for=(), last_at=event.at)


def _changes_requested(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.ChangesRequested)
    outcome = "" if state.outcome == "failed" else state.outcome
    request = "\n".join([p.text, *(f"- {change}" for change in p.required_changes)])
    going = replace(state, outcome=outcome, failures=0, unfinished="", resting=False, last_at=event.at)
    at_work = state.step is not None and state.step.name == TURN
    return replace(going, to_decide=False, submission="", request=request, sent_back=at_work)


def _evidence_requested(state: RunState, event: e.Event) -> RunState:
    return replace(state, submission=state.head, to_decide=False, resting=False, failures=0, last_at=event.at)


def _run_pack_submitted(state: RunState, event: e.Event) -> RunState:
    p = _payload(event, e.RunPackSubmitted)
    return replace(state, pack=p.pack, revision=p.revision, to_decide=True, submission="", outside="", last_at=event.at)


def _consultation_raised(_: None, event: e.Event) -> ConsultationState:
    p = _payload(event, e.ConsultationRaised)
    return ConsultationState(id=p.consultation, raised_at=event.at, **_shared(p, ConsultationState))


def _consultation_resolved(state: ConsultationState, event: e.Event) -> ConsultationState:
    p = _payload(event, e.ConsultationResolved)
    return replace(
        state,
        state="resolved",
        resolution=p.resolution,
        decision=p.decision,
        decided_by=p.decided_by,
        decided_at=event.at,
        answer=p.document,
    )


def _consultation_withdrawn(state: ConsultationState, event: e.Event) -> ConsultationState:
    return replace(state, state="withdrawn", decided_at=event.at)


def _pack_requested(_: None, event: e.Event) -> PackState:
    p = _payload(event, e.PackRequested)
    return PackState(id=p.pack, requested_at=event.at, **_shared(p, PackState))


def _pack_submitted(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.PackSubmitted)
    return replace(state, state="submitted", submitted_at=event.at, **_shared(p, PackState))


def _pack_failed(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.PackFailed)
    return replace(state, state="failed", reason=p.reason, hint=p.hint)


DECIDED_STATES = {
    "approve": "approved",
    "select": "approved",
    "request-changes": "changes-requested",
    "reject": "rejected",
}


def _pack_decided(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.PackDecided)
    comments = state.comments
    if p.decision == "request-changes":
        comments = tuple(replace(one, sent=one.sent or p.resolution) if not one.settled else one for one in comments)
    decided = DECIDED_STATES[p.decision]
    return replace(state, state=decided, decisions=(*state.decisions, p.document), comments=comments)


def _requirement_overridden(state: PackState, event: e.Event) -> PackState:
    return replace(state, decisions=(*state.decisions, _payload(event, e.RequirementOverridden).document))


def _comment_made(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.CommentMade)
    made = Comment(id=p.comment, by=p.by, at=event.at, target=p.target, text=p.text, suggestion=p.suggestion)
    return replace(state, comments=(*state.comments, made))


def _comment_settled(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.CommentSettled)
    settled = (replace(one, settled=p.how, settled_by=p.by) if one.id == p.comment else one for one in state.comments)
    return replace(state, comments=tuple(settled))


def _pack_superseded(state: PackState, _: e.Event) -> PackState:
    return state if state.state in ("merged", "rejected") else replace(state, state="superseded")


def _merge_started(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.MergeStarted)
    return replace(state, merging=Merge(ref=p.ref, old=p.old, new=p.new, mode=p.mode))


def _pack_merged(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.PackMerged)
    merge = Merge(ref=p.ref, old=p.old, new=p.new, mode=p.mode)
    return replace(state, state="merged", merge=merge, merging=None, reverted="")


def _merge_abandoned(state: PackState, event: e.Event) -> PackState:
    return replace(state, merging=None, reason=_payload(event, e.MergeAbandoned).reason)


def _undo_started(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.UndoStarted)
    return replace(state, undoing=Merge(ref=p.ref, old=p.old, new=p.new, mode=p.how))


def _undo_abandoned(state: PackState, event: e.Event) -> PackState:
    return replace(state, undoing=None, reason=_payload(event, e.UndoAbandoned).reason)


def _merge_undone(state: PackState, event: e.Event) -> PackState:
    p = _payload(event, e.MergeUndone)
    reverted = p.new if p.how == "revert" else ""
    return replace(state, state="approved", merge=None, undoing=None, outside=None, reverted=reverted)


def _shared(payload: e.Payload, state: type[State]) -> dict[str, Any]:
    """The fields that a payload and a state have in common, as the payload has them."""
    names = set(payload.__struct_fields__).intersection(state.__struct_fields__)
    return {name: getattr(payload, name) for name in names}


P = TypeVar("P", bound=e.Payload)


def _payload(event: e.Event, _: type[P]) -> P:
    return event.payload  # type: ignore[return-value]  # FOLDS pairs each function with its payload type


FOLDS: dict[type[e.Payload], Callable[[Any, e.Event], Any]] = {
    e.MissionStarted: _mission_started,
    e.MissionEnded: _mission_ended,
    e.RunQueued: _run_queued,
    e.VersionsComposed: _versions_composed,
    e.StepStarted: _step_started,
    e.ChildStarted: _child_started,
    e.StepFinished: _step_finished,
    e.StepInterrupted: _step_interrupted,
    e.StepFailed: _step_failed,
    e.WorkspacePrepared: _workspace_prepared,
    e.ThoughtRecorded: _thought_recorded,
    e.FirstTestsRan: _first_tests_ran,
    e.ToolCalled: _tool_called,
    e.ToolReturned: _tool_returned,
    e.ModelCalled: _model_called,
    e.CommitsFetched: _commits_fetched,
    e.DeliverySubmitted: _delivery_submitted,
    e.RunAwaitsAnswer: _run_awaits_answer,
    e.RunAnswered: _run_answered,
    **MESSAGE_FOLDS,
    **STACK_FOLDS,
    e.RunPaused: _run_paused,
    e.RunResumed: _run_resumed,
    e.RunStopped: _run_stopped,
    e.RunEnded: _run_ended,
    e.ChangesRequested: _changes_requested,
    e.EvidenceRequested: _evidence_requested,
    e.RunPackSubmitted: _run_pack_submitted,
    e.ConsultationRaised: _consultation_raised,
    e.ConsultationResolved: _consultation_resolved,
    e.ConsultationWithdrawn: _consultation_withdrawn,
    e.PackRequested: _pack_requested,
    e.PackSubmitted: _pack_submitted,
    e.PackFailed: _pack_failed,
    e.PackDecided: _pack_decided,
    e.RequirementOverridden: _requirement_overridden,
    e.CommentMade: _comment_made,
    e.CommentSettled: _comment_settled,
    e.PackSuperseded: _pack_superseded,
    e.MergeStarted: _merge_started,
    e.PackMerged: _pack_merged,
    e.MergeAbandoned: _merge_abandoned,
    e.UndoStarted: _undo_started,
    e.UndoAbandoned: _undo_abandoned,
    e.MergeUndone: _merge_undone,
    **DELIVERY_FOLDS,
}
