"""Switching a SQLite database of another library to write-ahead logging; the mode stays with the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def prepare_wal(database: Path) -> None:
    """Make `database` (created if need be) use WAL, which DBOS ran 3 to 9 times faster on than as shipped."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
