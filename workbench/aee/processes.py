"""Ending children of ours, and only ours: a process is known by its pid together with its start time.

A sandbox dies with the child that started it, so that ending the child ends everything of its step; what stems from
the child is looked for all the same, and waited for.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Iterator

from workbench.aee.sandbox.processes import children_of
from workbench.journal.presence import started_ticks

SETTLE_S = 1.0  # for sandboxes, which end by themselves when their child does; what lives on is killed
GONE_WITHIN_S = 2.0


def end_child(pid: int, ticks: int) -> bool:
    """Kill a run child with all that stems from it; whether all was gone within 2 s. A reused pid is spared."""
    if pid <= 0 or started_ticks(pid) != ticks:
        return True
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return True if started_ticks(pid) != ticks else end_group(pid, handle)
    finally:
        os.close(handle)


def end_group(pid: int, handle: int, known: Iterable[int] = ()) -> bool:
    """Kill the process group of `pid`, which must be ours still (alive, or not reaped); see `end_child`.

    `known` are pidfds of what stemmed from it earlier: the kernel forgets whose they were when `pid` dies.
    """
    with _held(_descendants(pid)) as found:
        family = (*known, *found)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        if wait_for((handle, *family), SETTLE_S):
            return True
        for straggler in family:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(straggler, signal.SIGKILL)
        return wait_for((handle, *family), GONE_WITHIN_S - SETTLE_S)


def wait_for(handles: Iterable[int], seconds: float) -> bool:
    """Whether all processes behind these pidfds ended in time."""
    until = time.monotonic() + seconds
    for handle in handles:
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        if not poller.poll(max(until - time.monotonic(), 0.0) * 1000):
            return False
    return True


def hold_family(pid: int) -> list[int]:
    """Pidfds of all that stems from `pid` now; the caller closes them."""
    return _hold(_descendants(pid))


@contextlib.contextmanager
def _held(pids: Iterable[int]) -> Iterator[list[int]]:
    handles = _hold(pids)
    try:
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def _hold(pids: Iterable[int]) -> list[int]:
    """Pidfds of the living among `pids`."""
    handles: list[int] = []
    for pid in pids:
        with contextlib.suppress(OSError):  # it ended while we looked
            handles.append(os.pidfd_open(pid))
    return handles


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    pending = [pid]
    while pending:
        children = children_of(pending.pop())
        found += children
        pending += children
    return found
