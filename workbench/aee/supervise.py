"""Carries one step: has a run child do it, watches over it, and records how the step ended.

It runs in a thread of the AEE for as long as the child lives; the child holds the driver, the sandbox and the keys.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from workbench.aee.attempt import STOP_GRACE_S, Attempt, Ended
from workbench.aee.reports import Receipt, Report
from workbench.aee.ticket import Ticket
from workbench.aee.trouble import Trouble
from workbench.aee.wiring import CHILD_LOGS
from workbench.core.decide.decision import Decision, on_run, run_stream
from workbench.core.decide.message import outdated
from workbench.core.decide.pack import with_failed_pack
from workbench.core.decide.run import INTERRUPTED, fail_step, finish_step, interrupt_step
from workbench.core.messages import interrupts
from workbench.core.next_step import PACK
from workbench.core.state import RunState
from workbench.model.errors import Conflict, JournalProblem
from workbench.model.events import ChildStarted, ModelCalled, Proposed
from workbench.model.ids import pack_id
from workbench.ports import Journal, States

STOPPED_GRACE_S = 1.0  # the same for a run that a person stopped: all of it is gone within 2 s
DEFAULT_WALL_S = 3600.0  # of one step, unless the run's limits say otherwise
PACK_WALL_S = 4 * 3600.0  # the suite runs several times, and each command has a limit of its own
REPORT_PATIENCE_S = 20.0  # how long a child waits for a journal that takes nothing, before its step fails
LAST_TRY_S = 3.0  # to record outcomes once the AEE was asked to stop
MAX_ATTEMPTS = 25  # of one step, killed from outside each time, before a person must look

T = TypeVar("T")


class Supervisor:
    """Everything that the AEE's step threads share. `carry` is what DBOS calls; `accept` is what children report to."""

    def __init__(
        self,
        journal: Journal,
        states: States,
        *,
        directory: Path,
        repository: Path,
        socket: Path,
        clear_locks: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._states = states
        self._directory = directory
        self._repository = repository
        self._socket = socket
        self._clear_locks = clear_locks  # of what a killed attempt may have left, before the next one
        self._stopping = threading.Event()
        self._trouble = Trouble("the journal takes nothing")

    def stop(self) -> None:
        """The AEE ends: have every child end its act, and hand out nothing more."""
        self._stopping.set()

    def accept(self, report: Report, events: Sequence[Proposed]) -> Receipt:
        """Append what a child reports, unless its epoch is over; a journal in trouble is waited for."""
        give_up = time.monotonic() + REPORT_PATIENCE_S
        while True:
            try:
                receipt = self._accepted(report, events)
            except Conflict:
                continue  # somebody spoke to the run meanwhile; it may be another epoch's now
            except JournalProblem as problem:
                if self._stopping.wait(self._trouble.met(problem)) or time.monotonic() > give_up:
                    return Receipt(ok=False, stop=self._stopping.is_set(), error=problem.message)
            else:
                self._trouble.over()
                return receipt

    def carry(self, run_id: str, number: int, attempt: int) -> str:
        """Do one step attempt to its recorded outcome. One that is not at work any more is left alone."""
        run = self._patiently(lambda: self._states.run(run_id))
        if run is None or run.step is None or (run.step.number, run.step.attempt) != (number, attempt):
            return "superseded"
        if self._stopping.is_set():
            return self._record(run, lambda now: interrupt_step(now, reason="the AEE was stopped"))
        try:
            if attempt > 1:
                self._clear_locks()
            ended = self._in_child(run)
        except Exception as problem:  # noqa: BLE001 - the worker's top: a step always gets an outcome
            told = f"the step could not be carried out: {type(problem).__name__}: {problem}"
            return self._record(run, lambda now: fail_step(now, reason=told))
        return self._record(run, lambda now: outcome(now, ended, aee_stops=self._stopping.is_set()))

    def _accepted(self, report: Report, events: Sequence[Proposed]) -> Receipt:
        """The epoch and the append are one: with the run's version, no outcome can slip in between."""
        run = self._states.run(report.run)
        if run is None or run.step is None or run.step.epoch != report.epoch:
            return Receipt(ok=False, fenced=True, stop=True, error=f"epoch {report.epoch} of {report.run} is over")
        if run.outcome and not all(isinstance(event.payload, ModelCalled) for event in events):  # that was paid for
            return Receipt(ok=False, fenced=True, stop=True, error=f"{report.run} is over ({run.outcome})")
        if name := outdated(run, events):
            return Receipt(ok=False, outdated=True, error=f"{name} is not what it was")
        if events:
            self._journal.append(events, expect={run_stream(run.id): run.version})
        return Receipt(ok=True, stop=self._grace(run) is not None)

    def _in_child(self, run: RunState) -> Ended:
        assert run.step is not None  # carry checked it
        ticket = Ticket(
            directory=str(self._directory),
            repository=str(self._repository),
            socket=str(self._socket),
            run=run.id,
            step=run.step.name,
            number=run.step.number,
            attempt=run.step.attempt,
            epoch=run.step.epoch,
        )
        with Attempt(ticket, log=self._log_path(run)) as child:
            started = ChildStarted(run=run.id, epoch=run.step.epoch, pid=child.pid, started_ticks=child.ticks)
            self._patiently(lambda: self._journal.append([on_run(run.id, started)]))
            return child.watch(wall_s=wall_of(run), grace=lambda: self._grace_now(run.id))

    def _grace_now(self, run_id: str) -> float | None:
        try:
            run = self._states.run(run_id)
        except JournalProblem:
            return STOP_GRACE_S if self._stopping.is_set() else None
        return STOPPED_GRACE_S if run is None else self._grace(run)

    def _grace(self, run: RunState) -> float | None:
        if run.outcome:
            return STOPPED_GRACE_S
        return STOP_GRACE_S if self._stopping.is_set() or run.paused or interrupts(run) else None

    def _record(self, run: RunState, decide: Callable[[RunState], Decision]) -> str:
        """Append the outcome, however long the journal needs; an AEE that stops leaves it to the next one."""

        def recorded() -> str:
            now = self._states.run(run.id)
            if now is None or now.step is None or now.step.epoch != run.epoch:
                return "superseded"
            decision = with_failed_pack(decide(now), self._states.pack(pack_id(now.id, now.revision + 1)))
            self._journal.append(decision.events, expect=decision.expect)
            return f"recorded {run.id}"

        return self._patiently(recorded) or "unrecorded"

    def _patiently(self, act: Callable[[], T]) -> T | None:
        """What `act` gives, once the journal works; None when the AEE stops before."""
        stop_at = float("inf")
        while True:
            try:
                done = act()
            except Conflict:
                continue
            except JournalProblem as problem:
                delay = self._trouble.met(problem)
                if self._stopping.is_set():
                    stop_at = min(stop_at, time.monotonic() + LAST_TRY_S)
                if time.monotonic() >= stop_at:
                    return None
                time.sleep(min(delay, LAST_TRY_S))
            else:
                self._trouble.over()
                return done

    def _log_path(self, run: RunState) -> Path:
        logs = self._directory / CHILD_LOGS
        logs.mkdir(exist_ok=True)
        return logs / f"{run.id}.{run.epoch}.log"


def wall_of(run: RunState) -> float:
    """How many seconds the run's step at work may take."""
    if run.step is not None and run.step.name == PACK:
        return PACK_WALL_S
    return float(run.limits.get("wall_s") or DEFAULT_WALL_S)


def outcome(run: RunState, ended: Ended, *, aee_stops: bool) -> Decision:
    """What the end of an attempt means: the child's word counts, except that one who was asked to end did not fail."""
    word = ended.word
    if word is not None and word.outcome == "failed":
        return fail_step(run, reason=word.detail, hint=_hint(word.hint, ended), final=word.final)
    if word is not None and (word.outcome != "stopped" or run.paused):
        return finish_step(run, outcome=word.outcome, detail=word.detail)
    if (message := interrupts(run)) is not None and not run.outcome and not aee_stops:
        return finish_step(run, outcome=INTERRUPTED, detail=f"{message.id} interrupted it")
    if run.outcome or run.paused or aee_stops:
        return interrupt_step(run, reason="it was asked to stop")
    if ended.overran:
        return _overran(run)
    if word is not None:
        return interrupt_step(run, reason="it was asked to stop")
    return _died(run, ended)


def _overran(run: RunState) -> Decision:
    return fail_step(
        run,
        reason=f"the step took longer than its limit of {wall_of(run):.0f} s",
        hint="Raise run.wall_minutes in the settings for new runs; workbench resume lets this one go on.",
        final=True,
    )


def _died(run: RunState, ended: Ended) -> Decision:
    """The child left no word: one that was killed is repeated, one that broke has failed."""
    if ended.code >= 0:
        why = f": {ended.tail}" if ended.tail else " and no outcome"
        reason = f"the run child ended with exit code {ended.code}{why}"
        return fail_step(run, reason=reason, hint=_hint("", ended))
    name = signal.Signals(-ended.code).name
    if run.attempts and run.attempts % MAX_ATTEMPTS == 0:
        return fail_step(run, reason=f"the run child was killed {run.attempts} times, last by {name}", final=True)
    return interrupt_step(run, reason=f"the run child was ended by {name}")


def _hint(hint: str, ended: Ended) -> str:
    return hint or (f"Its log: {ended.log}" if ended.tail else "workbench resume tries it again.")
