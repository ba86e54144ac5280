"""A small HTTP server whose routes are functions, and whose answers may be slow, cut at any byte, or wrong.

It knows no wire format; those are modules beside it, each of which makes a `Route`.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import msgspec

HOST = "127.0.0.1"
MAX_BODY = 64 << 20  # bytes of one request


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came. `path` is without the query; header names are in small letters."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON. Raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent back. `cut_at`: hang up after that many bytes of the body; `pause_s`: wait before each piece."""

    pieces: tuple[bytes, ...] = ()
    status: int = 200
    headers: dict[str, str] = {}
    cut_at: int | None = None
    pause_s: float = 0.0


Route = Callable[[Received], Answer]


def json_answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """`value` as a JSON body."""
    kind = {"content-type": "application/json", **(headers or {})}
    return Answer(pieces=(msgspec.json.encode(value),), status=status, headers=kind)


def sse_answer(events: Iterable[tuple[str, Any]], *, cut_at: int | None = None, pause_s: float = 0.0) -> Answer:
    """Server-sent events, each (name, data); bytes as data are sent as they are."""
    pieces = tuple(_event(name, data) for name, data in events)
    return Answer(pieces=pieces, headers={"content-type": "text/event-stream"}, cut_at=cut_at, pause_s=pause_s)


def _event(name: str, data: Any) -> bytes:
    encoded = data if isinstance(data, bytes) else msgspec.json.encode(data)
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + encoded + b"\n\n"


class Server:
    """Serves `routes` until it is closed; a context manager. `requests` are all that came, in order.

    A route's key is the start of a path, as in `/v1/messages`; the longest one that fits answers.
    """

    def __init__(self, routes: Mapping[str, Route], *, port: int = 0) -> None:
        self._routes = dict(routes)
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self.requests: list[Received] = []
        server = self

        class Handler(_Handler):
            owner = server

        self._http = _Quiet((HOST, port), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="model-server", daemon=True)
        self._thread.start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """What clients take as the base of their addresses."""
        return f"http://{HOST}:{self.port}"

    def wait(self) -> None:
        """Serve until another thread closes it, or Ctrl-C."""
        self._ended.wait()

    def close(self) -> None:
        """Stop listening; answers under way are given up."""
        self._ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def sent_to(self, path: str) -> list[Received]:
        """The requests to one path."""
        with self._guard:
            return [request for request in self.requests if request.path == path]

    def answer(self, request: Received) -> Answer:
        """What a request gets; unknown paths get a 404."""
        with self._guard:
            self.requests.append(request)
        fitting = [start for start in self._routes if request.path.startswith(start)]
        if not fitting:
            return json_answer({"error": f"no route for {request.path}"}, status=404)
        return self._routes[max(fitting, key=len)](request)

    def sleep(self, seconds: float) -> bool:
        """Wait; False as soon as the server is closed."""
        return not self._ended.wait(seconds)


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Server

    def do_POST(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def _serve(self) -> None:
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        length = min(int(self.headers.get("content-length") or 0), MAX_BODY)
        parts = urlsplit(self.path)
        request = Received(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        with contextlib.suppress(ConnectionError, TimeoutError):
            self._send(self.owner.answer(request))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        left = answer.cut_at
        for piece in answer.pieces if self.command != "HEAD" else ():
            if answer.pause_s and not self.owner.sleep(answer.pause_s):
                break
            now = piece if left is None else piece[:left]
            self._chunk(now)
            left = None if left is None else left - len(now)
            if left == 0:
                self._hang_up()
                return
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)
