"""Opening a journal: made, migrated or refused with the remedy, then handed out as `SqliteJournal`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from workbench.journal.connection import Speaking, connect
from workbench.journal.exclusion import NOT_HELD, join_writers, leave_writers
from workbench.journal.location import BLOBS, DATABASE, check_file_system, ensure_directory
from workbench.journal.projections import FOLD_VERSION, fold_version
from workbench.journal.sqlite_journal import SqliteJournal
from workbench.model.errors import NotFound
from workbench.ports import Clock

SCHEMA_VERSION = 1
REBUILT_WHEN_OPENED = 20_000  # events, about a second; a longer refold is for the caller, who can show progress


def open_journal(directory: Path, *, clock: Clock, create: bool = True, read_only: bool = False) -> SqliteJournal:
    """Open the journal in `directory`, making or migrating it where that is needed and allowed.

    Raises NotFound when there is none and none may be made, and JournalProblem with the remedy for everything else.
    """
    path = directory / DATABASE
    writable = not read_only
    if writable and create:
        ensure_directory(directory)
    elif not path.is_file() or not path.stat().st_size:
        raise _nothing_in(directory)
    elif writable:
        check_file_system(directory)
    place = join_writers(directory) if writable else NOT_HELD
    try:
        with Speaking(path):
            if writable:
                _bring_up(path)
            journal = _connected(directory, path, clock, place=place, writable=writable)
    except BaseException:
        leave_writers(place)
        raise
    if journal.is_writable and journal.has_older_folds and journal.last_seq() <= REBUILT_WHEN_OPENED:
        from workbench.journal.rebuild import rebuild

        rebuild(journal)
    return journal


def _nothing_in(directory: Path) -> NotFound:
    hint = "start a mission with `workbench run`, or check WORKBENCH_JOURNAL"
    return NotFound(f"there is no journal in {directory}", hint=hint)


def _connected(directory: Path, path: Path, clock: Clock, *, place: int, writable: bool) -> SqliteJournal:
    reader = connect(path, read_only=True)
    writer: sqlite3.Connection | None = None
    try:
        refusal = _refusal(reader, directory)
        writer = connect(path, read_only=False) if writable else None
    except BaseException:
        reader.close()
        raise
    return SqliteJournal(directory, clock=clock, reader=reader, writer=writer, refusal=refusal, place=place)


def _bring_up(path: Path) -> None:
    if path.is_file() and path.stat().st_size and _schema_of(path) >= SCHEMA_VERSION:
        return
    from workbench.journal.schema import migrate  # sqlite-utils costs more than all the rest of a short command

    migrate(path, version=SCHEMA_VERSION, fold_version=FOLD_VERSION)


def _schema_of(path: Path) -> int:
    connection = connect(path, read_only=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def _refusal(reader: sqlite3.Connection, directory: Path) -> str:
    schema = reader.execute("PRAGMA user_version").fetchone()[0]
    if not schema:  # somebody is about to make it, or was stopped while doing so
        raise _nothing_in(directory)
    if schema > SCHEMA_VERSION:
        return f"a newer Workbench wrote this journal (schema {schema}, this one knows {SCHEMA_VERSION})"
    folds = fold_version(reader)
    if folds > FOLD_VERSION:
        return f"a newer Workbench wrote this journal (folds {folds}, this one knows {FOLD_VERSION})"
    return ""


__all__ = ["BLOBS", "DATABASE", "SCHEMA_VERSION", "SqliteJournal", "open_journal"]
