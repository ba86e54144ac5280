"""Projections follow from the events alone."""

from __future__ import annotations

from pathlib import Path

from journal_script import Script

from workbench.journal import projections
from workbench.journal.rebuild import rebuild
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.testing.clock import SettableClock


def dump(journal: SqliteJournal) -> dict[str, list[tuple[object, ...]]]:
    return {
        table.name: journal.rows(f"SELECT {', '.join(table.all_columns)} FROM {table.name} ORDER BY id")
        for table in projections.TABLES.values()
    }


def test_a_rebuild_gives_the_same_rows(journal: SqliteJournal, script: Script) -> None:
    """Incremental folds and a refold agree in every byte; progress is told, and appending goes on after it."""
    journal.append([script.queued(), script.queued("m.2"), script.thought("x")])
    journal.append([script.on_run(e.RunPaused(run="m.1")), script.on_run(e.RunEnded(run="m.1", outcome="failed"))])
    before, told = dump(journal), []

    assert rebuild(journal, progress=lambda done, last: told.append((done, last))) == 5

    assert dump(journal) == before
    assert told == [(5, 5)]
    assert journal.append([script.thought("y")], expect={"run/m.1": 4})[0].seq == 6


def test_folds_of_an_older_version_are_noticed(directory: Path, script: Script) -> None:
    """A small journal is refolded when it is opened for writing; a reader leaves it as it is."""
    with open_journal(directory, clock=SettableClock()) as journal:
        journal.append([script.queued()])
        with journal.transaction() as (writer, _):
            writer.execute("UPDATE notes SET value = '0' WHERE name = 'fold_version'")
            writer.execute("UPDATE runs SET live = 0")
            writer.execute("COMMIT")
    with open_journal(directory, clock=SettableClock(), read_only=True) as reader:
        assert reader.has_older_folds
        assert reader.runs(live=True) == []

    with open_journal(directory, clock=SettableClock()) as journal:
        assert not journal.has_older_folds
        assert [run.id for run in journal.runs(live=True)] == ["m.1"]
