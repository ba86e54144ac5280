"""Who may write a journal: many at once, or one who puts another content in its place; the kernel forgets the dead."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.model.errors import JournalProblem, Refused

WRITERS = "writers.lock"
NOT_HELD = -1


def join_writers(directory: Path) -> int:
    """The descriptor that holds a place among the writers; close it to leave. Raises JournalProblem during a restore.

    Where no lock can be made nothing can be written either, which the database says better: then `NOT_HELD`.
    """
    try:
        descriptor = _open(directory / WRITERS)
    except OSError:
        return NOT_HELD
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise JournalProblem(
            "the journal is being restored from a backup just now", hint="wait until that has ended, then try again"
        ) from None
    return descriptor


def leave_writers(descriptor: int) -> None:
    """Give the place back."""
    if descriptor != NOT_HELD:
        with suppress(OSError):
            os.close(descriptor)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """No writer is there, and none comes while the body runs. Raises Refused when somebody writes."""
    with held(directory / WRITERS, told="something has the journal open for writing: an AEE, or a command at work"):
        yield


@contextmanager
def held(lock: Path, *, told: str) -> Iterator[None]:
    """The lock on a file, for this process alone. Raises Refused with `told` when somebody has it."""
    descriptor = _open(lock)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(told, hint="end it first (workbench aee stop), or wait for it; then try again") from None
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
