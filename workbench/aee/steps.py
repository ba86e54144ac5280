"""The bounded acts that a run consists of: prepare its workspace, let the agent take a turn, build its pack."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from workbench.aee import permission, spending
from workbench.aee.confined import Confined
from workbench.aee.driving import OwnDrivers, driver_of
from workbench.aee.packing import build_pack
from workbench.aee.plugged import bench_of, host_of, tools_of
from workbench.aee.prepare import TRUST_USE
from workbench.aee.session import RunSession
from workbench.aee.ticket import StepEnd
from workbench.aee.wiring import ChildGround
from workbench.core.decide.consultation import raise_consultation, raised_of
from workbench.core.decide.decision import on_run
from workbench.core.decide.run import stop_run
from workbench.core.messages import given_since_an_end, told
from workbench.core.next_step import PACK, PREPARE, TURN
from workbench.core.state import RunState
from workbench.model import events as e
from workbench.model.errors import NeedsHuman
from workbench.model.ids import derived_id
from workbench.ports import ToolResult, Turn

BRANCH_DRIVER = "branch"  # a branch that a person handed in: there is no agent, and no clone


class Stop:
    """Whether this step should end soon: a signal or the AEE's word; both only ever ask once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._others: list[threading.Event] = []

    def ask(self) -> None:
        """Ask for the end."""
        self._asked.set()

    def follow(self, other: threading.Event) -> None:
        """Let somebody else's event count, too."""
        self._others.append(other)

    def __call__(self) -> bool:
        """Whether anybody asked."""
        return self._asked.is_set() or any(other.is_set() for other in self._others)


Step = Callable[[ChildGround, RunState, Stop], StepEnd]


def prepare(ground: ChildGround, run: RunState, _stop: Stop) -> StepEnd:
    """Bring the base into the store and, for an agent, make the run's clone."""
    ground.store.pin(run.base_commit)
    if run.authority:
        ground.store.pin(run.authority)
    if run.driver == BRANCH_DRIVER:
        ground.store.pin(run.submission)
        ground.store.set_run(run.id, run.submission)
        place = "none"
    else:
        clones = ground.workspaces(run)
        place = clones.prepare(run=run.id, base_commit=run.base_commit, branch=run.branch).path
    named = ground.environment(run)
    prepared = e.WorkspacePrepared(
        run=run.id,
        workspace=place,
        base_commit=run.base_commit,
        sandbox=ground.sandbox(run).level,
        environment=named.digest,
        notes=named.notes,
    )
    ground.line.report([on_run(run.id, prepared, id=derived_id(run.id, "prepared"))])
    return StepEnd(outcome="done")


def asking(step: Step) -> Step:
    """`step`, which has a person asked when what it needs wants their trust, or their money, first."""

    def carried(ground: ChildGround, run: RunState, stop: Stop) -> StepEnd:
        try:
            return step(ground, run, stop)
        except NeedsHuman as problem:
            ask = _ASKS.get(problem.data.get("use", ""))
            if ask is None:
                raise
            return ask(ground, run, problem)

    return carried


def _trust(ground: ChildGround, run: RunState, problem: NeedsHuman) -> StepEnd:
    """Ask whether the content of `problem` is trusted, or take the answer; the step is decided again after both."""
    digest, subject = problem.data["digest"], " ".join(problem.data["command"])
    asked = ground.states.consultations(run=run.id)
    known = next((question for question in asked if permission.is_own(question, digest)), None)
    if known is None:
        ground.line.report(permission.ask(run, problem, len(asked)))
        return StepEnd(outcome="waiting")
    ground.line.report([permission.granted(known, digest, subject)])
    return StepEnd(outcome="done")


def _spend(ground: ChildGround, run: RunState, problem: NeedsHuman) -> StepEnd:
    """Ask whether more may be spent; the answer counts from the next turn on."""
    asked = ground.states.consultations(run=run.id)
    ground.line.report(spending.ask(run, problem, asked=asked, brief=ground.text(run.brief)))
    return StepEnd(outcome="waiting")


_ASKS: dict[str, Callable[[ChildGround, RunState, NeedsHuman], StepEnd]] = {TRUST_USE: _trust, spending.USE: _spend}


