"""Owns one unconfined command and everything that stems from it. Run as a script; imports nothing of Workbench.

As the *child subreaper* it becomes the parent of each process that loses its own (double fork, `setsid`), so that what
descends from it is all of the job, and can be ended for certain. It ends the job when the command has ended, when it
is told to, and when the control pipe closes because whoever started it has died.

Descriptors: argv[1] control (read: one marshalled order; its end means "end the job"), argv[2] report (written: `p`
and the command's pid, which is its session, too; `c` and an errno when it could not be confined; `x` and an errno when
it could not be executed; `w` and its wait status; `d` when nothing is left alive).
"""

# ruff: noqa: SIM105
from __future__ import annotations

import ctypes
import marshal
import os
import resource
import select
import signal
import sys

TYPE_CHECKING = False  # spelled out, because importing `typing` and `contextlib` would cost half of our start
if TYPE_CHECKING:
    from typing import Any

PR_SET_CHILD_SUBREAPER = 36
SETTLE_S = 20.0


def main(control: int, report: int) -> None:
    """Start the ordered command, wait for its end or for the end of the control pipe, then end all of it."""
    order = _read_order(control)
    if sys.platform == "linux":  # elsewhere the command's process group has to do
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    gate = _Gate(order["confinement"]) if order["confinement"] else None
    child = _spawn(order, report, gate, keep_out=(control, report, wake_read, wake_write))
    if gate and (error := gate.open(child)):
        os.write(report, b"c %d\n" % error)
    for fd in (0, 1, 2):  # the job's own end of a pipe must be its only one
        os.close(fd)
    _watch(child, control, report, wake_read, gate)
    end_all(child)
    if gate:
        gate.clear()
    os.write(report, b"d 0\n")


def _read_order(control: int) -> Any:
    size = int.from_bytes(_read_exactly(control, 8), "little")
    return marshal.loads(_read_exactly(control, size))  # our own parent wrote it


def _read_exactly(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        chunk = os.read(fd, size - len(data))
        if not chunk:
            os._exit(1)
        data += chunk
    return data


class _Gate:
    """Before it executes the command, a confined child waits until we hold what its system calls ask."""

    def __init__(self, confinement: Any) -> None:
        self._confinement = confinement
        self._broker: Any = None
        self.listener = -1  # readable when the job asks
        sys.path.append(confinement["modules"])  # behind the standard library's places
        self._restrict = __import__("restrict")
        __import__("warnings")  # the search for a program wants it, and a confined child can load nothing
        self._told_read, self._told_write = os.pipe()
        self._held_read, self._held_write = os.pipe()

    def confine(self) -> None:
        """In the child: give up all powers, and let the supervisor take the listener."""
        confinement = self._confinement
        listener = self._restrict.confine(confinement["ruleset"], confinement["program"])
        os.set_inheritable(confinement["ruleset"], False)
        os.write(self._told_write, listener.to_bytes(4, "little"))
        os.close(self._told_write)
        os.close(self._held_write)
        if not os.read(self._held_read, 1):
            os._exit(127)  # nobody would answer: better not to begin

    def open(self, child: int) -> int:
        """In the supervisor: take the listener, so that from now on the child is answered; an errno if that fails."""
        error = 0
        os.close(self._told_write)
        os.close(self._held_read)
        if told := os.read(self._told_read, 4):
            number = int.from_bytes(told, "little")
            try:
                self.listener = self._restrict.descriptor_of(child, number)
                os.write(self._held_write, b"1")
            except OSError as problem:
                error = problem.errno or 1
        os.close(self._told_read)
        os.close(self._held_write)
        os.close(self._confinement["ruleset"])
        return error

    def answer(self) -> None:
        """Answer one system call. Whoever does that is loaded only for a job that asks."""
        if self._broker is None:
            self._broker = __import__("broker").Broker(self.listener, self._confinement)
        self._broker.answer()

    def clear(self) -> None:
        """Remove the job's private directory."""
        try:
            os.rmdir(self._confinement["private"])  # noqa: PTH106 pathlib costs our start 5 ms
        except OSError:
            __import__("shutil").rmtree(self._confinement["private"], ignore_errors=True)


def _spawn(order: Any, report: int, gate: _Gate | None, *, keep_out: tuple[int, ...]) -> int:
    """Fork and execute; the child reports an errno if it cannot."""
    child = os.fork()
    if child:
        os.write(report, b"p %d\n" % child)
        return child
    try:
        os.setsid()  # also a scheduling group of its own: a fork bomb does not starve us
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        _prefer_for_oom(order["oom_score"])
        os.chdir(order["cwd"])
        for kind, value in order["rlimits"]:
            hard = resource.getrlimit(kind)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(kind, (value, value))
        for fd in keep_out:
            os.set_inheritable(fd, False)
        if gate:
            _confine(gate, report)
        os.execvpe(order["argv"][0], order["argv"], order["env"])
    except OSError as error:
        os.write(report, b"x %d\n" % (error.errno or 1))
    finally:
        os._exit(127)


def _confine(gate: _Gate, report: int) -> None:
    try:
        gate.confine()
    except OSError as error:
        os.write(report, b"c %d\n" % (error.errno or 1))
        os._exit(127)


def _prefer_for_oom(score: str) -> None:
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(score)
    except OSError:
        pass  # this system has none


def _watch(child: int, control: int, report: int, wake: int, gate: _Gate | None) -> None:
    """Reap, and answer, until the command itself has ended, or we are to end it."""
    poller = select.poll()
    poller.register(control, select.POLLIN)
    poller.register(wake, select.POLLIN)
    if gate and gate.listener >= 0:
        poller.register(gate.listener, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poller.poll()}
        if wake in ready:
            os.read(wake, 4096)
            if _reap(child, report):
                return
        if control in ready:
            return
        if gate and gate.listener in ready:
            gate.answer()


def _reap(child: int, report: int) -> bool:
    """Collect every dead child; whether the command itself was among them."""
    ended = False
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if not pid:
            return ended
        if pid == child:
            ended = True
            os.write(report, b"w %d\n" % status)


def end_all(child: int) -> None:
    """Stop what descends from us until a look finds nobody new, so that nothing can fork away; then kill them all."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    while True:
        stopped: set[int] = set()
        while fresh := descendants(os.getpid()) - stopped:
            _signal(fresh, signal.SIGSTOP)
            stopped |= fresh
        _signal(stopped, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0)[0]:
                pass
        except ChildProcessError:
            return


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def descendants(root: int) -> set[int]:
    """Pids of all processes that stem from `root`. A zombie counts: its other threads may live."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.exists("/proc/self") else ():  # noqa: PTH110, PTH208 pathlib costs our start 5 ms
        if name.isdigit() and (parent := _parent(name)):
            children.setdefault(parent, []).append(int(name))
    found: set[int] = set()
    pending = [root]
    while pending:
        fresh = children.get(pending.pop(), ())
        found.update(fresh)
        pending += fresh
    return found


def _parent(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return int(stat.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
