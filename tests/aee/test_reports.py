"""How run children report: acknowledged after the append, refused when their epoch is over, cut off with the AEE."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from workbench.aee.reports import Fenced, Receipt, Report, ReportLine, ReportServer
from workbench.core.decide.decision import on_run
from workbench.model.errors import WorkbenchError
from workbench.model.events import Proposed, RunQueued, StepStarted, ThoughtRecorded
from workbench.testing.journal import MemoryJournal


class Desk:
    """The AEE's side over a journal in memory, with the rule of epochs."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        self.stop = False
        queued = RunQueued(run="m.1", mission="m", agent="a", driver="scripted", branch="b", base_commit="c")
        first = StepStarted(run="m.1", step="turn", number=1, attempt=1, epoch=1, aee="x")
        self.journal.append([on_run("m.1", queued), on_run("m.1", first)])

    def accept(self, report: Report, events: Sequence[Proposed]) -> Receipt:
        run = self.journal.run(report.run)
        if run is None or run.step is None or run.step.epoch != report.epoch:
            return Receipt(ok=False, fenced=True, error="over")
        self.journal.append(events)
        return Receipt(ok=True, stop=self.stop)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[ReportServer]:
    served = ReportServer(tmp_path / "s", desk.accept)
    yield served
    served.close()


def line(server: ReportServer, *, epoch: int = 1) -> ReportLine:
    return ReportLine(str(server.path), run="m.1", epoch=epoch)


def thought(text: str, *, id: str = "") -> Proposed:
    return on_run("m.1", ThoughtRecorded(run="m.1", text=text), actor="agent:m.1", id=id)


def test_a_report_is_in_the_journal_when_it_is_acknowledged(desk: Desk, server: ReportServer) -> None:
    """What a child was told is kept, under the id that it gave."""
    talk = line(server)
    talk.report([thought("hm", id="t1")])
    talk.close()
    found = desk.journal.find("t1")
    assert found is not None and found.payload == ThoughtRecorded(run="m.1", text="hm")


def test_a_child_of_an_older_epoch_changes_nothing(desk: Desk, server: ReportServer) -> None:
    """A child that was given up is told so, and its words are not appended."""
    old = line(server)
    again = StepStarted(run="m.1", step="turn", number=1, attempt=2, epoch=2, aee="x")
    desk.journal.append([on_run("m.1", again)])
    with pytest.raises(Fenced):
        old.report([thought("late", id="late")])
    old.close()
    assert desk.journal.find("late") is None


def test_a_pause_reaches_the_child_with_the_next_receipt(desk: Desk, server: ReportServer) -> None:
    """Whoever reports is told that it should stop."""
    talk = line(server)
    desk.stop = True
    talk.report([thought("one")])
    talk.close()
    assert talk.stop_asked.is_set()


def test_the_leash_breaks_with_the_aee(desk: Desk, tmp_path: Path) -> None:
    """A child knows at once when its AEE is gone."""
    served = ReportServer(tmp_path / "t", desk.accept)
    talk = line(served)
    broken = threading.Event()
    talk.leash(broken.set)
    served.close()
    assert broken.wait(5)
    with pytest.raises((ConnectionError, OSError)):
        talk.report([thought("nobody hears this")])
    talk.close()


@pytest.mark.parametrize("frame", [b"\x00\x00\x00\x02{}", b"\x00\x00\x00\x04null", b"\xff\xff\xff\xff", b"\x00\x00"])
def test_nonsense_on_the_socket_harms_nobody(desk: Desk, server: ReportServer, frame: bytes) -> None:
    """A broken frame is refused or dropped, and the next child is served."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(str(server.path))
        stranger.sendall(frame)
    talk = line(server)
    talk.report([thought("still here", id="here")])
    talk.close()
    assert desk.journal.find("here") is not None


def test_a_refused_report_is_an_error_and_not_a_silence(server: ReportServer) -> None:
    """An event that cannot be read is refused with a reason."""
    talk = line(server)
    with pytest.raises(WorkbenchError, match="refused"):
        talk.report([Proposed(stream="run/m.1", payload=_Odd(run="m.1", text=3), actor="a")])
    talk.close()


class _Odd(ThoughtRecorded, frozen=True, kw_only=True):
    text: int  # type: ignore[assignment]  # the point: not what the kind says


_Odd.__name__ = "ThoughtRecorded"
