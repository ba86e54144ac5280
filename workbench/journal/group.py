"""Group commit: many callers, one thread that commits what came meanwhile, one that syncs what was committed meanwhile.

It knows neither SQL nor events' meaning. Commits do not wait for their own sync, so that the next group can be planned
beside it; a caller is answered only after the sync (see `syncs`). Readers may see an event some ms before that. What is
done about it in the world comes after an append of its own, which is not answered before both are durable.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple, Self

from workbench.journal.checkpoints import BACKSTOP_PAGES, Checkpoints
from workbench.journal.plan import Batch
from workbench.journal.store import SqliteJournal
from workbench.journal.syncs import Sync, Syncs, sync_data
from workbench.model.errors import JournalProblem
from workbench.model.events import Event, Proposed

REST_S = 0.001  # the lock is left alone for so long, several times the interval at which others ask for it
REST_EVERY_S = 0.2  # of uninterrupted work, a fraction of the patience with which others wait for the lock
PACE_S = 0.0003  # at most, between two commits while a sync goes on: on a fast disk fewer, larger groups cost less
MAX_GROUP_EVENTS = 2_000  # so that no group holds the lock for long


class _Submission(NamedTuple):
    batch: Batch
    future: Future[list[Event]]


class GroupCommit:
    """A `Journal` (and States) whose appends are grouped; reads go to the journal beneath."""

    def __init__(self, journal: SqliteJournal, *, sync: Sync = sync_data) -> None:
        self.journal = journal
        self.blobs, self.path, self.directory = journal.blobs, journal.path, journal.directory
        self.read, self.read_newest, self.read_all = journal.read, journal.read_newest, journal.read_all
        self.find, self.last_seq, self.data_version = journal.find, journal.last_seq, journal.data_version
        self.mission, self.missions, self.run, self.runs = journal.mission, journal.missions, journal.run, journal.runs
        self.consultation, self.consultations = journal.consultation, journal.consultations
        self.pack, self.packs = journal.pack, journal.packs
        self._submissions: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        journal.checkpoint_every(BACKSTOP_PAGES)
        self._syncs = Syncs(journal.path, sync=sync)
        self._checkpoints = Checkpoints(journal.path)
        self._thread = threading.Thread(target=self._work, name="group-commit", daemon=True)
        self._thread.start()

    def submit(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> Future[list[Event]]:
        """Ask for an append; the future is done after the sync, with the events, Conflict or JournalProblem."""
        future: Future[list[Event]] = Future()
        if self._syncs.problem is not None:
            raise _refused(self._syncs.problem)
        with self._gate:
            if self._closed:
                raise JournalProblem("the journal was closed", hint="nothing was written; open it again")
            self._submissions.put(_Submission(Batch(proposed, expect or {}), future))
        return future

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append and wait for the sync. See `ports.Journal`."""
        return self.submit(proposed, expect=expect).result()

    @property
    def problem(self) -> JournalProblem | None:
        """Why nothing is appended any more, however long one waits: a sync failed."""
        return self._syncs.problem

    def close(self) -> None:
        """Carry out what was submitted, then stop. The journal itself stays open."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._submissions.put(None)
        self._thread.join()
        self._syncs.close()
        self._checkpoints.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _work(self) -> None:
        rested = time.monotonic()
        while True:
            waits_since = time.monotonic()
            first = self._submissions.get()
            if first is None:
                return
            if time.monotonic() - waits_since >= REST_S:
                rested = time.monotonic()
            elif waits_since - rested >= REST_EVERY_S:
                time.sleep(REST_S)
                rested = time.monotonic()
            group, ended = self._gather(first)
            self._carry_out(group)
            self._syncs.await_taken(PACE_S)
            self._checkpoints.nudge()
            if self._checkpoints.asks_for_the_rest():
                self.journal.checkpoint()
            if ended:
                return

    def _gather(self, first: _Submission) -> tuple[list[_Submission], bool]:
        group, size = [first], len(first.batch.proposed)
        while size < MAX_GROUP_EVENTS:
            try:
                submission = self._submissions.get_nowait()
            except queue.Empty:
                break
            if submission is None:
                return group, True
            group.append(submission)
            size += len(submission.batch.proposed)
        return group, False

    def _carry_out(self, group: list[_Submission]) -> None:
        wanted = [submission for submission in group if submission.future.set_running_or_notify_cancel()]
        outcomes: Sequence[list[Event] | Exception]
        try:
            if self._syncs.problem is not None:
                raise _refused(self._syncs.problem)
            outcomes = self.journal.append_group([submission.batch for submission in wanted], synced=False)
        except Exception as error:  # noqa: BLE001 (the top of a worker: every caller is told what happened)
            outcomes = [error] * len(wanted)
        futures = [submission.future for submission in wanted]
        self._syncs.after_sync(lambda problem: _answer(futures, outcomes, problem))


def _answer(
    futures: Sequence[Future[list[Event]]], outcomes: Sequence[list[Event] | Exception], problem: JournalProblem | None
) -> None:
    for future, outcome in zip(futures, outcomes, strict=True):
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        elif problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(outcome)


def _refused(problem: JournalProblem) -> JournalProblem:
    return JournalProblem(f"nothing was written: {problem.message}", hint=problem.hint, data=problem.data)
