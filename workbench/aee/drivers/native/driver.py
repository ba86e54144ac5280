"""The native driver: asks the model, records what it said, lets it use the run's tools, until it delivers or waits.

A reply is in the journal before any tool acts on it. A turn that is taken again, after a kill or weeks of waiting, is
rebuilt from there: no request and no call is repeated whose outcome is recorded.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from workbench.aee.drivers.native.client import Stopped, Trouble
from workbench.aee.drivers.native.compaction import Compaction
from workbench.aee.drivers.native.conversation import REFUSAL, Conversation, without_output
from workbench.aee.drivers.native.options import Options
from workbench.aee.drivers.native.prompt import system_blocks, task_of
from workbench.aee.drivers.native.reply import CUT, Reply
from workbench.aee.meter import Meter
from workbench.aee.prices import Usage, price_of
from workbench.aee.spending import Allowance
from workbench.aee.tools.calls import REPEATABLE, REPEATS, repeat_of
from workbench.model import events as e
from workbench.model.errors import EnvironmentProblem, Refused
from workbench.ports import Blobs, Session, Tool, ToolResult, Turn, TurnEnd

TRIES = 7  # requests for one reply before the step fails and is left to the next attempt
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0  # between them, where the server does not say
PATIENCE_S = 900.0  # that a server may want us to wait; more is left to a person
SPOKEN_S = 1.0  # a text that streams is recorded at most this often
LOOK_S = 0.1  # how often a wait looks whether the run is stopped
CUTS = 3  # replies in a row that may be cut at their limit
BROKEN = "broken"  # in the journal: a request that was paid for and gave no reply
UNFINISHED = "Unfinished work, delivered because a person said so at the end of the budget."
CACHED = {"type": "ephemeral"}


class Model(Protocol):
    """Who is asked."""

    def ask(self, body: Mapping[str, Any], *, on_text: Callable[[str], None], stopping: Callable[[], bool]) -> Reply:
        """The whole reply. Raises Trouble or Stopped."""
        ...


class NativeDriver:
    """Drives `model` with the tools `tools`. `answers` maps ids of settled questions to their resolutions."""

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
        allowance: Allowance | None = None,
        rules: Sequence[str] = (),
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._model, self._blobs, self._pause = client, model, blobs, pause
        self._options = options or Options()
        self._answers = dict(answers or {})
        self._allowance = allowance or Allowance()
        self._rules = tuple(rules)
        self._tools = [_described(tool) for tool in tools]

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        """Let the model work. Raises BudgetReached, Refused where it cannot go on, EnvironmentProblem to try later."""
        talk = Conversation(
            task_of(turn.mission, turn.agent), answers=self._answers, limit=max(1000, self._options.window // 4)
        )
        talk.replay(turn.history, lambda blob: msgspec.json.decode(self._blobs.get(blob)))
        meter = Meter(self._allowance, model=self._model, price=price_of(self._model, self._options.prices))
        meter.replay(turn.history)
        return _Loop(self, turn, session, talk=talk, meter=meter).run()


class _Loop:
    """One turn at work."""

    def __init__(self, driver: NativeDriver, turn: Turn, session: Session, *, talk: Conversation, meter: Meter) -> None:
        self._driver, self._turn, self._session, self._talk, self._meter = driver, turn, session, talk, meter
        self._options = driver._options
        self._system = system_blocks(turn.brief, driver._rules)
        fixed = len(msgspec.json.encode([self._system, driver._tools]))
        self._fixed_bytes = fixed
        self._compaction = Compaction(talk, window=self._options.window, fixed=fixed, keep=driver._blobs.put)
        self._counted = _last_count(turn.history)  # tokens of the newest request and its reply, by the server's count
        self._sent_bytes = 0
        self._per_byte = 1.0  # tokens; more only where a server counts more than there can be
        self._cuts = 0

    def run(self) -> TurnEnd:
        """Act, ask, act ... until something ends the turn."""
        while True:
            end = self._act() or self._standing()
            if end is None and self._session.stopping():
                end = "stopped"
            if end is None:
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
            if call.id not in exchange.results and self._session.stopping():
                return "stopped"
            exchange.results[call.id] = without_output(self._use(call.tool, call.arguments, call.id))
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
        return self._deliver() if self._is_to_deliver() else None

    def _is_to_deliver(self) -> bool:
        """Whether the last that people said is that no more be spent, and what there is be delivered."""
        question = self._driver._allowance.deliver
        said = (e.RunAnswered, e.ChangesRequested, e.RunResumed)
        last = next((event.payload for event in reversed(self._turn.history) if isinstance(event.payload, said)), None)
        return bool(question) and isinstance(last, e.RunAnswered) and last.consultation == question

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

    def _converse(self) -> TurnEnd | None:
        try:
            reply = self._ask()
        except Stopped as stopped:
            self._pay_broken(stopped.usage, stop="stopped", began=stopped.began)
            return "stopped"
        if reply is None:
            return "stopped"
        self._cuts = self._cuts + 1 if reply.stop == CUT else 0
        content = self._talk.identify(reply.content)
        blob = self._driver._blobs.put(msgspec.json.encode(content))
        self._pay(reply.usage, stop=reply.stop, reply=blob)
        self._talk.add(content, reply.stop)
        self._compaction.learn(reply.usage.context)
        self._counted = reply.usage.total
        self._per_byte = max(self._per_byte, reply.usage.context / self._sent_bytes)
        if reply.stop == REFUSAL:
            self._session.say("The model refused to go on.")
        if self._cuts >= CUTS:
            raise Refused(
                f"{self._cuts} replies in a row were cut at {self._options.max_tokens} tokens",
                hint="Raise max_tokens of the agent in the settings, then resume the run.",
            )
        return None

    def _ask(self) -> Reply | None:
        """The model's next reply; None when the run was stopped while waiting to try again."""
        for number in range(1, TRIES + 1):
            body = self._body()
            speaker = _Speaker(self._session)
            try:
                reply = self._driver._client.ask(body, on_text=speaker.hear, stopping=self._session.stopping)
            except Trouble as trouble:
                if not self._mend(trouble, number):
                    return None
            else:
                speaker.finish()
                return reply
        raise AssertionError("the last try raised")  # _mend does

    def _body(self) -> dict[str, Any]:
        """The request, short enough for the window. Raises BudgetReached when it could cost too much."""
        messages = self._talk.messages()
        if self._compaction.shorten(reserve=self._options.max_tokens):
            messages = self._talk.messages()
            self._counted = 0
        self._meter.require(tokens_in=self._most_tokens(messages), tokens_out=self._options.max_tokens)
        return {
            "model": self._driver._model,
            "max_tokens": self._options.max_tokens,
            "system": self._system,
            "tools": self._driver._tools,
            "messages": _with_cache_mark(messages),
            **({} if self._options.temperature is None else {"temperature": self._options.temperature}),
        }

    def _most_tokens(self, messages: list[dict[str, Any]]) -> int:
        """A bound on what the request holds: the last count, and what came since with every byte as a token."""
        self._sent_bytes = self._fixed_bytes + len(msgspec.json.encode(messages))
        since = len(msgspec.json.encode(messages[-1])) if self._counted else self._sent_bytes
        return self._counted + int(since * self._per_byte)

    def _mend(self, trouble: Trouble, number: int) -> bool:
        """Book what it cost, and wait until asking again makes sense; whether it does, or the run was stopped."""
        self._pay_broken(trouble.usage, stop=BROKEN, began=trouble.began)
        if trouble.too_long and number < TRIES and self._compaction.shorten(reserve=0, force=True):
            self._counted = 0
            return True
        if not trouble.again:
            raise Refused(f"the model's server said no: {trouble.message}", hint=_remedy(trouble.status))
        wait_s = trouble.wait_s if trouble.wait_s is not None else _wait_s(number)
        if number >= TRIES or wait_s > PATIENCE_S:
            raise EnvironmentProblem(
                f"the model did not answer: {trouble.message}",
                hint="workbench agents doctor looks at the way to it; workbench resume tries again.",
            )
        self._session.say(f"The model did not answer ({trouble.message}). Trying again in {wait_s:.1f} s.")
        while wait_s > 0:
            if self._session.stopping():
                return False
            self._driver._pause(min(LOOK_S, wait_s))
            wait_s -= LOOK_S
        return True

    def _pay_broken(self, usage: Usage, *, stop: str, began: bool) -> None:
        """Book a request that gave no reply: by the server's count, else what it held by ours if it was answered."""
        if not usage.total and began:
            usage = Usage(input=self._compaction.tokens())
        self._pay(usage, stop=stop)

    def _pay(self, usage: Usage, *, stop: str, reply: str = "") -> None:
        if not (reply or usage.total):
            return
        self._talk.replies += 1
        called = self._meter.paid(self._turn.run, usage, stop=stop, reply=reply)
        self._session.record(called, key=str(self._talk.replies))


