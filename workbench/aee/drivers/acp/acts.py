"""What a driven agent does, as the run's events: its tool calls by their ids, its words by the sentence, its plans.

All of it is what the agent says of itself: claims. Our own tools are recorded where they act, and left out here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workbench.model.events import Event, Payload, ThoughtRecorded, ToolCalled, ToolReturned

PREFIX = "acp"  # of the ids and the names of an agent's own acts, which no tool of ours has
MAX_ACTS = 20_000  # recorded of one turn; an honest agent takes some hundreds
ID_KEPT = 120  # characters
TITLE_KEPT = 200
TEXT_KEPT = 2000  # characters of what a call was given or came to
SAY_AT = 2000  # characters of one thought
ENDED = {"completed": "ok", "failed": "error"}
OWN = re.compile(r"mcp[_-]+workbench[_-]|\(workbench MCP Server\)", re.IGNORECASE)

Update = Mapping[str, Any]
Record = Callable[[Payload, str], None]


class Acts:
    """Takes updates as they come. `record(payload, key)` keeps an event once; `say` keeps a thought."""

    def __init__(
        self, run: str, session: str, *, record: Record, say: Callable[[str], None], history: Iterable[Event] = ()
    ) -> None:
        self._run, self._session, self._record, self._say = run, session[:8], record, say
        self._calls: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}  # an agent's id -> the id under which its newest act is recorded
        self._known: set[str] = set()
        self._said = ""
        self._text = ""
        self._plan = ""
        self._count = 0
        self.replaying = False
        self._learn(history)

    def take(self, update: Update) -> None:
        """One update of the session."""
        act = _TAKES.get(str(update.get("sessionUpdate")))
        if act is not None:
            act(self, _written(update))

    def words(self, update: Update) -> None:
        """A piece of what the agent says or thinks."""
        content = update.get("content")
        text = content.get("text") if isinstance(content, Mapping) else None
        if isinstance(text, str):
            self._text += text
        if len(self._text) >= SAY_AT:
            self.flush()

    def flush(self) -> None:
        """The agent paused: what it said until now is a thought."""
        text, self._text = self._text.strip(), ""
        if text and not (self.replaying and _bare(text) in self._said) and self._room():
            self._say(text)

    def plan(self, update: Update) -> None:
        """What the agent means to do, told again whenever a part of it changes."""
        entries = [entry for entry in update.get("entries", ()) if isinstance(entry, Mapping)]
        marks = {"completed": "x", "in_progress": "~"}
        lines = [f"[{marks.get(str(entry.get('status')), ' ')}] {entry.get('content', '')}" for entry in entries[:100]]
        text = "\n".join(["Plan:", *lines])
        if lines and text != self._plan:
            self.flush()
            self._plan = text
            self._text = text
            self.flush()

    def tool_call(self, update: Update, *, permission: str = "") -> None:
        """A tool call as it starts, goes on or ends; any of these may come first."""
        number = str(update.get("toolCallId", ""))
        if not number or OWN.search(number) or OWN.search(str(update.get("title", ""))):
            return
        self.flush()
        starts = update.get("sessionUpdate") == "tool_call" and update.get("status") not in ENDED
        name = self._name(number, starts=starts)
        if f"returned:{name}" in self._known:
            return  # told again, of an earlier turn
        call = self._calls.setdefault(name, {})
        call.update({key: value for key, value in update.items() if value is not None})
        if permission:
            call["permission"] = permission
        ended = ENDED.get(str(call.get("status")))
        if not call.get("is_called") and (call.get("title") or ended or permission) and self._room():
            call["is_called"] = True
            if f"called:{name}" not in self._known:
                self._record(self._called(name, call), name)
        if ended and not call.get("is_returned") and call.get("is_called"):
            call["is_returned"] = True
            self._record(self._returned(name, call, ended), name)

    def settle(self) -> None:
        """The turn is over: what has not ended was interrupted."""
        self.flush()
        for name, returned in self.broken_off():
            self._record(returned, name)

    def broken_off(self) -> list[tuple[str, ToolReturned]]:
        """What was begun and has not ended, as it is recorded when nothing more is heard of it; with its names."""
        left = [
            (name, call)
            for name, call in list(self._calls.items())
            if call.get("is_called") and not call.get("is_returned")
        ]
        for _, call in left:
            call["is_returned"] = True
        return [(name, self._returned(name, call, "interrupted")) for name, call in left]

    def _learn(self, history: Iterable[Event]) -> None:
        said: list[str] = []
        for event in history:
            payload = event.payload
            if isinstance(payload, ThoughtRecorded):
                said.append(payload.text)
            elif isinstance(payload, ToolCalled):
                self._known.add(f"called:{payload.call}")
            elif isinstance(payload, ToolReturned):
                self._known.add(f"returned:{payload.call}")
        self._said = _bare("".join(said))

    def _name(self, number: str, *, starts: bool) -> str:
        """Where an agent counts its calls anew after a restart, a number that has ended starts another act."""
        first = f"{PREFIX}.{self._session}.{number[:ID_KEPT]}"
        name = self._names.get(number, first)
        while starts and not self.replaying and self._has_ended(name):
            base, _, count = name.partition("#")
            name = f"{base}#{int(count or 1) + 1}"
        self._names[number] = name
        return name

    def _has_ended(self, name: str) -> bool:
        return bool(self._calls.get(name, {}).get("is_returned")) or f"returned:{name}" in self._known

    def _called(self, name: str, call: Mapping[str, Any]) -> ToolCalled:
        given = call.get("rawInput")
        arguments: dict[str, Any] = {str(k)[:ID_KEPT]: _cut(v) for k, v in _items(given)}
        if paths := _paths(call):
            arguments["locations"] = paths
        if call.get("permission"):
            arguments["permission"] = call["permission"]
        title = str(call.get("title") or call.get("kind") or "act")
        return ToolCalled(run=self._run, call=name, tool=_tool(call), title=title[:TITLE_KEPT], arguments=arguments)

    def _returned(self, name: str, call: Mapping[str, Any], state: str) -> ToolReturned:
        text = _text_of(call)
        told = text or ("interrupted, outcome unknown" if state == "interrupted" else str(call.get("title") or state))
        summary = " ".join(told.split())[:TITLE_KEPT]
        data: dict[str, Any] = {"output": text[:TEXT_KEPT]} if text else {}
        full = len(text.encode("utf-8", "replace"))
        return ToolReturned(
            run=self._run, call=name, tool=_tool(call), state=state, summary=summary, data=data, full_bytes=full
        )

    def _room(self) -> bool:
        self._count += 1
        if self._count == MAX_ACTS:
            self._say(f"More than {MAX_ACTS} acts in one turn: the rest is not recorded.")
        return self._count < MAX_ACTS


_TAKES: dict[str, Callable[[Acts, Update], None]] = {
    "agent_message_chunk": Acts.words,
    "agent_thought_chunk": Acts.words,
    "tool_call": Acts.tool_call,
    "tool_call_update": Acts.tool_call,
    "plan": Acts.plan,
}


def _written(value: Any) -> Any:
    """The same as it can be written down: JSON may name half of a surrogate pair, UTF-8 cannot."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_written(key): _written(inner) for key, inner in value.items()}
    return [_written(inner) for inner in value] if isinstance(value, list) else value


