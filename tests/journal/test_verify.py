"""Tampering with any stored value is found, and an untouched journal is clean."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from journal_script import Script

from workbench.journal.chain import event_hash
from workbench.journal.rebuild import rebuild
from workbench.journal.rows import COLUMNS
from workbench.journal.store import SqliteJournal
from workbench.journal.verify import checkpoint, verify
from workbench.model import events as e
from workbench.model.events import Proposed

PROJECTED = {"runs": ("id", "born", "mission", "live", "folded"), "missions": ("id", "born", "outcome", "folded")}


@pytest.fixture
def filled(journal: SqliteJournal, script: Script) -> SqliteJournal:
    blob = journal.blobs.put(b"the brief")
    mission = e.MissionStarted(mission="m", title="T", brief=e.Pin(id="b", blob=blob))
    journal.append([Proposed(stream="mission/m", payload=mission, actor="human:ann"), script.queued()])
    journal.append([script.thought("one"), script.thought("two")])
    journal.append([script.on_run(e.ToolReturned(run="m.1", call="1", tool="t", state="ok", summary="s", blob=blob))])
    return journal


def altered(path: Path, *statements: str, guarded: bool = False) -> None:
    """What somebody with the file in hand can do to it."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in [] if guarded else triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in [] if guarded else triggers:
            connection.execute(sql)
    finally:
        connection.close()


def test_an_untouched_journal_is_clean(filled: SqliteJournal) -> None:
    """The control for everything below."""
    report = verify(filled)

    assert (report.ok, report.events, report.problems) == (True, 5, ())


@pytest.mark.parametrize("seq", range(1, 6))
@pytest.mark.parametrize("column", COLUMNS)
def test_an_altered_column_of_an_event_is_found(filled: SqliteJournal, column: str, seq: int) -> None:
    """Whichever value of whichever event was changed."""
    change = f"{column} + 10" if column in ("seq", "version", "schema") else f"{column} || 'x'"
    altered(filled.path, f"UPDATE events SET {column} = {change} WHERE seq = {seq}")

    assert not verify(filled).ok


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM events WHERE seq = 3",
        "DELETE FROM events WHERE seq = 1",
        "UPDATE events SET payload = CAST(payload AS BLOB) WHERE seq = 2",
        "UPDATE events SET payload = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "UPDATE events SET actor = CAST(x'ff' AS TEXT) WHERE seq = 2",
        "UPDATE events SET payload = replace(payload, 'one', 'ONE') WHERE seq = 3",
        "UPDATE events SET kind = 'RunPaused' WHERE seq = 3",
        "INSERT INTO events SELECT 6, 'x', stream, 6, kind, schema, actor, at, payload, hash, hash FROM events "
        "WHERE seq = 5",
        "CREATE TRIGGER spy AFTER INSERT ON events BEGIN DELETE FROM runs; END",
        "DROP INDEX idx_events_id",
    ],
)
def test_other_alterations_are_found(filled: SqliteJournal, statement: str) -> None:
    """Removed, inserted, retyped and undecodable rows, and what was added to or taken from the schema."""
    altered(filled.path, statement)

    assert not verify(filled).ok


def test_events_that_traded_places_are_found(filled: SqliteJournal) -> None:
    """Also when their streams, each by itself, look untouched."""
    altered(
        filled.path,
        "UPDATE events SET seq = 99 WHERE seq = 1",
        "UPDATE events SET seq = 1 WHERE seq = 2",
        "UPDATE events SET seq = 2 WHERE seq = 99",
    )

    assert not verify(filled).ok


@pytest.mark.parametrize(("table", "column"), [(table, column) for table in PROJECTED for column in PROJECTED[table]])
def test_an_altered_projection_is_found_and_rebuilt(filled: SqliteJournal, table: str, column: str) -> None:
    """Whichever value was changed; a rebuild from the events mends it."""
    value = "99" if column in ("born", "live") else "'x'"
    altered(filled.path, f"UPDATE {table} SET {column} = {value}")
    assert not verify(filled).ok

    rebuild(filled)

    assert verify(filled).ok


