"""Gives freed memory back to the system: the C library keeps what lies between pieces that are still in use."""

from __future__ import annotations

import contextlib
import ctypes


def give_back() -> None:
    """Return whole free pages, where the C library can (glibc's malloc_trim(3)); costs milliseconds."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
