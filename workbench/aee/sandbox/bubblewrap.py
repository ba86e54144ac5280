"""Owns the strongest level: a job in namespaces of its own, made by bubblewrap. Knows nothing of runs and workspaces.

A job dies with the *thread* that called `run` (`--die-with-parent` is the kernel's parent death signal, and that is
per thread). `run` therefore starts, feeds, reads and ends the job in the calling thread and blocks it all the while.
The moments before that signal is set are `orphans`' matter.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import resource
import select
import shutil
import struct
import subprocess
import termios
from collections.abc import Callable, Iterator

from workbench.aee.sandbox import processes, syscalls, view
from workbench.aee.sandbox.mountpoints import mount_arguments
from workbench.aee.sandbox.orphans import ownership
from workbench.aee.sandbox.pump import Pump
from workbench.aee.sandbox.streams import OnOutput
from workbench.aee.sandbox.unstarted import failed_to_start
from workbench.model.errors import SandboxProblem
from workbench.ports import Completed, Job, SandboxLevel

SETUP_S = 30.0  # for bubblewrap to make its namespaces
DEATH_S = 30.0  # for a killed namespace to be gone; only a process stuck in the kernel takes longer than moments
SPARE_PROCESSES = 2  # bubblewrap's own inside the namespace
NOT_INSTALLED = (
    "Install the package `bubblewrap` (Debian, Ubuntu, Fedora, Arch and Alpine all call it so). Otherwise: "
    "`--sandbox container` in a container, or `--sandbox none`, which is dangerous."
)
NOT_EXECUTED = re.compile(rb"bwrap: (execvp [^\n]*|Can't chdir to [^\n]*)\n")


class Bubblewrap:
    """The `Sandbox` of level bubblewrap."""

    level: SandboxLevel = "bubblewrap"

    def __init__(self, bwrap: str = "") -> None:
        self._bwrap = bwrap or shutil.which("bwrap") or ""
        if not self._bwrap:
            raise SandboxProblem("bubblewrap is not installed", hint=NOT_INSTALLED)
        self._options = view.supported_options(self._bwrap)
        self._is_watched = False

    @property
    def limitations(self) -> tuple[str, ...]:
        """What this level does not limit here, one sentence each."""
        notes = [
            "The kernel is shared with the host.",
            "Memory is limited for each process, not for the job.",
            "A job that was given the network also reaches the host's loopback and abstract sockets.",
        ]
        if self._is_watched:
            notes.append("As root, the number of processes is watched, not limited by the kernel.")
        if "--disable-userns" not in self._options:
            notes.append("This bubblewrap is too old to forbid user namespaces inside the sandbox.")
        if "--size" not in self._options:
            notes.append("This bubblewrap is too old to limit the size of /tmp.")
        if not syscalls.filter_program():
            notes.append("On this kind of machine no system calls are filtered; the session keyring is readable.")
        return tuple(notes)

    def run(
        self,
        job: Job,
        *,
        on_output: OnOutput | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """See `workbench.ports.Sandbox.run`. Exit codes 129 to 192 are shown as the signals that they stand for."""
        arguments = self._arguments(job)
        try:
            cage = _Namespace(self._bwrap, job, arguments)
        except OSError as error:
            return failed_to_start(error, job, level=self.level)
        self._is_watched = cage.is_watched
        completed = Pump(cage, job, on_output=on_output, stop=stop).run(self.level)
        if completed.state == "exited" and not cage.was_set_up:
            raise _setup_problem(completed.stderr.head)
        return completed if cage.was_executed else _with_failed_start(completed)

    def _arguments(self, job: Job) -> list[str]:
        arguments = [
            *view.namespace_arguments(self._options, network=job.network),
            *view.system_arguments(self._options, network=job.network),
            *mount_arguments(job.mounts),
            *("--remount-ro", "/", "--chdir", job.cwd),
        ]
        for name, value in job.env.items():
            arguments += ["--setenv", name, value]
        if any("\0" in word for word in (*arguments, *job.argv)) or any("=" in name or not name for name in job.env):
            raise SandboxProblem(
                "A command, path or variable holds a character that none can have", hint="Mend the job."
            )
        return arguments


def _with_failed_start(completed: Completed) -> Completed:
    """Tell a command that could not be executed from a namespace that was killed."""
    if completed.state != "exited" or not NOT_EXECUTED.fullmatch(completed.stderr.data):
        return completed
    return Completed(
        state="failed-to-start",
        exit_code=126 if b"Permission denied" in completed.stderr.head else 127,
        stdout=completed.stdout,
        stderr=completed.stderr,
        duration_ms=completed.duration_ms,
        level=completed.level,
    )


def _setup_problem(stderr: bytes) -> SandboxProblem:
    words = stderr.decode("utf-8", "replace").strip() or "bubblewrap ended without a word"
    if "Read-only file system" in words:
        hint = "A mount's target must already exist inside the read-only mount that it lies in."
    else:
        hint = "Run `workbench doctor`; `--sandbox none` runs without any protection."
    return SandboxProblem(f"bubblewrap could not set up the sandbox: {words}", hint=hint)


class _Namespace:
    """A started bubblewrap job: one pid namespace, whose death is the death of all in it."""

    def __init__(self, bwrap: str, job: Job, arguments: list[str]) -> None:
        self._job = job
        self._pidfd = self._init = self._outer_fd = -1
        self._status = b""
        self._was_set_up = False
        self.is_watched = False  # whether the number of processes is looked at, where the kernel does not limit it
        with contextlib.ExitStack() as handed_over, contextlib.ExitStack() as on_failure:
            passed, options = _handed_over(arguments, handed_over)
            status_read, status_write = _pipe(on_failure, handed_over)
            self._gate_read, self._gate = _pipe(on_failure, on_failure)
            passed += [status_write, self._gate_read]
            options += ["--json-status-fd", str(status_write), "--block-fd", str(self._gate_read)]
            self._process = subprocess.Popen(
                [bwrap, *options, "--", *job.argv],
                stdin=subprocess.PIPE if job.stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ownership(),
                cwd="/",
                pass_fds=passed,
                start_new_session=True,
            )
            on_failure.pop_all()
        self._status_fd = status_read
        self.stdin, self.stdout, self.stderr = processes.take_pipes(self._process)
        self._outer_fd = os.pidfd_open(self._process.pid)
        try:
            self._open_gate()
        except BaseException:
            self.settle()
            raise

    def _open_gate(self) -> None:
        """Find the namespace's init, set its limits while it waits, let it go on."""
        poller = select.poll()
        poller.register(self._status_fd, select.POLLIN)
        while b"\n" not in self._status and poller.poll(SETUP_S * 1000):
            chunk = os.read(self._status_fd, 4096)
            if not chunk:
                return  # bubblewrap gave up; its words are on stderr
            self._status += chunk
        self._init = int(self._reported("child-pid") or 0)
        self._pidfd = processes.open_child(self._init, parent=self._process.pid) if self._init else -1
        if self._pidfd >= 0:
            self._limit()
            os.write(self._gate, b"\n")

    def _limit(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # the setup failed; bubblewrap says why
            for kind, value in processes.rlimits(self._job.limits):
                processes.apply_rlimit(self._init, kind, value)
            processes.prefer_for_oom(self._init)
            if self._job.limits.processes:
                self._limit_processes(self._job.limits.processes + SPARE_PROCESSES)

    def _limit_processes(self, count: int) -> None:
        if processes.is_root():
            self.is_watched = not processes.limit_namespace(self._init, count=count)
        else:  # counted for this user in this namespace, so what runs outside takes nothing from it
            processes.apply_rlimit(self._init, resource.RLIMIT_NPROC, count)

    def _reported(self, key: str) -> int | None:
        for line in self._status.splitlines():
            with contextlib.suppress(ValueError):
                if key in (report := json.loads(line)):
                    return int(report[key])
        return None

    @property
    def was_set_up(self) -> bool:
        """Whether bubblewrap came so far that it took the byte which let the command start."""
        return self._was_set_up

    @property
    def was_executed(self) -> bool:
        """Whether the command ran and ended; bubblewrap reports an exit code only then."""
        return self._reported("exit-code") is not None

    def fileno(self) -> int:
        return self._outer_fd

    def overrun(self) -> str:
        limit = self._job.limits.processes
        if reason := processes.over_memory(self._init, self._job.limits):
            return reason
        if not self.is_watched:
            return ""
        count = processes.count_descendants(self._init, enough=limit + SPARE_PROCESSES)
        return f"more than {limit} processes" if count > limit + SPARE_PROCESSES else ""

    def settle(self) -> int:
        """Kill the namespace and wait until its init is dead: the kernel ends all others before that."""
        by_itself = processes.wait_pidfd(self._outer_fd, timeout_s=0)
        if self._pidfd >= 0:
            processes.kill_pidfd(self._pidfd)
            is_dead = processes.wait_pidfd(self._pidfd, timeout_s=DEATH_S)
        else:
            processes.kill_pidfd(self._outer_fd)
            is_dead = True
        if not by_itself:
            self._process.kill()
        self._process.wait()
        self._was_set_up = self._pidfd >= 0 and not _unread(self._gate_read)
        self._read_status()
        self._close()
        if not is_dead:
            raise SandboxProblem(f"A process of the job {self._job.argv[0]!r} cannot be killed", hint="See `ps`.")
        code = self._reported("exit-code")
        if code is None or not by_itself:
            return -9
        return 128 - code if 128 < code <= 192 else code

    def _read_status(self) -> None:
        while chunk := os.read(self._status_fd, 4096):
            self._status += chunk

    def _close(self) -> None:
        for fd in (self._pidfd, self._outer_fd, self._status_fd, self._gate, self._gate_read):
            if fd >= 0:
                os.close(fd)


def _unread(fd: int) -> bool:
    return bool(struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0])


