"""Steps get an outcome whatever happens, reports count only in their epoch, and trouble is waited out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from workbench.aee import supervise
from workbench.aee.attempt import Ended
from workbench.aee.reports import Report
from workbench.aee.supervise import MAX_ATTEMPTS, Supervisor, outcome
from workbench.aee.ticket import StepEnd
from workbench.core.decide.decision import Decision, on_run
from workbench.core.decide.message import edit_message, give_messages, send_message
from workbench.core.decide.pack import request_pack
from workbench.core.decide.run import finish_step, interrupt_step, pause_run, start_step, stop_run
from workbench.core.messages import waiting
from workbench.core.state import MAX_STEP_FAILURES, RunState
from workbench.model import events as e
from workbench.model.errors import JournalProblem
from workbench.model.events import Event, Payload, Proposed
from workbench.testing.journal import MemoryJournal

RUN = "m.1"


class FullDisk(MemoryJournal):
    """A journal that refuses so many appends before there is room again."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 0

    def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
        if self.refusals:
            self.refusals -= 1
            raise JournalProblem("the disk of the journal is full", hint="make room")
        return super().append(proposed, expect=expect)


@pytest.fixture
def journal() -> FullDisk:
    journal = FullDisk()
    queued = e.RunQueued(run=RUN, mission="m", agent="a", driver="scripted", branch="b", base_commit="c")
    journal.append([on_run(RUN, queued)])
    journal.append(start_step(state(journal), aee="x").events)
    return journal


