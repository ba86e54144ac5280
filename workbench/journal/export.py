"""Events as they are, one JSON object a line; it renders nothing for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workbench.journal.rows import COLUMNS, SELECT
from workbench.journal.store import SqliteJournal
from workbench.model.events import Event, payload_data

PAGE = 1_000  # events read at a time
_ENCODE = msgspec.json.Encoder().encode


def event_data(event: Event) -> dict[str, Any]:
    """An event as plain JSON values, in the order of its columns."""
    data: dict[str, Any] = msgspec.to_builtins(msgspec.structs.asdict(event) | {"payload": payload_data(event.payload)})
    return data


def export_lines(journal: SqliteJournal, *, after: int = 0) -> Iterator[bytes]:
    """All events with seq > `after`, each payload byte for byte as its hash covers it."""
    while rows := journal.rows(f"{SELECT} WHERE seq > ? ORDER BY seq LIMIT ?", after, PAGE):
        for row in rows:
            yield _ENCODE({name: _raw(value) for name, value in zip(COLUMNS, row, strict=True)})
        after = rows[-1][0]


def _raw(value: Any) -> Any:
    return msgspec.Raw(value) if isinstance(value, bytes) else value
