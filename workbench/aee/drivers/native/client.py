"""The line to the model: one request at a time, streamed, given up within a second when the run is stopped.

It alone knows the SDK, and keeps the key; a key that comes back in words of the server is taken out of them. The SDK
gives address, headers, connections and the decoder of streams; a request goes straight to its connections, because the
SDK's own way there costs as much again as all that we do in a step.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

import anthropic
import msgspec
from anthropic import Stream

from workbench.aee.drivers.native.reply import Building, Malformed, Reply, whole_reply
from workbench.aee.prices import Usage

POLL_S = 0.1  # how often a silent stream looks whether the run is stopped
READ_S = 120.0  # of silence before a stream counts as broken; servers send pings meanwhile
CONNECT_S = 10.0
PATH = "v1/messages"
MAX_ANSWER = 64 << 20  # bytes of one answer, events of a stream and all
MAX_REASON = 64 << 10  # bytes of an error
TOLD = 500  # characters of a server's words that go into a reason
MASK = "[key]"
TOO_LONG = ("prompt is too long", "context length", "context window", "too many tokens")
BUSY = (408, 409, 429)  # and all of 5xx: trying again can help

logging.getLogger("anthropic").setLevel(logging.WARNING)  # its debug log would tell requests


class Trouble(Exception):
    """A request that gave no reply. `again`: asking once more can help, not before `wait_s` if that is told.

    `too_long`: the conversation must be made shorter first. `usage` is what was paid for all the same, as far as it
    was told; `began`: an answer had begun, so that something was.
    """

    def __init__(
        self,
        message: str,
        *,
        again: bool,
        wait_s: float | None = None,
        too_long: bool = False,
        status: int = 0,
        usage: Usage | None = None,
        began: bool = False,
    ) -> None:
        super().__init__(message)
        self.began = began
        self.message, self.again, self.wait_s, self.too_long, self.status = message, again, wait_s, too_long, status
        self.usage = usage or Usage()


class Stopped(Exception):
    """The run was stopped while the model spoke. `usage` and `began` as in Trouble."""

    def __init__(self, usage: Usage, *, began: bool) -> None:
        super().__init__("stopped")
        self.usage, self.began = usage, began


class Client:
    """Speaks to `base_url`, or to the vendor where it is empty."""

    def __init__(self, *, key: str, base_url: str = "") -> None:
        self._key = key
        self._line = _Line(key=key, base_url=base_url)

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def ask(self, body: Mapping[str, Any], *, on_text: Callable[[str], None], stopping: Callable[[], bool]) -> Reply:
        """The model's whole reply. `on_text` gets its text as it comes, and nothing now and then while it does not.

        Raises Trouble, and Stopped when `stopping` says so.
        """
        call = _Call(self._line, body)
        try:
            while True:
                if stopping():
                    raise Stopped(call.building.usage, began=call.has_begun)
                with contextlib.suppress(queue.Empty):
                    outcome = call.outcome.get(timeout=POLL_S)
                    on_text(self._masked(call.heard()))
                    return self._ended(outcome, call)
                on_text(self._masked(call.heard()))
        finally:
            call.hang_up()

    def _ended(self, outcome: bytes | Exception | None, call: _Call) -> Reply:
        building = call.building
        if isinstance(outcome, Exception) and not isinstance(outcome, Malformed):
            raise self._trouble(outcome, building.usage, began=call.has_begun)
        try:
            if isinstance(outcome, Malformed):
                raise outcome
            return self._clean(building.finish() if outcome is None else whole_reply(outcome))
        except Malformed as broken:
            raise Trouble(self._told(str(broken)), again=True, usage=broken.usage, began=True) from None

    def _trouble(self, error: Exception, usage: Usage, *, began: bool) -> Trouble:
        if not isinstance(error, Declined):
            return Trouble(self._told(f"{type(error).__name__}: {error}"), again=True, usage=usage, began=began)
        status = error.status
        told = self._told(f"{status} {error.words}")
        too_long = status in (400, 413) and (status == 413 or any(sign in told.lower() for sign in TOO_LONG))
        again = status in BUSY or status >= 500
        wait_s = _wait_of(error.headers)
        return Trouble(told, again=again, wait_s=wait_s, too_long=too_long, status=status, usage=usage)

    def _clean(self, reply: Reply) -> Reply:
        """A reply without the key: a server that was given it must not get it into the journal or the sandbox."""
        return reply if not self._key else _without(reply, self._key)

    def _masked(self, words: str) -> str:
        return words.replace(self._key, MASK) if self._key else words

    def _told(self, words: str) -> str:
        return " ".join(self._masked(words).split())[:TOLD]


class _Line:
    """Connections to one server, which are kept; nobody follows where it points to with the key in hand."""

    def __init__(self, *, key: str, base_url: str) -> None:
        timeout = anthropic.Timeout(READ_S, connect=CONNECT_S)
        self._http = anthropic.DefaultHttpxClient(timeout=timeout, follow_redirects=False)
        api = anthropic.Anthropic(api_key=key, base_url=base_url or None, http_client=self._http)
        self._url = api.base_url.join(PATH)
        self._headers = {name: value for name, value in api.default_headers.items() if isinstance(value, str)}

    def close(self) -> None:
        self._http.close()

    def post(self, body: bytes) -> Any:
        """The server's response, of which only the head was read. Raises Declined."""
        request = self._http.build_request("POST", self._url, content=body, headers=self._headers)
        response = self._http.send(request, stream=True)
        if response.is_success:
            return response
        try:
            words = _beginning(response, MAX_REASON)
        finally:
            response.close()
        raise Declined(response.status_code, _reason_in(words), response.headers)


