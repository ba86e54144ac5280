"""Serves tools to a driven agent: JSON-RPC lines of the Model Context Protocol on a unix socket, as its stdio has it.

All that arrives comes from inside a sandbox: lines, calls and connections are bounded, and a line that makes no sense
ends its connection. It must not know which tools there are, nor what they do.

Written on the standard library, because the protocol's SDK takes longer to start than some agents wait for tools.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from workbench import __version__

NEWEST = "2025-06-18"  # the protocol's version that we speak where the client names none that we know
VERSIONS = ("2024-11-05", "2025-03-26", NEWEST)
MAX_LINE = 4 << 20  # bytes of one message
MAX_CONNECTIONS = 8  # over the life of a turn's server, at once
MAX_CALLS = 16  # at work at once
PARSE_ERROR, NO_METHOD, BAD_PARAMETERS = -32700, -32601, -32602


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A tool as it is listed."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What a call comes to, in words for the agent."""

    text: str
    is_error: bool = False


Progress = Callable[[str], None]


class Unanswered(Exception):
    """The turn ends here: this call gets no answer any more."""


class Tools(Protocol):
    """What is served."""

    @property
    def offers(self) -> tuple[Offer, ...]:
        """What is listed."""
        ...

    def call(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Said:
        """Do it; in a thread of its own. Raises Unanswered when nobody waits for it any more."""
        ...


class McpServer:
    """Listens at `path` until it is closed; a context manager."""

    def __init__(self, path: Path, tools: Tools) -> None:
        self._tools = tools
        self._guard = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(MAX_CONNECTIONS)
        threading.Thread(target=self._accept, name="mcp", daemon=True).start()

    def __enter__(self) -> McpServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody."""
        with self._guard:
            self._closed = True
            ends = [self._listener, *self._open]
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._guard:
                    refused = self._closed or len(self._open) >= MAX_CONNECTIONS
                    if not refused:
                        self._open.add(connection)
                if refused:
                    connection.close()
                else:
                    threading.Thread(target=self._serve, args=(connection,), name="mcp-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, contextlib.suppress(OSError, ValueError):
                _Client(connection, self._tools).serve()
        finally:
            with self._guard:
                self._open.discard(connection)


class _Client:
    """One connection."""

    def __init__(self, connection: socket.socket, tools: Tools) -> None:
        self._connection, self._tools = connection, tools
        self._writing = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CALLS)

    def serve(self) -> None:
        """Answer until the other side hangs up. Raises ValueError for a line that is none of the protocol's."""
        with self._connection.makefile("rb") as lines:
            while line := lines.readline(MAX_LINE):
                if not line.endswith(b"\n"):
                    return
                try:
                    message = json.loads(line)
                except RecursionError:
                    return
                for each in message if isinstance(message, list) else [message]:
                    self._take(each)

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return  # an answer to something that we never asked
        number, parameters = message.get("id"), message.get("params")
        if number is None or not isinstance(number, int | str):
            return  # a notification: nothing follows from any of them here
        parameters = parameters if isinstance(parameters, dict) else {}
        answer = _METHODS.get(message["method"])
        if answer is None:
            self._fail(number, NO_METHOD, "there is no such method")
        else:
            answer(self, number, parameters)

    def initialize(self, number: int | str, parameters: Mapping[str, Any]) -> None:
        wanted = parameters.get("protocolVersion")
        version = wanted if wanted in VERSIONS else NEWEST
        who = {"name": "workbench", "version": __version__}
        self._answer(number, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": who})

    def ping(self, number: int | str, _parameters: Mapping[str, Any]) -> None:
        self._answer(number, {})

    def list_tools(self, number: int | str, _parameters: Mapping[str, Any]) -> None:
        listed = [
            {
                "name": offer.name,
                "description": offer.description,
                "inputSchema": dict(offer.parameters),
                "_meta": {"anthropic/alwaysLoad": True},
            }
            for offer in self._tools.offers
        ]
        self._answer(number, {"tools": listed})

    def call_tool(self, number: int | str, parameters: Mapping[str, Any]) -> None:
        name, arguments = parameters.get("name"), parameters.get("arguments", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            self._fail(number, BAD_PARAMETERS, "a call has a name and an object of arguments")
        elif not _is_text(name, arguments):
            self._fail(number, BAD_PARAMETERS, "half of a surrogate pair is no text: nothing was done")
        elif not self._places.acquire(blocking=False):
            self._answer(number, _content(Said(text="too many calls at once", is_error=True)))
        else:
            meta = parameters.get("_meta")
            token = meta.get("progressToken") if isinstance(meta, dict) else None
            words = (number, name, arguments, token)
            try:
                threading.Thread(target=self._call, args=words, name=f"mcp-call-{name[:40]}", daemon=True).start()
            except (RuntimeError, MemoryError):  # the system has no room for one more
                self._places.release()
                self._answer(number, _content(Said(text="too many calls at once", is_error=True)))

    def _call(self, number: int | str, name: str, arguments: dict[str, Any], token: Any) -> None:
        beats = 0

        def progress(text: str) -> None:
            nonlocal beats
            beats += 1
            if isinstance(token, int | str):
                told = {"progressToken": token, "progress": beats, "message": text}
                self._send({"jsonrpc": "2.0", "method": "notifications/progress", "params": told})

        try:
            with contextlib.suppress(Unanswered, OSError):
                self._answer(number, _content(self._tools.call(name, arguments, progress)))
        finally:
            self._places.release()

    def _answer(self, number: int | str, result: Mapping[str, Any]) -> None:
        self._send({"jsonrpc": "2.0", "id": number, "result": result})

    def _fail(self, number: int | str, code: int, text: str) -> None:
        self._send({"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}})

    def _send(self, message: Mapping[str, Any]) -> None:
        with self._writing:
            self._connection.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n")


_METHODS: dict[str, Callable[[_Client, int | str, Mapping[str, Any]], None]] = {
    "initialize": _Client.initialize,
    "ping": _Client.ping,
    "tools/list": _Client.list_tools,
    "tools/call": _Client.call_tool,
}


def _is_text(*values: object) -> bool:
    """Whether all in it can be written down: JSON may name half of a surrogate pair, UTF-8 cannot."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _content(said: Said) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": said.text}], "isError": said.is_error}
