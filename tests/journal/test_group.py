"""Appends of many callers share a sync and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from journal_script import Script

from workbench.journal.checkpoints import Checkpoints
from workbench.journal.group import GroupCommit
from workbench.journal.plan import Batch
from workbench.journal.store import SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model import events as e
from workbench.model.errors import Conflict, JournalProblem
from workbench.ports import Journal, States
from workbench.testing.clock import SettableClock


@pytest.fixture
def grouped(journal: SqliteJournal, script: Script) -> Iterator[GroupCommit]:
    journal.append([script.queued()])
    with GroupCommit(journal) as opened:
        yield opened


def test_a_refused_append_takes_no_other_with_it(grouped: GroupCommit, script: Script) -> None:
    """Neighbours in a group are stored although one of them came too late and another makes no sense."""
    stale = [grouped.submit([script.thought("x")], expect={"run/m.1": 7})]
    odd = grouped.submit([script.on_run(e.StepFinished(run="m.1", step="s", number=1, attempt=1, outcome=None))])  # type: ignore[arg-type]
    good = [grouped.submit([script.thought(str(number))]) for number in range(5)]

    assert [future.result()[0].version for future in good] == [2, 3, 4, 5, 6]
    assert isinstance(stale[0].exception(), Conflict)
    assert isinstance(odd.exception(), JournalProblem)


def test_a_batch_that_is_refused_halfway_leaves_no_trace(journal: SqliteJournal, script: Script) -> None:
    """What it had begun with is taken back: neither a gap in the numbers nor a version, in its own group or later."""
    journal.append([script.queued()])
    lost = script.on_run(e.StepFinished(run="m.1", step="s", number=1, attempt=1, outcome=None))  # type: ignore[arg-type]

    refused, kept = journal.append_group([Batch([script.thought("x"), lost], {}), Batch([script.thought("y")], {})])

    assert isinstance(refused, JournalProblem)
    assert not isinstance(kept, Exception)
    assert [(event.seq, event.version) for event in kept] == [(2, 2)]
    assert journal.append([script.thought("z")])[0].seq == 3


def test_an_append_sees_those_before_it_in_its_group(grouped: GroupCommit, script: Script) -> None:
    """Of two that expect the same version in one group, the first wins; a repeated id is one event."""
    futures = [grouped.submit([script.thought("x", id="once")]) for _ in range(2)]
    rivals = [grouped.submit([script.thought("y")], expect={"run/m.1": 2}) for _ in range(2)]

    assert futures[0].result() == futures[1].result()
    assert [type(rival.exception()) for rival in rivals] == [type(None), Conflict]


def test_many_threads_and_other_processes_may_append(grouped: GroupCommit, directory: Path, script: Script) -> None:
    """Beside the busy writer a person's decision gets in, and the chain holds."""

    def report(number: int) -> int:
        return grouped.append([script.thought(str(number))])[0].seq

    with open_journal(directory, clock=SettableClock()) as other, ThreadPoolExecutor(8) as pool:
        seqs = pool.map(report, range(200))
        decided = [other.append([script.queued(f"n.{number}")])[0].seq for number in range(10)]
        assert sorted([*seqs, *decided]) == list(range(2, 212))

    assert verify(grouped.journal).ok


def test_a_busy_writer_leaves_the_lock_to_others_from_time_to_time(
    grouped: GroupCommit, directory: Path, script: Script
) -> None:
    """A process that asks for the lock each millisecond gets it, although the writer always has more to write."""
    ended = Event()

    def flood() -> None:
        while not ended.is_set():
            grouped.submit([script.thought("x")]).result()

    with open_journal(directory, clock=SettableClock()) as other, ThreadPoolExecutor(4) as pool:
        floods = [pool.submit(flood) for _ in range(4)]
        try:
            decided = [other.append([script.queued(f"n.{number}")])[0].version for number in range(20)]
        finally:
            ended.set()
        for done in floods:
            done.result()

    assert decided == [1] * 20


def test_a_full_log_is_begun_anew(journal: SqliteJournal, script: Script) -> None:
    """The writer is asked to copy what the pass beside it left; then the log is written over and keeps its size."""
    journal.checkpoint_every(0)
    log = journal.path.with_name(f"{journal.path.name}-wal")
    journal.append([script.queued()])
    grown = grows(journal, log, script)
    checkpoints = Checkpoints(journal.path, interval_s=0, full_pages=1)
    while not checkpoints.asks_for_the_rest():
        checkpoints.nudge()
        journal.append([script.thought("y")])
    checkpoints.close()

    journal.checkpoint()

    assert grown
    assert not grows(journal, log, script)
    assert verify(journal).ok


def grows(journal: SqliteJournal, log: Path, script: Script) -> bool:
    """Whether the log is longer after one more event."""
    before = log.stat().st_size
    journal.append([script.thought("x" * 20_000)])
    return log.stat().st_size > before


def test_closing_carries_out_what_was_submitted(journal: SqliteJournal, script: Script) -> None:
    """Then it takes no more; the journal beneath stays open."""
    grouped = GroupCommit(journal)
    future = grouped.submit([script.queued()])
    grouped.close()

    assert future.result()[0].seq == 1
    with pytest.raises(JournalProblem, match="closed"):
        grouped.submit([script.thought("x")])
    assert journal.last_seq() == 1


def test_everyone_in_a_group_is_told_when_the_disk_is_full(
    grouped: GroupCommit, journal: SqliteJournal, script: Script
) -> None:
    """Nobody waits for ever, and the writer goes on once there is room."""
    with journal.transaction() as (writer, _):
        writer.execute("PRAGMA max_page_count = 1")
    futures = [grouped.submit([script.thought("x" * 50_000)]) for _ in range(3)]
    told = [future.exception() for future in futures]
    with journal.transaction() as (writer, _):
        writer.execute("PRAGMA max_page_count = 1000000")

    assert all(isinstance(problem, JournalProblem) for problem in told)
    assert grouped.append([script.thought("y")])[0].seq == 2


def test_it_stands_in_for_the_journal(grouped: GroupCommit) -> None:
    """Whoever takes a journal and its states takes the grouped one."""
    journal: Journal = grouped
    states: States = grouped

    assert [run.version for run in states.runs()] == [journal.last_seq()]
