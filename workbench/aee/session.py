"""The driver's way out in a run child: every act is recorded before the next one, and none is repeated unasked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from workbench.aee.reports import Outdated, ReportLine
from workbench.aee.tools.calls import MakeReady, first_of, recalled, recorded_intents, with_intent
from workbench.core.decide.decision import on_run
from workbench.core.decide.message import give_messages
from workbench.core.messages import due, given_of
from workbench.core.state import RunState
from workbench.model.events import (
    Event,
    MessageGiven,
    Payload,
    Proposed,
    ThoughtRecorded,
    ToolCalled,
    ToolReturned,
    kind_of,
)
from workbench.model.ids import derived_id
from workbench.ports import Blobs, ToolResult

OUTPUT_KEPT = 4096  # bytes of a tool's output kept in the event itself; a longer one is a blob
ARGUMENT_KEPT = 2000  # characters of one argument kept in the event of the intent
ITEMS_KEPT = 100  # of one list or object among them
NAME_KEPT = 100  # characters of a tool's name, as an agent gives it
INTERRUPTED = "interrupted, outcome unknown"

Extra = Callable[[ToolResult, str], Sequence[Proposed]]


class RunSession:
    """Port Session. `ready` readies the calls of tools; `also` gives the events that belong to an outcome.

    `standing` gives the run as it stands now, with what people have said to it.
    """

    def __init__(
        self,
        line: ReportLine,
        *,
        run: str,
        history: Sequence[Event],
        ready: MakeReady,
        also: Extra,
        blobs: Blobs,
        stop_asked: Callable[[], bool],
        standing: Callable[[], RunState | None],
    ) -> None:
        self._line = line
        self._run = run
        self._ready = ready
        self._also = also
        self._blobs = blobs
        self._stop_asked = stop_asked
        self._standing = standing
        self._returned = {e.payload.call: e.payload for e in history if isinstance(e.payload, ToolReturned)}
        self._called = {e.payload.call for e in history if isinstance(e.payload, ToolCalled)}
        self._intents = recorded_intents(history)
        self._thoughts = sum(isinstance(e.payload, ThoughtRecorded) for e in history)

    def say(self, text: str) -> None:
        """Record a thought."""
        self._report(ThoughtRecorded(run=self._run, text=text))

    def record(self, payload: Payload, *, key: str) -> None:
        """Record another fact of the run, once for each key of its kind."""
        self._line.report([self._event(payload, kind_of(payload), key)])

    def use(self, tool: str, arguments: Mapping[str, Any], *, call: str) -> ToolResult:
        """Record the intent, act, record the outcome; a call with a recorded outcome only gives that back."""
        if (before := self._returned.get(call)) is not None:
            return self._recall(before)
        if call in self._called:
            return self._interrupted(tool, call)
        began = time.monotonic()
        ready = self._ready(tool, arguments, call, self._intents.get(first_of(call), {}))
        kept, name = with_intent(_cut(arguments), ready.intent), tool[:NAME_KEPT]
        intent = ToolCalled(run=self._run, call=call, tool=name, title=_title(tool, arguments), arguments=kept)
        self._line.report([self._event(intent, "called", call)])
        self._called.add(call)
        result = ready.act()
        self._record(tool, call, result, duration_ms=int((time.monotonic() - began) * 1000))
        return result

    def stopping(self) -> bool:
        """Whether a person paused, stopped or interrupted the run, or the AEE ends."""
        return self._stop_asked()

    def messages(self, *, midway: bool = True) -> tuple[MessageGiven, ...]:
        """Have what waits for the agent recorded as given, and give it; nothing where the turn is to end anyway."""
        while not self._stop_asked() and (run := self._standing()) is not None:
            if not (wanted := due(run, midway=midway)):
                break
            given = give_messages(run, wanted, how="midway" if midway else "turn").events
            try:
                self._line.report(given)
            except Outdated:
                continue
            return tuple(given_of(given))
        return ()

    def _record(self, tool: str, call: str, result: ToolResult, *, duration_ms: int) -> None:
        blob = self._blobs.put(result.output) if len(result.output) > OUTPUT_KEPT else ""
        data = dict(result.data)
        if result.output and not blob:
            data["output"] = result.output.decode("utf-8", "replace")
        returned = ToolReturned(
            run=self._run,
            call=call,
            tool=tool[:NAME_KEPT],
            state=result.state,
            summary=result.summary,
            data=data,
            blob=blob,
            full_bytes=len(result.output),
            duration_ms=duration_ms,
        )
        self._line.report([self._event(returned, "returned", call), *self._also(result, call)])
        self._returned[call] = returned

    def _interrupted(self, tool: str, call: str) -> ToolResult:
        result = ToolResult(state="interrupted", summary=INTERRUPTED)
        self._record(tool, call, result, duration_ms=0)
        return result

    def _recall(self, before: ToolReturned) -> ToolResult:
        return recalled(before, output=self._blobs.get(before.blob) if before.blob else b"")

    def _report(self, payload: ThoughtRecorded) -> None:
        self._thoughts += 1
        self._line.report([self._event(payload, "thought", str(self._thoughts))])

    def _event(self, payload: Payload, what: str, which: str) -> Proposed:
        actor = f"agent:{self._run}"
        return on_run(self._run, payload, actor=actor, id=derived_id(self._run, what, which))


def _title(tool: str, arguments: Mapping[str, Any]) -> str:
    """The call in one line; what an agent gives need not be of the type that the tool wants."""
    about = next((arguments[key] for key in ("path", "command", "query", "summary", "message") if key in arguments), "")
    words = " ".join(map(str, about)) if isinstance(about, list | tuple) else str(about)
    return f"{tool} {words}".strip()[:200]


def _cut(value: Any) -> Any:
    """What an agent gave, short enough for an event."""
    if isinstance(value, str) and len(value) > ARGUMENT_KEPT:
        return f"{value[:ARGUMENT_KEPT]}… [{len(value)} characters]"
    if isinstance(value, Mapping):
        return {str(key)[:ARGUMENT_KEPT]: _cut(value[key]) for key in islice(value, ITEMS_KEPT)}
    if isinstance(value, list | tuple):
        more = [f"… [{len(value)} items]"] if len(value) > ITEMS_KEPT else []
        return [*map(_cut, value[:ITEMS_KEPT]), *more]
    return value
