"""Owns what is read and taken of a task that waits in a system call. Imports nothing of Workbench.

Its number could be another's when it died meanwhile; what was read or opened counts only if it still waits after that.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct

from restrict import descriptor_of  # type: ignore[import-not-found]  # beside us, when the supervisor loads us

IS_VALID = 0x40082102  # SECCOMP_IOCTL_NOTIF_ID_VALID
LONGEST_ADDRESS, LONGEST_PATH = 128, 4096
AT_CWD = 0xFFFFFF9C  # AT_FDCWD
OWN = b"/proc/self/"  # names us, where it stands for the task


class Caller:
    """A task that waits in a system call."""

    def __init__(self, listener: int, call: int, task: int) -> None:
        self._listener = listener
        self._call = call
        self._task = task

    def memory(self, at: int, size: int) -> bytes:
        """Its memory from `at` on, as far as there is any."""
        memory = os.open(f"/proc/{self._task}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._require_waiting()
            return os.pread(memory, size, at)
        finally:
            os.close(memory)

    def address(self, words: list[int]) -> bytes:
        """The socket address that a call (descriptor, pointer, length) names."""
        return self.memory(words[1], min(words[2] & 0xFFFFFFFF, LONGEST_ADDRESS))

    def path(self, at: int) -> bytes:
        """The path that begins at `at`."""
        path, end, _ = self.memory(at, LONGEST_PATH).partition(b"\0")
        if not path or not end:
            raise FileNotFoundError(errno.ENOENT, "no path")
        return path

    def socket(self, number: int) -> socket.socket:
        """A copy of its descriptor, for the same socket."""
        copy = socket.socket(fileno=descriptor_of(self._process(), number & 0xFFFFFFFF))
        self._require_waiting()
        return copy

    def descriptor(self, number: int) -> Place:
        """What its descriptor is open for."""
        return self._open(b"/proc/%d/%s" % (self._task, _base(number)), follow=True)

    def opened(self, path: bytes, *, directory: int = AT_CWD, follow: bool = True) -> Place:
        """What the path names for it."""
        if path.startswith(OWN):
            path = b"/proc/%d/%s" % (self._task, path.removeprefix(OWN))
        elif not path.startswith(b"/"):
            path = b"/proc/%d/%s/%s" % (self._task, _base(directory), path)
        return self._open(path, follow=follow)

    def _open(self, path: bytes, *, follow: bool) -> Place:
        place = Place(os.open(path, os.O_PATH | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)))
        self._require_waiting()
        return place

    def _process(self) -> int:
        with open(f"/proc/{self._task}/status", "rb") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(b"Tgid:"))

    def _require_waiting(self) -> None:
        """Raises OSError if its number may be another's by now."""
        fcntl.ioctl(self._listener, IS_VALID, struct.pack("=Q", self._call))


class Place:
    """An open place; a context that closes it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _base(number: int) -> bytes:
    number &= 0xFFFFFFFF
    return b"cwd" if number == AT_CWD else b"fd/%d" % number
