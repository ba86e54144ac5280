"""Follows the journal and carries out what was decided: one short DBOS workflow per decided step.

The journal says what is next; DBOS carries the step and never waits for a person. A workflow's id is
`run:number:attempt`, and an id that is known is not carried again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from workbench.aee.processes import end_child
from workbench.core.decide.decision import Decision
from workbench.core.decide.run import fail_step, interrupt_step, start_step
from workbench.core.next_step import queue_order
from workbench.core.state import RunState
from workbench.journal.wal import prepare_wal
from workbench.model.errors import Conflict
from workbench.model.events import Event
from workbench.ports import Journal, States

QUEUE = "steps"
STEPS_VERSION = "steps-1"  # DBOS recovers only workflows of its own version; only the shape of ids counts here
QUEUE_POLL_S = 0.1  # measured: 80 ms from enqueue to start, 3.5 % of a core idle
DBOS_DATABASE = "dbos.sqlite"
MAX_ATTEMPTS = 25  # of one step, killed from outside each time, before a person must look

Carry = Callable[[str, int, int], str]  # run, number, attempt -> outcome


class Dispatch:
    """Hands out steps to at most `max_runs` runs at once. `carry` does one step and records its outcome itself."""

    def __init__(self, journal: Journal, states: States, *, aee: str, max_runs: int) -> None:
        self._journal = journal
        self._states = states
        self._aee = aee
        self.max_runs = max_runs
        self._seen_seq = -1
        self._lock = threading.Lock()

    def recover(self) -> int:
        """End the children of earlier AEEs and give their steps back to the queue; how many there were."""
        found = 0
        for run in self._states.runs():
            if run.step is not None:
                found += 1
                end_child(run.step.pid, run.step.started_ticks)
                self._append(_given_up(run))
        return found

    def tick(self) -> int:
        """Hand out as many steps as there are free places; how many. One small query when nothing changed."""
        with self._lock:
            seq = self._journal.last_seq()
            if seq == self._seen_seq:
                return 0
            self._seen_seq = seq
            live = self._states.runs(live=True)
            free = self.max_runs - sum(run.step is not None for run in live)
            return sum(self._hand_out(run) for run in queue_order(live)[: max(free, 0)])

    def is_idle(self) -> bool:
        """Whether no step is at work and none could start."""
        return not queue_order(self._states.runs(live=True)) and not self.at_work()

    def at_work(self) -> bool:
        """Whether any step is handed out and without an outcome."""
        return any(run.step is not None for run in self._states.runs())

    def _hand_out(self, run: RunState) -> bool:
        started = self._append(start_step(run, aee=self._aee))
        if not started:
            return False
        step = started[0].payload
        enqueue(run.id, step.number, step.attempt)  # type: ignore[attr-defined]  # start_step yields a StepStarted
        return True

    def _append(self, decision: Decision) -> list[Event]:
        try:
            return self._journal.append(decision.events, expect=decision.expect)
        except Conflict:
            return []  # a person spoke first; the next tick sees the run as it stands then


def _given_up(run: RunState) -> Decision:
    if run.attempts >= MAX_ATTEMPTS:
        return fail_step(run, reason=f"ended from outside {run.attempts} times", final=True)
    return interrupt_step(run, reason="the AEE that held it is gone")


# --- DBOS ----------------------------------------------------------------------------------------------------------

_carry: list[Carry] = []  # the one carrier of this process; DBOS registers functions when the module is imported


@DBOS.step(name="perform")
def _perform(run: str, number: int, attempt: int) -> str:
    return _carry[0](run, number, attempt)


@DBOS.workflow(name="carry-step")
def _carry_step(run: str, number: int, attempt: int) -> str:
    return _perform(run, number, attempt)


def enqueue(run: str, number: int, attempt: int) -> None:
    """Have a step carried out, once."""
    with SetWorkflowID(f"{run}:{number}:{attempt}"):
        DBOS.enqueue_workflow(QUEUE, _carry_step, run, number, attempt)


def launch(directory: Path, carry: Carry, *, workers: int) -> None:
    """Start DBOS on its own database in `directory`; steps that an earlier process left are carried first."""
    _carry[:] = [carry]
    database = directory / DBOS_DATABASE
    prepare_wal(database)
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
