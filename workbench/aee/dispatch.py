"""Follows the journal and carries out what was decided: one short DBOS workflow per decided step.

The journal says what is next; DBOS carries the step and never waits for a person. A workflow's id is
`run:number:attempt`, and an id that is known is not carried again: so DBOS starts with an empty queue, as a journal
that was restored from a backup hands out the same ids anew.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID

from workbench.aee.processes import end_child
from workbench.aee.supervise import MAX_ATTEMPTS
from workbench.aee.trouble import log
from workbench.core.decide.decision import Decision
from workbench.core.decide.pack import with_failed_pack
from workbench.core.decide.run import fail_step, interrupt_step, start_step
from workbench.core.next_step import next_step, queue_order
from workbench.core.state import RunState
from workbench.journal.wal import prepare_wal, set_aside
from workbench.model.errors import Conflict, EnvironmentProblem
from workbench.model.events import Event, RunResumed
from workbench.model.ids import pack_id
from workbench.ports import Journal, States

QUEUE = "steps"
STEPS_VERSION = "steps-1"  # DBOS recovers only workflows of its own version; only the shape of ids counts here
QUEUE_POLL_S = 0.1  # measured: 80 ms from enqueue to start, 3.5 % of a core idle
DBOS_DATABASE = "dbos.sqlite"
FORGOTTEN_AT_ONCE = 50  # a big answer is held in full, and what was held once is not given back
PAGE = 1000  # events read at a time when following
RETRY_AFTER_S = (0.5, 6.0, 30.0)  # before attempt 2, 3, and each later one: what is locked or full needs time
START_WITHIN_S = 30.0  # from handing a step to DBOS until its child lives, which takes a second on a busy machine
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]  # DBOS' words for what is over
RUN_STREAM = "run/"

Carry = Callable[[str, int, int], str]  # run, number, attempt -> outcome
Key = tuple[int, int]  # number and attempt of a step


class Dispatch:
    """Hands out steps to at most `max_runs` runs at once. `carry` does one step and records its outcome itself.

    It looks again only at runs of which the journal has news, so that a thousand waiting ones cost nothing.
    """

    def __init__(
        self,
        journal: Journal,
        states: States,
        *,
        aee: str,
        max_runs: int,
        enqueue: Callable[[str, int, int], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        heed: Callable[[Iterable[Event]], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._states = states
        self._aee = aee
        self.max_runs = max_runs
        self._enqueue = enqueue or enqueue_step
        self._monotonic = monotonic
        self._heed = heed  # told of everything that is new in the journal, and first of nothing
        self._lock = threading.Lock()
        self.seen_seq = -1  # how far the journal was followed
        self._waiting: dict[str, RunState] = {}  # runs that want a place
        self._at_work: dict[str, Key] = {}  # handed out by us, and without an outcome
        self._unsent: dict[str, Key] = {}  # of these, what DBOS does not have yet
        self._tries: dict[str, Key] = {}  # number of a run's newest step, and how often we handed it out
        self._not_before: dict[str, float] = {}
        self._start_by: dict[str, float] = {}  # what DBOS took, until its child lives

    def recover(self) -> int:
        """End the children of earlier AEEs and give their steps back to the queue; how many there were."""
        held = [run for run in self._states.runs() if run.step is not None]
        for run in held:
            assert run.step is not None  # just looked
            if not end_child(run.step.pid, run.step.started_ticks):
                log(f"something of the child {run.step.pid} of {run.id} did not end in time")
            self._give_up(run, reason="the AEE that held it is gone")
        return len(held)

    def tick(self) -> int:
        """Hand out as many steps as there are free places; how many. One small query when nothing changed."""
        with self._lock:
            self._follow()
            self._watch()
            self._send()
            handed = sum(self._hand_out(run) for run in self._next())
            self._send()
            return handed

    def is_idle(self) -> bool:
        """Whether no step is at work and none could start."""
        with self._lock:
            self._follow()
            return not self._waiting and not self._at_work

    def at_work(self) -> bool:
        """Whether any step is handed out and without an outcome."""
        with self._lock:
            self._follow()
            return bool(self._at_work)

    # --- what the journal says ---

    def _follow(self) -> None:
        """Look at every run of which there is news since the last time."""
        if self.seen_seq < 0:
            seq = self._journal.last_seq()
            self._heed(())
            self._look(self._states.runs(live=True))
            self.seen_seq = seq
            return
        while self.seen_seq < self._journal.last_seq():
            events = self._journal.read_all(after=self.seen_seq, limit=PAGE)
            self._heed(events)
            for event in events:
                if isinstance(event.payload, RunResumed):  # a person wants it now
                    self._tries.pop(event.payload.run, None)
            names = {event.stream.removeprefix(RUN_STREAM) for event in events if event.stream.startswith(RUN_STREAM)}
            self._look(run for name in names if (run := self._states.run(name)) is not None)
            self.seen_seq = events[-1].seq

    def _look(self, runs: Iterable[RunState]) -> None:
        for run in runs:
            if self._at_work.get(run.id) != _key_at_work(run):
                self._at_work.pop(run.id, None)
                self._unsent.pop(run.id, None)
            if run.step is None or run.step.pid or run.id not in self._at_work:
                self._start_by.pop(run.id, None)
            if next_step(run) is None:
                self._waiting.pop(run.id, None)
                continue
            if run.id not in self._waiting:
                self._not_before[run.id] = self._monotonic() + self._delay(run)
            self._waiting[run.id] = run

    def _delay(self, run: RunState) -> float:
        """Seconds before a step that did not come to its end is attempted again."""
        number, count = self._tries.get(run.id, (0, 0))
        if number != run.steps or not run.unfinished:
            return 0.0
        return RETRY_AFTER_S[min(count, len(RETRY_AFTER_S)) - 1]

    # --- what follows ---

    def _next(self) -> list[RunState]:
        free = self.max_runs - len(self._at_work)
        if free <= 0 or not self._waiting:
            return []
        now = self._monotonic()
        due = [run for run in self._waiting.values() if self._not_before[run.id] <= now]
        return queue_order(due)[:free]

    def _hand_out(self, run: RunState) -> bool:
        started = self._append(start_step(run, aee=self._aee))
        if not started:
            return False
        step = started[0].payload
        key: Key = (step.number, step.attempt)  # type: ignore[attr-defined]  # start_step yields a StepStarted
        number, count = self._tries.get(run.id, (0, 0))
        self._tries[run.id] = (key[0], count + 1 if number == key[0] else 1)
        self._at_work[run.id] = self._unsent[run.id] = key
        del self._waiting[run.id]
        return True

    def _watch(self) -> None:
        """Take back what DBOS took and never started. Should it start after all, its epoch is over."""
        now = self._monotonic()
        for name in [name for name, start_by in self._start_by.items() if start_by <= now]:
            run = self._states.run(name)
            if run is not None and run.step is not None and not run.step.pid:
                log(f"step {run.step.number}:{run.step.attempt} of {name} did not start within {START_WITHIN_S:.0f} s")
                self._give_up(run, reason=f"it did not start within {START_WITHIN_S:.0f} s")
            del self._start_by[name]

    def _give_up(self, run: RunState, *, reason: str) -> None:
        """Give the step at work back to the queue, to be attempted again, unless that was done too often."""
        if run.attempts % MAX_ATTEMPTS:  # a person's resume gives it as many again
            self._append(interrupt_step(run, reason=reason))
            return
        ended = fail_step(run, reason=f"ended from outside {run.attempts} times", final=True)
        self._append(with_failed_pack(ended, self._states.pack(pack_id(run.id, run.revision + 1))))

    def _send(self) -> None:
        """Give DBOS what it does not have yet. An id that it has already is not carried twice."""
        for run, (number, attempt) in list(self._unsent.items()):
            self._enqueue(run, number, attempt)
            del self._unsent[run]
            self._start_by[run] = self._monotonic() + START_WITHIN_S

    def _append(self, decision: Decision) -> list[Event]:
        try:
            return self._journal.append(decision.events, expect=decision.expect)
        except Conflict:
            return []  # a person spoke first; the next tick sees the run as it stands then


def _key_at_work(run: RunState) -> Key | None:
    return None if run.step is None else (run.step.number, run.step.attempt)


# --- DBOS ----------------------------------------------------------------------------------------------------------

_carry: list[Carry] = []  # the one carrier of this process; DBOS registers functions when the module is imported


@DBOS.step(name="perform")
def _perform(run: str, number: int, attempt: int) -> str:
    return _carry[0](run, number, attempt)


@DBOS.workflow(name="carry-step")
def _carry_step(run: str, number: int, attempt: int) -> str:
    return _perform(run, number, attempt)


def enqueue_step(run: str, number: int, attempt: int) -> None:
    """Have a step carried out, once. Raises EnvironmentProblem when DBOS cannot take it."""
    try:
        with SetWorkflowID(f"{run}:{number}:{attempt}"):
            DBOS.enqueue_workflow(QUEUE, _carry_step, run, number, attempt)
    except Exception as problem:  # the edge to DBOS, whose errors are of its database library
        raise EnvironmentProblem(f"a step could not be queued: {problem}", hint="is the disk full?") from problem


def launch(directory: Path, carry: Carry, *, workers: int) -> None:
    """Start DBOS on its own database in `directory`; a damaged one is put aside, for the journal is the truth."""
    database = directory / DBOS_DATABASE
    was_there = database.exists()
    if aside := prepare_wal(database):
        log(f"{database.name} was damaged and lies now at {aside.name}; nothing is lost, the journal has it all")
    try:
        if was_there and aside is None:
            _empty(database)
        _launch(database, carry, workers=workers)
    except Exception as problem:  # noqa: BLE001 - the edge to DBOS: whatever its database did to it
        DBOS.destroy(workflow_completion_timeout_sec=0)
        log(f"{database.name} cannot be used ({problem}) and lies now at {set_aside(database).name}")
        prepare_wal(database)
        _launch(database, carry, workers=workers)


def _empty(database: Path) -> None:
    """Forget all steps of earlier AEEs: `recover` has given back to the journal what they had not ended."""
    client = DBOSClient(system_database_url=f"sqlite:///{database}", retry_connection_errors=False)
    try:
        while known := client.list_workflows(limit=PAGE, load_input=False, load_output=False):
            client.delete_workflows([workflow.workflow_id for workflow in known])
    finally:
        client.destroy()


def forget_ended() -> int:
    """Have DBOS forget steps that ended, so that an AEE which lives for months keeps a small queue; how many."""
    count = 0
    while ended := DBOS.list_workflows(status=ENDED, limit=FORGOTTEN_AT_ONCE, load_input=False, load_output=False):
        DBOS.delete_workflows([workflow.workflow_id for workflow in ended])
        count += len(ended)
    return count


def _launch(database: Path, carry: Carry, *, workers: int) -> None:
    _carry[:] = [carry]
    config: dict[str, Any] = {
        "name": "workbench",
        "system_database_url": f"sqlite:///{database}",
        "executor_id": "aee",
        "application_version": STEPS_VERSION,
        "log_level": "ERROR",
        "console_log_level": "ERROR",
        "enable_otlp": False,
        "max_executor_threads": max(workers * 2, 8),
    }
    logging.getLogger("dbos").setLevel(logging.ERROR)
    DBOS(config=DBOSConfig(**config))  # type: ignore[typeddict-item]  # keys are DBOSConfig's
    DBOS.launch()
    DBOS.register_queue(QUEUE, worker_concurrency=workers, polling_interval_sec=QUEUE_POLL_S)


def shut_down() -> None:
    """Stop carrying steps."""
    DBOS.destroy(workflow_completion_timeout_sec=0)
