"""Backups of a journal and restoring them: whole or not at all, whoever is killed when."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.backup import Manifest, make_backup, read_manifest
from workbench.journal.restore import Restored, restore
from workbench.journal.store import SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model import events as e
from workbench.model.errors import JournalProblem, NotFound, Refused, WorkbenchError
from workbench.testing.clock import SettableClock

CLOCK = SettableClock()


def backed_up(journal: SqliteJournal, target: Path) -> Manifest:
    return make_backup(journal, target, clock=CLOCK, program="1", put_store=lambda _: False)


def restored(backup: Path, directory: Path, *, keep: Path | None = None) -> Restored:
    def keep_whole(target: Path) -> None:
        with open_journal(directory, clock=CLOCK, read_only=True) as journal:
            backed_up(journal, target)

    return restore(
        backup,
        directory,
        clock=CLOCK,
        keep=keep or directory.with_name("kept"),
        keep_whole=keep_whole,
        take_store=lambda _: None,
        workspaces=directory / "workspaces" / "runs",
    )


def seen(directory: Path) -> int:
    """How many events a journal holds that is whole."""
    with open_journal(directory, clock=CLOCK, read_only=True) as journal:
        found = verify(journal)
    assert found.ok, found.problems
    return found.events


@pytest.fixture
def filled(journal: SqliteJournal, script: Script) -> SqliteJournal:
    blob = journal.blobs.put(b"x" * 1000)
    returned = e.ToolReturned(run="m.1", call="1", tool="t", state="ok", summary="s", blob=blob)
    journal.append([script.queued(), script.on_run(returned)])
    return journal


def test_a_backup_is_what_the_journal_was(
    filled: SqliteJournal, directory: Path, tmp_path: Path, script: Script
) -> None:
    """It can be read as a journal itself, and restoring it gives the same events, and keeps what was there."""
    manifest = backed_up(filled, tmp_path / "backup")
    filled.append([script.thought("later")])
    (directory / "workspaces" / "runs" / "unknown.1").mkdir(parents=True)
    (directory / "workspaces" / "runs" / "m.1").mkdir()
    filled.close()

    done = restored(tmp_path / "backup", directory)

    assert (manifest.events, manifest.blobs) == (2, 1)
    assert read_manifest(tmp_path / "backup") == manifest
    assert seen(directory) == seen(tmp_path / "backup") == 2
    assert seen(Path(done.kept)) == 3
    assert done.set_aside == ("unknown.1",)
    assert [place.name for place in (directory / "workspaces" / "runs").iterdir()] == ["m.1"]
    with open_journal(directory, clock=CLOCK) as journal:
        assert journal.append([script.thought("goes on")])[0].seq == 3


def test_who_looks_at_the_journal_sees_what_was_restored(
    filled: SqliteJournal, directory: Path, tmp_path: Path, script: Script
) -> None:
    """An open reader is neither in the way nor left with what is gone."""
    backed_up(filled, tmp_path / "backup")
    filled.append([script.thought("later")])
    filled.close()
    with open_journal(directory, clock=CLOCK, read_only=True) as reader:
        before = reader.data_version()
        restored(tmp_path / "backup", directory)

        assert reader.data_version() != before
        assert reader.last_seq() == 2


def test_a_damaged_journal_is_kept_as_it_is_and_replaced(
    filled: SqliteJournal, directory: Path, tmp_path: Path
) -> None:
    """Restoring is the way out of a file that is no database any more."""
    backed_up(filled, tmp_path / "backup")
    filled.close()
    (directory / "journal.sqlite3").write_bytes(b"not a database" * 999)

    done = restored(tmp_path / "backup", directory)

    assert seen(directory) == 2
    assert (Path(done.kept) / "journal.sqlite3").read_bytes() == b"not a database" * 999


def test_a_journal_that_is_gone_is_made_again(filled: SqliteJournal, directory: Path, tmp_path: Path) -> None:
    """A new machine needs only the backup."""
    backed_up(filled, tmp_path / "backup")

    done = restored(tmp_path / "backup", tmp_path / "elsewhere")

    assert seen(tmp_path / "elsewhere") == 2
    assert done.kept == ""


def test_nothing_is_restored_while_somebody_writes(filled: SqliteJournal, directory: Path, tmp_path: Path) -> None:
    """And nobody begins to write meanwhile; the control: with the writer gone it goes through."""
    backed_up(filled, tmp_path / "backup")

    with pytest.raises(Refused, match="open for writing"):
        restored(tmp_path / "backup", directory)

    filled.close()
    restored(tmp_path / "backup", directory)


@pytest.mark.parametrize("harm", ["blob", "event", "cut", "newer", "manifest"])
def test_a_backup_that_does_not_hold_changes_nothing(
    filled: SqliteJournal, directory: Path, tmp_path: Path, script: Script, harm: str
) -> None:
    """It is checked whole first: the chain, the count, every blob, the version."""
    backup = tmp_path / "backup"
    backed_up(filled, backup)
    filled.append([script.thought("later")])
    filled.close()
    harmed(backup, harm)

    with pytest.raises(WorkbenchError) as refused:
        restored(backup, directory)

    assert refused.value.hint
    assert seen(directory) == 3


def harmed(backup: Path, harm: str) -> None:
    if harm == "blob":
        next(path for path in backup.glob("blobs/*/*")).write_bytes(b"y" * 1000)
    elif harm == "manifest":
        (backup / "backup.json").write_text("{")
    else:
        act = {
            "event": "UPDATE events SET payload = replace(payload, 'scripted', 'scrapped') WHERE seq = 1",
            "cut": "DELETE FROM events WHERE seq = 2",
            "newer": "PRAGMA user_version = 99",
        }[harm]
        connection = sqlite3.connect(backup / "journal.sqlite3", isolation_level=None)
        connection.execute("DROP TRIGGER events_refuse_update")
        connection.execute("DROP TRIGGER events_refuse_delete")
        connection.execute(act)
        connection.close()


def test_a_backup_never_overwrites_and_a_stranger_is_none(filled: SqliteJournal, tmp_path: Path) -> None:
    """What is there stays, and a directory without a manifest is no backup."""
    (tmp_path / "there").mkdir()

    with pytest.raises(Refused, match="there already"):
        backed_up(filled, tmp_path / "there")
    with pytest.raises(NotFound, match="no backup"):
        read_manifest(tmp_path / "there")


def test_a_backup_to_a_disk_that_cannot_take_it_leaves_nothing(filled: SqliteJournal, tmp_path: Path) -> None:
    """The remedy is named, and no half of it lies about."""
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalProblem, match="cannot be written"):
        backed_up(filled, tmp_path / "file" / "backup")


# Forks a child for each point at which it is killed: the Nth time that it opens, renames, makes or removes a file.
KILLS = """
import os, shutil, signal, sqlite3, sys
from pathlib import Path
sys.path[:0] = sys.argv[2].split(os.pathsep)
import test_backup as t
import workbench.journal.schema  # noqa: loaded once, not by each child