@pytest.fixture
def supervisor(journal: FullDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supervisor:
    monkeypatch.setattr("workbench.aee.trouble.FIRST_DELAY_S", 0.001)
    return Supervisor(journal, journal, directory=tmp_path, repository=tmp_path, socket=tmp_path / "none.sock")


def state(journal: MemoryJournal) -> RunState:
    run = journal.run(RUN)
    assert run is not None
    return run


def thought() -> list[Proposed]:
    return [on_run(RUN, e.ThoughtRecorded(run=RUN, text="hm"))]


def kinds(journal: MemoryJournal) -> list[type[Payload]]:
    return [type(event.payload) for event in journal.read(f"run/{RUN}")]


def test_a_report_waits_for_room_on_the_disk(journal: FullDisk, supervisor: Supervisor) -> None:
    """A full disk makes the agent wait; it does not fail its step."""
    journal.refusals = 3
    assert supervisor.accept(Report(run=RUN, epoch=1), thought()).ok
    assert kinds(journal)[-1] is e.ThoughtRecorded


def test_a_report_is_refused_at_last(
    journal: FullDisk, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that stays full is told to the child, which ends its step with the reason."""
    monkeypatch.setattr(supervise, "REPORT_PATIENCE_S", 0.0)
    journal.refusals = 1000
    receipt = supervisor.accept(Report(run=RUN, epoch=1), thought())
    assert (receipt.ok, receipt.error) == (False, "the disk of the journal is full")


@pytest.mark.parametrize("epoch", [1, 3])
def test_only_the_epoch_at_work_is_heard(epoch: int, journal: FullDisk, supervisor: Supervisor) -> None:
    """What an earlier attempt still says changes nothing, nor what one says that was never handed out."""
    journal.append(interrupt_step(state(journal), reason="killed").events)
    journal.append(start_step(state(journal), aee="x").events)
    before = journal.last_seq()
    receipt = supervisor.accept(Report(run=RUN, epoch=epoch), thought())
    assert (receipt.ok, receipt.fenced, receipt.stop, journal.last_seq()) == (False, True, True, before)
    assert supervisor.accept(Report(run=RUN, epoch=2), thought()).ok


def test_what_a_stopped_run_had_paid_for_is_booked(journal: FullDisk, supervisor: Supervisor) -> None:
    """A person stops a run amid a reply: what that cost is counted, and nothing else of it is heard."""
    journal.append(stop_run(state(journal), (), reason="", actor="human:x", mission=None).events)
    called = e.ModelCalled(run=RUN, model="m", tokens_out=5, cost_usd=0.25, stop="stopped")
    report = Report(run=RUN, epoch=1)
    receipt = supervisor.accept(report, [on_run(RUN, called)])
    assert (receipt.ok, receipt.stop) == (True, True)
    assert supervisor.accept(report, [on_run(RUN, called), *thought()]).fenced
    assert supervisor.accept(report, thought()).fenced
    assert (state(journal).cost_usd, state(journal).outcome) == (0.25, "stopped")
    assert kinds(journal).count(e.ModelCalled) == 1


def test_no_report_slips_in_after_the_outcome(tmp_path: Path) -> None:
    """An outcome that is appended between a report's check and its append wins: the report is refused."""

    class Overtaken(MemoryJournal):
        overtake = False

        def append(self, proposed: Sequence[Proposed], *, expect: Mapping[str, int] | None = None) -> list[Event]:
            if self.overtake:
                self.overtake = False
                super().append(interrupt_step(state(self), reason="given up").events)
            return super().append(proposed, expect=expect)

    journal = Overtaken()
    queued = e.RunQueued(run=RUN, mission="m", agent="a", driver="scripted", branch="b", base_commit="c")
    journal.append([on_run(RUN, queued)])
    journal.append(start_step(state(journal), aee="x").events)
    journal.overtake = True
    served = Supervisor(journal, journal, directory=tmp_path, repository=tmp_path, socket=tmp_path / "none.sock")
    assert served.accept(Report(run=RUN, epoch=1), thought()).fenced
    assert e.ThoughtRecorded not in kinds(journal)


def test_a_person_who_speaks_meanwhile_refuses_no_report(journal: FullDisk, supervisor: Supervisor) -> None:
    """A pause changes the run's version; the report counts, and its receipt asks for the end."""
    journal.append(pause_run(state(journal), reason="", actor="human:x").events)
    receipt = supervisor.accept(Report(run=RUN, epoch=1), thought())
    assert (receipt.ok, receipt.stop) == (True, True)


def test_an_outcome_is_recorded_once_there_is_room(
    journal: FullDisk, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step whose outcome cannot be written at once is not lost and not left at work for ever."""

    def broken(*_: object, **__: object) -> None:
        journal.refusals = 3
        raise OSError("no more processes")

    monkeypatch.setattr(supervise, "Attempt", broken)
    assert supervisor.carry(RUN, 1, 1) == f"recorded {RUN}"
    last = journal.read(f"run/{RUN}")[-1].payload
    assert isinstance(last, e.StepFailed)
    assert last.reason == "the step could not be carried out: OSError: no more processes"


def test_a_pack_whose_run_fails_over_it_is_told_as_failed(
    journal: FullDisk, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the run and of the pack that it was assembling are one append."""

    def broken(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(supervise, "Attempt", broken)
    asked = e.PackRequested(pack="MRP-m.1-1", mission="m", run=RUN, revision=1, base_ref="", base_commit="b", head="h")
    journal.append(request_pack(asked).events)
    seen = []
    for attempt in range(1, MAX_STEP_FAILURES + 1):
        supervisor.carry(RUN, 1, attempt)
        seen.append([pack.state for pack in journal.packs()])
        if not state(journal).outcome:
            journal.append(start_step(state(journal), aee="x").events)
    assert seen == [*[["assembling"]] * (MAX_STEP_FAILURES - 1), ["failed"]]
    assert (state(journal).outcome, [pack.reason for pack in journal.packs()]) == ("failed", [state(journal).reason])


def test_a_step_that_is_not_at_work_is_left_alone(journal: FullDisk, supervisor: Supervisor) -> None:
    """What DBOS brings again after a crash was given back to the queue by then."""
    journal.append(interrupt_step(state(journal), reason="the AEE is gone").events)
    assert supervisor.carry(RUN, 1, 1) == "superseded"


def test_an_aee_that_stops_gives_the_step_back(journal: FullDisk, supervisor: Supervisor) -> None:
    """What was handed out and not begun is interrupted, not failed."""
    supervisor.stop()
    supervisor.carry(RUN, 1, 1)
    assert kinds(journal)[-1] is e.StepInterrupted


def decided(run: RunState, ended: Ended, *, aee_stops: bool = False) -> Payload:
    return outcome(run, ended, aee_stops=aee_stops).events[0].payload


def test_a_killed_child_did_not_fail(journal: FullDisk) -> None:
    """Its step is attempted again; only one that dies every time is put before a person."""
    run = state(journal)
    interrupted = decided(run, Ended(None, -9))
    assert isinstance(interrupted, e.StepInterrupted)
    assert interrupted.reason == "the run child was ended by SIGKILL"
    failed = decided(replace(run, attempts=MAX_ATTEMPTS), Ended(None, -9))
    assert isinstance(failed, e.StepFailed)
    assert failed.final


def test_a_child_that_broke_says_how(journal: FullDisk) -> None:
    """The end of its log is in the reason, and the way to the rest of it in the hint."""
    failed = decided(state(journal), Ended(None, 1, tail="KeyError: 'x'", log="children/m.1.1.log"))
    assert isinstance(failed, e.StepFailed)
    assert failed.reason == "the run child ended with exit code 1: KeyError: 'x'"
    assert failed.hint == "Its log: children/m.1.1.log"


def test_a_step_that_overran_is_not_attempted_again(journal: FullDisk) -> None:
    """A turn without end would only take its limit again and again."""
    failed = decided(state(journal), Ended(StepEnd(outcome="stopped"), 0, overran=True))
    assert isinstance(failed, e.StepFailed)
    assert failed.final
    assert "limit of 3600 s" in failed.reason


def test_work_that_was_done_in_the_last_moment_counts(journal: FullDisk) -> None:
    """Also when the AEE stops, or the time ran out, while the child says so."""
    done = Ended(StepEnd(outcome="submitted"), 0, overran=True)
    assert isinstance(decided(state(journal), done, aee_stops=True), e.StepFinished)


def test_pausing_ends_the_turn_in_order_and_stopping_the_aee_interrupts_it(journal: FullDisk) -> None:
    """A paused run goes on with a new turn, one whose AEE stopped with another attempt."""
    stopped = Ended(StepEnd(outcome="stopped"), 0)
    assert isinstance(decided(state(journal), stopped, aee_stops=True), e.StepInterrupted)
    journal.append(pause_run(state(journal), reason="", actor="human:x").events)
    assert isinstance(decided(state(journal), stopped), e.StepFinished)


def test_a_run_that_was_stopped_is_not_failed_by_its_end(journal: FullDisk) -> None:
    """Whatever the child's exit code is when a person ended the run."""
    journal.append(stop_run(state(journal), (), reason="", actor="human:x", mission=None).events)
    assert isinstance(decided(state(journal), Ended(None, 75)), e.StepInterrupted)


def test_a_step_that_words_ended_is_over_and_not_attempted_again(journal: FullDisk, supervisor: Supervisor) -> None:
    """Interrupting asks the child to end as a pause does, however it ends; the next step is a new one."""
    journal.append(start_turn(journal).events)
    journal.append(send_message(state(journal), mode="interrupt", text="stop that", actor="human:ana").events)
    assert supervisor._grace_now(RUN) is not None
    for ended in (Ended(StepEnd(outcome="stopped"), 0), Ended(None, -9)):
        (event,) = outcome(state(journal), ended, aee_stops=False).events
        assert isinstance(event.payload, e.StepFinished) and event.payload.outcome == "interrupted"
    (submitted,) = outcome(state(journal), Ended(StepEnd(outcome="submitted"), 0), aee_stops=False).events
    assert isinstance(submitted.payload, e.StepFinished) and submitted.payload.outcome == "submitted"
    (left,) = outcome(state(journal), Ended(None, -9), aee_stops=True).events
    assert isinstance(left.payload, e.StepInterrupted)


def test_words_that_a_person_changed_are_not_recorded_as_given(journal: FullDisk, supervisor: Supervisor) -> None:
    """The child is told to look again; what it then gives is what waits, once."""
    journal.append(send_message(state(journal), mode="queue", text="one", actor="human:ana").events)
    stale = give_messages(state(journal), waiting(state(journal)), how="turn").events
    journal.append(edit_message(state(journal), "1", text="two", actor="human:ana").events)
    report = Report(run=RUN, epoch=1)
    assert supervisor.accept(report, stale).outdated
    fresh = give_messages(state(journal), waiting(state(journal)), how="turn").events
    assert supervisor.accept(report, fresh).ok and supervisor.accept(report, fresh).ok
    given = [event.payload for event in journal.read(f"run/{RUN}") if isinstance(event.payload, e.MessageGiven)]
    assert [each.text for each in given] == ["two"]


def start_turn(journal: FullDisk) -> Decision:
    """The step at work ends, and a turn begins."""
    journal.append(finish_step(state(journal), outcome="done").events)
    prepared = e.WorkspacePrepared(run=RUN, workspace="/w", base_commit="c", sandbox="none")
    journal.append([on_run(RUN, prepared)])
    return start_step(state(journal), aee="x")