def test_a_missing_or_altered_blob_is_found(filled: SqliteJournal) -> None:
    """A blob that an event names is part of what is verified."""
    (path,) = [path for path in (filled.directory / "blobs").rglob("*") if path.is_file()]
    path.write_bytes(b"another")
    assert "does not match" in verify(filled).problems[0].text

    path.unlink()
    assert "no blob" in verify(filled).problems[0].text


def test_an_agent_cannot_make_verify_look_for_blobs(journal: SqliteJournal, script: Script) -> None:
    """What looks like a blob in an agent's own words is not taken for one."""
    words = {"blob": "sha256:" + "0" * 64}
    journal.append(
        [script.queued(), script.on_run(e.ToolCalled(run="m.1", call="1", tool="t", title="t", arguments=words))]
    )

    assert verify(journal).ok


def test_events_refuse_to_be_changed(filled: SqliteJournal) -> None:
    """The database itself refuses; only who removes its triggers gets further (control: the tests above)."""
    for statement in ("UPDATE events SET actor = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            altered(filled.path, statement, guarded=True)


def test_a_cut_tail_is_shown_by_a_checkpoint_and_said_to_be_hidden_without(filled: SqliteJournal) -> None:
    """The chain alone cannot miss what is gone from its end; a checkpoint kept elsewhere can."""
    before = checkpoint(filled)
    altered(filled.path, "DELETE FROM events WHERE seq = 5")
    rebuild(filled)

    unaided = verify(filled)
    assert unaided.ok
    assert "cut off" in unaided.cannot_show[0]
    assert not verify(filled, checkpoints=[before]).ok


def test_a_rewritten_chain_is_shown_by_a_checkpoint(filled: SqliteJournal) -> None:
    """Who recomputes every hash passes the chain, not the checkpoint."""
    before = checkpoint(filled)
    altered(
        filled.path, "UPDATE events SET actor = 'human:eve' WHERE seq = 5", *_resealed(filled, seq=5, actor="human:eve")
    )

    assert verify(filled).ok
    assert not verify(filled, checkpoints=[before]).ok


def test_sealing_an_altered_event_anew_breaks_what_comes_after_it(filled: SqliteJournal) -> None:
    """Each hash holds the one before: with a new hash, told to the next event, that one does not match any more."""
    (seal,) = _resealed(filled, seq=3, actor="human:eve")
    altered(
        filled.path,
        "UPDATE events SET actor = 'human:eve' WHERE seq = 3",
        seal,
        "UPDATE events SET prev_hash = (SELECT hash FROM events WHERE seq = 3) WHERE seq = 4",
    )

    report = verify(filled)

    assert not report.ok
    assert report.problems[0].seq == 4


def _resealed(journal: SqliteJournal, *, seq: int, actor: str) -> list[str]:
    (row,) = journal.rows(f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq = ?", seq)
    sealed: Any = (*row[:6], actor, row[7])
    return [f"UPDATE events SET hash = '{event_hash(row[9], sealed, row[8].encode())}' WHERE seq = {seq}"]


def test_checkpoints_hold_while_the_journal_grows(filled: SqliteJournal, script: Script) -> None:
    """Each is compared at its own place, whatever came later."""
    first = checkpoint(filled)
    filled.append([script.thought("three")])
    second = checkpoint(filled)
    filled.append([script.thought("four")])

    report = verify(filled, checkpoints=[second, first])

    assert (report.ok, report.checkpoints) == (True, 2)
    assert msgspec.json.decode(msgspec.json.encode(first))["seq"] == 5


def test_a_file_that_is_no_database_is_reported(filled: SqliteJournal) -> None:
    """Damage ends in a problem that says so, not in a traceback."""
    filled.append([])
    with filled.path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8000)
    wal = filled.path.with_name(filled.path.name + "-wal")
    wal.write_bytes(b"")

    report = verify(filled)

    assert not report.ok
