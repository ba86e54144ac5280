"""How a run child reports to its AEE: one unix socket, frames of JSON, each acknowledged after it is on disk.

A report carries the epoch of the step that it belongs to; the AEE refuses those of an older epoch, so that a child that
was given up can change nothing any more. A second connection is the leash: when it breaks, the other side is gone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workbench.model.errors import WorkbenchError
from workbench.model.events import Proposed, decode_payload, kind_of

_LENGTH = struct.Struct(">I")
ACCEPT_AGAIN_S = 0.1
MAX_FRAME = 64 << 20  # bytes; bulky content is a blob and never in a frame


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way from a child to the journal."""

    stream: str
    kind: str
    actor: str
    payload: msgspec.Raw
    id: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one step attempt, to be appended together. `leash`: the connection itself is the message."""

    run: str
    epoch: int
    events: tuple[Reported, ...] = ()
    leash: bool = False


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What the AEE did with a report. `fenced`: the step is somebody else's now. `stop`: end the turn soon.

    `outdated`: a person was faster, and changed what the report is about; it says so.
    """

    ok: bool
    fenced: bool = False
    stop: bool = False
    error: str = ""
    outdated: bool = False


Accept = Callable[[Report, Sequence[Proposed]], Receipt]


class Fenced(Exception):
    """This child's step was given to another one; nothing that it says counts any more."""


class Outdated(WorkbenchError):
    """A person was faster: look again at how the run stands, and report what follows from that."""


def reported(proposed: Proposed) -> Reported:
    """An event as it travels."""
    return Reported(
        stream=proposed.stream,
        kind=kind_of(proposed.payload),
        actor=proposed.actor,
        payload=msgspec.Raw(msgspec.json.encode(proposed.payload)),
        id=proposed.id,
    )


def proposed(event: Reported) -> Proposed:
    """The inverse of `reported`."""
    payload = decode_payload(event.kind, bytes(event.payload))
    return Proposed(stream=event.stream, payload=payload, actor=event.actor, id=event.id)


class ReportServer:
    """Listens on `path` (at most about 100 bytes long) and hands each report to `accept`, one thread a connection."""

    def __init__(self, path: Path, accept: Accept) -> None:
        self.path = path
        self._accept = accept
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(64)
        self._connections: set[socket.socket] = set()
        self._closed = threading.Event()
        threading.Thread(target=self._serve, name="reports", daemon=True).start()

    def close(self) -> None:
        """Break every leash and stop listening."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that listens
        self._listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed, or no descriptor is left at the moment
                self._closed.wait(ACCEPT_AGAIN_S)
                continue
            self._connections.add(connection)
            if self._closed.is_set():  # it came in beside `close`, which may have looked round already
                connection.close()
                return
            threading.Thread(target=self._talk, args=(connection,), name="report", daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while (frame := _read_frame(connection)) is not None:
                receipt = self._receipt(frame)
                try:
                    _write_frame(connection, msgspec.json.encode(receipt))
                except OSError:
                    break
        self._connections.discard(connection)

    def _receipt(self, frame: bytes) -> Receipt:
        try:
            report = msgspec.json.decode(frame, type=Report)
            return self._accept(report, [proposed(event) for event in report.events])
        except (msgspec.DecodeError, WorkbenchError) as problem:
            return Receipt(ok=False, error=str(problem))


class ReportLine:
    """A child's connection to its AEE; usable from several threads, each report waits for its acknowledgement."""

    def __init__(self, path: str, *, run: str, epoch: int) -> None:
        self._run = run
        self._epoch = epoch
        self._guard = threading.Lock()
        self._path = path
        self._connection = _connect(path)
        self.stop_asked = threading.Event()

    def report(self, events: Sequence[Proposed]) -> None:
        """Have `events` appended together. Raises Fenced, Outdated, and ConnectionError when the AEE is gone."""
        frame = msgspec.json.encode(
            Report(run=self._run, epoch=self._epoch, events=tuple(reported(event) for event in events))
        )
        with self._guard:
            _write_frame(self._connection, frame)
            answer = _read_frame(self._connection)
        if answer is None:
            raise ConnectionError("the AEE is gone")
        receipt = msgspec.json.decode(answer, type=Receipt)
        if receipt.stop:
            self.stop_asked.set()
        if receipt.fenced:
            raise Fenced(receipt.error)
        if receipt.outdated:
            raise Outdated(receipt.error)
        if not receipt.ok:
            raise WorkbenchError(f"the AEE refused a report: {receipt.error}")

    def leash(self, on_break: Callable[[], None]) -> None:
        """Call `on_break` in a thread of its own as soon as the AEE is gone."""
        connection = _connect(self._path)
        _write_frame(connection, msgspec.json.encode(Report(run=self._run, epoch=self._epoch, leash=True)))

        def hold() -> None:
            with connection:
                while _read_frame(connection) is not None:
                    pass
            on_break()

        threading.Thread(target=hold, name="leash", daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def _connect(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as problem:
        connection.close()
        raise ConnectionError(f"the AEE does not answer at {path}: {os.strerror(problem.errno or 0)}") from problem
    return connection


def _write_frame(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(frame)) + frame)


def _read_frame(connection: socket.socket) -> bytes | None:
    """The next frame; None at the end of the connection or at a length that no honest frame has."""
    header = _read_exactly(connection, _LENGTH.size)
    if header is None:
        return None
    (length,) = _LENGTH.unpack(header)
    return _read_exactly(connection, length) if length <= MAX_FRAME else None


def _read_exactly(connection: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        try:
            chunk = connection.recv(count - len(data))
        except OSError:
            return None
        if not chunk:
            return None
        data += chunk
    return bytes(data)
