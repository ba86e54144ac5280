"""Owns the kernel's Landlock interface: its version, and rule sets. Knows nothing of jobs and what they may reach.

See landlock(7) and linux/landlock.h. Rules are grants: what a rule set handles and no rule grants is denied.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
from collections.abc import Callable, Iterable

import msgspec

CREATE_RULESET, ADD_RULE = 444, 445  # the same on every architecture
VERSION_FLAG = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, REMOVE_DIR, REMOVE_FILE = (1 << bit for bit in range(6))
MAKE_CHAR, MAKE_DIR, MAKE_REG, MAKE_SOCK, MAKE_FIFO, MAKE_BLOCK, MAKE_SYM = (1 << bit for bit in range(6, 13))
REFER, TRUNCATE, IOCTL_DEV = (1 << bit for bit in range(13, 16))  # since versions 2, 3 and 5
BIND_TCP, CONNECT_TCP = 1, 2  # since version 4
ABSTRACT_SOCKETS, SIGNALS = 1, 2  # since version 6

READ = EXECUTE | READ_FILE | READ_DIR
CHANGE = WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | REFER
MAKE = MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_SYM
WRITE = READ | CHANGE | MAKE
DEVICE = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV  # what a rule on a file may grant

TCP_SINCE, IOCTL_SINCE, SCOPES_SINCE = 4, 5, 6
ALL_FILES = (1 << 15) - 1  # up to truncation, which every version that we accept knows


class _Attributes(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule set of one version of the interface denies unless granted."""

    files: int
    network: int = 0
    scoped: int = 0


def version() -> int:
    """The version of the interface that this kernel has. Raises OSError where it has none."""
    return _call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))


def handled(abi: int, *, network: bool) -> Handled:
    """All that `abi` can deny, TCP only without the network."""
    return Handled(
        files=ALL_FILES | (IOCTL_DEV if abi >= IOCTL_SINCE else 0),
        network=BIND_TCP | CONNECT_TCP if abi >= TCP_SINCE and not network else 0,
        scoped=ABSTRACT_SOCKETS | SIGNALS if abi >= SCOPES_SINCE else 0,
    )


def ruleset(denied: Handled, grants: Iterable[tuple[str, int]]) -> int:
    """A descriptor of a rule set that denies `denied` and grants rights below paths; a missing path is left out."""
    attributes = _Attributes(files=denied.files, network=denied.network, scoped=denied.scoped)
    size = 24 if denied.scoped else 16 if denied.network else 8  # an older kernel knows only the first fields
    made = _call(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path, rights in grants:
            _grant(made, path, rights & denied.files)
    except BaseException:
        os.close(made)
        raise
    return made


def _grant(made: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(parent).st_mode):
            rights &= OF_FILES
        rule = _PathBeneath(allowed=rights, parent=parent)
        _call(ADD_RULE, ctypes.c_int(made), ctypes.c_int(PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
    finally:
        os.close(parent)


@functools.cache
def _system_call() -> Callable[..., int]:
    call: Callable[..., int] = ctypes.CDLL(None, use_errno=True).syscall
    return call


def _call(number: int, *words: object) -> int:
    result = _system_call()(ctypes.c_long(number), *words)
    if result < 0:
        code = ctypes.get_errno() or errno.ENOSYS
        raise OSError(code, os.strerror(code))
    return result
