"""Dispatch follows the journal: order, places, patience; what it cannot hand over now it hands over later."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Queue

import pytest
from dbos import DBOS

from workbench.aee.dispatch import (
    RETRY_AFTER_S,
    START_WITHIN_S,
    Dispatch,
    enqueue_step,
    forget_ended,
    launch,
    shut_down,
)
from workbench.core.decide.decision import on_run
from workbench.core.decide.run import fail_step, finish_step, interrupt_step, resume_run, stop_run
from workbench.core.state import RunState
from workbench.journal.presence import started_ticks
from workbench.journal.wal import prepare_wal
from workbench.model import events as e
from workbench.model.errors import EnvironmentProblem, JournalProblem
from workbench.model.events import Event, Proposed
from workbench.testing.clock import SettableClock
from workbench.testing.journal import MemoryJournal

PATIENCE_S = 60.0  # of these tests, on a busy machine


class Watched(MemoryJournal):
    """Counts looks at all runs, and refuses appends while told to."""

    def __init__(self, clock: SettableClock) -> None:
        super().__init__(clock=clock)
        self.looks = 0
        self.is_full = False

    def runs(self, *, mission: str = "", live: bool = False) -> list[RunState]:
        self.looks += 1
        return super().runs(mission=mission, live=live)

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        if self.is_full:
            raise JournalProblem("the disk of the journal is full", hint="make room")
        return super().append(proposed, expect=expect)


class Desk:
    """A dispatch with a queue that only remembers."""

    def __init__(self, *, max_runs: int = 2) -> None:
        self.clock = SettableClock()
        self.journal = Watched(self.clock)
        self.queued: list[str] = []
        self.refuses = False
        self.dispatch = Dispatch(
            self.journal,
            self.journal,
            aee="x",
            max_runs=max_runs,
            enqueue=self._enqueue,
            monotonic=self.clock.monotonic,
        )

    def _enqueue(self, run: str, number: int, attempt: int) -> None:
        if self.refuses:
            raise EnvironmentProblem("no room", hint="")
        self.queued.append(f"{run}:{number}:{attempt}")

    def queue(self, run: str, *, priority: int = 0) -> None:
        self.clock.advance(1)
        queued = e.RunQueued(
            run=run, mission="m", agent="a", driver="scripted", branch="b", base_commit="c", priority=priority
        )
        self.journal.append([on_run(run, queued)])

    def run(self, name: str) -> RunState:
        run = self.journal.run(name)
        assert run is not None
        return run

    def finish(self, name: str, outcome: str = "ended") -> None:
        self.journal.append(finish_step(self.run(name), outcome=outcome).events)


def test_fifty_runs_take_two_places_by_priority_then_age() -> None:
    """Never more than two at once, the urgent first, the older before the younger."""
    desk = Desk()
    for number in range(50):
        desk.queue(f"r{number:02}", priority=number % 3)
    order: list[str] = []
    desk.dispatch.tick()
    while desk.queued:
        assert len(desk.queued) == 2
        at_work = [queued.split(":")[0] for queued in desk.queued]
        order += at_work
        desk.queued.clear()
        for run in at_work:
            desk.finish(run)
        desk.dispatch.tick()
    assert order == sorted(order, key=lambda run: (-(int(run[1:]) % 3), run))
    assert len(order) == 50


def test_waiting_runs_cost_nothing() -> None:
    """All runs are looked at once, when the AEE starts; afterwards only those of which there is news."""
    desk = Desk()
    for number in range(300):
        desk.queue(f"r{number}")
        desk.journal.append([on_run(f"r{number}", e.RunAwaitsAnswer(run=f"r{number}", consultation="c"))])
    for _ in range(20):
        desk.dispatch.tick()
        desk.dispatch.is_idle()
        desk.dispatch.at_work()
        desk.journal.append([on_run("r7", e.ThoughtRecorded(run="r7", text="hm"))])
    assert desk.journal.looks == 1
    assert desk.dispatch.is_idle()


def test_a_step_that_the_queue_did_not_take_is_offered_again() -> None:
    """What the journal has handed out is carried once, however often the handing over fails."""
    desk = Desk()
    desk.queue("a")
    desk.refuses = True
    for _ in range(3):
        with pytest.raises(EnvironmentProblem):
            desk.dispatch.tick()
    desk.refuses = False
    desk.dispatch.tick()
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1"]


def test_a_full_disk_is_survived() -> None:
    """The tick that could not write hands out nothing; the first one that can, does."""
    desk = Desk()
    desk.queue("a")
    desk.journal.is_full = True
    with pytest.raises(JournalProblem):
        desk.dispatch.tick()
    desk.journal.is_full = False
    assert desk.dispatch.tick() == 1


def test_a_step_that_failed_is_attempted_again_later_and_later() -> None:
    """A locked or full thing gets time; three attempts do not pass within a second."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    for attempt, delay in enumerate(RETRY_AFTER_S[:2], 2):
        desk.journal.append(fail_step(desk.run("a"), reason="locked").events)
        desk.dispatch.tick()
        assert len(desk.queued) == attempt - 1
        assert not desk.dispatch.is_idle()
        desk.clock.advance(delay)
        desk.dispatch.tick()
        assert desk.queued[-1] == f"a:1:{attempt}"


