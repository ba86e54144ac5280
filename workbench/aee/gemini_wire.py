"""The Gemini API as the model proxy must understand it: what a request may hold, and what an answer says it took.

Pure functions over bytes. A request is re-written from what was understood of it, so that nobody behind the proxy can
read another one in the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.aee.prices import Usage
from workbench.model.errors import Refused

PATH = (
    r"/v1beta/models/(?P<model>[A-Za-z0-9][A-Za-z0-9._-]{0,99})"
    r":(?:generateContent|streamGenerateContent|(?P<free>countTokens))(?:\?alt=sse)?"
)
MOST_OUT = 65_536  # tokens of an answer, where the request sets no limit of its own
LINE = 8 << 20  # bytes of one event of a stream in which its usage is looked for
BYTES_PER_TOKEN = 4  # of an answer that does not tell its usage
# What a request may hold. All else could have the model's host fetch something, or count what we have not seen.
ASKED = {
    "contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config", "generationConfig",
    "generation_config", "safetySettings", "safety_settings",
}  # fmt: skip
COUNTED = ASKED | {"generateContentRequest", "generate_content_request", "model"}
TOOLS = {"functionDeclarations", "function_declarations"}
PARTS = {
    "text", "inlineData", "inline_data", "functionCall", "function_call", "functionResponse", "function_response",
    "thought", "thoughtSignature", "thought_signature", "partMetadata", "part_metadata",
}  # fmt: skip
HINT = "Tools of the model's host, files that lie there and caches are not for agents in a sandbox."


def understood(body: bytes) -> dict[str, Any]:
    """The request. Raises Refused for what is none, or holds more than words, pictures and functions."""
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("the request is no JSON", hint=HINT) from None
    if not isinstance(asked, dict):
        raise Refused("the request is no object", hint=HINT)
    _only(asked, COUNTED)
    inner = asked.get("generateContentRequest", asked.get("generate_content_request", {}))
    for request in (asked, inner):
        if not isinstance(request, dict):
            raise Refused("a request in a request is no object", hint=HINT)
        _check(request)
    return asked


def written(asked: Mapping[str, Any]) -> bytes:
    """The request as it is passed on."""
    return json.dumps(asked, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def most_out(asked: Mapping[str, Any]) -> int:
    """Tokens that the answer can have at most."""
    spelled = [asked[name] for name in ("generationConfig", "generation_config") if name in asked]
    settings = spelled[0] if len(spelled) == 1 and isinstance(spelled[0], Mapping) else {}
    limits = [_count(settings, name) for name in ("maxOutputTokens", "max_output_tokens") if name in settings]
    candidates = [_count(settings, name) for name in ("candidateCount", "candidate_count") if name in settings]
    most = limits[0] if len(limits) == 1 and 0 < limits[0] < MOST_OUT else MOST_OUT
    return most * max(1, *candidates, 1)


def _check(request: Mapping[str, Any]) -> None:
    _only(request, COUNTED)
    for tool in _objects(request.get("tools")):
        _only(tool, TOOLS)
    contents = [*_objects(request.get("contents"))]
    contents += _objects(request.get("systemInstruction")) + _objects(request.get("system_instruction"))
    for content in contents:
        _parts(content)


def _parts(content: Mapping[str, Any]) -> None:
    for part in _objects(content.get("parts")):
        _only(part, PARTS)
        for name in ("functionResponse", "function_response"):
            for response in _objects(part.get(name)):
                _parts(response)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """One object, or each of a list; words stand for themselves and hold nothing. Raises Refused for anything else."""
    if value is None or isinstance(value, str):
        return []
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict | str) for item in items):
        raise Refused("the request has another shape than the API's", hint=HINT)
    return [item for item in items if isinstance(item, dict)]


def _only(holder: Mapping[str, Any], names: Iterable[str]) -> None:
    strange = sorted(set(holder) - set(names))
    if strange:
        raise Refused(f"{strange[0][:60]!r} is not passed on to the model's host", hint=HINT)


class Told:
    """Reads an answer as it comes, for the usage that it tells at its top level; what is in texts does not count."""

    def __init__(self, *, streams: bool) -> None:
        self._streams = streams
        self._rest = bytearray()
        self._usage: Mapping[str, Any] = {}
        self.size = 0

    def take(self, piece: bytes) -> None:
        """The next bytes."""
        self.size += len(piece)
        self._rest += piece
        if self._streams:
            *lines, rest = self._rest.split(b"\n")
            for line in lines:
                self._read(line.removeprefix(b"data:"))
            self._rest = rest if len(rest) <= LINE else bytearray()
        elif len(self._rest) > 8 * LINE:
            self._rest = bytearray()

    def usage(self) -> Usage | None:
        """What was told last; None: nothing, or no count of what went in."""
        self._read(bytes(self._rest).removeprefix(b"data:"))
        told = self._usage
        if not told:
            return None
        cached = _count(told, "cachedContentTokenCount")
        into = _count(told, "promptTokenCount") + _count(told, "toolUsePromptTokenCount")
        out = _count(told, "candidatesTokenCount") + _count(told, "thoughtsTokenCount")
        return Usage(input=max(0, into - cached), output=out, cache_read=cached) if into or cached else None

    def _read(self, line: bytes | bytearray) -> None:
        if b'"usageMetadata"' not in line:
            return
        try:
            told = json.loads(line)
        except (ValueError, RecursionError):
            return
        for each in told if isinstance(told, list) else [told]:
            usage = each.get("usageMetadata") if isinstance(each, dict) else None
            if isinstance(usage, dict):
                self._usage = usage


def _count(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name, 0)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else 0
