"""Full text over events."""

from __future__ import annotations

import msgspec
import pytest
from journal_script import Script

from workbench.journal.export import event_data, export_lines
from workbench.journal.search import index, search
from workbench.journal.store import SqliteJournal
from workbench.model import events as e
from workbench.model.digests import canonical


def test_hits_come_newest_first_and_page_backwards(journal: SqliteJournal, script: Script) -> None:
    """Every word must occur, the last one may be a beginning; `before` goes on where a page ended."""
    journal.append([script.queued(), *(script.thought(f"look at parser_{number} again") for number in range(5))])
    assert index(journal, pages=9) == 0

    hits = search(journal, "look parser_", limit=2)

    assert [event.seq for event in hits.events] == [6, 5]
    assert [event.seq for event in search(journal, "look parser_", before=5, limit=9).events] == [4, 3, 2]
    assert search(journal, "look elsewhere").events == ()
    assert (hits.indexed_to, hits.last_seq) == (6, 6)


def test_search_says_how_far_it_looked(journal: SqliteJournal, script: Script) -> None:
    """The index follows behind; what it has not reached is stated."""
    journal.append([script.queued()])
    index(journal)
    journal.append([script.thought("fresh")])

    hits = search(journal, "fresh")

    assert (hits.events, hits.indexed_to, hits.last_seq) == ((), 1, 2)
    assert index(journal) == 0
    assert len(search(journal, "fresh").events) == 1


@pytest.mark.parametrize(
    "text", ['"', "'", "a OR b", "NEAR(", "*", "text:", "-x", "(", "\0", "", "x\x1b[31m", "--", '"" ""', "^a"]
)
def test_any_text_may_be_searched_for(journal: SqliteJournal, script: Script, text: str) -> None:
    """What a person types is words, never a query language."""
    journal.append([script.queued(), script.thought("a b")])
    index(journal)

    search(journal, text)


def test_a_search_can_stay_in_one_stream(journal: SqliteJournal, script: Script) -> None:
    """Other runs that used the same words do not show."""
    journal.append([script.queued(), script.queued("m.2"), script.queued("m.10")])
    index(journal)

    assert [event.stream for event in search(journal, "scripted", stream="run/m.1").events] == ["run/m.1"]


def test_export_is_the_events_as_they_are(journal: SqliteJournal, script: Script) -> None:
    """One object a line, with the payload byte for byte as it was hashed, unknown kinds included."""
    unknown = e.UnknownPayload(known_as="RunTeleported", data={"z": 1, "a": [None]})
    stored = journal.append([script.queued(), script.thought("x"), script.on_run(unknown)])

    lines = list(export_lines(journal))

    assert [msgspec.json.decode(line) for line in lines] == [
        msgspec.json.decode(canonical(event_data(event))) for event in stored
    ]
    assert b'"payload":' + canonical(unknown.data) in lines[2]
    assert list(export_lines(journal, after=2)) == lines[2:]
