"""Starting, holding and ending missions."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.core.decide.decision import Decision, mission_stream, on_run, run_stream
from workbench.core.decide.run import stop_run
from workbench.core.state import ConsultationState, MissionState, RunState
from workbench.model import events as e
from workbench.model.errors import Refused
from workbench.model.ids import is_id


def start(mission: e.MissionStarted, runs: Sequence[e.RunQueued], *, actor: str) -> Decision:
    """A new mission with its runs. Raises Refused when it has none, or an id that names nothing safely."""
    if not runs:
        raise Refused("A mission needs at least one run.", hint="Ask for --versions 1 or more.")
    for name in (mission.mission, *(run.run for run in runs)):
        if not is_id(name):
            raise Refused(f"{name!r} cannot be an id.", hint="Use letters, digits, '.', '_' and '-'.")
    started = e.Proposed(stream=mission_stream(mission.mission), payload=mission, actor=actor)
    queued = [on_run(run.run, run, actor=actor) for run in runs]
    expect = {mission_stream(mission.mission): 0, **{run_stream(run.run): 0 for run in runs}}
    return Decision(events=(started, *queued), expect=expect)


def stop(
    mission: MissionState,
    runs: Sequence[RunState],
    open_questions: Sequence[ConsultationState],
    *,
    reason: str,
    actor: str,
) -> Decision:
    """End a mission and all of its runs; what they delivered stays."""
    if mission.outcome:
        raise Refused(f"Mission {mission.id} is over already ({mission.outcome}).")
    events: list[e.Proposed] = []
    for run in runs:
        if run.outcome in ("", "failed"):
            questions = [question for question in open_questions if question.run == run.id]
            events += stop_run(run, questions, reason=reason, actor=actor, mission=None).events
    ended = e.MissionEnded(mission=mission.id, outcome="stopped", reason=reason)
    events.append(e.Proposed(stream=mission_stream(mission.id), payload=ended, actor=actor))
    return Decision(events=tuple(events), expect={mission_stream(mission.id): mission.version})
