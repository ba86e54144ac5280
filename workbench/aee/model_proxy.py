"""The one way from a sandbox to a model: HTTP on a unix socket, passed on to one host, for listed paths, with the key.

It stands outside of the sandbox. What comes from inside is untrusted: only a method, a listed path, an understood body
and three harmless headers are passed on; sizes and connections are bounded. The key is added here and taken out of
answers. What a request may cost is asked before it is passed on, and what it took is told before its answer ends.
It must not know runs, agents or the journal.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import json
import re
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urlsplit

from workbench.aee import gemini_wire as wire
from workbench.aee.prices import Usage
from workbench.model.errors import WorkbenchError

MAX_BODY = 32 << 20  # bytes of one request
MAX_ANSWER = 64 << 20  # bytes of one answer
MAX_CONNECTIONS = 16  # at once; agents use one or two
PIECE = 64 << 10
SETTLE_S = 5.0  # for answers under way to be broken off and booked when the proxy closes
LINGER_S = 1.0  # for who is refused to end what it sends
ANSWER_S = 600.0  # for the model to say the next piece
PASSED_ON = ("content-type", "accept", "user-agent")
PASSED_BACK = ("content-type", "retry-after")
REDACTED = b"[key]"


class Till(Protocol):
    """Who is asked before a request is passed on, and told what it took; by several threads."""

    def hold(self, model: str, body: bytes, *, tokens_out: int) -> Any:
        """Allow a request, by a token of its own. Raises WorkbenchError where it may not be made."""
        ...

    def paid(self, held: Any, usage: Usage | None, *, is_counted: bool) -> None:
        """The request is over. No usage: it was not answered; not `is_counted`: the usage is our estimate."""
        ...


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """The one host: its URL, the header that carries the key, and what may be asked of it.

    `paths` are regular expressions over path and query; a group `model` names the model.
    """

    url: str
    key_header: str
    key: str
    paths: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Upstream({self.url})"  # never the key

    def allows(self, method: str, path: str) -> re.Match[str] | None:
        """The match of a listed path."""
        found = (re.fullmatch(pattern, path) for pattern in self.paths)
        return next(filter(None, found), None) if method == "POST" else None

    def connect(self) -> tuple[http.client.HTTPConnection, str]:
        """A connection, and what stands before every path."""
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=ANSWER_S, context=context), parts.path.rstrip("/")
        return http.client.HTTPConnection(host, port, timeout=ANSWER_S), parts.path.rstrip("/")


class ModelProxy:
    """Listens at `path` until it is closed; a context manager. No request passes that `till` does not allow."""

    def __init__(self, path: Path, upstream: Upstream, *, till: Till) -> None:
        self.upstream, self.till = upstream, till
        self.understand: Callable[[bytes], dict[str, Any]] = wire.understood
        self._guard = threading.Condition()
        self._asking: set[http.client.HTTPConnection] = set()
        self.places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(str(path), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="model-proxy", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> ModelProxy:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; break off what is under way, and wait a moment until it is booked."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        with self._guard:
            for connection in self._asking:
                if connection.sock is not None:
                    with contextlib.suppress(OSError):
                        connection.sock.shutdown(socket.SHUT_RDWR)
            self._guard.wait_for(lambda: not self._asking, SETTLE_S)

    @contextlib.contextmanager
    def asking(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        """While a request on this connection is under way."""
        with self._guard:
            self._asking.add(connection)
        try:
            yield
        finally:
            connection.close()
            with self._guard:
                self._asking.discard(connection)
                self._guard.notify_all()


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False  # an agent may hold a connection for ever
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection of an agent is nobody's concern."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ModelProxy
    timeout = ANSWER_S

    def handle(self) -> None:
        if not self.owner.places.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(OSError):
                super().handle()
        finally:
            self.owner.places.release()

    def do_POST(self) -> None:
        allowed = self.owner.upstream.allows("POST", self.path)
        body = self._body()
        if body is None:
            self._refuse(413, "the body has no length, or is too long")
        elif allowed is None:
            self._refuse(403, "this path is not on the list of what agents may ask of the model's host")
        else:
            self._allow(body, allowed)

    def _allow(self, body: bytes, path: re.Match[str]) -> None:
        groups = path.groupdict()
        model = groups.get("model") or ""
        try:
            asked = self.owner.understand(body)
            body = wire.written(asked)
            held = None if groups.get("free") else self.owner.till.hold(model, body, tokens_out=wire.most_out(asked))
        except WorkbenchError as problem:
            self._refuse(403, problem.message)
            return
        self._pass_on(body, held)

    def _any(self) -> None:
        self._refuse(403, "only POST is passed on")

    do_GET = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_CONNECT = _any

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed: it would be the agent's words."""

    def _body(self) -> bytes | None:
        length = self.headers.get("content-length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > MAX_BODY or "transfer-encoding" in self.headers:
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, why: str) -> None:
        body = json.dumps({"error": {"code": status, "message": f"Workbench: {why}"}}).encode()
        self.close_connection = True
        self.send_response_only(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body if self.command != "HEAD" else b"")
        self._linger()

    def _linger(self) -> None:
        """Take what is still sent, for a moment: who is cut off while sending does not read why it was refused."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_S)
            until = time.monotonic() + LINGER_S
            while time.monotonic() < until and self.connection.recv(PIECE):
                pass

    def _pass_on(self, body: bytes, held: Any) -> None:
        upstream = self.owner.upstream
        connection, before = upstream.connect()
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        with self.owner.asking(connection):
            try:
                connection.request("POST", before + self.path, body, {**headers, upstream.key_header: upstream.key})
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException, ssl.SSLError) as problem:
                self._settle(held, None, is_counted=True)
                self._refuse(502, f"the model's host does not answer: {type(problem).__name__}")
                return
            self._pass_back(answer, body, held)

    def _pass_back(self, answer: http.client.HTTPResponse, body: bytes, held: Any) -> None:
        told = wire.Told(streams="event-stream" in answer.headers.get("content-type", ""))
        whole = False
        try:
            whole = self._relay(answer, told)
        finally:
            self.close_connection = not whole
            usage = told.usage() if answer.status == http.HTTPStatus.OK else None
            if usage is None and answer.status == http.HTTPStatus.OK:
                into, out = len(body) // wire.BYTES_PER_TOKEN, told.size // wire.BYTES_PER_TOKEN
                self._settle(held, Usage(input=into, output=out), is_counted=False)
            else:
                self._settle(held, usage, is_counted=True)
        if whole:
            self.wfile.write(b"0\r\n\r\n")

    def _relay(self, answer: http.client.HTTPResponse, told: wire.Told) -> bool:
        """Whether the agent got all of it. Where it hung up, the answer is read on until it tells what it took."""
        listens = self._heard(lambda: self._head(answer))
        for piece in without(_pieces(answer), self.owner.upstream.key.encode()):
            told.take(piece)
            chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
            listens = listens and self._heard(lambda chunk=chunk: self.wfile.write(chunk))  # type: ignore[misc]  # bound now
            if not listens and told.usage() is not None:
                break
        return listens

    @staticmethod
    def _heard(tell: Callable[[], object]) -> bool:
        try:
            tell()
        except OSError:
            return False
        return True

    def _settle(self, held: Any, usage: Usage | None, *, is_counted: bool) -> None:
        if held is not None:
            self.owner.till.paid(held, usage, is_counted=is_counted)

    def _head(self, answer: http.client.HTTPResponse) -> None:
        self.send_response_only(answer.status)
        for name in PASSED_BACK:
            if value := answer.headers.get(name):
                self.send_header(name, value.replace(self.owner.upstream.key, "") if self.owner.upstream.key else value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    """An answer as it comes. Raises ConnectionError where it breaks or is too long: a cut one must not look whole."""
    total = 0
    try:
        while piece := answer.read1(PIECE):
            total += len(piece)
            if total > MAX_ANSWER:
                raise ConnectionError("the answer is too long")
            yield piece
    except http.client.HTTPException as broken:
        raise ConnectionError("the answer broke off") from broken


def without(pieces: Iterator[bytes], secret: bytes) -> Iterator[bytes]:
    """`pieces` without `secret`, wherever it is cut; nothing is held back but what could be its beginning."""
    if not secret:
        yield from pieces
        return
    held = b""
    for piece in pieces:
        data = (held + piece).replace(secret, REDACTED)
        cut = next((size for size in range(min(len(secret) - 1, len(data)), 0, -1) if data.endswith(secret[:size])), 0)
        held = data[len(data) - cut :]
        if data := data[: len(data) - cut]:
            yield data
    if held:
        yield held