def _tool(call: Mapping[str, Any]) -> str:
    kind = str(call.get("kind", "other"))
    return f"{PREFIX}:{kind if re.fullmatch('[a-z_]{1,20}', kind) else 'other'}"


def _items(given: Any) -> list[tuple[Any, Any]]:
    return list(given.items())[:50] if isinstance(given, Mapping) else []


def _cut(value: Any) -> Any:
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= TEXT_KEPT:
        return value if isinstance(value, str | int | bool) else text
    return f"{text[:TEXT_KEPT]}… [{len(text)} characters]"


def _paths(call: Mapping[str, Any]) -> list[str]:
    places = call.get("locations")
    found = places if isinstance(places, list) else []
    return [str(place.get("path", ""))[:1000] for place in found[:50] if isinstance(place, Mapping)]


def _text_of(call: Mapping[str, Any]) -> str:
    """What a call came to, in words; a change of a file is named, and seen in git."""
    pieces = []
    contents = call.get("content")
    for content in contents if isinstance(contents, list) else ():
        inner = content.get("content") if isinstance(content, Mapping) else None
        if isinstance(inner, Mapping) and isinstance(inner.get("text"), str):
            pieces.append(inner["text"])
        elif isinstance(content, Mapping) and content.get("type") == "diff":
            pieces.append(f"changed {content.get('path', '')}")
    return "\n".join(pieces)


def _bare(text: str) -> str:
    return "".join(text.split())
