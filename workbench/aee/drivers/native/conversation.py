"""The conversation with the model, as it follows from what the run's history records; it asks nobody anything.

It is a task, then exchanges: a reply of the model, and the outcomes and words that it was given for it. A reply counts
from the moment at which it is recorded, so that a turn that died anywhere goes on behind the last one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from workbench.aee.drivers.native.results import BROKEN_OFF, NOT_DONE, SHOWN, told, told_answer, told_late
from workbench.aee.tools.calls import first_of, recalled
from workbench.core.messages import told as told_message
from workbench.model import events as e
from workbench.model.text import one_line
from workbench.ports import ToolResult

JSON = dict[str, Any]
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
REFUSAL = "refusal"  # the model's word for a reply that it would not give
LINE = 160  # characters of one call in a summary
GO_ON = "Your reply was cut at its limit of tokens. Go on, in smaller steps."


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call of the model."""

    id: str
    tool: str
    arguments: JSON


class Exchange:
    """A reply, and what the model is told next."""

    def __init__(self, content: list[JSON], stop: str) -> None:
        self.content = content
        self.said: JSON = {"role": "assistant", "content": content}
        self.stop = stop
        calls = content if stop != REFUSAL else []
        self.calls = [_call(block) for block in calls if block.get("type") == "tool_use"]
        self.results: dict[str, ToolResult] = {}
        self.words: list[str] = []  # of people, and of ours
        self.kept: list[str] = []  # of the words and answers, what must stay as it is
        self.told: JSON | None = None  # the message that was made of results and words
        self.broken_off = False  # by a person: calls that had not begun are not carried out any more

    @property
    def ends(self) -> ToolResult | None:
        """The outcome that ends the turn: a question that waits, or a delivery; calls behind it are not carried out."""
        return next((result for result in self.results.values() if result.suspend or result.finish), None)


