"""Moving the write-ahead log into the database beside a busy writer, so that no append waits for it."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path

from workbench.journal.connection import connect

INTERVAL_S = 0.5  # between two passes while there are commits
FULL_PAGES = 24_000  # 96 MB of log, at which the writer is asked to copy what little the last pass left
BACKSTOP_PAGES = 32_000  # 128 MB, at which it does so within a commit, asked or not


class Checkpoints:
    """A thread that copies what was committed; `nudge` it after commits.

    SQLite begins the log anew only when all of it is copied, which no pass beside a busy writer comes to. So the writer
    copies the rest when it is asked to, right after a pass and between two commits. The file keeps its
    size: a log written over costs less to sync than one that grows.
    """

    def __init__(self, path: Path, *, interval_s: float = INTERVAL_S, full_pages: int = FULL_PAGES) -> None:
        self._path = path
        self._interval_s, self._full_pages = interval_s, full_pages
        self._committed = threading.Event()
        self._ended = threading.Event()
        self._full = threading.Event()
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """There is something to copy."""
        self._committed.set()

    def asks_for_the_rest(self) -> bool:
        """Whether the writer should copy the rest now; asked once after each pass that found the log full."""
        if not self._full.is_set():
            return False
        self._full.clear()
        return True

    def close(self) -> None:
        """Stop after the pass at hand."""
        self._ended.set()
        self._committed.set()
        self._thread.join()

    def _work(self) -> None:
        connection = connect(self._path, read_only=False)
        try:
            while not self._ended.wait(self._interval_s):
                self._committed.wait()
                self._committed.clear()
                # A pass that fails costs nothing: the next one, or the writer's backstop, does the same work.
                with contextlib.suppress(sqlite3.Error):
                    _busy, pages, _copied = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                    if pages >= self._full_pages:
                        self._full.set()
        finally:
            connection.close()
