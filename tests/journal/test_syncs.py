"""Nothing is acknowledged before the log was synced; what a loss of power leaves has all that was acknowledged."""

from __future__ import annotations

import errno
import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from journal_script import Script

from workbench.journal.group import GroupCommit
from workbench.journal.store import DATABASE, SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model.errors import JournalProblem
from workbench.model.events import Event
from workbench.testing.clock import SettableClock

PATIENCE_S = 30
CUTS = 60


class Held:
    """A disk whose syncs come to an end one by one, when they are let."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, _descriptor: int) -> None:
        self.begun.release()
        assert self.let.acquire(timeout=PATIENCE_S)

    def begins(self) -> None:
        assert self.begun.acquire(timeout=PATIENCE_S)


class Refusing:
    """A disk whose syncs fail once they are to."""

    def __init__(self) -> None:
        self.refuses, self.asked = False, 0

    def __call__(self, descriptor: int) -> None:
        self.asked += 1
        if self.refuses:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        os.fsync(descriptor)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def slow(journal: SqliteJournal, script: Script, held: Held) -> Iterator[GroupCommit]:
    """A grouped journal on a held disk; at the end every sync is let."""
    journal.append([script.queued()])
    with GroupCommit(journal, sync=held) as opened:
        yield opened
        held.let.release(1000)


def until(reached: Callable[[], bool]) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < give_up
        threading.Event().wait(0.0005)


def result(future: Future[list[Event]]) -> int:
    return future.result(timeout=PATIENCE_S)[0].seq


def test_groups_are_committed_beside_a_sync_and_answered_after_their_own(
    slow: GroupCommit, journal: SqliteJournal, script: Script, held: Held
) -> None:
    """Two groups are in flight at once; a sync answers those that were committed before it began."""
    first = slow.submit([script.thought("1")])
    held.begins()
    second = slow.submit([script.thought("2")])
    until(lambda: journal.last_seq() == 3)
    third = slow.submit([script.thought("3")])
    until(lambda: journal.last_seq() == 4)

    assert not first.done()
    held.let.release()
    assert result(first) == 2
    held.begins()
    assert not second.done()
    assert not third.done()
    held.let.release()
    assert (result(second), result(third)) == (3, 4)


def test_a_repeated_id_is_no_sooner_answered_than_what_it_repeats(
    slow: GroupCommit, journal: SqliteJournal, script: Script, held: Held
) -> None:
    """Nothing is to be written for it, but what was stored may not be on disk yet."""
    first = slow.submit([script.thought("x", id="once")])
    held.begins()
    again = slow.submit([script.thought("x", id="once")])
    held.let.release()
    assert result(first) == 2
    held.begins()

    assert not again.done()
    held.let.release()
    assert result(again) == 2


def test_other_processes_sync_for_themselves(
    slow: GroupCommit, directory: Path, script: Script, journal: SqliteJournal, held: Held
) -> None:
    """A person's decision waits neither for the groups' disk nor for their lock; nor do this journal's own appends."""
    future = slow.submit([script.thought("1")])
    held.begins()
    with open_journal(directory, clock=SettableClock()) as other:
        decided = other.append([script.queued("n.1")])[0].seq
    own = journal.append([script.queued("n.2")])[0].seq

    assert (decided, own) == (3, 4)
    assert not future.done()
    held.let.release()
    assert result(future) == 2


def test_only_grouped_commits_leave_the_sync_to_others(slow: GroupCommit, journal: SqliteJournal) -> None:
    """Between groups, the same connection's commits sync again."""
    slow.journal.append_group([], synced=False)
    relaxed = synchronous(journal)
    journal.append([])

    assert (relaxed, synchronous(journal)) == (1, 2)


def synchronous(journal: SqliteJournal) -> int:
    assert journal._writer is not None
    return int(journal._writer.execute("PRAGMA synchronous").fetchone()[0])


def test_answers_come_in_the_order_of_the_journal(journal: SqliteJournal, script: Script) -> None:
    """Whoever is answered later comes later, over many groups."""
    journal.append([script.queued()])
    answered: list[int] = []
    with GroupCommit(journal) as grouped:
        for number in range(200):
            future = grouped.submit([script.thought(str(number))])
            future.add_done_callback(lambda done: answered.append(result(done)))

    assert answered == list(range(2, 202))


def test_closing_syncs_and_answers_everything(
    slow: GroupCommit, journal: SqliteJournal, script: Script, held: Held
) -> None:
    """What was committed while a sync was under way is synced before the end."""
    futures = [slow.submit([script.thought("1")])]
    held.begins()
    futures.append(slow.submit([script.thought("2")]))
    until(lambda: journal.last_seq() == 3)
    held.let.release(2)
    slow.close()

    assert [result(future) for future in futures] == [2, 3]


