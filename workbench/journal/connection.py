"""SQLite connections with the pragmas that durability rests on, and SQLite's errors in words that help."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from types import TracebackType

from workbench.model.errors import JournalProblem

READ_PATIENCE_MS = 900  # a reader's wait for a lock; a clear message must come within a second
WRITE_PATIENCE_S = 0.9  # the same for a writer, which asks again at short intervals
_WRITE_POLL_S = 0.0002  # a busy writer lets go for less than a ms; SQLite's own waits grow to 100 ms and would starve
_READ_CACHE_KIB = 8_192
_WRITE_CACHE_KIB = 2_048  # appends touch the newest pages only, and a writer lives for months
_FULL = 2  # what `PRAGMA synchronous` answers for FULL


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode, which may be used from any thread under a lock. The file must exist."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {READ_PATIENCE_MS}")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB if read_only else _WRITE_CACHE_KIB}")
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
    connection.execute("PRAGMA busy_timeout = 0")  # `begin` waits in its own way


def sync_commits(connection: sqlite3.Connection, wanted: bool) -> None:
    """Whether COMMIT returns after a sync. If not, only checkpoints sync the log, and the first commit of a new one."""
    connection.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")


def begin(connection: sqlite3.Connection) -> None:
    """Start a write transaction; sqlite3.OperationalError (busy) when others hold the lock too long."""
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
        _begin_patiently(connection)


def _begin_patiently(connection: sqlite3.Connection) -> None:
    give_up = time.monotonic() + WRITE_PATIENCE_S
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(_WRITE_POLL_S)


def roll_back(connection: sqlite3.Connection) -> None:
    """End a transaction without its effects, so that the connection can be used again."""
    if connection.in_transaction:
        with contextlib.suppress(sqlite3.Error):  # the first error is the one worth telling
            connection.execute("ROLLBACK")


class Speaking:
    """Around work on a journal: errors of SQLite leave it as JournalProblem."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, sqlite3.Error):
            raise problem(error, self._path) from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's result code without its refinement; 0 when the error came from the module itself."""
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
        "run `workbench doctor`: it says what can be mended, and which backup there is; keep {path} as it is",
    ),
    sqlite3.SQLITE_NOTADB: (
        "the journal file is not a database",
        "something overwrote {path}: run `workbench doctor`, which says which backup there is",
    ),
}


def problem(error: sqlite3.Error, path: Path) -> JournalProblem:
    """An error of SQLite with its remedy."""
    message, hint = _TOLD.get(primary_code(error), ("the journal cannot be used", "run `workbench journal verify`"))
    return JournalProblem(f"{message} ({error})", hint=hint.format(path=path), data={"path": str(path)})