def _stopped_over_money(ground: ChildGround, run: RunState) -> StepEnd | None:
    """End the run where a person's answer about its budget says so."""
    question = spending.stopped_by(ground.states.consultations(run=run.id))
    if question is None:
        return None
    siblings = [other for other in ground.states.runs(mission=run.mission) if other.id != run.id]
    decision = stop_run(
        run,
        ground.states.consultations(run=run.id, is_open=True),
        reason=f"{question.id}: {question.answer.get('rationale', '')}",
        actor=f"human:{question.decided_by}",
        mission=ground.states.mission(run.mission),
        siblings=siblings,
    )
    ground.line.report(decision.events)
    return StepEnd(outcome="ended", detail="stopped at the end of its budget")


def turn(ground: ChildGround, run: RunState, stop: Stop) -> StepEnd:
    """Let the agent work until it delivers, asks, ends or is stopped."""
    if (over := _stopped_over_money(ground, run)) is not None:
        return over
    history = ground.history(run.id)
    # A journal that was restored from a backup comes without the clones: then the toolbox makes this one anew.
    if run.step is not None and run.step.attempt > 1 and Path(run.workspace).is_dir():
        with Confined(Path(run.workspace)) as files:
            files.clear_leftovers()
    box = ground.toolbox(run, stop)
    own = OwnDrivers(ground=ground, run=run, box=box)
    host = host_of(ground, run, ours=[own])
    box.add(tools_of(host, bench_of(ground, run, box)))
    session = RunSession(
        ground.line,
        run=run.id,
        history=history,
        ready=box.ready,
        also=lambda result, call: _outcome_events(ground, run, result, call),
        blobs=ground.blobs,
        stop_asked=stop,
        standing=lambda: ground.states.run(run.id),
    )
    if session.messages(midway=False):
        history = ground.history(run.id)
    task = Turn(
        run=run.id,
        mission=run.mission,
        agent=run.agent,
        brief=ground.text(run.brief),
        script=ground.text(run.script),
        message=run.request,
        words=tuple(map(told, given_since_an_end(history))),
        history=tuple(history),
    )
    ended = driver_of(host, own).take_turn(task, session)
    detail = "the agent ended its turn without delivering" if ended == "ended" else ""
    return StepEnd(outcome=ended, detail=detail)


def _outcome_events(ground: ChildGround, run: RunState, result: ToolResult, call: str) -> tuple[e.Proposed, ...]:
    """What a tool's outcome means for the run, appended together with it: a question, or a delivery."""
    if result.state != "ok":
        return ()
    if "document" in result.data:  # a question that was asked before has none
        return _question(run, result, call)
    return _delivery(ground, run, result, call) if result.finish else ()


def _question(run: RunState, result: ToolResult, call: str) -> tuple[e.Proposed, ...]:
    raised = raised_of(
        result.data["document"],
        consultation=result.data["consultation"],
        mission=run.mission,
        run=run.id,
        mode=result.data["mode"],
        call=call,
    )
    return raise_consultation(raised).events


def _delivery(ground: ChildGround, run: RunState, result: ToolResult, call: str) -> tuple[e.Proposed, ...]:
    head = ground.workspaces(run).fetch(run=run.id, branch=run.branch)
    commits = ground.store.count_commits(run.base_commit, head)
    fetched = e.CommitsFetched(run=run.id, head=head, commits=commits)
    delivered = e.DeliverySubmitted(run=run.id, head=head, rationale=result.data.get("rationale", {}))
    return (
        on_run(run.id, fetched, id=derived_id(run.id, "fetched", call)),
        on_run(run.id, delivered, actor=f"agent:{run.id}", id=derived_id(run.id, "delivered", call)),
    )


def pack(ground: ChildGround, run: RunState, stop: Stop) -> StepEnd:
    """Make the evidence and the pack of what was delivered."""
    return StepEnd(outcome="done" if build_pack(ground, run, stop) else "stopped")


STEPS: dict[str, Step] = {PREPARE: asking(prepare), TURN: asking(turn), PACK: asking(pack)}
