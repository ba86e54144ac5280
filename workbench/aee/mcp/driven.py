"""Our tools as a driven agent has them: the same implementations, with waiting for a person's answer inside the call.

A blocking question waits in the call for a while, telling progress; then the turn ends, and the run waits without a
process. What an agent calls again after a break gets the outcome that is recorded, and raises no second question.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from workbench.aee.mcp.server import Offer, Progress, Said, Unanswered
from workbench.aee.tools.calls import first_of, repeat_of
from workbench.model.errors import Refused
from workbench.model.events import Event, ToolReturned
from workbench.ports import Tool, ToolResult, TurnEnd

ASK, SUBMIT = "request_consultation", "submit_merge_readiness"
OFFERED = (ASK, SUBMIT, "get_brief", "recall_resolutions")
PREFIX = "mcp"  # of the ids of calls that come this way
BEAT_S = 5.0  # between two words of progress; an agent that hears nothing for a minute may give up
POLL_S = 0.2  # how soon an answer is seen
PATIENCE_S = 120.0  # of a call that waits for a person, before the run waits without a process
REPEATS = 20  # times that one interrupted call is done again

Use = Callable[[str, Mapping[str, Any], str], ToolResult]
Answered = Callable[[str], Mapping[str, Any]]


class DrivenTools:
    """`use` records and does a call; `answered` gives a question's resolution, empty before; `end` ends the turn.

    `words` gives what people say to the agent at work, each once.
    """

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        use: Use,
        answered: Answered,
        end: Callable[[TurnEnd], None],
        history: Iterable[Event] = (),
        patience_s: float = PATIENCE_S,
        beat_s: float = BEAT_S,
        over: threading.Event | None = None,
        words: Callable[[], Sequence[str]] = lambda: (),
    ) -> None:
        self._tools = {tool.name: tool for tool in tools if tool.name in OFFERED}
        self._use, self._answered, self._end, self._words = use, answered, end, words
        self._patience_s, self._beat_s = patience_s, beat_s
        self._over = over or threading.Event()
        self._one_by_one = threading.Lock()
        self._returned: Counter[str] = Counter()
        for event in history:
            if isinstance(event.payload, ToolReturned):
                self._remember(event.payload.call, event.payload.state)

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The tools as they are listed."""
        return tuple(
            Offer(name=tool.name, description=tool.description, parameters=tool.parameters)
            for tool in self._tools.values()
        )

    def call(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> Said:
        """See `workbench.aee.mcp.server.Tools`."""
        if name not in self._tools:
            return Said(text=f"There is no tool of this name. Tools: {', '.join(self._tools)}.", is_error=True)
        result = self._done(name, arguments)
        if result.state == "ok" and result.finish:
            self._end("submitted")
            raise Unanswered
        if result.state == "ok" and result.suspend:
            question = str(result.data["consultation"])
            return self._with_words(Said(text=resolution_text(question, self._wait(question, progress))))
        return self._with_words(_told(result))

    def _with_words(self, said: Said) -> Said:
        """What is told, and behind it what people say to the agent: this is a moment at which it listens."""
        return replace(said, text="\n\n".join([said.text, *self._words()]))

    def permission(self, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """A person's answer to a blocking question that the agent's program raises, not its model.

        Raises Unanswered when the turn ends before, and Refused when it cannot be asked.
        """
        result = self._done(ASK, arguments)
        if shown := result.data.get("resolutions"):
            result = self._done(ASK, {**arguments, "considered": [str(found["id"]) for found in shown]})
        if isinstance(answer := result.data.get("resolution"), Mapping):
            return answer
        if not result.suspend:
            raise Refused(result.summary, hint="Resume the run.")
        return self._wait(str(result.data["consultation"]), lambda _text: None)

    def _done(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        with self._one_by_one:  # their ids count on each other
            call = self._id(name, arguments)
            result = self._use(name, arguments, call)
            for _ in range(REPEATS):
                if result.state != "interrupted":
                    break
                call = repeat_of(call)
                result = self._use(name, arguments, call)
            self._remember(call, result.state)
        return result

    def _id(self, name: str, arguments: Mapping[str, Any]) -> str:
        """The same for a question that is asked again, unless it was refused; else a new one for each outcome."""
        base = f"{PREFIX}.{name}"
        if name == ASK:
            told = msgspec.json.encode(arguments, order="deterministic")
            base += f".{hashlib.sha256(told).hexdigest()[:16]}"
        return f"{base}.{self._returned[base] + 1}"

    def _remember(self, call: str, state: str) -> None:
        base, _, number = first_of(call).rpartition(".")
        if not base.startswith(f"{PREFIX}.") or not number.isdigit() or state == "interrupted":
            return
        if base.startswith(f"{PREFIX}.{ASK}.") and state == "ok":
            return
        self._returned[base] = max(self._returned[base], int(number))

    def _wait(self, question: str, progress: Progress) -> Mapping[str, Any]:
        began = time.monotonic()
        beat_at = began + self._beat_s
        while not (answer := self._answered(question)):
            now = time.monotonic()
            if now - began >= self._patience_s:
                self._end("waiting")
                raise Unanswered
            if now >= beat_at:
                beat_at = now + self._beat_s
                progress(f"{question} waits for a person ({now - began:.0f} s)")
            if self._over.wait(POLL_S):
                raise Unanswered
        return answer


def resolution_text(question: str, answer: Mapping[str, Any]) -> str:
    """A person's answer in words, for an agent."""
    lines = [f"{question} was answered by {answer.get('decided_by', {}).get('who', 'a person')}."]
    lines += [f"Decision: {answer.get('option') or answer.get('alternative') or answer.get('decision', '')}"]
    lines += [f"Alternative: {answer['alternative']}"] if answer.get("option") and answer.get("alternative") else []
    lines += [f"Reason: {answer.get('rationale', '')}"]
    lines += [f"Condition: {condition}" for condition in answer.get("conditions", ())]
    lines += [f"Cite it as {answer['id']} where it decides something."] if answer.get("id") else []
    return "\n".join(lines)


def _told(result: ToolResult) -> Said:
    data = {name: value for name, value in result.data.items() if name != "document"}
    told = {"state": result.state, "summary": result.summary, **data}
    return Said(text=msgspec.json.encode(told).decode(), is_error=result.state != "ok")
