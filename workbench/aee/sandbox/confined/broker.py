"""Answers the system calls that a confined job may make only in places of its own, and does them for it there.

Imports nothing of Workbench. Unix sockets are reached below the job's mounts; TCP is for what the job itself listens
on, on loopback; mode and times change below its writable mounts, owners never. No call that matters goes on in the
kernel after our look: its arguments could have been changed meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import struct
import threading

from caller import AT_CWD, Caller, Place  # type: ignore[import-not-found]  # beside us, when the supervisor loads us
from restrict import set_times  # type: ignore[import-not-found]

TYPE_CHECKING = False  # spelled out, because importing `typing` would cost a part of our start
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_*
REQUEST = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags, number, architecture, pointer, arguments
RESPONSE = struct.Struct("=QqiI")  # id, value, error, flags
GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
UNCHANGED = 0xFFFFFFFF  # an owner or a group that stays
NO_FOLLOW, TIMES = 0x100, 32  # AT_SYMLINK_NOFOLLOW; bytes of two struct timespec
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
LISTENING = b"0A"  # in these
ROW = 150  # bytes of one there
FIRST_FREE_PORT = 1024
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
LOOPBACK = ("127.", "::1")


class Broker:
    """Holds one job's listener. A call may take long (a full backlog), so each is answered in a thread of its own."""

    def __init__(self, listener: int, confinement: Any) -> None:
        self._listener = listener
        self._roots, self._writable = confinement["roots"], confinement["writable"]
        acts = {name: getattr(self, f"_{name}") for name in confinement["calls"]}
        self._acts = {number: acts[name] for name, number in confinement["calls"].items()}
        self._own: set[int] = set()  # inodes of the TCP sockets that the job bound

    def fileno(self) -> int:
        """Readable when a call waits."""
        return self._listener

    def answer(self) -> None:
        """Take one waiting call and answer it in the background."""
        request = bytearray(REQUEST.size)
        try:
            fcntl.ioctl(self._listener, RECEIVE, request, True)
        except OSError:
            return  # whoever called is dead
        threading.Thread(target=self._reply, args=(request,), daemon=True).start()

    def _reply(self, request: bytearray) -> None:
        call, task, _, number, _, _, *words = REQUEST.unpack(request)
        error, flags = 0, 0
        try:
            flags = self._acts[number](Caller(self._listener, call, task), words) or 0
        except OSError as problem:
            error = problem.errno or errno.EPERM
        except (ValueError, ArithmeticError, LookupError, struct.error):  # a hostile address is refused, too
            error = errno.EINVAL
        with contextlib.suppress(OSError):  # it is dead by now
            fcntl.ioctl(self._listener, SEND, RESPONSE.pack(call, 0, -error, flags))

    def _connect(self, caller: Caller, words: list[int]) -> None:
        address = caller.address(words)
        with caller.socket(words[0]) as asking:
            if asking.family == socket.AF_UNIX:
                with caller.opened(_path(address)) as place:
                    _require_below(place, self._roots)
                    if not stat.S_ISSOCK(os.fstat(place.fd).st_mode):
                        raise ConnectionRefusedError(errno.ECONNREFUSED, "no socket")
                    asking.connect(f"/proc/self/fd/{place.fd}")
            else:
                host, port = _host(address, asking.family)
                self._require_own(host, port)
                asking.connect((host, port))

    def _bind(self, caller: Caller, words: list[int]) -> int:
        address = caller.address(words)
        with caller.socket(words[0]) as asking:
            if asking.family == socket.AF_UNIX:
                return GO_ON  # Landlock decides; should it become a TCP socket meanwhile, Landlock refuses that, too
            host, port = _host(address, asking.family)
            host = ANYWHERE.get(host, host)
            shared = asking.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
            if not host.startswith(LOOPBACK) or 0 < port < FIRST_FREE_PORT or shared:
                raise PermissionError(errno.EACCES, host)
            asking.bind((host, port))
            self._own.add(os.fstat(asking.fileno()).st_ino)
        return 0

    def _listen(self, caller: Caller, words: list[int]) -> None:
        with caller.socket(words[0]) as asking:
            if asking.family != socket.AF_UNIX and os.fstat(asking.fileno()).st_ino not in self._own:
                raise PermissionError(errno.EACCES, "not bound")  # the kernel would choose every address
            asking.listen(min(words[1] & 0x7FFFFFFF, socket.SOMAXCONN))

    def _chmod(self, caller: Caller, words: list[int]) -> None:
        self._fchmodat(caller, [AT_CWD, *words])

    def _fchmodat(self, caller: Caller, words: list[int]) -> None:
        with caller.opened(caller.path(words[1]), directory=words[0]) as place:
            self._change_mode(place, words[2])

    def _fchmod(self, caller: Caller, words: list[int]) -> None:
        with caller.descriptor(words[0]) as place:
            self._change_mode(place, words[1])

    def _change_mode(self, place: Place, mode: int) -> None:
        _require_below(place, self._writable)
        os.chmod(f"/proc/self/fd/{place.fd}", mode & 0o7777)  # noqa: PTH101 pathlib costs our start 5 ms

    def _utimensat(self, caller: Caller, words: list[int]) -> None:
        times = caller.memory(words[2], TIMES) if words[2] else None
        path = caller.path(words[1]) if words[1] else b""
        follow = not words[3] & NO_FOLLOW
        opened = caller.opened(path, directory=words[0], follow=follow) if path else caller.descriptor(words[0])
        with opened as place:
            _require_below(place, self._writable)
            set_times(place.fd, times)

    def _chown(self, caller: Caller, words: list[int]) -> None:
        self._fchownat(caller, [AT_CWD, *words[:3], 0])

    def _lchown(self, caller: Caller, words: list[int]) -> None:
        self._fchownat(caller, [AT_CWD, *words[:3], NO_FOLLOW])

    def _fchownat(self, caller: Caller, words: list[int]) -> None:
        path, follow = caller.path(words[1]), not words[4] & NO_FOLLOW
        with caller.opened(path, directory=words[0], follow=follow) as place:
            self._require_owner(place, words[2:4])

    def _fchown(self, caller: Caller, words: list[int]) -> None:
        with caller.descriptor(words[0]) as place:
            self._require_owner(place, words[1:3])

    def _require_owner(self, place: Place, wanted: list[int]) -> None:
        """Nothing changes its owner; asking for the one that it has is no mistake, though."""
        _require_below(place, self._writable)
        there = os.fstat(place.fd)
        for number, present in zip(wanted, (there.st_uid, there.st_gid), strict=True):
            if number & 0xFFFFFFFF not in (present, UNCHANGED):
                raise PermissionError(errno.EPERM, "another owner")

    def _require_own(self, host: str, port: int) -> None:
        """All that listens on the port must be what the job bound: a port that it left may be somebody else's now."""
        if not host.startswith(LOOPBACK):
            raise PermissionError(errno.EACCES, host)
        found = {inode for table in TABLES for listening, inode in _listeners(table) if listening == port}
        if not found:
            raise ConnectionRefusedError(errno.ECONNREFUSED, host)
        if not found <= self._own:
            raise PermissionError(errno.EACCES, host)


