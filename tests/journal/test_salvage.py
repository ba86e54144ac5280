"""What is told of a journal that cannot be worked with, and making a damaged one anew from its events."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.salvage import salvage
from workbench.journal.soundness import Soundness, soundness
from workbench.journal.store import SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model.errors import JournalProblem
from workbench.testing.clock import SettableClock

CLOCK = SettableClock()


@pytest.fixture
def filled(journal: SqliteJournal, script: Script) -> Path:
    """A journal of 40 events, closed."""
    journal.append([script.queued(), *(script.thought("x" * 200) for _ in range(39))])
    journal.close()
    return journal.directory


def overwrite(directory: Path, table: str) -> None:
    """The first page of a table or index becomes noise."""
    path = directory / "journal.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = connection.execute("PRAGMA page_size").fetchone()[0]
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    connection.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("table", ["runs", "notes", "idx_events_id", "idx_events_stream_version"])
def test_a_journal_is_made_anew_where_no_event_is_damaged(filled: Path, table: str, script: Script) -> None:
    """Projections and indexes are made of events: their loss is named, and mended without a loss."""
    overwrite(filled, table)
    assert soundness(filled, clock=CLOCK).is_damaged

    done = salvage(filled, clock=CLOCK)

    assert (done.events, Path(done.kept).exists()) == (40, True)
    assert soundness(filled, clock=CLOCK) == Soundness()
    with open_journal(filled, clock=CLOCK) as journal:
        assert verify(journal).ok
        assert journal.append([script.thought("goes on")])[0].seq == 41


@pytest.mark.parametrize("harm", ["events", "altered"])
def test_nothing_is_made_anew_where_an_event_is_lost(filled: Path, harm: str) -> None:
    """Then a backup is the way back; the damaged file stays what it is."""
    if harm == "events":
        overwrite(filled, "events")
    else:
        connection = sqlite3.connect(filled / "journal.sqlite3", isolation_level=None)
        connection.execute("DROP TRIGGER events_refuse_update")
        connection.execute("UPDATE events SET at = '2020-01-01T00:00:00.000Z' WHERE seq = 7")
        connection.close()
    before = (filled / "journal.sqlite3").read_bytes()

    with pytest.raises(JournalProblem, match="without a loss") as refused:
        salvage(filled, clock=CLOCK)

    assert "restore a backup" in refused.value.hint
    assert (filled / "journal.sqlite3").read_bytes() == before


def test_a_lock_and_a_newer_version_are_named(filled: Path) -> None:
    """A lock may pass by itself; a newer version wants an upgrade, and says what else there is."""
    other = sqlite3.connect(filled / "journal.sqlite3", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        locked = soundness(filled, clock=CLOCK)
        other.execute("ROLLBACK")
        other.execute("PRAGMA user_version = 99")
    finally:
        other.close()
    newer = soundness(filled, clock=CLOCK)

    assert locked.passes and "locked" in locked.problem
    assert "newer Workbench" in newer.problem
    assert "before-N" in newer.remedy and not newer.is_damaged
