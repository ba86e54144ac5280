"""SQLite connections with the pragmas that durability rests on, and SQLite's errors in words that help."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from workbench.model.errors import JournalProblem

READ_PATIENCE_MS = 900  # a reader's wait for a lock; a clear message must come within a second
WRITE_PATIENCE_S = 0.9  # the same for a writer, which asks again at short intervals
_WRITE_POLL_MS = 4  # SQLite's own waits grow to 100 ms and would starve beside a busy writer
_CACHE_KIB = 16_384
_FULL = 2  # what `PRAGMA synchronous` answers for FULL


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode, which may be used from any thread under a lock. The file must exist."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {READ_PATIENCE_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            _make_durable(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # on macOS, where fsync alone promises little
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if mode != "wal" or synchronous != _FULL:
        raise JournalProblem(
            f"the journal cannot be made durable here (journal_mode {mode}, synchronous {synchronous})",
            hint="put it on a local disk: set WORKBENCH_JOURNAL to a directory there",
        )


def begin(connection: sqlite3.Connection) -> None:
    """Start a write transaction; sqlite3.OperationalError (busy) when others hold the lock too long."""
    connection.execute(f"PRAGMA busy_timeout = {_WRITE_POLL_MS}")
    give_up = time.monotonic() + WRITE_PATIENCE_S
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if _primary(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_WRITE_POLL_MS / 4000)


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction without its effects, so that the connection can be used again."""
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one worth telling
            connection.execute("ROLLBACK")


@contextlib.contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Errors of SQLite leave as JournalProblem."""
    try:
        yield
    except sqlite3.Error as error:
        raise problem(error, path) from error


def _primary(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


_TOLD: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "the journal is locked by another process",
        "try again; if it stays locked, see who holds it: fuser -v {path}",
    ),
    sqlite3.SQLITE_LOCKED: ("the journal is locked by another connection", "try again"),
    sqlite3.SQLITE_FULL: ("the disk of the journal is full", "make room on the disk that holds {path}, then try again"),
    sqlite3.SQLITE_READONLY: (
        "the journal is read-only here",
        "give yourself write permission on {path} and its directory, or set WORKBENCH_JOURNAL to a copy",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the journal cannot be opened",
        "check that {path} is readable; on a read-only disk, copy its directory and set WORKBENCH_JOURNAL to the copy",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk of the journal refused to read or write",
        "check the disk that holds {path}: space, quota, file size limit, kernel log",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the journal file is damaged",
        "keep a copy of {path}, then run `workbench journal verify`; backups of migrations lie beside it",
    ),
    sqlite3.SQLITE_NOTADB: (
        "the journal file is not a database",
        "something overwrote {path}: restore a copy",
    ),
}


def problem(error: sqlite3.Error, path: Path) -> JournalProblem:
    """An error of SQLite with its remedy."""
    message, hint = _TOLD.get(_primary(error), ("the journal cannot be used", "run `workbench journal verify`"))
    return JournalProblem(f"{message} ({error})", hint=hint.format(path=path), data={"path": str(path)})