def test_a_failed_sync_is_told_to_all_who_wait_and_ends_the_appends(
    journal: SqliteJournal, directory: Path, script: Script
) -> None:
    """It is never tried again: a second one would succeed, although the disk lacks what the first should have kept."""
    disk = Refusing()
    with GroupCommit(journal, sync=disk) as grouped:
        grouped.append([script.queued()])
        disk.refuses = True
        futures = [grouped.submit([script.thought(str(number))]) for number in range(9)]
        problems = [future.exception(timeout=PATIENCE_S) for future in futures]
        disk.refuses, asked = False, disk.asked
        with pytest.raises(JournalProblem, match="nothing was written") as refused:
            grouped.append([script.thought("x")])

    assert all(isinstance(problem, JournalProblem) and "verify" in problem.hint for problem in problems)
    assert "Input/output error" in refused.value.message
    assert disk.asked == asked == 2
    journal.close()
    with open_journal(directory, clock=SettableClock()) as mended, GroupCommit(mended) as grouped:
        assert grouped.append([script.thought("y")])[0].seq > 1
        assert verify(mended).ok


def test_a_log_that_was_removed_is_not_synced(journal: SqliteJournal, script: Script) -> None:
    """What SQLite goes on writing is in no directory; whoever waits is told instead of a loss at the next start."""
    with GroupCommit(journal) as grouped:
        grouped.append([script.queued()])
        log_of(journal.path).unlink()

        with pytest.raises(JournalProblem, match="log"):
            grouped.append([script.thought("x")])


# --- loss of power -------------------------------------------------------------------------------------------------


class Recorder:
    """A disk that notes how long the log was when each sync began, and who was answered after how many syncs."""

    def __init__(self) -> None:
        self.kept: list[int] = []
        self.answered: list[tuple[int, str]] = []

    def __call__(self, descriptor: int) -> None:
        length = os.fstat(descriptor).st_size
        os.fdatasync(descriptor)
        self.kept.append(length)

    def watch(self, future: Future[list[Event]]) -> None:
        future.add_done_callback(lambda done: self.answered.append((len(self.kept), done.result()[-1].id)))

    def answered_by(self, syncs: int) -> set[str]:
        return {event_id for after, event_id in self.answered if after <= syncs}


@pytest.fixture
def recorded(journal: SqliteJournal, script: Script, tmp_path: Path) -> tuple[Recorder, Path]:
    """Many groups, with appends of another process between them, and the database as it was before them.

    A reader of that time keeps checkpoints from moving anything, so that the log alone has to bear it.
    """
    journal.append([script.queued()])
    before = tmp_path / "before"
    reader = sqlite3.connect(journal.path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM events").fetchall()
    shutil.copytree(journal.directory, before)
    disk = Recorder()
    with open_journal(journal.directory, clock=SettableClock()) as other, GroupCommit(journal, sync=disk) as grouped:
        for number in range(80):
            future = grouped.submit([script.thought("x" * (number * 37 % 900)), script.thought(str(number))])
            disk.watch(future)
            if number % 10 == 9:
                other.append([script.queued(f"n.{number}")])
            if number % 3 == 0:
                result(future)
    shutil.copyfile(log_of(journal.path), log_of(tmp_path / "whole"))
    reader.close()
    return disk, before


def log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def after_power_loss(before: Path, log: bytes, place: Path) -> tuple[set[str], bool]:
    """The ids in a journal whose log is as given, and whether it is sound."""
    shutil.copytree(before, place)
    (place / f"{DATABASE}-shm").unlink(missing_ok=True)
    log_of(place / DATABASE).write_bytes(log)
    with open_journal(place, clock=SettableClock()) as left:
        found = {event.id for event in left.read_all(limit=10_000)}, verify(left).ok
    shutil.rmtree(place)
    return found


def test_what_was_acknowledged_survives_a_loss_of_power(recorded: tuple[Recorder, Path], tmp_path: Path) -> None:
    """Cut behind any sync, with whole, torn, blank or foreign writes after it: all that was answered is there."""
    disk, before = recorded
    log, chance = log_of(tmp_path / "whole").read_bytes(), random.Random(7)

    for _ in range(CUTS):
        syncs = chance.randrange(len(disk.kept) + 1)
        kept = disk.kept[syncs - 1] if syncs else log_of(before / DATABASE).stat().st_size
        torn = log[: kept + chance.choice([0, chance.randrange(30_000)])]
        for _ in range(chance.randrange(3)):
            torn = spoiled(torn, kept, chance)
        ids, sound = after_power_loss(before, torn, tmp_path / "after")

        assert sound
        assert disk.answered_by(syncs) <= ids

    assert len(disk.answered_by(len(disk.kept))) == 80


def test_the_cuts_would_show_an_answer_before_its_sync(recorded: tuple[Recorder, Path], tmp_path: Path) -> None:
    """The control: with one sync less on disk, something that was answered is missing."""
    disk, before = recorded
    log = log_of(tmp_path / "whole").read_bytes()

    ids, sound = after_power_loss(before, log[: disk.kept[-2]], tmp_path / "after")

    assert sound
    assert not disk.answered_by(len(disk.kept)) <= ids


def spoiled(log: bytes, kept: int, chance: random.Random) -> bytes:
    """Some sectors behind what was kept never came to the disk: they are blank, or what they were before."""
    if len(log) <= kept:
        return log
    start = chance.randrange(kept, len(log))
    end = min(len(log), start + chance.choice([1, 512, 4096, 20_000]))
    return log[:start] + chance.choice([bytes(end - start), chance.randbytes(end - start)]) + log[end:]
