"""Carries one step: starts the run child, watches it, and records how the step ended.

It runs in a thread of the AEE for as long as the child lives; the child holds the driver, the sandbox and the keys.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from workbench.aee.processes import end_child
from workbench.aee.reports import Receipt, Report
from workbench.aee.ticket import StepEnd, Ticket
from workbench.core.decide.decision import Decision, on_run
from workbench.core.decide.run import fail_step, finish_step, interrupt_step
from workbench.core.state import RunState
from workbench.journal.presence import started_ticks
from workbench.model.errors import Conflict
from workbench.model.events import ChildStarted, Proposed
from workbench.ports import Journal, States

WATCH_EVERY_S = 0.1  # how soon a pause or stop reaches a child that reports nothing
STOP_GRACE_S = 5.0  # for a child to end its act and say so, before it is killed
DEFAULT_TURN_S = 3600.0  # wall time of one step, unless the run's limits say otherwise
LOG_TAIL = 2000  # characters of a dead child's log that go into the reason
CHILD_LOGS = "children"


class Supervisor:
    """Everything that the AEE's step threads share. `carry` is what DBOS calls; `accept` is what children report to."""

    def __init__(self, journal: Journal, states: States, *, directory: Path, repository: Path, socket: Path) -> None:
        self._journal = journal
        self._states = states
        self._directory = directory
        self._repository = repository
        self._socket = socket
        self._stopping = threading.Event()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def stop(self) -> None:
        """The AEE ends: have every child end its act, and hand out nothing more."""
        self._stopping.set()

    def accept(self, report: Report, events: Sequence[Proposed]) -> Receipt:
        """Append what a child reports, unless its epoch is over."""
        run = self._states.run(report.run)
        if run is None or run.step is None or run.step.epoch != report.epoch:
            return Receipt(ok=False, fenced=True, stop=True, error=f"epoch {report.epoch} of {report.run} is over")
        if events:
            self._journal.append(events)
        return Receipt(ok=True, stop=self._should_stop(run))

    def carry(self, run_id: str, number: int, attempt: int) -> str:
        """Do one step attempt to its recorded outcome. One that is not at work any more is left alone."""
        run = self._states.run(run_id)
        if run is None or run.step is None or (run.step.number, run.step.attempt) != (number, attempt):
            return "superseded"
        if self._stopping.is_set():
            return self._record(run_id, interrupt_step(run, reason="the AEE was stopped"))
        end = self._in_child(run)
        now = self._states.run(run_id)
        if now is None or now.step is None or now.step.epoch != run.step.epoch:
            return "superseded"
        return self._record(run_id, _outcome(now, end, aee_stops=self._stopping.is_set()))

    def _in_child(self, run: RunState) -> StepEnd | int:
        """The child's own word for how the step ended; its exit code if it left none."""
        assert run.step is not None  # carry checked it
        log = self._log_path(run)
        with log.open("wb") as stderr, self._spawn(run, stderr.fileno()) as child:
            ticks = started_ticks(child.pid) or 0
            said: list[bytes] = []
            reader = threading.Thread(target=lambda: said.append(_read_all(child)), daemon=True)
            reader.start()
            try:
                self._announce(run, child.pid, ticks)
                self._watch(run, child)
            finally:
                end_child(child.pid, ticks)
            reader.join()
        return _last_word(said[0], code=child.returncode)

    def _spawn(self, run: RunState, stderr: int) -> subprocess.Popen[bytes]:
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
        child = subprocess.Popen(
            [sys.executable, "-m", "workbench.aee.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
        assert child.stdin is not None  # a pipe was asked for
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(msgspec.json.encode(ticket))
            child.stdin.close()
        return child

    def _announce(self, run: RunState, pid: int, ticks: int) -> None:
        assert run.step is not None  # carry checked it
        started = ChildStarted(run=run.id, epoch=run.step.epoch, pid=pid, started_ticks=ticks)
        self._journal.append([on_run(run.id, started)])

    def _watch(self, run: RunState, child: subprocess.Popen[bytes]) -> None:
        wall = float(run.limits.get("wall_s") or DEFAULT_TURN_S)
        until = time.monotonic() + wall
        asked_at = 0.0
        while child.poll() is None:
            now = time.monotonic()
            if not asked_at and (now > until or self._must_stop(run.id)):
                asked_at = now
                child.send_signal(signal.SIGTERM)
            if asked_at and now > asked_at + STOP_GRACE_S:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(WATCH_EVERY_S)

    def _must_stop(self, run_id: str) -> bool:
        run = self._states.run(run_id)
        return run is None or self._should_stop(run)

    def _should_stop(self, run: RunState) -> bool:
        return self._stopping.is_set() or run.paused or bool(run.outcome)

    def _record(self, run_id: str, decision: Decision) -> str:
        try:
            self._journal.append(decision.events, expect=decision.expect)
        except Conflict:
            return "superseded"
        return f"recorded {run_id}"

    def _log_path(self, run: RunState) -> Path:
        logs = self._directory / CHILD_LOGS
        logs.mkdir(exist_ok=True)
        return logs / f"{run.id}.{run.epoch}.log"


def _read_all(child: subprocess.Popen[bytes]) -> bytes:
    assert child.stdout is not None  # a pipe was asked for
    return child.stdout.read(1 << 20)


def _last_word(said: bytes, *, code: int) -> StepEnd | int:
    for line in reversed(said.splitlines()):
        try:
            return msgspec.json.decode(line, type=StepEnd)
        except msgspec.DecodeError:
            continue
    return code


def _outcome(run: RunState, end: StepEnd | int, *, aee_stops: bool) -> Decision:
    if isinstance(end, StepEnd) and end.outcome == "failed":
        return fail_step(run, reason=end.detail, hint=end.hint, final=end.final)
    if isinstance(end, StepEnd) and (end.outcome != "stopped" or run.paused):
        return finish_step(run, outcome=end.outcome, detail=end.detail)
    if run.outcome or run.paused or aee_stops or isinstance(end, StepEnd):
        return interrupt_step(run, reason="it was asked to stop")
    if end < 0:
        return interrupt_step(run, reason=f"the run child was ended by signal {-end}")
    return fail_step(run, reason=f"the run child ended with exit code {end} and no outcome")
