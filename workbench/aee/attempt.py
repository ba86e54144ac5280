"""The process that carries one attempt of a step, from outside: started, watched, heard and ended, with bounds.

It must not know the journal; what the end means for the run is decided elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple

import msgspec

from workbench.aee.processes import end_group, hold_family, wait_for
from workbench.aee.ticket import StepEnd, Ticket
from workbench.journal.presence import started_ticks
from workbench.model.text import visible

RUN_CHILD = (sys.executable, "-P", "-m", "workbench.aee.child")  # never a module of the directory that we are in
WATCH_EVERY_S = 0.1  # how soon a pause or stop reaches a child that reports nothing
STOP_GRACE_S = 5.0  # for a child to end its act and say so, before it is killed
WORD_BYTES = 64 << 10  # kept of the end of a child's stdout, where its last word stands
LOG_BYTES = 1 << 20  # of a child's stderr on disk
TAIL_BYTES = 4096  # of the end of a longer one
TOLD = 600  # characters of the end of the log that go into a reason
DRAIN_S = 1.0  # for what is left in the pipes; something else may hold them open

Grace = Callable[[], float | None]  # seconds that a child has left from now on; None: nobody wants it to end


class Ended(NamedTuple):
    """How an attempt ended: the child's own word if it left one, its exit code, the end of its log."""

    word: StepEnd | None
    code: int
    overran: bool = False
    tail: str = ""
    log: str = ""


class Attempt:
    """A run child at work; a context manager, after which no process of it is alive."""

    def __init__(self, ticket: Ticket, *, log: Path, words: Sequence[str] = RUN_CHILD) -> None:
        self._log = log
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.ticks = started_ticks(self.pid) or 0
        self._handle = os.pidfd_open(self.pid)
        self._family: list[int] = []  # pidfds of what it had started when it was asked to end
        self._said = _Tail(_pipe(self._process.stdout), keep=WORD_BYTES)
        self._talk = _Tail(_pipe(self._process.stderr), keep=TAIL_BYTES, log=log)
        stdin = _pipe(self._process.stdin)
        with contextlib.suppress(BrokenPipeError):
            stdin.write(msgspec.json.encode(ticket))
            stdin.close()

    def __enter__(self) -> Attempt:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def watch(self, *, wall_s: float, grace: Grace) -> Ended:
        """Wait for the end; ask for it when `grace` gives a number or `wall_s` ran out, and force it after that."""
        overran = self._wait(time.monotonic() + wall_s, grace)
        self._end()
        return Ended(_last_word(self._said.kept), self._process.returncode, overran, self._tail(), str(self._log))

    def _wait(self, until: float, grace: Grace) -> bool:
        """Whether the wall time ran out."""
        kill_at, asked, overran = float("inf"), False, False
        while not wait_for((self._handle,), WATCH_EVERY_S):
            now = time.monotonic()
            left = grace()
            if left is None and now > until:
                left, overran = STOP_GRACE_S, True
            if left is not None:
                kill_at = min(kill_at, now + left)
            if left is not None and not asked:
                asked = True
                self._family = hold_family(self.pid)
                self._process.terminate()
            if now >= kill_at:
                break
        return overran

    def _end(self) -> None:
        """Kill what is left while the pid is ours for certain, which it is until it is waited for."""
        if self._handle < 0:
            return
        end_group(self.pid, self._handle, self._family)
        self._process.wait()
        for handle in (self._handle, *self._family):
            os.close(handle)
        self._handle = -1
        self._said.finish()
        self._talk.finish()
        if not self._talk.full_bytes:
            self._log.unlink(missing_ok=True)

    def _tail(self) -> str:
        return visible(self._talk.kept.decode("utf-8", "replace").strip()[-TOLD:])


class _Tail:
    """Reads a pipe to its end in a thread, so that nobody waits at it; keeps its end, and its beginning in a file."""

    def __init__(self, pipe: IO[bytes], *, keep: int, log: Path | None = None) -> None:
        self._pipe, self._keep, self._log = pipe, keep, log
        self.kept = b""
        self.full_bytes = 0
        self._thread = threading.Thread(target=self._read, name="child-output", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait a moment for the end; a stranger who holds the pipe is not waited for."""
        self._thread.join(DRAIN_S)

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._pipe:
            descriptor = self._pipe.fileno()
            while piece := os.read(descriptor, 64 << 10):
                self._write(piece)
                self.full_bytes += len(piece)
                self.kept = (self.kept + piece)[-self._keep :]
        if self._log is not None and self.full_bytes > LOG_BYTES:
            self._append(b"\n[... %d bytes in all, the end: ...]\n" % self.full_bytes + self.kept)

    def _write(self, piece: bytes) -> None:
        if self._log is not None and self.full_bytes < LOG_BYTES:
            self._append(piece[: LOG_BYTES - self.full_bytes])

    def _append(self, data: bytes) -> None:
        assert self._log is not None  # the callers looked
        with contextlib.suppress(OSError), self._log.open("ab") as log:  # a full disk must not stop the child
            log.write(data)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # every pipe was asked for
    return stream


def _last_word(said: bytes) -> StepEnd | None:
    for line in reversed(said.splitlines()):
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.json.decode(line, type=StepEnd)
    return None
