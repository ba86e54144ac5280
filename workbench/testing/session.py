"""A public fake of the port `Session`: keeps what was reported in memory, in order, as the run's events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.aee.tools.calls import MakeReady, Ready, first_of, recalled, recorded_intents, with_intent
from workbench.model import events as e
from workbench.model.ids import message_id
from workbench.ports import ToolResult

CallTool = Callable[[str, Mapping[str, Any], str], ToolResult]


def plainly(call_tool: CallTool) -> MakeReady:
    """Calls that record nothing of their own before they act."""
    return lambda tool, arguments, call, _recorded: Ready(act=lambda: call_tool(tool, arguments, call))


AUTHOR = "human:ana"  # of every message
AT = "2026-01-01T00:00:00.000Z"  # no clock here; order is in the versions


class RecordingSession:
    """Reports go to `events`. Give the events of an earlier session as `history` to play a run on.

    `ready` readies calls: a tool box's own, or `plainly(...)` of any function.
    """

    def __init__(self, ready: MakeReady, *, run: str = "m.1", history: Sequence[e.Event] = ()) -> None:
        self._ready = ready
        self._run = run
        self._events = list(history)
        self._intents = {p.call for p in self._payloads() if isinstance(p, e.ToolCalled)}
        self._outcomes = {p.call: p for p in self._payloads() if isinstance(p, e.ToolReturned)}
        self._recorded = recorded_intents(self._events)
        self._keys: set[str] = set()
        self.stop_when: Callable[[], bool] = lambda: False

    @property
    def events(self) -> tuple[e.Event, ...]:
        """The run's stream so far, with the history it started from."""
        return tuple(self._events)

    @property
    def thoughts(self) -> list[str]:
        """What was said."""
        return [p.text for p in self._payloads() if isinstance(p, e.ThoughtRecorded)]

    def say(self, text: str) -> None:
        """Record a thought."""
        self._append(e.ThoughtRecorded(run=self._run, text=text))

    def use(self, tool: str, arguments: Mapping[str, Any], *, call: str) -> ToolResult:
        """Record the intent, call the tool, record the outcome; a call of the history is not repeated."""
        if (known := self._outcomes.get(call)) is not None:
            return recalled(known)
        if call in self._intents:
            result = ToolResult(state="interrupted", summary="interrupted, outcome unknown")
        else:
            self._intents.add(call)
            ready = self._ready(tool, arguments, call, self._recorded.get(first_of(call), {}))
            kept = with_intent(arguments, ready.intent)
            self._append(e.ToolCalled(run=self._run, call=call, tool=tool, title=tool, arguments=kept))
            result = ready.act()
        outcome = e.ToolReturned(
            run=self._run, call=call, tool=tool, state=result.state, summary=result.summary, data=result.data
        )
        self._outcomes[call] = outcome
        self._append(outcome)
        if result.suspend:
            self._append(e.RunAwaitsAnswer(run=self._run, consultation=str(result.data["consultation"])))
        return result

    def stopping(self) -> bool:
        """What `stop_when` says."""
        return self.stop_when()

    def send(self, text: str, *, mode: str = "steer") -> str:
        """A person speaks to the agent; the message's id."""
        name = message_id(self._run, 1 + sum(isinstance(p, e.MessageSent) for p in self._payloads()))
        self._append(e.MessageSent(run=self._run, message=name, mode=mode, text=text))
        return name

    def messages(self, *, midway: bool = True) -> tuple[e.MessageGiven, ...]:
        """What was sent and may be given now, each once."""
        given = {p.message for p in self._payloads() if isinstance(p, e.MessageGiven)}
        sent = [p for p in self._payloads() if isinstance(p, e.MessageSent) and p.message not in given]
        told = tuple(self._given(each, midway=midway) for each in sent if not midway or each.mode != "queue")
        for each in told:
            self._append(each)
        return told

    def _given(self, sent: e.MessageSent, *, midway: bool) -> e.MessageGiven:
        return e.MessageGiven(
            run=self._run,
            message=sent.message,
            revision=1,
            mode=sent.mode,
            author=AUTHOR,
            text=sent.text,
            how="midway" if midway else "turn",
        )

    def answer(self, consultation: str, resolution: str = "VCR-1") -> None:
        """Record that a person settled a question."""
        self._append(e.RunAnswered(run=self._run, consultation=consultation, resolution=resolution))

    def request_changes(self, text: str = "Please change it.") -> None:
        """Record that a person sent the pack back."""
        self._append(e.ChangesRequested(run=self._run, pack="MRP-1", resolution="VCR-2", text=text))

    def record(self, payload: e.Payload, *, key: str) -> None:
        """Record another fact of the run, once for each key of its kind."""
        named = f"{e.kind_of(payload)}:{key}"
        if named not in self._keys:
            self._keys.add(named)
            self._append(payload)

    def _append(self, payload: e.Payload) -> None:
        version = len(self._events) + 1
        self._events.append(
            e.Event(
                seq=version,
                id=f"e{version}",
                stream=f"run/{self._run}",
                version=version,
                kind=e.kind_of(payload),
                schema=payload.SCHEMA,
                actor=f"agent:{self._run}",
                at=AT,
                payload=payload,
                prev_hash="",
                hash="",
            )
        )

    def _payloads(self) -> list[e.Payload]:
        return [event.payload for event in self._events]
