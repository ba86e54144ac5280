"""Opening a path beneath a directory without following any link: openat2 where the kernel has it, else step by step.

It must not know what is opened or why.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
from collections.abc import Callable, Sequence

Opener = Callable[[int, Sequence[str], int], int]  # (directory, components, flags) -> descriptor; raises OSError

_SYS_OPENAT2 = 437  # the same on every architecture
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08  # linux/openat2.h
_RETRIES = 64  # EAGAIN: something was renamed meanwhile; the kernel asks to be called again


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


@functools.cache
def best_opener() -> Opener:
    """`openat2` if a probe works, else `walk` (older kernels, other systems, a seccomp filter that forbids it)."""
    try:
        directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return walk
    try:
        os.close(openat2(directory, ["."], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except (OSError, AttributeError):
        return walk
    finally:
        os.close(directory)
    return openat2


@functools.cache
def _system_call() -> Callable[..., int]:
    call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return call


def openat2(directory: int, parts: Sequence[str], flags: int) -> int:
    """openat2(2) with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS."""
    how = _OpenHow(flags=flags, mode=0, resolve=_BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)
    path = os.fsencode("/".join(parts))
    for _ in range(_RETRIES):
        descriptor = _system_call()(
            ctypes.c_long(_SYS_OPENAT2),
            ctypes.c_int(directory),
            ctypes.c_char_p(path),
            ctypes.byref(how),
            ctypes.c_size_t(ctypes.sizeof(how)),
        )
        if descriptor >= 0:
            return int(descriptor)
        code = ctypes.get_errno()
        if code not in (errno.EAGAIN, errno.EINTR):
            break
    raise OSError(code, os.strerror(code))


def walk(directory: int, parts: Sequence[str], flags: int) -> int:
    """The same with one openat(2) per component, each with O_NOFOLLOW."""
    current = os.dup(directory)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            os.close(current)
            current = below
        return os.open(parts[-1], flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
    finally:
        os.close(current)