os.fsync = lambda descriptor: None  # a killed process loses nothing that it wrote; the disk is another matter
root, act, stride = Path(sys.argv[1]), sys.argv[3], int(sys.argv[4])
WATCHED = {"open", "os.rename", "os.mkdir", "os.rmdir", "os.remove", "sqlite3.connect", "shutil.rmtree"}

def killed(work, at):
    pid = os.fork()
    if not pid:
        count = 0
        def hook(name, arguments):
            nonlocal count
            if name in WATCHED:
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)
        try:
            sys.addaudithook(hook)
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
        os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, -signal.SIGKILL), code
    return code != 0

def back_up():
    with t.open_journal(root / "journal", clock=t.CLOCK, read_only=True) as journal:
        t.backed_up(journal, root / "made")

def count(directory):
    database = sqlite3.connect(directory / "journal.sqlite3")
    assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
    return database.execute("SELECT count(*) FROM events").fetchone()[0]

step, restored = 0, False
while True:
    step += stride
    if act == "backup":
        going = killed(back_up, step)
        if (root / "made").exists():  # it has its name only when it is whole
            assert t.read_manifest(root / "made").events == count(root / "made") == 3, step
            if going:
                shutil.rmtree(root / "made")
        else:
            assert going
    else:
        going = killed(lambda: t.restored(root / "backup", root / "journal", keep=root / f"kept-{step}"), step)
        restored = restored or count(root / "journal") == 2
        assert restored or count(root / "journal") == 3, step
        assert not restored or any(count(kept) == 3 for kept in root.glob("kept-*")), step
    if not going:
        break
print(step)
"""


@pytest.mark.parametrize(("act", "stride"), [("backup", "2"), ("restore", "11")])
def test_killed_at_any_moment_it_is_whole_or_not_there(
    filled: SqliteJournal, directory: Path, tmp_path: Path, script: Script, act: str, stride: str
) -> None:
    """A killed backup is none, and is made by the next try; a killed restore leaves one journal or the other, whole."""
    backed_up(filled, tmp_path / "backup")
    filled.append([script.thought("later")])
    filled.close()
    here = os.pathsep.join([str(Path(__file__).parent), *sys.path])

    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path), here, act, stride], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10
    assert seen(directory) == (3 if act == "backup" else 2)
    if act == "backup":
        assert seen(tmp_path / "made") == 3
