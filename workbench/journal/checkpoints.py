"""Moving the write-ahead log into the database beside a busy writer, so that no append waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

from workbench.journal.connection import connect

INTERVAL_S = 0.5  # between two passes while there are commits
BACKSTOP_PAGES = 16_000  # 64 MB of log, at which the writer itself finishes what little the last pass left


class Checkpoints:
    """A thread that copies what was committed; `nudge` it after commits."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._committed = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """There is something to copy."""
        self._committed.set()

    def close(self) -> None:
        """Stop after the pass at hand."""
        self._ended.set()
        self._committed.set()
        self._thread.join()

    def _work(self) -> None:
        connection = connect(self._path, read_only=False)
        try:
            while not self._ended.wait(INTERVAL_S):
                self._committed.wait()
                self._committed.clear()
                # A pass that fails costs nothing: the next one, or the writer's backstop, does the same work.
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            connection.close()