def _pipe(*owners: contextlib.ExitStack) -> Iterator[int]:
    ends = os.pipe()
    for fd, owner in zip(ends, owners, strict=True):
        owner.callback(os.close, fd)
    return iter(ends)


def _handed_over(arguments: list[str], owner: contextlib.ExitStack) -> tuple[list[int], list[str]]:
    """Descriptors that carry the made files, the filter and the arguments, and the options that name them."""
    fds: list[int] = []
    words = list(arguments)
    # The made files go behind the tmpfs that is the root, and before it becomes read-only.
    for path, content in view.FILES.items():
        fd = _memory_file(content.encode(), owner)
        fds.append(fd)
        words[words.index("--proc") : words.index("--proc")] = ["--perms", "0644", "--file", str(fd), path]
    if program := syscalls.filter_program():
        fd = _memory_file(program, owner)
        fds.append(fd)
        words += ["--seccomp", str(fd)]
    fd = _memory_file(b"".join(os.fsencode(word) + b"\0" for word in words), owner)
    return [*fds, fd], ["--args", str(fd)]


def _memory_file(content: bytes, owner: contextlib.ExitStack) -> int:
    fd = os.memfd_create("workbench-sandbox", os.MFD_CLOEXEC)
    owner.callback(os.close, fd)
    view_left = memoryview(content)
    while view_left:
        view_left = view_left[os.write(fd, view_left) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
