"""Steps of a run as the AEE hands them out, and what people say to a run."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.decide.decision import Decision, consultation_stream, mission_stream, on_run, run_stream
from workbench.core.next_step import next_step
from workbench.core.state import MAX_STEP_FAILURES, ConsultationState, MissionState, RunState, Step
from workbench.model import events as e
from workbench.model.errors import Refused
from workbench.model.ids import derived_id, is_id

INTERRUPTED = "interrupted"  # outcome of a step that a person's words ended

# --- what the AEE decides ---------------------------------------------------------------------------------------------


def start_step(run: RunState, *, aee: str) -> Decision:
    """Hand out the run's next step. Raises Refused when there is none."""
    step = next_step(run)
    if step is None:
        raise Refused(f"Run {run.id} has no next step.")
    again = run.unfinished == step
    number = run.steps if again else run.steps + 1
    attempt = run.attempts + 1 if again else 1
    started = e.StepStarted(run=run.id, step=step, number=number, attempt=attempt, epoch=run.epoch + 1, aee=aee)
    event = on_run(run.id, started, id=derived_id(run.id, "step-started", number, attempt))
    return Decision(events=(event,), expect={run_stream(run.id): run.version})


def finish_step(run: RunState, *, outcome: str, detail: str = "") -> Decision:
    """The step at work ended in order: `outcome` is done, waiting, submitted, ended, stopped or interrupted."""
    step = _step_at_work(run)
    finished = e.StepFinished(
        run=run.id, step=step.name, number=step.number, attempt=step.attempt, outcome=outcome, detail=detail
    )
    return Decision(events=(on_run(run.id, finished, id=_outcome_id(run)),))


def interrupt_step(run: RunState, *, reason: str) -> Decision:
    """The holder of the step at work is gone; it will be decided again."""
    step = _step_at_work(run)
    interrupted = e.StepInterrupted(run=run.id, step=step.name, number=step.number, attempt=step.attempt, reason=reason)
    return Decision(events=(on_run(run.id, interrupted, id=_outcome_id(run)),))


def fail_step(run: RunState, *, reason: str, hint: str = "", final: bool = False) -> Decision:
    """The step at work ended in an error; a `final` one, or one too many, ends the run as failed."""
    step = _step_at_work(run)
    over = not run.outcome and (final or run.failures + 1 >= MAX_STEP_FAILURES)
    failed = e.StepFailed(
        run=run.id, step=step.name, number=step.number, attempt=step.attempt, reason=reason, hint=hint, final=over
    )
    events = [on_run(run.id, failed, id=_outcome_id(run))]
    if over:
        ended = e.RunEnded(run=run.id, outcome="failed", reason=reason)
        events.append(on_run(run.id, ended, id=derived_id(run.id, "ended", step.number, step.attempt)))
    return Decision(events=tuple(events))


def _step_at_work(run: RunState) -> Step:
    if run.step is None:
        raise Refused(f"Run {run.id} has no step at work.")
    return run.step


def _outcome_id(run: RunState) -> str:
    step = _step_at_work(run)
    return derived_id(run.id, "step-outcome", step.number, step.attempt)


# --- what people say --------------------------------------------------------------------------------------------------


def queue_branch(run: e.RunQueued, *, head: str, rationale: e.JSON, actor: str) -> Decision:
    """A branch that a person hands in: a run of the driver `branch`, delivered before it starts."""
    if not is_id(run.run):
        raise Refused(f"{run.run!r} cannot be an id.", hint="Use letters, digits, '.', '_' and '-'.")
    delivered = e.DeliverySubmitted(run=run.run, head=head, rationale=rationale)
    return Decision(
        events=(on_run(run.run, run, actor=actor), on_run(run.run, delivered, actor=actor)),
        expect={run_stream(run.run): 0},
    )


def pause_run(run: RunState, *, reason: str, actor: str) -> Decision:
    """No new step, and the turn at work ends at the next act."""
    _refuse_ended(run)
    if run.paused:
        raise Refused(f"Run {run.id} is paused already.", hint=f"workbench resume {run.id} lets it go on.")
    return Decision(events=(on_run(run.id, e.RunPaused(run=run.id, reason=reason), actor=actor),))


def resume_run(run: RunState, *, reason: str, actor: str, mission: MissionState | None = None) -> Decision:
    """Let a paused or failed run, or one that ended its turn without delivering, go on."""
    if mission is not None and mission.outcome:
        raise Refused(f"Mission {mission.id} is over already ({mission.outcome}).", hint="Start a new one.")
    if run.outcome != "failed":
        _refuse_ended(run)
    if not (run.paused or run.resting or run.failures or run.outcome):
        raise Refused(f"Run {run.id} is neither paused nor resting.", hint="workbench runs shows how each run stands.")
    return Decision(events=(on_run(run.id, e.RunResumed(run=run.id, reason=reason), actor=actor),))


def stop_run(
    run: RunState,
    open_questions: Sequence[ConsultationState],
    *,
    reason: str,
    actor: str,
    mission: MissionState | None,
    siblings: Sequence[RunState] = (),
) -> Decision:
    """End a run; its open questions are withdrawn, and its mission ends if this was the last live run.

    One that failed could still be resumed: stopping ends it for good.
    """
    if run.outcome != "failed":
        _refuse_ended(run)
    events = [on_run(run.id, e.RunStopped(run=run.id, reason=reason), actor=actor)]
    for question in open_questions:
        withdrawn = e.ConsultationWithdrawn(consultation=question.id, reason=f"run {run.id} was stopped")
        events.append(e.Proposed(stream=consultation_stream(question.id), payload=withdrawn, actor=actor))
    if mission is not None and not mission.outcome and all(sibling.outcome for sibling in siblings):
        ended = e.MissionEnded(mission=mission.id, outcome="stopped", reason=reason)
        events.append(e.Proposed(stream=mission_stream(mission.id), payload=ended, actor=actor))
    expect = {consultation_stream(question.id): question.version for question in open_questions}
    if mission is not None:
        expect[mission_stream(mission.id)] = mission.version  # a merge that came first has ended it
    return Decision(events=tuple(events), expect=expect)


def _refuse_ended(run: RunState) -> None:
    if run.outcome:
        raise Refused(f"Run {run.id} is over already ({run.outcome}).")
