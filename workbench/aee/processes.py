"""Ending children of ours, and only ours: a process is known by its pid together with its start time.

A sandbox dies with the child that started it, so that ending the child ends everything of its step.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal

from workbench.journal.presence import started_ticks

GONE_WITHIN_S = 2.0


def end_child(pid: int, ticks: int) -> bool:
    """Kill a run child and its process group; whether it was gone within 2 s. A reused pid is spared."""
    if pid <= 0 or started_ticks(pid) != ticks:
        return True
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if started_ticks(pid) != ticks:
            return True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        return bool(select.select([handle], [], [], GONE_WITHIN_S)[0])
    finally:
        os.close(handle)
