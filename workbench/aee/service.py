"""The AEE as a process: `python -m workbench.aee.service --journal DIR --repository PATH [--exit-when-idle]`."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import signal
import stat
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from msgspec.structs import replace

from workbench import __version__
from workbench.aee import dispatch, memory
from workbench.aee.forecasting import Forecasting
from workbench.aee.lock import AeeLock
from workbench.aee.reports import ReportServer
from workbench.aee.restacking import Restacking, together
from workbench.aee.returning import Returning
from workbench.aee.supervise import Supervisor
from workbench.aee.trouble import Trouble, log
from workbench.aee.wiring import Ground, open_ground
from workbench.journal.presence import Card, started_ticks, write_card
from workbench.model.errors import WorkbenchError
from workbench.model.events import AeeStarted, AeeStopped, Payload, Proposed
from workbench.repository.locate import STORE

TICK_S = 0.05  # how soon a decision of a person is seen
IDLE_EXIT_S = 1.0  # with --exit-when-idle: how long there must be nothing to do
STOP_WITHIN_S = 10.0  # for the children to end, when the AEE is asked to
LOOK_EVERY_S = 1.0  # how soon it is seen that journal or repository are gone
FORGET_EVERY_S = 60.0  # how often steps that ended are cleared out of the queue's database, and memory is given back
TEND_EVERY_S = 5.0  # while steps are at work; in quiet moments the house is tended at once
SOCKET_PATH_BYTES = 100  # the kernel takes no more than 107
SHORT_ROOT_BYTES = 50  # of a temporary directory, which leaves room for ours and the socket's name in it


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
    try:
        _work(ground, stop, card, once=once)
    finally:
        with contextlib.suppress(OSError):
            write_card(ground.directory, replace(card, state="stopped", trouble=ground.broken()))


def _work(ground: Ground, stop: threading.Event, card: Card, *, once: bool) -> None:
    max_runs = card.max_runs
    path = socket_path(ground.directory)
    supervisor = Supervisor(
        ground.journal,
        ground.states,
        directory=ground.directory,
        repository=ground.repository,
        socket=path,
        clear_locks=ground.clear_locks,
    )
    foreseeing = Forecasting(
        ground.journal, ground.states, store=ground.directory / STORE, repository=ground.repository
    )
    returning = Returning(
        ground.states, directory=ground.directory, repository=ground.repository, after_s=ground.keep_s
    )
    heed = together(Restacking(ground.journal, ground.states).heed, foreseeing.heed)
    steps = dispatch.Dispatch(ground.journal, ground.states, aee=card.aee, max_runs=max_runs, heed=heed)
    steps.recover()
    ground.clear_leftovers()
    server = ReportServer(path, supervisor.accept)
    dispatch.launch(ground.directory, supervisor.carry, workers=max_runs)
    _say(ground, AeeStarted(aee=card.aee, pid=card.pid, version=__version__, sandbox=card.sandbox, max_runs=max_runs))
    write_card(ground.directory, replace(card, state="running"))
    reason = "it broke"
    foreseeing.start()
    returning.start()
    try:
        reason = _Loop(ground, steps, once=once).run(stop)
    finally:
        supervisor.stop()
        returning.close()
        _await_children(steps)
        dispatch.shut_down()
        server.close()
        if path.parent != ground.directory:
            with contextlib.suppress(OSError):  # somebody else's files in it, or it is gone
                path.parent.rmdir()
        foreseeing.close()
        with contextlib.suppress(WorkbenchError, OSError):  # nobody may be able to write any more
            if not steps.at_work():
                ground.clear_leftovers()  # of children that were killed while this AEE lived
            _say(ground, AeeStopped(aee=card.aee, reason=reason))


class _Loop:
    """What the AEE does all day: follow the journal, hand out steps, tend the house when it is quiet."""

    def __init__(self, ground: Ground, steps: dispatch.Dispatch, *, once: bool) -> None:
        self._ground, self._steps, self._once = ground, steps, once
        self._trouble = Trouble("steps cannot be handed out")
        self._tended_at = self._idle_since = self._forgot_at = time.monotonic()
        self._tended_seq = -1
        self._looked_at = 0.0

    def run(self, stop: threading.Event) -> str:
        """Go round until asked to stop, or idle if once; why it ended. Trouble is waited out, never spun on."""
        pause = TICK_S
        while not stop.wait(pause):
            try:
                if gone := self._gone():
                    log(f"{gone} is gone: nothing is left to serve")
                    return f"{gone.name} is gone"
                if broken := self._ground.broken():  # no later sync can be trusted: a fresh start reads what is there
                    log(f"{broken}: it ends, so that what is on the disk is read again")
                    return "nothing can be recorded"
                if self._round():
                    return "idle"
                self._trouble.over()
                pause = TICK_S
            except Exception as problem:  # noqa: BLE001 - the worker's top: the AEE outlives a full or locked disk
                pause = self._trouble.met(problem)
        return "asked to stop"

    def _round(self) -> bool:
        """Whether this was the last one."""
        self._steps.tick()
        idle = self._steps.is_idle()
        now = time.monotonic()
        if not idle:
            self._idle_since = now
        if self._tended_seq != self._steps.seen_seq and (idle or now - self._tended_at > TEND_EVERY_S):
            self._tended_at = now
            seq = self._steps.seen_seq
            if not self._ground.tend():
                self._tended_seq = seq
        if now - self._forgot_at > FORGET_EVERY_S:
            self._forgot_at = now
            dispatch.forget_ended()
            memory.give_back()
        return self._once and now - self._idle_since > IDLE_EXIT_S

    def _gone(self) -> Path | None:
        """The directory without which there is nothing to serve, if one is gone; looked for once in a while."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return None
        self._looked_at = now
        wanted = (self._ground.directory, self._ground.repository)
        return next((place for place in wanted if not place.is_dir()), None)


def _await_children(steps: dispatch.Dispatch) -> None:
    until = time.monotonic() + STOP_WITHIN_S
    with contextlib.suppress(WorkbenchError):
        while steps.at_work() and time.monotonic() < until:
            time.sleep(TICK_S)


def _say(ground: Ground, payload: Payload) -> None:
    ground.journal.append([Proposed(stream="repository/aee", payload=payload, actor="aee")])


def socket_path(directory: Path) -> Path:
    """Where children report: beside the journal, or for one that lies deep, in a short directory of our own."""
    beside = directory / "aee.sock"
    if len(os.fsencode(beside)) < SOCKET_PATH_BYTES:
        return beside
    key = hashlib.sha256(os.fsencode(directory.absolute())).hexdigest()[:16]
    shared = tempfile.gettempdir()
    root = shared if len(os.fsencode(shared)) < SHORT_ROOT_BYTES else "/tmp"
    known = Path(root) / f"workbench-{os.getuid()}-{key}"
    return (known if _is_ours(known) else Path(tempfile.mkdtemp(prefix="workbench-", dir=root))) / "aee.sock"


def _is_ours(place: Path) -> bool:
    """Whether `place` is, or was made, a directory that nobody else can enter."""
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700)
    found = place.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077


if __name__ == "__main__":
    sys.exit(main())
