"""The wire format of the Anthropic Messages API, spoken by a script: replies, calls, usage, errors, broken streams.

`messages_route(script)` is a route for `Server`. A script is a list of replies, taken one a request, or a function of
the request; when a list is used up, the model ends its turn.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from workbench.testing.model_server.server import Answer, Received, Route, json_answer, sse_answer

PATH = "/v1/messages"
PIECE = 24  # characters of text or JSON in one event of a stream
BYTES_PER_TOKEN = 4  # in the usage that is made up where a reply names none
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call of the model; without an id it gets one that is new."""

    tool: str
    arguments: dict[str, Any] = {}
    id: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model says and calls. `usage` goes over what is made up: input_tokens, output_tokens, cache_*.

    `cut_at` hangs up after that many bytes, `pause_s` waits before each event, `garbage` is sent among the events.
    """

    text: str = ""
    uses: tuple[Use, ...] = ()
    stop_reason: str = ""  # empty: tool_use with calls, else end_turn
    usage: dict[str, int] = {}
    cut_at: int | None = None
    pause_s: float = 0.0
    garbage: bytes = b""


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error in place of a reply. `mid_stream`: told as an event, after a stream has begun."""

    status: int
    message: str = "as the script says"
    retry_after: str = ""
    mid_stream: bool = False


Step = Reply | Failure
Script = Sequence[Step] | Callable[[Received], Step]
LAST = Reply(text="The script has no more replies.")


def use(tool: str, /, **arguments: Any) -> Reply:
    """A reply that is one tool call."""
    return Reply(uses=(Use(tool=tool, arguments=arguments),))


def messages_route(script: Script) -> Route:
    """The route that plays `script`."""
    play = player(script)
    numbers = itertools.count(1)

    def route(request: Received) -> Answer:
        if request.method != "POST" or request.path != PATH:
            return _failed(Failure(status=404, message=f"{request.method} {request.path}"))
        step = play(request)
        if isinstance(step, Failure):
            return _failed(step)
        return _replied(step, request, f"msg_{next(numbers):04}")

    return route


def player(script: Script) -> Callable[[Received], Step]:
    """What a script says to each request: its own word if it is a function, else its replies in order."""
    if callable(script):
        return script
    left = iter(script)
    guard = threading.Lock()

    def play(_request: Received) -> Step:
        with guard:
            return next(left, LAST)

    return play


def turns_taken(request: Received) -> int:
    """How many replies of the model the request already holds: for scripts that must not count repeats."""
    return sum(message["role"] == "assistant" for message in request.json["messages"])


def by_turn(script: Sequence[Step]) -> Callable[[Received], Step]:
    """Plays a list by how far the conversation is, so that a request that is made again gets the same reply."""

    def play(request: Received) -> Step:
        taken = turns_taken(request)
        return script[taken] if taken < len(script) else LAST

    return play


def _failed(failure: Failure) -> Answer:
    kind = ERROR_TYPES.get(failure.status, "api_error")
    body = {"type": "error", "error": {"type": kind, "message": failure.message}}
    if failure.mid_stream:
        return sse_answer([("message_start", _message("msg_failed", "", _usage({}, 1, 0))), ("error", body)])
    headers = {"retry-after": failure.retry_after} if failure.retry_after else {}
    return json_answer(body, status=failure.status, headers=headers)


def _replied(reply: Reply, request: Received, name: str) -> Answer:
    asked = request.json
    content = list(_content(reply, name))
    stop = reply.stop_reason or ("tool_use" if reply.uses else "end_turn")
    size = len(msgspec.json.encode(content)) if content else 0
    usage = _usage(reply.usage, len(request.body), size)
    model = str(asked.get("model", ""))
    if asked.get("stream"):
        events = _events(content, name, model, usage=usage, stop=stop, garbage=reply.garbage)
        return sse_answer(events, cut_at=reply.cut_at, pause_s=reply.pause_s)
    whole = _message(name, model, usage)["message"] | {"content": content, "stop_reason": stop}
    answer = json_answer(whole)
    return msgspec.structs.replace(answer, cut_at=reply.cut_at, pause_s=reply.pause_s)


def _content(reply: Reply, name: str) -> Iterator[dict[str, Any]]:
    if reply.text:
        yield {"type": "text", "text": reply.text}
    for number, call in enumerate(reply.uses, 1):
        made_up = f"toolu_{name.removeprefix('msg_')}_{number}"
        yield {"type": "tool_use", "id": call.id or made_up, "name": call.tool, "input": call.arguments}


def _usage(given: dict[str, int], bytes_in: int, bytes_out: int) -> dict[str, int]:
    made_up = {
        "input_tokens": max(1, bytes_in // BYTES_PER_TOKEN),
        "output_tokens": max(1, bytes_out // BYTES_PER_TOKEN),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }
    return {**made_up, **given}


def _message(name: str, model: str, usage: dict[str, int]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": name,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return {"type": "message_start", "message": message}


def _events(
    content: list[dict[str, Any]], name: str, model: str, *, usage: dict[str, int], stop: str, garbage: bytes
) -> Iterator[tuple[str, Any]]:
    yield "message_start", _message(name, model, {**usage, "output_tokens": 1})
    yield "ping", {"type": "ping"}
    for index, block in enumerate(content):
        yield from _block(index, block)
    if garbage:
        yield "content_block_delta", garbage
    delta = {"stop_reason": stop, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield "message_stop", {"type": "message_stop"}


def _block(index: int, block: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    empty, kind, field, whole = _emptied(block)
    yield "content_block_start", {"type": "content_block_start", "index": index, "content_block": empty}
    for start in range(0, len(whole), PIECE):
        delta = {"type": kind, field: whole[start : start + PIECE]}
        yield "content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": index}


def _emptied(block: dict[str, Any]) -> tuple[dict[str, Any], str, str, str]:
    """A block as it starts, and the kind, field and whole text of its deltas."""
    if block["type"] == "text":
        return {**block, "text": ""}, "text_delta", "text", block["text"]
    whole = msgspec.json.encode(block["input"]).decode()
    return {**block, "input": {}}, "input_json_delta", "partial_json", whole
