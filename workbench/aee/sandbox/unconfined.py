"""Owns the levels that confine nothing: `none`, and `container` where one around all of us does. Knows no namespaces.

Environment, limits of each process, wall clock and the end of every process hold here, too; files, network and other
processes are open to the job.
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
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from workbench.aee.sandbox import processes, supervisor
from workbench.aee.sandbox.pump import Pump
from workbench.aee.sandbox.streams import OnOutput
from workbench.aee.sandbox.unstarted import failed_to_start
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job

DEATH_S = 30.0  # for the supervisor to end everything; it takes milliseconds unless the machine is starved
INHERITED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what our own interpreter may need to start; not for the job


class Unconfined:
    """The `Sandbox` of level `none` or `container`."""

    def __init__(self, level: Literal["none", "container"] = "none") -> None:
        self._level = level

    @property
    def level(self) -> Literal["none", "container"]:
        """The level's name, as packs show it."""
        return self._level

    @property
    def limitations(self) -> tuple[str, ...]:
        """What this level does not limit, one sentence each."""
        around = "beyond what the surrounding container hides" if self._level == "container" else "that you can reach"
        notes = [
            f"Commands read and write every file {around}, and use the network.",
            "Memory is limited for each process, not for the job.",
            "The number of processes is watched, not limited by the kernel.",
        ]
        if not Path("/proc/self/stat").exists():
            notes.append("Without /proc, only the command's own process group is ended for certain.")
        return tuple(notes)

    def run(
        self,
        job: Job,
        *,
        on_output: OnOutput | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """See `workbench.ports.Sandbox.run`. Mounts have no effect here: every path is the host's own."""
        if any("\0" in word for word in (*job.argv, job.cwd, *job.env, *job.env.values())):
            raise SandboxProblem("A command, path or variable holds a NUL", hint="Mend the job.")
        for mount in job.mounts:
            if not Path(mount.source).exists():
                raise SandboxProblem(f"{mount.source} does not exist", hint="Make it, or drop the mount.")
        tree = _Tree(job)
        completed = Pump(tree, job, on_output=on_output, stop=stop).run(self._level)
        if tree.start_error:
            return failed_to_start(OSError(tree.start_error, os.strerror(tree.start_error)), job, level=self._level)
        return completed


class _Tree:
    """A started unconfined job: its supervisor, and all that descends from it."""

    def __init__(self, job: Job) -> None:
        self._job = job
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
                pass_fds=(control_read, report_write),
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
            }
        )
        left = memoryview(len(order).to_bytes(8, "little") + order)
        with contextlib.suppress(BrokenPipeError):  # the supervisor died; `settle` tells
            while left:
                left = left[os.write(self._control, left) :]
        while b"\n" not in self._report and (chunk := os.read(self._report_fd, 4096)):
            self._report += chunk

    def fileno(self) -> int:
        return self._report_fd

    def overrun(self) -> str:
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


def _end_session(session: int) -> None:
    """Kill what is left of a job whose supervisor is gone, as far as its session tells."""
    while left := processes.in_session(session):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