class _Call:
    """One request at work in a thread of its own, so that nobody waits for a silent server.

    `outcome` gets one thing: a whole answer, what went wrong, or None when `building` has it all.
    """

    def __init__(self, line: _Line, body: Mapping[str, Any]) -> None:
        self._line, self._body = line, body
        self.building = Building()
        self.outcome: queue.SimpleQueue[bytes | Exception | None] = queue.SimpleQueue()
        self._texts: deque[str] = deque()
        self._response: Any = None
        self._given_up = False
        threading.Thread(target=self._perform, name="model", daemon=True).start()

    @property
    def has_begun(self) -> bool:
        """Whether the server took the request and began to answer."""
        return self._response is not None

    def heard(self) -> str:
        """The text that came since the last look."""
        return "".join(self._texts.popleft() for _ in range(len(self._texts)))

    def hang_up(self) -> None:
        """Nobody waits for the rest."""
        self._given_up = True
        response = self._response
        if response is not None:
            with contextlib.suppress(RuntimeError, OSError):
                response.close()

    def _perform(self) -> None:
        try:
            with contextlib.closing(self._line.post(msgspec.json.encode({**self._body, "stream": True}))) as response:
                self._response = response
                if self._given_up:
                    return
                if "event-stream" not in response.headers.get("content-type", ""):
                    self.outcome.put(b"".join(_Bounded(response).iter_bytes()))
                    return
                for event in Stream.raw_events(_Bounded(response)):  # type: ignore[arg-type]  # reads no more of it
                    if event.event == "error":
                        raise Told(event.data)
                    if event.data and (text := self.building.take(event.data)):
                        self._texts.append(text)
            self.outcome.put(None)
        except Malformed as error:
            self.outcome.put(Malformed(str(error), self.building.usage))
        except Exception as error:  # noqa: BLE001 - a worker's top: who asked is told, and decides
            self.outcome.put(error)


class _Bounded:
    """The body of a response, up to what one answer may hold."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def iter_bytes(self) -> Iterator[bytes]:
        """Its pieces as they come. Raises Malformed for one that is too long."""
        size = 0
        for piece in self._response.iter_bytes():
            size += len(piece)
            if size > MAX_ANSWER:
                raise Malformed(f"the answer is longer than {MAX_ANSWER} bytes")
            yield piece


def _beginning(response: Any, limit: int) -> bytes:
    """The first bytes of a body, which may have no end."""
    words = bytearray()
    for piece in response.iter_bytes():
        words += piece
        if len(words) >= limit:
            break
    return bytes(words[:limit])


class Declined(Exception):
    """An answer that is no success: its status, its reason in words, its headers."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str]) -> None:
        super().__init__(words)
        self.status, self.words, self.headers = status, words, headers


class Told(Exception):
    """An error that the server tells in the middle of a stream."""


def _reason_in(body: bytes) -> str:
    """What an error says, as the API puts it; else the body as it is."""
    with contextlib.suppress(msgspec.DecodeError, KeyError, TypeError):
        return str(msgspec.json.decode(body)["error"]["message"])
    return body.decode("utf-8", "replace")


def _wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server wants us to wait: milliseconds, seconds or a date; None when it does not say."""
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        if told := headers.get("retry-after-ms"):
            return max(0.0, float(told) / 1000)
        if told := headers.get("retry-after"):
            return max(0.0, float(told)) if told.replace(".", "", 1).isdigit() else _until(told)
    return None


def _until(date: str) -> float:
    return max(0.0, parsedate_to_datetime(date).timestamp() - time())


def _without(reply: Reply, key: str) -> Reply:
    raw = msgspec.json.encode(reply)
    if key.encode() not in raw:
        return reply
    return msgspec.json.decode(raw.replace(key.encode(), MASK.encode()), type=Reply)
