"""Making, upgrading and refusing journal files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.schema import migrate
from workbench.journal.store import SCHEMA_VERSION, SqliteJournal, open_journal
from workbench.model.errors import JournalProblem
from workbench.testing.clock import SettableClock


def test_many_may_open_a_new_journal_at_once(directory: Path, script: Script) -> None:
    """The file is made once, and everyone's first event is in it."""

    def first_event(number: int) -> int:
        with open_journal(directory, clock=SettableClock()) as journal:
            return journal.append([script.queued(f"m.{number}")])[0].seq

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(first_event, range(8))) == list(range(1, 9))


def test_every_commit_is_synced(journal: SqliteJournal) -> None:
    """WAL with synchronous=FULL, on the connection that writes."""
    with journal.transaction() as (writer, _):
        assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
        assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_upgrade_keeps_a_copy_of_what_was_there(journal: SqliteJournal, script: Script) -> None:
    """The file as it was, with every event, lies beside the upgraded one, for its owner alone."""
    journal.append([script.queued()])

    migrate(journal.path, version=SCHEMA_VERSION + 1, fold_version=1)

    copy = journal.path.with_name(f"journal.sqlite3.before-{SCHEMA_VERSION + 1}")
    connection = sqlite3.connect(copy)
    try:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (1,)
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    finally:
        connection.close()
    assert copy.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("newer", ["schema", "folds"])
def test_an_older_program_reads_but_refuses_to_append(
    journal: SqliteJournal, directory: Path, script: Script, newer: str
) -> None:
    """What a newer version wrote is never mixed with what this one thinks; the remedy is named."""
    journal.append([script.queued()])
    with journal.transaction() as (writer, _):
        writer.execute("UPDATE notes SET value = '99'" if newer == "folds" else "PRAGMA user_version = 99")
        writer.execute("COMMIT")

    with open_journal(directory, clock=SettableClock()) as older:
        assert older.read("run/m.1")[0].kind == "RunQueued"
        assert [run.id for run in older.runs()] == ["m.1"]
        with pytest.raises(JournalProblem, match="newer Workbench") as refused:
            older.append([script.thought("x")])

    assert "upgrade" in refused.value.hint


def test_reading_and_appending_import_nothing_heavy(journal: SqliteJournal, directory: Path, script: Script) -> None:
    """A short command on an existing journal loads neither sqlite-utils nor what it drags in."""
    journal.append([script.queued()])
    program = """
import sys
from pathlib import Path
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model import events as e
with open_journal(Path(sys.argv[1]), clock=SystemClock()) as journal:
    run = journal.runs(live=True)[0]
    pause = e.Proposed(stream="run/m.1", payload=e.RunPaused(run="m.1"), actor="human:x")
    journal.append([pause], expect={"run/m.1": run.version})
heavy = {"sqlite_utils", "click", "pluggy", "pydantic", "dbos", "textual", "git", "platformdirs"}
print(*sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program, str(directory)], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def test_a_file_that_is_no_database_is_a_clear_message(directory: Path) -> None:
    """Opening says what is wrong and where."""
    directory.mkdir()
    (directory / "journal.sqlite3").write_bytes(b"not a database" * 1000)

    with pytest.raises(JournalProblem, match="not a database") as refused:
        open_journal(directory, clock=SettableClock())

    assert str(directory) in refused.value.hint
