"""Syncs of the write-ahead log beside a writer that commits without, and the answers that wait for them.

Whoever hands an answer over has committed what it speaks of before, and it is given only after a sync that began after
that. The log is read from its beginning as far as its checksums hold, and every commit comes after those that it rests
on: so what is on disk is always all commits up to one, and a synced commit, of any process, makes those before it
durable, too. A checkpoint syncs the log before it copies, and the database before the log is begun anew.

A sync that fails is never tried again. Systems report a lost write once, to each open file, and take what they could
not write for written: the next sync would succeed although the disk lacks something. So nothing is answered well any
more. Whether it is kept shows after the log was copied into the database, which the last process to close it does.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from workbench.model.errors import JournalProblem

Sync = Callable[[int], None]  # of an open file; OSError when the disk refused
Answer = Callable[[JournalProblem | None], None]


def sync_data(descriptor: int) -> None:
    """Have the disk keep what was written to an open file, its length included."""
    if sys.platform == "darwin":
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


class Syncs:
    """A thread that syncs the log of `database` whenever an answer waits, once for all that wait. The log must exist.

    The log is opened by itself; the database must not be, as closing it would let go of SQLite's own locks.
    """

    def __init__(self, database: Path, *, sync: Sync = sync_data) -> None:
        self._database = database
        self._log = database.with_name(f"{database.name}-wal")
        self._sync = sync
        self._file = self._log.open("rb", buffering=0)
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        self._taken = threading.Event()
        self.problem: JournalProblem | None = None  # why nothing is answered well any more
        self._thread = threading.Thread(target=self._work, name="log-syncs", daemon=True)
        self._thread.start()

    def after_sync(self, answer: Answer) -> None:
        """Call `answer` after a sync that begins later than now, in the order of asking, with what went wrong."""
        self._taken.clear()
        self._answers.put(answer)

    def await_taken(self, seconds: float) -> None:
        """Wait until a sync has begun that all answers asked for so far are in, at most so long."""
        self._taken.wait(seconds)

    def close(self) -> None:
        """Give all answers, then stop."""
        self._answers.put(None)
        self._thread.join()
        self._file.close()

    def _work(self) -> None:
        ended = False
        while not ended:
            waiting = [self._answers.get()]
            while not self._answers.empty():
                waiting.append(self._answers.get())
            self._taken.set()
            ended = None in waiting
            answers = [answer for answer in waiting if answer is not None]
            if answers:
                self._sync_unless_failed()
            for answer in answers:
                answer(self.problem)

    def _sync_unless_failed(self) -> None:
        if self.problem is not None:
            return
        try:
            if not os.path.samestat(os.fstat(self._file.fileno()), self._log.stat()):
                raise OSError("the log was replaced")
            self._sync(self._file.fileno())
        except OSError as error:
            self.problem = JournalProblem(
                f"the disk did not keep what was written to the journal ({error})",
                hint=f"check the disk that holds {self._database} (space, kernel log); end every workbench process "
                "(`workbench aee stop`), run `workbench journal verify` and start again: the last events may be lost",
                data={"path": str(self._database)},
            )