def _require_below(place: Place, roots: tuple[str, ...]) -> None:
    real = os.readlink(f"/proc/self/fd/{place.fd}")  # noqa: PTH115 pathlib costs our start 5 ms
    if not any(real == root or real.startswith(root.rstrip("/") + "/") for root in roots):
        raise PermissionError(errno.EPERM, real)


def _path(address: bytes) -> bytes:
    family, path = struct.unpack_from("=H", address)[0], address[2:].split(b"\0", 1)[0]
    if family != socket.AF_UNIX or not path:  # a name without a path: anybody's, whatever mounts say
        raise PermissionError(errno.EACCES, "no path")
    return path


def _host(address: bytes, family: int) -> tuple[str, int]:
    if struct.unpack_from("=H", address)[0] != family:
        raise OSError(errno.EAFNOSUPPORT, "another family")
    packed = address[4:8] if family == socket.AF_INET else address[8:24]
    return socket.inet_ntop(family, packed), int.from_bytes(address[2:4], "big")


def _listeners(table: str) -> Iterator[tuple[int, int]]:
    """Ports and inodes of what listens. That comes first in the table; the rest may be long, and slow to read."""
    if not os.path.exists(table):  # noqa: PTH110 pathlib costs our start 5 ms
        return
    with open(table, "rb", buffering=0) as rows:
        left, is_headed = b"", False
        while piece := rows.read(ROW):
            *whole, left = (left + piece).split(b"\n")
            for row in map(bytes.split, whole):
                if not is_headed:
                    is_headed = True
                    continue
                if row[3] != LISTENING:
                    return
                yield int(row[1].rpartition(b":")[2], 16), int(row[9])
