"""Refolding: the projections made anew from the events, without holding up who appends meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable

from workbench.journal import projections
from workbench.journal.plan import EMPTY_HEAD, Head, folded
from workbench.journal.rows import SELECT, event_of
from workbench.journal.sqlite_journal import SqliteJournal
from workbench.model.events import Event

PAGE = 5_000  # events folded between two reports of progress


def advance(heads: dict[str, Head], events: Iterable[Event]) -> None:
    """Bring `heads` forward over `events`. Raises JournalProblem for an event that cannot be folded."""
    for event in events:
        head = heads.get(event.stream, EMPTY_HEAD)
        state = folded(head.state, event)
        born = head.born or (event.seq if state is not None else 0)
        heads[event.stream] = Head(event.version, event.hash, state, born)


def rebuild(journal: SqliteJournal, *, progress: Callable[[int, int], None] | None = None) -> int:
    """Replace the rows of all projections by a refold of all events; how many events that were.

    `progress(done, last_seq)` is told as it goes. Writers wait only for the final exchange of the rows.
    """
    heads: dict[str, Head] = {}
    done, last = 0, journal.last_seq()
    while events := journal.read_all(after=done, limit=PAGE):
        advance(heads, events)
        done = events[-1].seq
        if progress is not None:
            progress(done, max(last, done))
    with journal.transaction() as (writer, remembered):
        newest = _rest(writer, after=done)
        advance(heads, newest)
        projections.clear(writer)
        projections.write(writer, heads)
        projections.note_fold_version(writer)
        writer.execute("COMMIT")
        remembered.forget()
    return done + len(newest)


def _rest(writer: sqlite3.Connection, *, after: int) -> list[Event]:
    return [event_of(row) for row in writer.execute(f"{SELECT} WHERE seq > ? ORDER BY seq", (after,))]
