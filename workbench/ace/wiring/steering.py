"""What people say to runs at work: pause, go on, stop, and words for the agent; for command line and screens alike.

It prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.ace.wiring import things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import message as messages
from workbench.core.decide import mission as missions
from workbench.core.decide import run as decide_run
from workbench.core.decide.decision import Decision
from workbench.core.state import Message, RunState
from workbench.model.errors import Refused

Say = Callable[[Ledger, RunState], Decision]


def can_pause(run: RunState) -> bool:
    """Whether the run is one that can be held."""
    return not run.outcome and not run.paused


def can_resume(run: RunState) -> bool:
    """Whether the run stands still for a reason that going on would end."""
    return run.outcome == "failed" or (not run.outcome and (run.paused or run.resting))


def pause(place: Workplace, names: Sequence[str], *, why: str) -> list[RunState]:
    """Hold runs, or all live runs of missions, after their next act."""
    return _each_run(
        place,
        names,
        fits=can_pause,
        say=lambda _, run: decide_run.pause_run(run, reason=why, actor=place.actor),
    )


def resume(place: Workplace, names: Sequence[str], *, why: str) -> list[RunState]:
    """Let runs go on that were paused, failed, or ended their turn without delivering."""
    return _each_run(
        place,
        names,
        fits=can_resume,
        say=lambda states, run: decide_run.resume_run(
            run, reason=why, actor=place.actor, mission=states.mission(run.mission)
        ),
    )


def stop(place: Workplace, names: Sequence[str], *, why: str) -> list[RunState]:
    """End runs or whole missions; their commits and packs stay, their open questions are withdrawn."""
    with place.writing() as journal:
        named = [things.find(journal, wanted, "mission", "run") for wanted in names]
        for thing in named:
            how = _stop_mission if thing.kind == "mission" else _stop_run
            decide(journal, lambda states, how=how, thing=thing: how(states, thing.id, why, place.actor))  # type: ignore[misc]  # a lambda's defaults
        return [run for thing in named for run in things.runs_of(journal, thing.id)]


def say(place: Workplace, name: str, *, mode: str, text: str) -> tuple[RunState, Message]:
    """Speak to the agent of one run: queue, steer or interrupt. The run then, and the message."""
    sent: list[Message] = []

    def send(run: RunState) -> Decision:
        decision = messages.send_message(run, mode=mode, text=text, actor=place.actor)
        sent[:] = [messages.sent_by(decision, at=place.clock.now())]
        return decision

    return _to_run(place, name, send), sent[0]


def spoken_to(place: Workplace, name: str) -> RunState:
    """The run whose agent is spoken to, with what waits for it."""
    with place.reading() as ledger:
        return things.run(ledger, name)


def why_deaf(run: RunState) -> str:
    """Why nobody would hear words for the run's agent; empty when somebody does."""
    try:
        messages.refuse_deaf(run)
    except Refused as refused:
        return refused.message
    return ""


def reword(place: Workplace, name: str, wanted: str, *, text: str, mode: str = "") -> RunState:
    """Change a message that the agent was not given yet."""
    return _to_run(place, name, lambda run: messages.edit_message(run, wanted, text=text, mode=mode, actor=place.actor))


def unsay(place: Workplace, name: str, wanted: str) -> RunState:
    """Take back a message that the agent was not given yet."""
    return _to_run(place, name, lambda run: messages.drop_message(run, wanted, actor=place.actor))


def _to_run(place: Workplace, name: str, say: Callable[[RunState], Decision]) -> RunState:
    with place.writing() as journal:
        run = things.run(journal, name).id
        decide(journal, lambda states: say(things.run(states, run)))
        return things.run(journal, run)


def _stop_mission(states: Ledger, name: str, reason: str, actor: str) -> Decision:
    runs = states.runs(mission=name)
    questions = [question for run in runs for question in states.consultations(run=run.id, is_open=True)]
    return missions.stop(things.mission(states, name), runs, questions, reason=reason, actor=actor)


def _stop_run(states: Ledger, name: str, reason: str, actor: str) -> Decision:
    run = things.run(states, name)
    return decide_run.stop_run(
        run,
        states.consultations(run=name, is_open=True),
        reason=reason,
        actor=actor,
        mission=states.mission(run.mission) if run.mission else None,
        siblings=[sibling for sibling in states.runs(mission=run.mission) if sibling.id != name],
    )


def _each_run(place: Workplace, names: Sequence[str], *, fits: Callable[[RunState], bool], say: Say) -> list[RunState]:
    """Say it to each named run; of a mission, to those that it fits. Refused when a mission has none."""
    with place.writing() as journal:
        wanted: list[str] = []
        for name in names:
            found = things.runs_of(journal, name)
            fitting = [run.id for run in found if len(found) == 1 or fits(run)]
            if not fitting:
                raise Refused(f"No run of {name} can take this.", hint="workbench runs shows how each run stands.")
            wanted += fitting
        for name in dict.fromkeys(wanted):
            decide(journal, lambda states, name=name: say(states, things.run(states, name)))  # type: ignore[misc]  # a lambda's default
        return [things.run(journal, name) for name in dict.fromkeys(wanted)]
