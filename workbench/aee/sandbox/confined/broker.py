"""Answers a confined job's connect, bind and listen, and does them itself where they are allowed. Imports nothing of
Workbench.

Unix sockets are reached below the job's mounts; TCP is for what the job itself listens on, on loopback. No call that
matters goes on in the kernel after our look: its arguments could have been changed meanwhile.
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

from restrict import descriptor_of  # type: ignore[import-not-found]  # beside us, when the supervisor loads us

TYPE_CHECKING = False  # spelled out, because importing `typing` would cost a part of our start
if TYPE_CHECKING:
    from typing import Any

RECEIVE, SEND, IS_VALID = 0xC0502100, 0xC0182101, 0x40082102  # SECCOMP_IOCTL_NOTIF_*
REQUEST = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif: id, pid, flags, number, architecture, pointer, arguments
RESPONSE = struct.Struct("=QqiI")  # id, value, error, flags
GO_ON = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE
LONGEST_ADDRESS = 128
LISTENING = b"0A"  # in /proc/net/tcp
FIRST_FREE_PORT = 1024
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
LOOPBACK = ("127.", "::1")


class Broker:
    """Holds one job's listener. A call may take long (a full backlog), so each is answered in a thread of its own."""

    def __init__(self, listener: int, confinement: Any) -> None:
        self._listener = listener
        self._roots = tuple(root.rstrip("/") for root in confinement["roots"])
        calls = confinement["calls"]
        self._acts = {calls["connect"]: self._connect, calls["bind"]: self._bind, calls["listen"]: self._listen}
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
            flags = self._acts[number](_Caller(self._listener, call, task), words) or 0
        except OSError as problem:
            error = problem.errno or errno.EPERM
        except (ValueError, ArithmeticError, LookupError, struct.error):  # a hostile address is refused, too
            error = errno.EINVAL
        with contextlib.suppress(OSError):  # it is dead by now
            fcntl.ioctl(self._listener, SEND, RESPONSE.pack(call, 0, -error, flags))

    def _connect(self, caller: _Caller, words: list[int]) -> None:
        address = caller.address(words)
        with caller.socket(words[0]) as asking:
            if asking.family == socket.AF_UNIX:
                with caller.opened(_path(address)) as place:
                    self._require_root(place)
                    asking.connect(f"/proc/self/fd/{place.fd}")
            else:
                host, port = _host(address, asking.family)
                self._require_own(host, port)
                asking.connect((host, port))

    def _bind(self, caller: _Caller, words: list[int]) -> int:
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

    def _listen(self, caller: _Caller, words: list[int]) -> None:
        with caller.socket(words[0]) as asking:
            if asking.family != socket.AF_UNIX and os.fstat(asking.fileno()).st_ino not in self._own:
                raise PermissionError(errno.EACCES, "not bound")  # the kernel would choose every address
            asking.listen(min(words[1] & 0x7FFFFFFF, socket.SOMAXCONN))

    def _require_root(self, place: _Place) -> None:
        real = os.readlink(f"/proc/self/fd/{place.fd}")  # noqa: PTH115 pathlib costs our start 5 ms
        if not any(real == root or real.startswith(root + "/") for root in self._roots):
            raise PermissionError(errno.EACCES, real)
        if not stat.S_ISSOCK(os.fstat(place.fd).st_mode):
            raise ConnectionRefusedError(errno.ECONNREFUSED, real)

    def _require_own(self, host: str, port: int) -> None:
        """All that listens on the port must be what the job bound: a port that it left may be somebody else's now."""
        if not host.startswith(LOOPBACK):
            raise PermissionError(errno.EACCES, host)
        found = set()
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            if os.path.exists(table):  # noqa: PTH110 pathlib costs our start 5 ms
                with open(table, "rb") as lines:
                    found |= {int(row[9]) for row in map(bytes.split, lines) if _listens(row, port)}
        if not found:
            raise ConnectionRefusedError(errno.ECONNREFUSED, host)
        if not found <= self._own:
            raise PermissionError(errno.EACCES, host)


class _Caller:
    """A task that waits in a system call."""

    def __init__(self, listener: int, call: int, task: int) -> None:
        self._listener = listener
        self._call = call
        self._task = task

    def address(self, words: list[int]) -> bytes:
        """The socket address in its memory."""
        memory = os.open(f"/proc/{self._task}/mem", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._require_waiting()
            return os.pread(memory, min(words[2] & 0xFFFFFFFF, LONGEST_ADDRESS), words[1])
        finally:
            os.close(memory)

    def socket(self, number: int) -> socket.socket:
        """A copy of its descriptor, for the same socket."""
        copy = socket.socket(fileno=descriptor_of(self._process(), number & 0xFFFFFFFF))
        self._require_waiting()
        return copy

    def opened(self, path: bytes) -> _Place:
        """What the path names for it."""
        if path.startswith(b"/proc/self/"):
            path = b"/proc/%d/%s" % (self._task, path.removeprefix(b"/proc/self/"))
        elif not path.startswith(b"/"):
            path = b"/proc/%d/cwd/%s" % (self._task, path)
        place = _Place(os.open(path, os.O_PATH | os.O_CLOEXEC))
        self._require_waiting()
        return place

    def _process(self) -> int:
        with open(f"/proc/{self._task}/status", "rb") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(b"Tgid:"))

    def _require_waiting(self) -> None:
        """Raises OSError if its number may be another's by now."""
        fcntl.ioctl(self._listener, IS_VALID, struct.pack("=Q", self._call))


class _Place:
    """An open place; a context that closes it."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> _Place:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


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


def _listens(row: list[bytes], port: int) -> bool:
    return len(row) > 9 and row[3] == LISTENING and int(row[1].rpartition(b":")[2], 16) == port
