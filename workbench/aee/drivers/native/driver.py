"""The native driver: asks the model, records what it said, lets it use the run's tools, until it delivers or waits.

A reply is in the journal before any tool acts on it. A turn that is taken again, after a kill or weeks of waiting, is
rebuilt from there: no request and no call is repeated whose outcome is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.aee.drivers.native.asking import Asking, Model, content_of
from workbench.aee.drivers.native.compaction import Compaction
from workbench.aee.drivers.native.conversation import REFUSAL, Conversation
from workbench.aee.drivers.native.options import Options
from workbench.aee.drivers.native.prompt import system_blocks, task_of
from workbench.aee.drivers.native.reply import CUT
from workbench.aee.drivers.native.request import Request
from workbench.aee.meter import Meter
from workbench.aee.prices import price_of
from workbench.aee.spending import UNFINISHED, Allowance, is_to_deliver
from workbench.aee.tools.calls import REPEATABLE, REPEATS, repeat_of
from workbench.model import events as e
from workbench.model.errors import Refused
from workbench.ports import Blobs, Session, Tool, ToolResult, Turn, TurnEnd

CUTS = 3  # replies in a row that may be cut at their limit


class NativeDriver:
    """Drives `model` with the tools `tools`. `answers` maps ids of settled questions to their resolutions.

    `answered` gives the resolution of a question as of now, empty before there is one.
    """

    name = "native"

    def __init__(
        self,
        client: Model,
        *,
        model: str,
        tools: Sequence[Tool],
        blobs: Blobs,
        options: Options | None = None,
        answers: Mapping[str, Mapping[str, Any]] | None = None,
        answered: Callable[[str], Mapping[str, Any]] | None = None,
        allowance: Allowance | None = None,
        rules: Sequence[str] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._model, self._blobs, self._pause = client, model, blobs, pause
        self._options = options or Options()
        self._answers = dict(answers or {})
        self.answered = answered or (lambda _question: {})
        self._allowance = allowance or Allowance()
        self._rules = tuple(rules)
        self._tools = [_described(tool) for tool in tools]

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """Let the model work. Raises BudgetReached, Refused where it cannot go on, EnvironmentProblem to try later."""
        talk = Conversation(
            task_of(turn.mission, turn.agent), answers=self._answers, limit=max(1000, self._options.window // 4)
        )
        talk.replay(turn.history, lambda called: content_of(called, self._blobs))
        return _Loop(self, turn, session, talk=talk, asking=self._asking(turn, session, talk)).run()

    def _asking(self, turn: Turn, session: Session, talk: Conversation) -> Asking:
        options = self._options
        meter = Meter(self._allowance, model=self._model, price=price_of(self._model, options.prices))
        meter.replay(turn.history)
        fixed = {"model": self._model, "max_tokens": options.max_tokens, "tools": self._tools}
        fixed["system"] = system_blocks(turn.brief, self._rules)
        if options.temperature is not None:
            fixed["temperature"] = options.temperature
        request = Request(fixed, read=("system", "tools"))
        asking = Asking(
            self._client,
            run=turn.run,
            session=session,
            talk=talk,
            meter=meter,
            request=request,
            compaction=Compaction(talk, window=options.window, fixed=request.fixed_bytes, keep=self._blobs.put),
            keep=self._blobs.put,
            max_tokens=options.max_tokens,
            pause=self._pause,
        )
        asking.replay(turn.history)
        return asking


class _Loop:
    """One turn at work."""

    def __init__(
        self, driver: NativeDriver, turn: Turn, session: Session, *, talk: Conversation, asking: Asking
    ) -> None:
        self._driver, self._turn, self._session, self._talk, self._asking = driver, turn, session, talk, asking
        self._cuts = 0

    def run(self) -> TurnEnd:
        """Act, ask, act ... until something ends the turn."""
        while True:
            end = self._act() or self._standing()
            if end is None and self._session.stopping():
                end = "stopped"
            if end is None:
                self._tell_answers()
                self._tell_messages()
                end = self._converse()
            if end is not None:
                return end

    # --- acting ---

    def _act(self) -> TurnEnd | None:
        """Carry out the calls of the newest reply, in order; those with a recorded outcome only give it again."""
        exchange = self._talk.last
        if exchange is None or exchange.told is not None:
            return None
        for call in exchange.calls:
            if exchange.ends is not None:
                break
            if exchange.broken_off and call.id not in self._talk.begun:
                continue
            if call.id not in exchange.results and self._session.stopping():
                return "stopped"
            self._talk.notice(call.id, self._use(call.tool, call.arguments, call.id))
        return None

    def _use(self, tool: str, arguments: Mapping[str, Any], call: str) -> ToolResult:
        """Use a tool; what is harmless when done twice is done again where an attempt was interrupted."""
        result = self._session.use(tool, arguments, call=call)
        for _ in range(REPEATS if tool in REPEATABLE else 0):
            if result.state != "interrupted":
                break
            call = repeat_of(call)
            result = self._session.use(tool, arguments, call=call)
        return result

    def _standing(self) -> TurnEnd | None:
        """How the turn has ended already, or what a person decided about its budget."""
        if self._talk.is_delivered():
            return "submitted"
        if self._talk.waits_for():
            return "waiting"
        if self._talk.is_ended():
            return "ended"
        return self._deliver() if is_to_deliver(self._driver._allowance, self._turn.history) else None

    def _deliver(self) -> TurnEnd:
        """Hand in what there is, without another request."""
        arguments = {"message": UNFINISHED, "rationale": {"notes": UNFINISHED}}
        call = f"deliver:{self._driver._allowance.deliver}"
        result = self._use("submit_merge_readiness", arguments, call)
        if result.state == "ok":
            return "submitted"
        self._session.say(f"There is nothing to deliver: {result.summary}")
        return "ended"

    # --- asking ---

    def _tell_answers(self) -> None:
        """Pass on what people answered meanwhile to questions that did not hold the work; it is recorded first."""
        for question in list(self._talk.assumed):
            if answer := self._driver.answered(question):
                told = e.AnswerTold(run=self._turn.run, consultation=question, resolution=str(answer.get("id", "")))
                self._session.record(told, key=question)
                self._talk.hear_answer(question, answer)

    def _tell_messages(self) -> None:
        """Pass on what people say to the agent meanwhile, at the first place where it can hear it."""
        for given in self._session.messages():
            self._talk.hear_message(given)

    def _converse(self) -> TurnEnd | None:
        reply = self._asking.reply()
        if reply is None:
            return "stopped"
        self._cuts = self._cuts + 1 if reply.stop == CUT else 0
        content = self._talk.identify(reply.content)
        self._asking.book(reply, content)
        self._talk.add(content, reply.stop)
        if reply.stop == REFUSAL:
            self._session.say("The model refused to go on.")
        if self._cuts >= CUTS:
            raise Refused(
                f"{self._cuts} replies in a row were cut at {self._driver._options.max_tokens} tokens",
                hint="Raise max_tokens of the agent in the settings, then resume the run.",
            )
        return None


def _described(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}
