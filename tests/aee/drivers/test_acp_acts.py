"""What a driven agent says of its acts, as events that can be written down."""

from __future__ import annotations

import msgspec

from workbench.aee.drivers.acp.acts import Acts
from workbench.model.events import Payload


def test_half_of_a_surrogate_pair_is_recorded_as_what_it_is_not() -> None:
    """JSON may name one, UTF-8 has none: wherever an agent says it, a question mark stands in its place."""
    recorded: list[Payload] = []
    said: list[str] = []
    acts = Acts("m.1", "session", record=lambda payload, _key: recorded.append(payload), say=said.append)
    call = {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "edit \ud800", "rawInput": {"\udc00": ["\ud800"]}}
    acts.take(call)
    acts.take({**call, "status": "completed", "content": [{"content": {"text": "done \ud800 日本"}}]})
    acts.take({"sessionUpdate": "agent_message_chunk", "content": {"text": "well \udfff"}})
    acts.settle()
    assert said == ["well ?"]
    assert len(recorded) == 2
    assert "done ? 日本".encode() in msgspec.json.encode(recorded)
