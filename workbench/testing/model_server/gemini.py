"""The wire format of the Gemini API, spoken by the same scripts as the other formats: `gemini_route(script)`.

Answers `generateContent`, `streamGenerateContent` (server-sent events) and `countTokens`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec

from workbench.testing.model_server.messages import Failure, Reply, Script, player
from workbench.testing.model_server.server import Answer, Received, Route, json_answer, sse_answer

PATH = "/v1beta/models/"
COUNT, STREAM = ":countTokens", ":streamGenerateContent"
BYTES_PER_TOKEN = 4  # in the usage that is made up
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


def gemini_route(script: Script) -> Route:
    """The route that plays `script`; counting tokens takes no reply from it."""
    play = player(script)
    numbers = itertools.count(1)

    def route(request: Received) -> Answer:
        if request.method != "POST":
            return _failed(Failure(status=404, message=f"{request.method} {request.path}"))
        if request.path.endswith(COUNT):
            return json_answer({"totalTokens": max(1, len(request.body) // BYTES_PER_TOKEN)})
        step = play(request)
        if isinstance(step, Failure):
            return _failed(step)
        return _replied(step, request, f"response-{next(numbers):04}")

    return route


def tools_offered(request: Received) -> list[str]:
    """The names of the functions that the model may call."""
    groups = request.json.get("tools", ())
    return [declared["name"] for group in groups for declared in group.get("functionDeclarations", ())]


def responses(request: Received) -> list[dict[str, Any]]:
    """What calls of functions came to, oldest first: name and response of each."""
    parts = (part for content in request.json.get("contents", ()) for part in content.get("parts", ()))
    return [part["functionResponse"] for part in parts if "functionResponse" in part]


def texts(request: Received) -> str:
    """All that the user's side said in words."""
    said = (content for content in request.json.get("contents", ()) if content.get("role") == "user")
    return "\n".join(part["text"] for content in said for part in content.get("parts", ()) if "text" in part)


def _failed(failure: Failure) -> Answer:
    status = STATUSES.get(failure.status, "UNKNOWN")
    body = {"error": {"code": failure.status, "message": failure.message, "status": status}}
    headers = {"retry-after": failure.retry_after} if failure.retry_after else {}
    return json_answer(body, status=failure.status, headers=headers)


def _replied(reply: Reply, request: Received, name: str) -> Answer:
    if not request.path.endswith(STREAM):
        whole = json_answer(_chunk(list(_parts(reply)), reply, request, name, last=True))
        return msgspec.structs.replace(whole, cut_at=reply.cut_at, pause_s=reply.pause_s)
    return sse_answer(_chunks(reply, request, name), cut_at=reply.cut_at, pause_s=reply.pause_s)


def _chunks(reply: Reply, request: Received, name: str) -> Iterator[tuple[str, Any]]:
    parts = list(_parts(reply)) or [{"text": ""}]
    for number, part in enumerate(parts, 1):
        if reply.garbage and number == len(parts):
            yield "", reply.garbage
        yield "", _chunk([part], reply, request, name, last=number == len(parts))


def _parts(reply: Reply) -> Iterator[dict[str, Any]]:
    if reply.text:
        yield {"text": reply.text}
    for call in reply.uses:
        yield {"functionCall": {"name": call.tool, "args": call.arguments, **({"id": call.id} if call.id else {})}}


def _chunk(parts: list[dict[str, Any]], reply: Reply, request: Received, name: str, *, last: bool) -> dict[str, Any]:
    tokens_in = reply.usage.get("input_tokens", max(1, len(request.body) // BYTES_PER_TOKEN))
    tokens_out = reply.usage.get("output_tokens", max(1, len(msgspec.json.encode(parts)) // BYTES_PER_TOKEN))
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if last:
        candidate["finishReason"] = reply.stop_reason or "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": tokens_in,
            "candidatesTokenCount": tokens_out,
            "totalTokenCount": tokens_in + tokens_out,
        },
        "modelVersion": request.path.removeprefix(PATH).partition(":")[0],
        "responseId": name,
    }
