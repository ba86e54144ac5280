"""The journal's tables and how an older file is brought up to them; loaded only when there is something to migrate."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlite_utils
from sqlite_utils import Migrations

from workbench.journal.connection import connect

MIGRATIONS = Migrations("workbench.journal")


@MIGRATIONS()
def m001_events(db: sqlite_utils.Database) -> None:
    """Events: one table, append-only by trigger as well as by habit."""
    db.table("events").create(
        {
            "seq": int,
            "id": str,
            "stream": str,
            "version": int,
            "kind": str,
            "schema": int,
            "actor": str,
            "at": str,
            "payload": str,
            "prev_hash": str,
            "hash": str,
        },
        pk="seq",
        not_null=("id", "stream", "version", "kind", "schema", "actor", "at", "payload", "prev_hash", "hash"),
    )
    db.table("events").create_index(["id"], unique=True)
    db.table("events").create_index(["stream", "version"], unique=True)
    for act in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER events_refuse_{act.lower()} BEFORE {act} ON events "
            "BEGIN SELECT RAISE(ABORT, 'events are append-only'); END"
        )


@MIGRATIONS()
def m002_projections(db: sqlite_utils.Database) -> None:
    """Projections: what the folds make of the events; `born` is the seq of the event that made the state."""
    shapes: dict[str, dict[str, type]] = {
        "missions": {"outcome": str},
        "runs": {"mission": str, "live": int},
        "consultations": {"run": str, "is_open": int},
        "packs": {"run": str, "state": str},
    }
    for name, columns in shapes.items():
        shape = {"id": str, "born": int, **columns, "folded": str}
        db.table(name).create(shape, pk="id", not_null=set(shape) - {"id"})
        for column in columns:
            db.table(name).create_index([column, "born"])
    db.table("notes").create({"name": str, "value": str}, pk="name")


@MIGRATIONS()
def m003_search(db: sqlite_utils.Database) -> None:
    """Full text behind a cursor, without a copy of the text."""
    db.execute("CREATE VIRTUAL TABLE words USING fts5(stream, text, content='', tokenize=\"unicode61 tokenchars '_'\")")


def reference() -> set[tuple[str, str, str]]:
    """(type, name, SQL) of everything that a journal of this version holds."""
    db = sqlite_utils.Database(memory=True)
    try:
        MIGRATIONS.apply(db)
        return shape(db.conn)
    finally:
        db.close()


def shape(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """(type, name, SQL) of everything that a database holds."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {(str(kind), str(name), str(sql)) for kind, name, sql in rows}


def migrate(path: Path, *, version: int, fold_version: int) -> None:
    """Create the file or bring it up to `version`; one process at a time, and a copy is kept of what was there.

    A new file's projections are, trivially, the work of `fold_version`; an older file keeps the number it has.
    """
    with _alone(path.with_name("migrate.lock")):
        _create(path)
        connection = connect(path, read_only=False)
        try:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found < version:
                if found:
                    _back_up(connection, path.with_name(f"{path.name}.before-{version}"))
                MIGRATIONS.apply(sqlite_utils.Database(connection))
                connection.execute("INSERT OR IGNORE INTO notes VALUES ('fold_version', ?)", (str(fold_version),))
                connection.execute(f"PRAGMA user_version = {version}")
        finally:
            connection.close()
        _sync(path.parent)


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))  # WAL and shm inherit the mode


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    target.unlink(missing_ok=True)
    _create(target)
    copy = sqlite3.connect(target)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    _sync(target)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