class _Speaker:
    """Records the model's text as it streams: at the end, and at most once in SPOKEN_S before."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pieces: list[str] = []
        self._since = time.monotonic()

    def hear(self, text: str) -> None:
        """A piece of it; an empty one when there is none for a while."""
        if text:
            self._pieces.append(text)
        if self._pieces and time.monotonic() - self._since >= SPOKEN_S:
            self.finish()

    def finish(self) -> None:
        """Record what was not recorded yet."""
        said = "".join(self._pieces).strip()
        self._pieces.clear()
        self._since = time.monotonic()
        if said:
            self._session.say(said)


def _last_count(history: Sequence[e.Event]) -> int:
    called = (p for event in reversed(history) if isinstance(p := event.payload, e.ModelCalled) and p.reply)
    last = next(called, None)
    if last is None:
        return 0
    return last.tokens_in + last.tokens_out + last.tokens_cache_write + last.tokens_cache_read


def _described(tool: Tool) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _with_cache_mark(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same messages, of which the newest is marked, so that a cache holds all before the next one."""
    last = messages[-1]
    blocks = [*last["content"][:-1], {**last["content"][-1], "cache_control": CACHED}]
    return [*messages[:-1], {**last, "content": blocks}]


def _wait_s(number: int) -> float:
    """Twice as long each time, and never all at once when many runs met the same trouble."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (number - 1)) * random.uniform(0.75, 1.25)


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "Look at the key: workbench agents doctor. It is read where the AEE was started."
    if status == 404:
        return "Look at the agent's model and base_url in the settings."
    return "Look at the agent's settings, then resume the run."
