"""The run child: carries one attempt of one step, outside the sandbox, trusted, in a process group of its own.

It reads its ticket on stdin, reports to the AEE, and says how the step ended as the last line on stdout. When the AEE
is gone, so is the child: what it had not reported never counts.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from pathlib import Path

import msgspec

from workbench.aee.lock import lock_file
from workbench.aee.reports import Fenced, ReportLine
from workbench.aee.steps import STEPS, Stop
from workbench.aee.ticket import StepEnd, Ticket
from workbench.aee.wiring import open_child_ground
from workbench.model.errors import ArtifactInvalid, NotFound, Refused, SandboxProblem, UsageError, WorkbenchError
from workbench.model.text import visible

LOCK_WAIT_S = 10.0  # for an earlier child of the same run, which is being ended, to let go of the workspace
FINAL = (Refused, UsageError, NotFound, ArtifactInvalid, SandboxProblem)  # trying again cannot help
DETAIL = 2000  # characters of what went wrong that go into the journal
ABANDONED = 75  # exit code of a child whose report nobody wants (EX_TEMPFAIL of sysexits.h)


def main() -> int:
    """Carry the step of the ticket on stdin."""
    ticket = msgspec.json.decode(sys.stdin.buffer.read(), type=Ticket)
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda *_: stop.ask())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        end = _carry(ticket, stop)
    except (Fenced, ConnectionError):
        return ABANDONED
    except WorkbenchError as problem:
        end = _failed(problem)
    except Exception as problem:  # noqa: BLE001 - the worker's top: it becomes the step's recorded outcome
        traceback.print_exc()
        end = StepEnd(outcome="failed", detail=visible(f"{type(problem).__name__}: {problem}")[:DETAIL])
    sys.stdout.buffer.write(msgspec.json.encode(end) + b"\n")
    sys.stdout.flush()
    return 0


def _failed(problem: WorkbenchError) -> StepEnd:
    """What the rules refuse stays refused; a lock, a disk or a machine may be better at the next attempt."""
    final = isinstance(problem, FINAL)
    first = f": {problem.problems[0]}" if isinstance(problem, ArtifactInvalid) and problem.problems else ""
    detail, hint = visible(problem.message + first)[:DETAIL], visible(problem.hint)[:DETAIL]
    return StepEnd(outcome="failed", detail=detail, hint=hint, final=final)


def _carry(ticket: Ticket, stop: Stop) -> StepEnd:
    directory = Path(ticket.directory)
    lock = lock_file(directory / "locks" / f"{ticket.run}.lock", wait_s=LOCK_WAIT_S)
    if lock is None:
        raise WorkbenchError(f"another process still holds the workspace of {ticket.run}")
    line = ReportLine(ticket.socket, run=ticket.run, epoch=ticket.epoch)
    stop.follow(line.stop_asked)
    line.leash(_abandon)
    with open_child_ground(directory, Path(ticket.repository), line) as ground:
        run = ground.states.run(ticket.run)
        if run is None or run.step is None or run.step.epoch != ticket.epoch:
            raise Fenced(f"epoch {ticket.epoch} of {ticket.run} is over")
        return STEPS[ticket.step](ground, run, stop)


def _abandon() -> None:
    """The AEE is gone: end at once, with everything that this child started (sandboxes die with their parent)."""
    threading.Timer(2.0, os._exit, (ABANDONED,)).start()
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
