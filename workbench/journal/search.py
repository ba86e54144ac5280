"""Full text over the events, indexed behind a cursor and never inside an append; hits come newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workbench.journal.rows import SELECT, event_of
from workbench.journal.store import SqliteJournal
from workbench.model.events import Event, payload_data

INDEX_PAGE = 500  # events indexed in one transaction, so that appends wait little
MAX_INDEXED_CHARS = 20_000  # of one event; what lies beyond is not found
_CURSOR = "SELECT value FROM notes WHERE name = 'search_cursor'"


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """Events that hold all words, newest first. Events after `indexed_to` were not looked at."""

    events: tuple[Event, ...]
    indexed_to: int
    last_seq: int


def search(journal: SqliteJournal, text: str, *, stream: str = "", before: int = 0, limit: int = 50) -> Hits:
    """The newest events (with seq < `before`, if given) that hold every word of `text`, the last one as a beginning.

    `text` is words, not a query language. `stream` narrows it to one stream.
    """
    indexed_to, last_seq = _indexed_to(journal), journal.last_seq()
    query = _query(text, stream)
    if not query:
        return Hits(events=(), indexed_to=indexed_to, last_seq=last_seq)
    # By rowid, which FTS5 walks backwards; ordering by rank would visit every hit.
    hits = "SELECT rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    found = [seq for (seq,) in journal.rows(hits, query, before or 1 << 62, limit)]
    marks = ", ".join("?" * len(found))
    rows = journal.rows(f"{SELECT} WHERE seq IN ({marks}) ORDER BY seq DESC", *found)
    events = tuple(event for event in map(event_of, rows) if not stream or event.stream == stream)
    return Hits(events=events, indexed_to=indexed_to, last_seq=last_seq)


def index(journal: SqliteJournal, *, pages: int = 1) -> int:
    """Index up to `pages` pages of new events; how many are still to do. For quiet moments of the AEE."""
    for _ in range(pages):
        if not _index_page(journal):
            break
    return journal.last_seq() - _indexed_to(journal)


def _indexed_to(journal: SqliteJournal) -> int:
    noted = journal.rows(_CURSOR)
    return int(noted[0][0]) if noted else 0


def _index_page(journal: SqliteJournal) -> bool:
    events = journal.read_all(after=_indexed_to(journal), limit=INDEX_PAGE)
    if not events:
        return False
    rows = [(event.seq, event.stream, indexed_text(event)) for event in events]
    with journal.transaction() as (writer, _):
        noted = writer.execute(_CURSOR).fetchone()
        if noted and int(noted[0]) != events[0].seq - 1:
            return True  # another process was faster; go on from where it stands
        writer.executemany("INSERT INTO words (rowid, stream, text) VALUES (?, ?, ?)", rows)
        writer.execute("INSERT OR REPLACE INTO notes VALUES ('search_cursor', ?)", (str(events[-1].seq),))
        writer.execute("COMMIT")
    return True


def indexed_text(event: Event) -> str:
    """What of an event can be found: kind, actor and every text in its payload."""
    texts = (event.kind, event.actor, *_texts(msgspec.to_builtins(payload_data(event.payload))))
    return "\n".join(texts)[:MAX_INDEXED_CHARS]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _query(text: str, stream: str) -> str:
    words = [f'"{word}"' for word in text.replace("\0", " ").replace('"', " ").split()]
    if not words:
        return ""
    of_stream = [f'stream : "{stream.replace(chr(34), " ")}"'] if stream else []
    return " AND ".join([*of_stream, *(f"text : {word}" for word in words)]) + "*"
