"""Owns the system calls with which a process gives up its powers, and with which its supervisor acts for it.

Imports nothing of Workbench. The supervisor's child calls `confine` between fork and exec; a step that fails raises,
and nothing is executed.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False  # spelled out, because importing `typing` would cost a part of our start
if TYPE_CHECKING:
    from typing import Any

CAPABILITY_VERSION = 0x20080522
DROP_BOUNDING, AMBIENT, CLEAR_ALL, NO_NEW_PRIVILEGES = 24, 47, 4, 38
RESTRICT_SELF = 446  # landlock_restrict_self, the same on every architecture
GET_DESCRIPTOR = 438  # pidfd_getfd, the same on every architecture
SECCOMP = {"x86_64": 317}
SECCOMP_ELSEWHERE = 277  # machines with the generic table
UTIMENSAT = {"x86_64": 280}
UTIMENSAT_ELSEWHERE = 88
EMPTY_PATH = 0x1000
SET_FILTER, NEW_LISTENER, WAIT_KILLABLE = 1, 1 << 3, 1 << 5
INSTRUCTION = 8  # bytes
_UNUSED = ctypes.c_uint(0)


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def confine(ruleset: int, program: bytes) -> int:
    """Drop all capabilities, enter the Landlock domain and the filter; the descriptor on which it asks."""
    libc = ctypes.CDLL(None, use_errno=True)
    _drop_capabilities(libc)
    _done(libc.prctl(NO_NEW_PRIVILEGES, *_longs(1, 0, 0, 0)))
    _done(libc.syscall(ctypes.c_long(RESTRICT_SELF), ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    wanted = _Program(len(program) // INSTRUCTION, program)
    number = SECCOMP.get(os.uname().machine, SECCOMP_ELSEWHERE)
    flags = ctypes.c_uint(NEW_LISTENER | WAIT_KILLABLE)
    return _done(libc.syscall(ctypes.c_long(number), ctypes.c_uint(SET_FILTER), flags, ctypes.byref(wanted)))


def descriptor_of(pid: int, number: int) -> int:
    """A descriptor of ours for what `number` is in the process `pid`."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    try:
        return _done(libc.syscall(ctypes.c_long(GET_DESCRIPTOR), ctypes.c_int(pidfd), ctypes.c_int(number), _UNUSED))
    finally:
        os.close(pidfd)


def set_times(fd: int, times: bytes | None) -> None:
    """utimensat(2) on what `fd` was opened for, by path only, too; `times` as the kernel reads them."""
    libc = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(UTIMENSAT.get(os.uname().machine, UTIMENSAT_ELSEWHERE))
    _done(
        libc.syscall(number, ctypes.c_int(fd), ctypes.c_char_p(b""), ctypes.c_char_p(times), ctypes.c_int(EMPTY_PATH))
    )


def _drop_capabilities(libc: Any) -> None:
    """Also from the bounding set, where we may: root's programs would get them back from there."""
    libc.prctl(AMBIENT, *_longs(CLEAR_ALL, 0, 0, 0))
    for capability in range(64):
        libc.prctl(DROP_BOUNDING, *_longs(capability, 0, 0, 0))  # fails for one that there is not
    header = _Header(CAPABILITY_VERSION, 0)
    _done(libc.capset(ctypes.byref(header), (ctypes.c_uint32 * 6)()))


def _longs(*values: int) -> tuple[ctypes.c_ulong, ...]:
    return tuple(map(ctypes.c_ulong, values))


def _done(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