class Conversation:
    """`answers` maps ids of settled questions to their resolutions; `limit` bounds what one outcome tells."""

    def __init__(self, task: str, *, answers: Mapping[str, Mapping[str, Any]], limit: int = SHOWN) -> None:
        self.task = task
        self.summary = ""  # of exchanges that were left out
        self.exchanges: list[Exchange] = []
        self._before: list[str] = []  # words of people before the first reply
        self._answers = answers
        self._answered: set[str] = set()
        self._limit = limit
        self._ids: set[str] = set()
        self.assumed: dict[str, str] = {}  # open advisory questions, and under which assumption the work goes on
        self.begun: set[str] = set()  # calls whose intent is recorded
        self.replies = 0  # how many requests are recorded, broken ones among them

    # --- what happened ---

    def replay(self, history: Sequence[e.Event], content_of: Callable[[e.ModelCalled], list[JSON] | None]) -> None:
        """Take in everything that the run's history records."""
        for event in history:
            payload = event.payload
            if isinstance(payload, e.ModelCalled):
                self.replies += 1
                if (content := content_of(payload)) is not None:
                    self.add(content, payload.stop)
            elif isinstance(payload, e.ToolReturned):
                self._returned(payload)
            elif isinstance(payload, e.RunAnswered):
                self._answered.add(payload.consultation)
            elif isinstance(payload, e.AnswerTold):
                self.hear_answer(payload.consultation, self._answers.get(payload.consultation, {}))
            elif isinstance(payload, e.ToolCalled):
                self.begun.add(payload.call)
            elif isinstance(payload, e.MessageGiven):
                self.hear_message(payload)
            elif isinstance(payload, e.ChangesRequested):
                changes = "".join(f"\n- {change}" for change in payload.required_changes)
                self.hear(
                    f"A person sent your delivery back. Change this, then deliver again:\n{payload.text}{changes}"
                )
            elif isinstance(payload, e.RunResumed) and (payload.reason or self._is_over()):
                self.hear(f"A person lets you go on. {payload.reason}".strip())

    def identify(self, content: list[JSON]) -> list[JSON]:
        """The blocks of a new reply with an id of its own for each call; some servers give the same ones again."""
        named: set[str] = set()
        return [self._identified(block, number, named) for number, block in enumerate(content, 1)]

    def add(self, content: list[JSON], stop: str) -> None:
        """The model replied. One that it refused to give is no part of what it is asked to go on from."""
        if self.exchanges:
            self._settle(self.exchanges[-1])
        exchange = Exchange(content, stop)
        self._ids.update(call.id for call in exchange.calls)
        if stop == "max_tokens" and not exchange.calls:
            exchange.words.append(GO_ON)
        self.exchanges.append(exchange)

    def hear(self, words: str) -> None:
        """A person spoke; what they say stays as it is for the whole run."""
        if self.exchanges:
            self.exchanges[-1].words.append(words)
            self.exchanges[-1].kept.append(words)
        else:
            self._before.append(words)

    def hear_message(self, given: e.MessageGiven) -> None:
        """A person spoke to the agent at work; what it was about to do is not done where they interrupted it."""
        if given.mode == "interrupt" and self.last is not None:
            self.last.broken_off = True
        self.hear(told_message(given))

    def hear_answer(self, question: str, answer: Mapping[str, Any]) -> None:
        """A person answered an advisory question while the work went on."""
        self.hear(told_late(question, answer, assumption=self.assumed.pop(question, "")))

    def notice(self, call: str, result: ToolResult) -> None:
        """A call of the newest reply came to this."""
        if self.last is not None:
            self.last.results[call] = without_output(result)
        if result.state == "ok" and result.data.get("mode") == "advisory" and "consultation" in result.data:
            document = result.data.get("document")
            assumption = document.get("assumption", "") if isinstance(document, dict) else ""
            self.assumed.setdefault(str(result.data["consultation"]), str(assumption))

    # --- where it stands ---

    @property
    def last(self) -> Exchange | None:
        """The newest exchange."""
        return self.exchanges[-1] if self.exchanges else None

    def waits_for(self) -> str:
        """The question whose answer is needed first; empty: none."""
        ends = self.last.ends if self.last is not None else None
        question = str(ends.data.get("consultation", "")) if ends is not None and ends.suspend else ""
        return "" if question in self._answered else question

    def is_delivered(self) -> bool:
        """Whether the turn ended with a delivery of which nobody has said anything yet."""
        last = self.last
        return last is not None and not last.words and last.ends is not None and last.ends.finish

    def is_ended(self) -> bool:
        """Whether the model stopped without a call, and nobody has said anything since."""
        last = self.last
        return last is not None and not last.calls and not last.words

    def messages(self) -> list[JSON]:
        """All of it as the API wants it, roles in turn."""
        first = "\n\n".join(filter(None, [self.task, *self._before, self.summary]))
        out: list[JSON] = [_user([_text(first)])]
        for exchange in self.exchanges:
            if exchange.stop == REFUSAL or not exchange.content:
                said = [_text(words) for words in exchange.words]
                out[-1] = _user([*out[-1]["content"], *said])
                continue
            out += [exchange.said, self._settle(exchange)]
        return out

    # --- how it is put ---

    def _settle(self, exchange: Exchange) -> JSON:
        """The message that follows a reply; made once, as nothing is added to it after the next one."""
        if exchange.told is None:
            blocks = [self._outcome(exchange, call) for call in exchange.calls]
            words = exchange.words or ([] if blocks else ["Go on."])
            exchange.told = _user([*blocks, *map(_text, words)])
        return exchange.told

    def _outcome(self, exchange: Exchange, call: Call) -> JSON:
        result = exchange.results.get(call.id)
        if result is None:
            return _result(call.id, BROKEN_OFF if exchange.broken_off else NOT_DONE, is_error=True)
        question = str(result.data.get("consultation", ""))
        if result.suspend and question in self._answered:
            answer = told_answer(question, self._answers.get(question, {}))
            exchange.kept.append(f"You asked {question}: {call.arguments.get('summary', '')}\n{answer}")
            return _result(call.id, answer)
        return _result(call.id, told(result, limit=self._limit), is_error=result.state != "ok")

    def _returned(self, outcome: e.ToolReturned) -> None:
        last, first = self.last, first_of(outcome.call)
        if last is not None and any(call.id == first for call in last.calls):
            self.notice(first, recalled(outcome))

    def _is_over(self) -> bool:
        last = self.last
        return last is not None and not last.calls

    def _identified(self, block: JSON, number: int, named: set[str]) -> JSON:
        if block.get("type") != "tool_use":
            return block
        given = str(block.get("id", ""))
        fresh = _PLAIN_ID.match(given) and given not in self._ids and given not in named
        own = given if fresh else f"call-{self.replies + 1}-{number}"
        named.add(own)
        arguments = block.get("input")
        return {**block, "id": own, "input": arguments if isinstance(arguments, dict) else {}}


def line_of(call: Call, result: ToolResult | None) -> str:
    """A call and its outcome in one line, for a summary."""
    about = next(
        (str(call.arguments[key]) for key in ("path", "command", "summary", "query") if key in call.arguments), ""
    )
    came = NOT_DONE if result is None else f"{result.state}: {result.summary}"
    return one_line(f"{call.tool} {about} -> {came}")[:LINE]


def without_output(result: ToolResult) -> ToolResult:
    """An outcome as the model is told it, the same whether it was just made or read from the journal."""
    data = {name: value for name, value in result.data.items() if name != "output"}
    return msgspec.structs.replace(result, data=data, output=b"")


def _call(block: JSON) -> Call:
    return Call(id=str(block["id"]), tool=str(block.get("name", "")), arguments=block.get("input") or {})


def _text(words: str) -> JSON:
    return {"type": "text", "text": words}


def _user(blocks: list[JSON]) -> JSON:
    return {"role": "user", "content": blocks}


def _result(call: str, words: str, *, is_error: bool = False) -> JSON:
    block: JSON = {"type": "tool_result", "tool_use_id": call, "content": words}
    return {**block, "is_error": True} if is_error else block
