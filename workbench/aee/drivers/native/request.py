"""A request of one run as JSON: what was sent before is not walked through again. It asks nobody, knows no money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

JSON = dict[str, Any]
CACHED = {"type": "ephemeral"}


class Body(NamedTuple):
    """What is sent, and its size in bytes: of all that the model reads, and of the newest message alone."""

    fields: Mapping[str, Any]
    read_bytes: int
    newest_bytes: int


class Request:
    """`fixed` are the fields that stay the same for the whole run, of which the model reads `read`."""

    def __init__(self, fixed: Mapping[str, Any], *, read: Sequence[str]) -> None:
        self._fixed = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in fixed.items()}
        self.fixed_bytes = sum(len(bytes(self._fixed[name])) for name in read)
        self._known: dict[int, tuple[JSON, bytes]] = {}

    def of(self, messages: Sequence[JSON]) -> Body:
        """The request that holds `messages`: none of them may change once it was given, only be left out."""
        *older, newest = messages
        # The value holds the message, so that its id stays its own.
        self._known = {id(each): self._known.get(id(each)) or (each, msgspec.json.encode(each)) for each in older}
        pieces = [encoded for _, encoded in self._known.values()]
        pieces.append(msgspec.json.encode(_marked(newest)))
        whole = b"[" + b",".join(pieces) + b"]"
        fields = {**self._fixed, "messages": msgspec.Raw(whole)}
        return Body(fields, self.fixed_bytes + len(whole), len(pieces[-1]))


def _marked(message: JSON) -> JSON:
    """The message with the mark by which a cache holds all before the next one."""
    *blocks, last = message["content"]
    return {**message, "content": [*blocks, {**last, "cache_control": CACHED}]}
