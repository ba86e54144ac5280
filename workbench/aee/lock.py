"""One AEE per journal and machine: the lock that it holds and the card that it leaves; it serves nobody."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from workbench.journal.presence import LOCK
from workbench.model.errors import Refused

_TRIES = 20  # a reader that looks whether the lock is held has it for a moment; 20 tries of 10 ms outlast that
_BETWEEN_TRIES_S = 0.01


class AeeLock:
    """The exclusive lock on a journal directory. The kernel drops it with the process, so that none is ever stale."""

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def acquire(self) -> None:
        """Take the lock. Raises Refused when another AEE serves this journal."""
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_BETWEEN_TRIES_S)
            else:
                return
        raise Refused("Another AEE serves this journal.", hint="workbench aee status shows it.")

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


def lock_file(path: Path, *, wait_s: float) -> int | None:
    """Lock `path` for this process within `wait_s` seconds; its descriptor, None if somebody has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(descriptor)
                return None
            time.sleep(_BETWEEN_TRIES_S)
        else:
            return descriptor
