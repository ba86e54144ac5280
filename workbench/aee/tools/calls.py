"""One call of a tool: its id, what is recorded before it acts, and what a recorded outcome tells again.

In ids, `~2`, `~3` ... mark that an interrupted call is done again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.model.events import Event, ToolCalled, ToolReturned
from workbench.ports import ToolResult

INTENT = "workbench:intent"  # key among a recorded call's arguments that no agent can set
REPEATS = 20  # times that one interrupted call is done again before it is told as interrupted
REPEATABLE = frozenset(
    {"read", "list", "search", "edit", "patch", "request_consultation", "submit_merge_readiness"}
    | {"recall_resolutions", "get_brief"}
)  # harmless when done twice; commands and tests are not
_REPEAT = re.compile(r"~([0-9]{1,9})\Z")


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A call about to act. `intent` is recorded first: by it, a repeat can tell whether the act took effect."""

    act: Callable[[], ToolResult]
    intent: Mapping[str, Any] = field(default_factory=dict)


# (tool, arguments, call, what an earlier attempt recorded as its intent)
MakeReady = Callable[[str, Mapping[str, Any], str, Mapping[str, Any]], Ready]


def first_of(call: str) -> str:
    """The id under which the call was made first."""
    return _REPEAT.sub("", call)


def repeat_of(call: str) -> str:
    """The id for doing `call` once more."""
    found = _REPEAT.search(call)
    return f"{first_of(call)}~{int(found[1]) + 1 if found else 2}"


def with_intent(arguments: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as they are recorded; a key of the agent's that looks like ours is left out."""
    given = {key: value for key, value in arguments.items() if key != INTENT}
    return {**given, INTENT: dict(intent)} if intent else given


def recorded_intents(history: Iterable[Event]) -> dict[str, Mapping[str, Any]]:
    """What the first attempt of each call recorded as its intent, by the id of that attempt."""
    found: dict[str, Mapping[str, Any]] = {}
    for event in history:
        if isinstance(event.payload, ToolCalled) and INTENT in event.payload.arguments:
            found.setdefault(first_of(event.payload.call), event.payload.arguments[INTENT])
    return found


def recalled(outcome: ToolReturned, *, output: bytes = b"") -> ToolResult:
    """The result that a recorded outcome stands for."""
    state: Any = outcome.state
    done = state == "ok"
    return ToolResult(
        state=state,
        summary=outcome.summary,
        data=outcome.data,
        output=output,
        suspend=done and outcome.tool == "request_consultation" and outcome.data.get("mode") == "blocking",
        finish=done and outcome.tool == "submit_merge_readiness",
    )
