"""Owns a started job without namespaces, seen from outside: its supervisor, and all that descends from it.

Knows nothing of what confines it: that is handed to the supervisor, which sees to it before the command is executed.
"""

from __future__ import annotations

import contextlib
import errno
import marshal
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from workbench.aee.sandbox import processes, supervisor
from workbench.model.errors import SandboxProblem
from workbench.ports import Job

DEATH_S = 30.0  # for the supervisor to end everything; it takes milliseconds unless the machine is starved
INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what our own interpreter may need to start; not for the job
MODULES = Path(supervisor.__file__).with_name("confined")


class Confinement(msgspec.Struct, frozen=True, kw_only=True):
    """What a job's processes are held by: a Landlock rule set, a filter, where its sockets may lead, its own place."""

    ruleset: int
    program: bytes
    calls: dict[str, int]
    roots: tuple[str, ...]
    writable: tuple[str, ...]
    private: str


class Tree:
    """A started unconfined job: its supervisor, and all that descends from it."""

    def __init__(self, job: Job, confinement: Confinement | None = None) -> None:
        self._job = job
        self._confinement = confinement
        self._report = b""
        control_read, self._control = os.pipe()
        self._report_fd, report_write = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__, str(control_read), str(report_write)],
                stdin=subprocess.PIPE if job.stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={name: os.environ[name] for name in INHERITED if name in os.environ},
                pass_fds=(control_read, report_write, *((confinement.ruleset,) if confinement else ())),
                start_new_session=True,
            )
        except BaseException:
            os.close(self._control)
            os.close(self._report_fd)
            raise
        finally:
            os.close(control_read)
            os.close(report_write)
        self.stdin, self.stdout, self.stderr = processes.take_pipes(self._process)
        try:
            self._order()
        except BaseException:
            self.settle()
            raise

    def _order(self) -> None:
        job = self._job
        env = {os.fsencode(name): os.fsencode(value) for name, value in job.env.items()}
        order = marshal.dumps(
            {
                "argv": [os.fsencode(word) for word in job.argv],
                "cwd": os.fsencode(job.cwd),
                "env": env | {b"PWD": os.fsencode(job.cwd)},  # as bubblewrap sets it
                "oom_score": processes.OOM_SCORE,
                "rlimits": processes.rlimits(job.limits),
                "confinement": self._ordered_confinement(),
            }
        )
        left = memoryview(len(order).to_bytes(8, "little") + order)
        with contextlib.suppress(BrokenPipeError):  # the supervisor died; `settle` tells
            while left:
                left = left[os.write(self._control, left) :]
        while b"\n" not in self._report and (chunk := os.read(self._report_fd, 4096)):
            self._report += chunk

    def _ordered_confinement(self) -> dict[str, object] | None:
        if self._confinement is None:
            return None
        return msgspec.structs.asdict(self._confinement) | {"modules": str(MODULES)}

    def fileno(self) -> int:
        """See `pump.Cage`."""
        return self._report_fd

    def overrun(self) -> str:
        """See `pump.Cage`."""
        limit = self._job.limits.processes
        if limit and processes.count_descendants(self._process.pid, enough=limit) > limit:
            return f"more than {limit} processes"
        return processes.over_memory(self._process.pid, self._job.limits)

    def settle(self) -> int:
        """Let the supervisor end everything. Should the job have killed it, end its sessions from here."""
        if self._control >= 0:
            os.close(self._control)
            self._control = -1
        is_told = self._read_report()
        self._process.kill()
        self._process.wait()
        os.close(self._report_fd)
        if not is_told:
            _end_session(self._reported(b"p") or self._process.pid)
        status = self._reported(b"w")
        return -signal.SIGKILL if status is None else os.waitstatus_to_exitcode(status)

    def _read_report(self) -> bool:
        """Read to the end; whether the supervisor said that nothing is left alive."""
        poller = select.poll()
        poller.register(self._report_fd, select.POLLIN)
        while poller.poll(DEATH_S * 1000):
            chunk = os.read(self._report_fd, 4096)
            if not chunk:
                break
            self._report += chunk
        return self._reported(b"d") is not None

    def _reported(self, key: bytes) -> int | None:
        for line in self._report.splitlines():
            name, _, value = line.partition(b" ")
            if name == key:
                return int(value)
        return None

    @property
    def start_error(self) -> int:
        """The errno with which executing the command failed, or 0."""
        number = self._reported(b"x") or 0
        return errno.ENOENT if number == errno.ENOTDIR else number

    @property
    def confine_error(self) -> int:
        """The errno with which confining the command failed, or 0; nothing was executed then."""
        return self._reported(b"c") or 0


def require_plain(job: Job) -> None:
    """Raise SandboxProblem for a word that no command can have, and for a mount that does not exist."""
    if any("\0" in word for word in (*job.argv, job.cwd, *job.env, *job.env.values())):
        raise SandboxProblem("A command, path or variable holds a NUL", hint="Mend the job.")
    for mount in job.mounts:
        if not Path(mount.source).exists():
            raise SandboxProblem(f"{mount.source} does not exist", hint="Make it, or drop the mount.")


def _end_session(session: int) -> None:
    """Kill what is left of a job whose supervisor is gone, as far as its session tells."""
    while left := processes.in_session(session):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
