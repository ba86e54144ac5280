"""The AEE as a process: `python -m workbench.aee.service --journal DIR --repository PATH [--exit-when-idle]`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from msgspec.structs import replace

from workbench import __version__
from workbench.aee import dispatch
from workbench.aee.lock import AeeLock
from workbench.aee.reports import ReportServer
from workbench.aee.supervise import Supervisor
from workbench.aee.wiring import Ground, open_ground
from workbench.journal.presence import Card, started_ticks, write_card
from workbench.model.errors import WorkbenchError
from workbench.model.events import AeeStarted, AeeStopped, Payload, Proposed

TICK_S = 0.05  # how soon a decision of a person is seen
IDLE_EXIT_S = 1.0  # with --exit-when-idle: how long there must be nothing to do
STOP_WITHIN_S = 8.0  # for the children to end, when the AEE is asked to


def main(arguments: list[str] | None = None) -> int:
    """Serve one journal until asked to stop; 0 in order, otherwise the exit code of what went wrong."""
    parser = argparse.ArgumentParser(prog="workbench-aee", description=__doc__)
    parser.add_argument("--journal", required=True, type=Path)
    parser.add_argument("--repository", required=True, type=Path)
    parser.add_argument("--max-runs", type=int, default=0)
    parser.add_argument("--exit-when-idle", action="store_true")
    options = parser.parse_args(arguments)
    try:
        serve(options.journal, options.repository, max_runs=options.max_runs, once=options.exit_when_idle)
    except WorkbenchError as problem:
        sys.stderr.write(f"error: {problem.message}\n  {problem.hint}\n")
        return problem.exit_code
    return 0


def serve(directory: Path, repository: Path, *, max_runs: int = 0, once: bool = False) -> None:
    """Hold the lock, carry steps, stop on SIGTERM or SIGINT."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = AeeLock(directory)
    lock.acquire()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # losing the terminal stops nothing

    try:
        with open_ground(directory, repository) as ground:
            _serve(ground, stop, max_runs=max_runs or ground.max_runs, once=once)
    finally:
        lock.release()


def _serve(ground: Ground, stop: threading.Event, *, max_runs: int, once: bool) -> None:
    card = Card(
        aee=f"{os.uname().nodename}-{uuid.uuid4().hex[:8]}",
        pid=os.getpid(),
        started_ticks=started_ticks(os.getpid()) or 0,
        version=__version__,
        sandbox=ground.sandbox_level,
        max_runs=max_runs,
        state="starting",
    )
    write_card(ground.directory, card)
    path = _socket_path(ground.directory)
    supervisor = Supervisor(
        ground.journal, ground.states, directory=ground.directory, repository=ground.repository, socket=path
    )
    server = ReportServer(path, supervisor.accept)
    steps = dispatch.Dispatch(ground.journal, ground.states, aee=card.aee, max_runs=max_runs)
    steps.recover()
    dispatch.launch(ground.directory, supervisor.carry, workers=max_runs)
    _say(ground, AeeStarted(aee=card.aee, pid=card.pid, version=__version__, sandbox=card.sandbox, max_runs=max_runs))
    write_card(ground.directory, replace(card, state="running"))
    try:
        _loop(steps, stop, once=once)
    finally:
        supervisor.stop()
        _await_children(steps)
        dispatch.shut_down()
        server.close()
        _say(ground, AeeStopped(aee=card.aee, reason="idle" if once and not stop.is_set() else "asked to stop"))
        write_card(ground.directory, replace(card, state="stopped"))


def _loop(steps: dispatch.Dispatch, stop: threading.Event, *, once: bool) -> None:
    idle_since = time.monotonic()
    while not stop.wait(TICK_S):
        steps.tick()
        if not once:
            continue
        if not steps.is_idle():
            idle_since = time.monotonic()
        elif time.monotonic() - idle_since > IDLE_EXIT_S:
            return


def _await_children(steps: dispatch.Dispatch) -> None:
    until = time.monotonic() + STOP_WITHIN_S
    while steps.at_work() and time.monotonic() < until:
        time.sleep(TICK_S)


def _say(ground: Ground, payload: Payload) -> None:
    ground.journal.append([Proposed(stream="repository/aee", payload=payload, actor="aee")])


def _socket_path(directory: Path) -> Path:
    """A short path for the socket: the kernel takes no more than 107 bytes, and journals may lie deep."""
    beside = directory / "aee.sock"
    if len(os.fsencode(beside)) < 100:
        return beside
    return Path(tempfile.mkdtemp(prefix="workbench-")) / "aee.sock"


if __name__ == "__main__":
    sys.exit(main())
