"""A reply of the model, put together from the events of a stream; nothing of a broken one is ever acted on."""

from __future__ import annotations

from typing import Any

import msgspec

from workbench.aee.prices import Usage

MAX_REPLY = 16 << 20  # characters; no model says as much
MAX_COUNT = 1 << 40  # tokens that a server may count; more is taken as that
MAX_DEPTH = 100  # of what is nested in a reply; ours to write down again, and in the journal
CHARS_PER_TOKEN = 2  # of a reply that broke off, whose tokens nobody told: rather too many tokens than too few
CUT = "max_tokens"  # the model's word for a reply that was cut at its limit


_STRANGE = (msgspec.DecodeError, KeyError, TypeError, ValueError, RecursionError)  # what other shapes lead to


class Malformed(Exception):
    """The stream does not speak the protocol, or ended before its end. `usage` is what it told until then."""

    def __init__(self, message: str, usage: Usage | None = None) -> None:
        super().__init__(message)
        self.usage = usage or Usage()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the model said: blocks as the API wants them back."""

    content: list[dict[str, Any]]
    stop: str
    usage: Usage


class Building:
    """Takes the events of one stream in order. `text` of the events is handed out as it comes."""

    def __init__(self) -> None:
        self._blocks: dict[int, dict[str, Any]] = {}
        self._inputs: dict[int, list[str]] = {}
        self._texts: dict[tuple[int, str], list[str]] = {}
        self._size = 0
        self._stop = ""
        self._ended = False
        self._usage: dict[str, Any] = {}

    def take(self, data: str | bytes) -> str:
        """One event; the text that it adds for people, or nothing. Raises Malformed."""
        try:
            event = msgspec.json.decode(data)
            return _TAKES.get(event["type"], Building._ignored)(self, event)
        except (*_STRANGE, AttributeError) as error:
            raise Malformed(f"the stream has an event that is none: {error}", self.usage) from None

    @property
    def usage(self) -> Usage:
        """What was told of it so far; of a reply that is not whole, what came of it counts, too."""
        told = usage_of(self._usage)
        came = 0 if self._ended else -(-self._size // CHARS_PER_TOKEN)
        return told if came <= told.output else msgspec.structs.replace(told, output=came)

    def finish(self) -> Reply:
        """The whole reply. Raises Malformed when the stream ended too early."""
        if not self._ended:
            raise Malformed("the stream ended before the reply did", self.usage)
        content = [block for index in sorted(self._blocks) if (block := self._whole(index)) is not None]
        try:
            return Reply(content=_checked(content), stop=self._stop, usage=self.usage)
        except ValueError as error:
            raise Malformed(f"the answer is no reply of a model: {error}", self.usage) from None

    def _started(self, event: dict[str, Any]) -> str:
        self._usage.update(event["message"].get("usage") or {})
        return ""

    def _block_started(self, event: dict[str, Any]) -> str:
        index = event["index"]
        if not isinstance(index, int):
            raise TypeError("a block without a number")
        self._blocks[index] = dict(event["content_block"])
        return str(event["content_block"].get("text", ""))

    def _block_grew(self, event: dict[str, Any]) -> str:
        index, delta = event["index"], event["delta"]
        if index not in self._blocks:
            raise KeyError(f"no block {index}")
        if delta["type"] == "input_json_delta":
            return self._grew(self._inputs.setdefault(index, []), delta["partial_json"]) and ""
        field = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}.get(delta["type"])
        if field is None:
            return ""
        said = self._grew(self._texts.setdefault((index, field), []), delta[field])
        return said if field == "text" else ""

    def _grew(self, pieces: list[str], piece: str) -> str:
        if not isinstance(piece, str):
            raise TypeError("a delta that is no text")
        self._size += len(piece)
        if self._size > MAX_REPLY:
            raise Malformed(f"the reply is longer than {MAX_REPLY} characters", self.usage)
        pieces.append(piece)
        return piece

    def _stopping(self, event: dict[str, Any]) -> str:
        self._stop = str(event["delta"].get("stop_reason") or "")
        told = event.get("usage") or {}
        self._usage.update({name: value for name, value in told.items() if value is not None})
        return ""

    def _stopped(self, _event: dict[str, Any]) -> str:
        self._ended = True
        return ""

    def _ignored(self, _event: dict[str, Any]) -> str:
        return ""

    def _whole(self, index: int) -> dict[str, Any] | None:
        """A block with all its deltas; None for a call that the reply's limit cut off."""
        block = self._blocks[index]
        for (of, field), pieces in self._texts.items():
            if of == index:
                block[field] = str(block.get(field, "")) + "".join(pieces)
        if block.get("type") == "text" and not block.get("text"):
            return None
        if block.get("type") != "tool_use":
            return block
        written = "".join(self._inputs.get(index, []))
        try:
            block["input"] = msgspec.json.decode(written) if written.strip() else block.get("input") or {}
        except (msgspec.DecodeError, RecursionError):
            if self._stop == CUT:
                return None
            raise Malformed("a tool call's arguments are no JSON", self.usage) from None
        return block


_TAKES = {
    "message_start": Building._started,
    "content_block_start": Building._block_started,
    "content_block_delta": Building._block_grew,
    "message_delta": Building._stopping,
    "message_stop": Building._stopped,
}


def whole_reply(data: bytes) -> Reply:
    """A reply that came in one piece, from a server that does not stream. Raises Malformed."""
    try:
        message = msgspec.json.decode(data)
        content = _checked([dict(block) for block in message["content"]])
        return Reply(content=content, stop=str(message["stop_reason"] or ""), usage=usage_of(message["usage"]))
    except _STRANGE as error:
        raise Malformed(f"the answer is no reply of a model: {error}") from None


def _checked(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks, which can be written down and sent back. Raises ValueError where one has another shape."""
    for block in content:
        fields = {"text": ("text",), "tool_use": ("name",)}.get(str(block.get("type")), ())
        if not all(isinstance(block.get(name), str) for name in ("type", *fields)):
            raise ValueError("a block of another shape")
    inner: list[Any] = [content]
    for _ in range(MAX_DEPTH):
        deeper = (list(each.values()) if isinstance(each, dict) else each for each in inner)
        inner = [each for values in deeper for each in values if isinstance(each, dict | list)]
        if not inner:
            return content
    raise ValueError(f"it is nested deeper than {MAX_DEPTH}")


def usage_of(told: Any) -> Usage:
    """The usage that a server tells; a count that is none is 0."""

    def count(name: str) -> int:
        value = told.get(name) if isinstance(told, dict) else 0
        return min(value, MAX_COUNT) if isinstance(value, int) and value > 0 else 0

    return Usage(
        input=count("input_tokens"),
        output=count("output_tokens"),
        cache_write=count("cache_creation_input_tokens"),
        cache_read=count("cache_read_input_tokens"),
    )
