"""Where streams stand, read from the database and remembered as long as no other connection has written."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from workbench.journal import projections
from workbench.journal.plan import EMPTY_HEAD, Group, Head
from workbench.journal.rows import SELECT, event_of
from workbench.model.events import Event

MAX_REMEMBERED = 2_000  # streams; forgotten all at once beyond that


class Heads:
    """The `Source` of the writer's connection. Call `refresh` first in each transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._heads: dict[str, Head] = {}
        self._data_version = -1
        self.last_seq = 0

    def refresh(self) -> None:
        """Forget everything if another connection has committed."""
        data_version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if data_version != self._data_version:
            self._heads.clear()
            self._data_version = data_version
            self.last_seq = self._connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]

    def forget(self) -> None:
        """Trust nothing that is remembered."""
        self._data_version = -1

    def remember(self, group: Group) -> None:
        """What this connection has just committed."""
        if len(self._heads) > MAX_REMEMBERED:
            self._heads.clear()
        self._heads |= group.heads
        self.last_seq = group.last_seq

    @property
    def stored(self) -> Mapping[str, Head]:
        """The heads that are remembered: as they are in the database."""
        return self._heads

    def head(self, stream: str) -> Head:
        """Where a stream stands."""
        head = self._heads.get(stream)
        if head is None:
            head = self._heads[stream] = self._load(stream)
        return head

    def _load(self, stream: str) -> Head:
        newest = "SELECT version, hash FROM events WHERE stream = ? ORDER BY version DESC LIMIT 1"
        found = self._connection.execute(newest, (stream,)).fetchone()
        if found is None:
            return EMPTY_HEAD
        return Head(found[0], found[1], *projections.load(self._connection, stream))

    def find(self, event_id: str) -> Event | None:
        """The stored event of that id."""
        row = self._connection.execute(f"{SELECT} WHERE id = ?", (event_id,)).fetchone()
        return None if row is None else event_of(row)
