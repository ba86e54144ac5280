"""The warden: starts a suite in a process of its own, takes down what that process reports, and seals it; no judge.

It runs in the sandbox as a script, by whatever Python the project uses (3.8 or newer), and never imports a line of the
project. The suite runs in a forked child, the witness (`trace`), which reports through a pipe. The warden stamps each
report with its own time, ends with how the child really ended, and seals the file with a key that it reads from its
standard input only after the child has let go of it and its own memory is closed to others.

What code of the project can still do: it runs in the child, so by a walk over frames or `gc` it can find the secret
that each report carries, forge reports, and hold back the true ones; or it can replace parts of the test runner while
it runs (which `machinery` looks for). It cannot alter or replace the file, report without the secret, or report after
its end. As root without a sandbox it can do anything.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys
import time
from typing import Any

MAX_FRAME = 64 << 20  # bytes of one report; the list of a million ids stays below
CHUNK = 1 << 16
_PR_SET_DUMPABLE = 4  # prctl(2): with 0, /proc/<pid>/fd and ptrace are closed to other processes of the same user


class Ledger:
    """Appends records to the file that leaves the sandbox, and authenticates all of them."""

    def __init__(self, fd: int, key: bytes) -> None:
        import hashlib
        import hmac

        self._fd = fd
        self._mac = hmac.new(key, digestmod=hashlib.sha256)

    def add(self, line: bytes) -> None:
        """Append one line."""
        self._mac.update(line)
        _write_all(self._fd, line)

    def note(self, kind: str, **fields: Any) -> None:
        """Append a record of the warden's own."""
        self.add(json.dumps({"kind": kind, "at": round(time.monotonic(), 6), **fields}).encode() + b"\n")

    def seal(self) -> None:
        """Append the code over everything before it."""
        _write_all(self._fd, json.dumps({"kind": "seal", "mac": self._mac.hexdigest()}).encode() + b"\n")


class Frames:
    """Takes the child's reports apart; one without the run's secret is an intruder's."""

    def __init__(self, secret: bytes, ledger: Ledger) -> None:
        self._prefix = secret + b" {"
        self._ledger = ledger
        self._rest = bytearray()

    def take(self, data: bytes) -> None:
        """Record every whole report in `data` and keep what is left for the next."""
        *lines, rest = data.split(b"\n")
        for line in lines:
            self._record(bytes(self._rest) + line)
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > MAX_FRAME:
            self._rest.clear()
            self._ledger.note("intruder")

    def end(self) -> None:
        """A report that was cut off is an intruder's, too."""
        if self._rest:
            self._ledger.note("intruder")

    def _record(self, line: bytes) -> None:
        if line.startswith(self._prefix):
            stamp = b'{"at": %.6f, ' % time.monotonic()
            self._ledger.add(stamp + line[len(self._prefix) :] + b"\n")
        else:
            self._ledger.note("intruder")


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _shield() -> bool:
    """Close this process's memory and descriptors to its child."""
    import ctypes

    try:
        return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _key() -> bytes:
    parts: list[bytes] = []
    while True:
        part = os.read(0, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _follow(pid: int, frames: Frames, *, reports: int, woken: int) -> int:
    """Take reports until the child has ended; its status. Grandchildren may hold the pipe open: none is waited for."""
    os.set_blocking(reports, False)
    while True:
        select.select([reports, woken], [], [])
        ended, status = os.waitpid(pid, os.WNOHANG)
        open_ = _drain(reports, frames)
        if ended:
            return status
        if not open_:
            return os.waitpid(pid, 0)[1]


def _drain(reports: int, frames: Frames) -> bool:
    """Take what has come; whether more may come."""
    while True:
        try:
            data = os.read(reports, CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        frames.take(data)


def _code_of(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _guard(pid: int, ledger: Ledger, *, reports: int, go: int, woken: int, secret: bytes) -> int:
    frames = Frames(secret, ledger)
    os.write(go, b"g")
    os.close(go)
    code = _code_of(_follow(pid, frames, reports=reports, woken=woken))
    frames.end()
    ledger.note("exit", code=code)
    ledger.seal()
    return code


def _become_child() -> None:
    """Let go of everything that is the warden's."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def main() -> int:
    """Run as the plan in the file `argv[1]` says; the exit code is that of the runner, 128 + n for a signal n."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    sink = os.open(plan["witness"], os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    secret = os.urandom(16).hex().encode()
    (reports, report), (going, go), (woken, wake) = os.pipe(), os.pipe(), os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    pid = os.fork()
    if pid:
        os.close(report)
        os.close(going)
        shielded = _shield()
        ledger = Ledger(sink, _key())
        ledger.note("warden", shielded=shielded)
        return _guard(pid, ledger, reports=reports, go=go, woken=woken, secret=secret)
    for fd in (reports, go, woken, wake, sink):
        os.close(fd)
    _become_child()
    trace = importlib.import_module("workbench_trace")  # `trace`, beside this file under a name that no project has
    del sys.modules["workbench_trace"]
    return int(trace.run(plan, trace.sender(report, secret), going))


if __name__ == "__main__":
    sys.exit(main())
