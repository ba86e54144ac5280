"""Ends jobs whose owner is gone: bubblewrap that lost its owner while it made its namespaces waits, or works, forever.

The parent death signal is set by each process for itself, and some moments pass before it is. Every bubblewrap
therefore carries its owner in its environment, which the job never sees.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from workbench.aee.sandbox.processes import kill_pidfd
from workbench.journal.presence import started_ticks

OWNER = "WORKBENCH_SANDBOX_OWNER"
_MARK = re.compile(rb"%s=(pid:\[\d+\]):(\d+):(\d+)\0" % OWNER.encode())


def ownership() -> dict[str, str]:
    """The environment that says whose job it is: a pid is known by its namespace and its start time."""
    me = os.getpid()
    return {OWNER: f"{_pid_namespace()}:{me}:{started_ticks(me)}"}


def end_orphans() -> int:
    """Kill every job of ours whose owner is dead; how many. What belongs to another pid namespace is spared."""
    here = _pid_namespace().encode()
    entries = [entry for entry in Path("/proc").iterdir() if entry.name.isdigit()] if here else []
    return sum(_end(int(entry.name), here) for entry in entries if _is_orphan(entry, here))


def _end(pid: int, here: bytes) -> bool:
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(pid)
        try:
            if _is_orphan(Path(f"/proc/{pid}"), here):  # still: the number may have been given out again
                kill_pidfd(handle)
                return True
        finally:
            os.close(handle)
    return False


def _is_orphan(entry: Path, here: bytes) -> bool:
    try:
        mark = _MARK.match(entry.joinpath("environ").read_bytes())
    except OSError:  # it ended while we looked, or is somebody else's
        return False
    return mark is not None and mark[1] == here and _is_dead(int(mark[2]), int(mark[3]))


def _is_dead(pid: int, started: int) -> bool:
    """Whether it is over. One that cannot be asked, for want of descriptors, is not taken for dead."""
    if (now := started_ticks(pid)) is not None:
        return now != started
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False


def _pid_namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:  # no Linux
        return ""
