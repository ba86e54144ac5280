"""Owns looking at and ending processes from outside: pidfds, children, limits. Knows nothing of jobs or sandboxes."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
from pathlib import Path

from workbench.ports import Limits

PID_MAX_PER_NAMESPACE = (6, 14)  # first kernel whose pid_max belongs to a pid namespace; before, it is the host's
NSENTER_S = 10.0
OOM_SCORE = "500"  # of -1000 to 1000
RESERVED_PIDS = 300  # numbers below are not given out again, so a namespace needs this many more than processes


def take_pipes(process: subprocess.Popen[bytes]) -> tuple[int, int, int]:
    """Own the descriptors of stdin, stdout and stderr, in place of Popen's buffered files; -1 for one without pipe."""
    fds = []
    for stream in (process.stdin, process.stdout, process.stderr):
        fds.append(os.dup(stream.fileno()) if stream else -1)
        if stream:
            stream.close()
    return fds[0], fds[1], fds[2]


def open_child(pid: int, *, parent: int) -> int:
    """A pidfd of `pid` if it is a child of `parent`, else -1: a number that was given out again is never taken."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    if parent_of(pid) == parent:
        return pidfd
    os.close(pidfd)
    return -1


def parent_of(pid: int) -> int:
    """The parent's pid, or -1 when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return -1
    return int(stat.rpartition(b")")[2].split()[1])


def kill_pidfd(pidfd: int) -> None:
    """SIGKILL, unless it is dead already."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def wait_pidfd(pidfd: int, *, timeout_s: float) -> bool:
    """Whether the process is dead, within the time. For a namespace's init: whether the whole namespace is."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def count_descendants(pid: int, *, enough: int) -> int:
    """How many processes stem from `pid`; counting stops above `enough`."""
    count, pending = 0, [pid]
    while pending and count <= enough:
        children = children_of(pending.pop())
        count += len(children)
        pending += children
    return count


def held_bytes(pid: int) -> int:
    """Memory that `pid` and all that stems from it hold for themselves; what two of them share is counted twice."""
    held, pending = 0, [pid]
    while pending:
        current = pending.pop()
        with contextlib.suppress(OSError):  # it ended while we looked
            resident, shared = Path(f"/proc/{current}/statm").read_bytes().split()[1:3]
            held += (int(resident) - int(shared)) * resource.getpagesize()
        pending += children_of(current)
    return held


def over_memory(pid: int, limits: Limits) -> str:
    """Why a job must end now; empty while it may go on."""
    if limits.total_bytes and held_bytes(pid) > limits.total_bytes:
        return f"more than {limits.total_bytes >> 20} MB of memory"
    return ""


def children_of(pid: int) -> list[int]:
    """Pids of the children of all its threads; none where it ended."""
    found: list[int] = []
    with contextlib.suppress(OSError):  # it ended while we looked
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_bytes().split())
    return found


def in_session(session: int) -> list[int]:
    """Pids of the living processes of one session."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc/self").exists() else ():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it ended while we looked
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[3]) == session and fields[0] not in (b"Z", b"X"):
                    found.append(int(entry.name))
    return found


def rlimits(limits: Limits) -> list[tuple[int, int]]:
    """The limits that belong to each process by itself, as (resource, value)."""
    wanted = [(resource.RLIMIT_CORE, 0)]
    if limits.memory_bytes:
        wanted.append((resource.RLIMIT_AS, limits.memory_bytes))
    if limits.file_bytes:
        wanted.append((resource.RLIMIT_FSIZE, limits.file_bytes))
    return wanted


def apply_rlimit(pid: int, kind: int, value: int) -> None:
    """Lower a limit of another process of ours; one that is lower already stays."""
    hard = resource.prlimit(pid, kind)[1]
    lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.prlimit(pid, kind, (lowered, lowered))


def is_root() -> bool:
    """Whether the kernel exempts us, and all that we start, from RLIMIT_NPROC."""
    return os.geteuid() == 0


def kernel_version() -> tuple[int, int]:
    """Major and minor of the running kernel."""
    major, minor = os.uname().release.split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdigit()) or 0)


def limit_namespace(init: int, *, count: int) -> bool:
    """As root, let the kernel give out no more than about `count` pids in the namespace of `init`; False if it cannot.

    RLIMIT_NPROC does not bind root, whatever it is mapped to. `count` is exact to 300: those numbers stay reserved.
    """
    nsenter = shutil.which("nsenter")
    if not nsenter or kernel_version() < PID_MAX_PER_NAMESPACE:
        return False  # on an older kernel this would be the host's own limit
    order = f"echo {max(count + RESERVED_PIDS, RESERVED_PIDS + 1)} > /proc/sys/kernel/pid_max"
    words = [nsenter, "--target", str(init), "--pid", "/bin/sh", "-c", order]
    try:
        done = subprocess.run(words, env={}, cwd="/", capture_output=True, check=False, timeout=NSENTER_S)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def prefer_for_oom(pid: int) -> None:
    """Let the kernel end this job before us and other runs when memory runs out."""
    with contextlib.suppress(OSError):  # the process is gone, or not ours to mark
        Path(f"/proc/{pid}/oom_score_adj").write_text(OOM_SCORE)
