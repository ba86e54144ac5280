"""Owns the loop that feeds a started job, reads it, and ends it at its limits. Knows nothing of confinement."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import time
from collections.abc import Callable
from typing import Literal, Protocol

from workbench.aee.sandbox.streams import Capture, Live, OnOutput
from workbench.ports import Completed, Job, SandboxLevel

READ_BYTES = 256 << 10  # one read; also the pipe size that is asked for, fewer wake-ups under a flood
POLL_S = 0.1  # how often `stop` is asked and the number of processes is looked at
DRAIN_S = 2.0  # for what is left in the pipes after every process of the job is dead

End = Literal["exited", "timed-out", "stopped", "overrun"]


class Cage(Protocol):
    """A started job, from outside."""

    stdin: int  # -1 when there is nothing to feed
    stdout: int
    stderr: int

    def fileno(self) -> int:
        """Readable once the job's own command has ended."""
        ...

    def overrun(self) -> str:
        """Why the job must end now (too many processes); empty while it may go on."""
        ...

    def settle(self) -> int:
        """End everything that still lives, wait until nothing does, and return the exit code."""
        ...


class Pump:
    """One run of one job, in the calling thread alone."""

    def __init__(self, cage: Cage, job: Job, *, on_output: OnOutput | None, stop: Callable[[], bool] | None) -> None:
        self._cage = cage
        self._job = job
        self._stop = stop
        self._started = time.monotonic()
        self._buffer = bytearray(READ_BYTES)
        self._unsent = memoryview(job.stdin)
        self._names = {cage.stdout: "stdout", cage.stderr: "stderr"}
        self._captures = {name: Capture(job.limits.output_bytes) for name in self._names.values()}
        self._lives = (
            {name: Live(name, on_output=on_output, now=self._started) for name in self._names.values()}
            if on_output
            else {}
        )
        self._selector = selectors.DefaultSelector()

    def run(self, level: SandboxLevel) -> Completed:
        """Run the job to its end. Whatever happens here, no process of it is left."""
        try:
            try:
                self._register()
                end = self._until_end()
            finally:
                exit_code = self._cage.settle()
            self._drain()
        finally:
            self._close()
        for live in self._lives.values():
            live.flush()
        return Completed(
            state="exited" if end == "overrun" else end,
            exit_code=exit_code,
            stdout=self._captures["stdout"].stream(),
            stderr=self._captures["stderr"].stream(),
            duration_ms=round((time.monotonic() - self._started) * 1000),
            level=level,
        )

    def _register(self) -> None:
        for fd in self._names:
            os.set_blocking(fd, False)
            _widen(fd)
            self._selector.register(fd, selectors.EVENT_READ)
        if self._cage.stdin >= 0:
            os.set_blocking(self._cage.stdin, False)
            self._selector.register(self._cage.stdin, selectors.EVENT_WRITE)
        self._selector.register(self._cage.fileno(), selectors.EVENT_READ)

    def _until_end(self) -> End:
        limit = self._job.limits.wall_s
        deadline = self._started + limit if limit else float("inf")
        poll_at = self._started
        while True:
            now = time.monotonic()
            if now >= deadline:
                return "timed-out"
            if now >= poll_at:
                poll_at = now + POLL_S
                if end := self._poll(now):
                    return end
            if self._serve(min(poll_at, deadline) - now):
                return "exited"

    def _poll(self, now: float) -> End | None:
        for live in self._lives.values():
            live.flush_if_due(now)
        if self._stop and self._stop():
            return "stopped"
        if reason := self._cage.overrun():
            self._captures["stderr"].add(f"\n[job ended: {reason}]\n".encode())
            return "overrun"
        return None

    def _serve(self, timeout: float) -> bool:
        """Move bytes once; True when the job's own command has ended."""
        ended = False
        for key, _ in self._selector.select(max(timeout, 0)):
            if key.fd in self._names:
                self._read(key.fd)
            elif key.fd == self._cage.stdin:
                self._feed()
            else:
                ended = True
        return ended

    def _read(self, fd: int) -> bool:
        """Read once; False when there is nothing now. An ended stream is dropped from the loop."""
        try:
            count = os.readv(fd, [self._buffer])
        except BlockingIOError:
            return False
        if not count:
            self._selector.unregister(fd)
            return False
        chunk = memoryview(self._buffer)[:count]
        name = self._names[fd]
        self._captures[name].add(chunk)
        if self._lives:
            self._lives[name].add(chunk, now=time.monotonic())
        return True

    def _feed(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._cage.stdin, self._unsent[:READ_BYTES]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._unsent = self._unsent[:0]
        if not self._unsent:
            self._selector.unregister(self._cage.stdin)
            os.close(self._cage.stdin)
            self._cage.stdin = -1

    def _drain(self) -> None:
        """Read what the dead left in the pipes."""
        until = time.monotonic() + DRAIN_S
        for fd in self._names:
            while self._read_registered(fd) and time.monotonic() < until:
                pass

    def _read_registered(self, fd: int) -> bool:
        return fd in self._selector.get_map() and self._read(fd)

    def _close(self) -> None:
        self._selector.close()
        for fd in (self._cage.stdin, self._cage.stdout, self._cage.stderr):
            if fd >= 0:
                os.close(fd)


def _widen(fd: int) -> None:
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):  # over the person's share of pipe memory: the default size does, too
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, READ_BYTES)