def test_a_resumed_run_does_not_wait_out_the_delay() -> None:
    """A person who says "go on" means now."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    desk.journal.append(fail_step(desk.run("a"), reason="no", final=True).events)
    desk.dispatch.tick()
    desk.journal.append(resume_run(desk.run("a"), reason="", actor="human:x").events)
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1", "a:1:2"]


def test_a_stopped_run_holds_its_place_until_its_child_is_gone() -> None:
    """Two runs at once means two children at once."""
    desk = Desk(max_runs=1)
    desk.queue("a")
    desk.queue("b")
    desk.dispatch.tick()
    desk.journal.append(stop_run(desk.run("a"), (), reason="", actor="human:x", mission=None).events)
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1"]
    desk.journal.append(interrupt_step(desk.run("a"), reason="it was asked to stop").events)
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1", "b:1:1"]


def test_recovery_gives_every_step_back_and_the_queue_starts_anew() -> None:
    """The steps of an AEE that is gone are interrupted, and attempted by this one."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    later = Dispatch(desk.journal, desk.journal, aee="y", max_runs=2, enqueue=desk._enqueue)
    assert later.recover() == 1
    later.tick()
    assert desk.queued == ["a:1:1", "a:1:2"]


def test_recovery_ends_the_children_of_an_aee_that_is_gone() -> None:
    """A child that outlived its AEE would work beside the next attempt of its step."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    step = desk.run("a").step
    assert step is not None
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True) as child:
        ticks = started_ticks(child.pid) or 0
        lives = e.ChildStarted(run="a", epoch=step.epoch, pid=child.pid, started_ticks=ticks)
        desk.journal.append([on_run("a", lives)])
        Dispatch(desk.journal, desk.journal, aee="y", max_runs=2, enqueue=desk._enqueue).recover()
        assert child.wait(PATIENCE_S) == -signal.SIGKILL


def test_a_damaged_queue_is_put_aside(tmp_path: Path) -> None:
    """The journal is the truth: what DBOS kept is no reason not to start."""
    database = tmp_path / "dbos.sqlite"
    assert prepare_wal(database) is None
    assert prepare_wal(database) is None
    database.write_bytes(b"no database at all" * 1000)
    aside = prepare_wal(database)
    assert aside is not None
    assert aside.read_bytes().startswith(b"no database")
    assert database.read_bytes().startswith(b"SQLite format 3")


def test_a_step_that_the_queue_took_and_never_started_is_handed_out_again() -> None:
    """No step is lost in the queue: after a while it is attempted anew, and should the first start late, it is over."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    desk.clock.advance(START_WITHIN_S - 1)
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1"]
    desk.clock.advance(1)
    desk.dispatch.tick()
    desk.clock.advance(RETRY_AFTER_S[0])
    desk.dispatch.tick()
    desk.clock.advance(RETRY_AFTER_S[0])
    desk.dispatch.tick()
    assert desk.queued == ["a:1:1", "a:1:2"]
    assert (desk.run("a").step or pytest.fail("not at work")).epoch == 2


def test_a_step_whose_child_lives_may_take_its_time() -> None:
    """Only the start is watched here: how long a step may take is its own limit."""
    desk = Desk()
    desk.queue("a")
    desk.dispatch.tick()
    desk.journal.append([on_run("a", e.ChildStarted(run="a", epoch=1, pid=7, started_ticks=1))])
    for _ in range(3):
        desk.clock.advance(START_WITHIN_S)
        desk.dispatch.tick()
    assert desk.queued == ["a:1:1"]


@pytest.fixture
def carried(tmp_path: Path) -> Iterator[Callable[[], Queue[str]]]:
    """Starts DBOS anew on the same database, as the next AEE does; what it then carries."""

    def relaunch() -> Queue[str]:
        shut_down()
        done: Queue[str] = Queue()

        def carry(run: str, number: int, attempt: int) -> str:
            done.put(f"{run}:{number}:{attempt}")
            return "done"

        launch(tmp_path, carry, workers=1)
        return done

    yield relaunch
    shut_down()


def test_a_restored_journal_may_hand_out_the_same_ids_again(carried: Callable[[], Queue[str]]) -> None:
    """An id that the queue of an earlier AEE has seen starts in the next one; within one AEE it is carried once."""
    for _ in range(2):
        done = carried()
        for run in ("a", "a", "b"):
            enqueue_step(run, 1, 1)
        assert [done.get(timeout=PATIENCE_S) for _ in range(2)] == ["a:1:1", "b:1:1"]
        assert done.empty()


def test_steps_that_ended_are_forgotten(carried: Callable[[], Queue[str]]) -> None:
    """The queue of an AEE that lives for months stays small."""
    done = carried()
    for number in range(3):
        enqueue_step("a", number, 1)
        done.get(timeout=PATIENCE_S)
        DBOS.retrieve_workflow(f"a:{number}:1").get_result()
    assert forget_ended() == 3
    assert forget_ended() == 0
