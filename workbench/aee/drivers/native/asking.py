"""Gets one reply of the model after the other: short enough for its window, within the budget, and patiently.

What a request cost is booked, whatever came of it. What a reply means is decided elsewhere.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from workbench.aee.drivers.native.client import Stopped, Trouble
from workbench.aee.drivers.native.compaction import Compaction
from workbench.aee.drivers.native.conversation import Conversation
from workbench.aee.drivers.native.reply import CHARS_PER_TOKEN, Reply
from workbench.aee.drivers.native.request import Body, Request
from workbench.aee.meter import Meter
from workbench.aee.prices import Usage
from workbench.model import events as e
from workbench.model.errors import EnvironmentProblem, Refused
from workbench.ports import Blobs, Session

TRIES = 7  # requests for one reply before the step fails and is left to the next attempt
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0  # between them, where the server does not say
PATIENCE_S = 900.0  # that a server may want us to wait; more is left to a person
SPOKEN_S = 1.0  # a text that streams is recorded at most this often
LOOK_S = 0.1  # how often a wait looks whether the run is stopped
SAID_KEPT = 4096  # bytes of a reply kept in the event itself; a longer one is a blob, which costs syncs of its own
STOP_KEPT = 100  # characters of why a reply ended, as its server says
BROKEN = "broken"  # in the journal: a request that was paid for and gave no reply


class Model(Protocol):
    """Who is asked."""

    def ask(self, body: Mapping[str, Any], *, on_text: Callable[[str], None], stopping: Callable[[], bool]) -> Reply:
        """The whole reply. Raises Trouble or Stopped."""
        ...


class Asking:
    """The model's side of one turn. `keep` keeps long replies, `pause` waits between tries."""

    def __init__(
        self,
        client: Model,
        *,
        run: str,
        session: Session,
        talk: Conversation,
        meter: Meter,
        request: Request,
        compaction: Compaction,
        keep: Callable[[bytes], str],
        max_tokens: int,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._session, self._talk, self._meter = client, session, talk, meter
        self._request, self._compaction, self._max_tokens, self._pause = request, compaction, max_tokens, pause
        self._run, self._keep = run, keep
        self._counted = 0  # tokens of the newest request and its reply, by the server's count; 0: not known
        self._counted_bytes = 0  # that the model read in it, where it was sent by an earlier turn
        self._sent_bytes = 0
        self._per_byte = 1.0  # tokens; more only where a server counts more than there can be

    def replay(self, history: Sequence[e.Event]) -> None:
        """Go on from what the run's history records."""
        for event in history:
            if isinstance(called := event.payload, e.ModelCalled) and (called.reply or called.content):
                context = called.tokens_in + called.tokens_cache_write + called.tokens_cache_read
                self._counted, self._counted_bytes = context + called.tokens_out, called.read_bytes
                self._learn(context, called.read_bytes)

    def reply(self) -> Reply | None:
        """The model's next reply; None when the run was stopped. Raises BudgetReached, Refused, EnvironmentProblem."""
        for number in range(1, TRIES + 1):
            body = self._body()
            speaker = _Speaker(self._session)
            try:
                reply = self._client.ask(body.fields, on_text=speaker.hear, stopping=self._session.stopping)
            except Stopped as stopped:
                self._pay_broken(stopped.usage, stop="stopped", began=stopped.began)
                return None
            except Trouble as trouble:
                if not self._mend(trouble, number):
                    return None
            else:
                speaker.finish()
                return reply
        raise AssertionError("the last try raised")  # _mend does

    def book(self, reply: Reply, content: list[dict[str, Any]]) -> None:
        """Record a reply with what it cost, and learn from what its server counted. `content`: its blocks, named."""
        said = msgspec.json.encode(content)
        stop = reply.stop[:STOP_KEPT]
        usage = reply.usage if reply.usage.context else self._estimated(reply.usage, len(said))
        if len(said) <= SAID_KEPT:
            self._pay(usage, stop=stop, said=said.decode())
        else:
            self._pay(usage, stop=stop, blob=self._keep(said))
        self._compaction.learn(reply.usage.context)
        self._counted, self._counted_bytes = reply.usage.total if reply.usage.context else 0, 0
        self._learn(reply.usage.context, self._sent_bytes)

    def _estimated(self, usage: Usage, said: int) -> Usage:
        """What a reply took of which its server does not tell what went in: by our own count."""
        return Usage(input=self._compaction.tokens(), output=usage.output or -(-said // CHARS_PER_TOKEN))

    def _learn(self, context: int, read_bytes: int) -> None:
        if read_bytes:
            self._per_byte = max(self._per_byte, context / read_bytes)

    def _body(self) -> Body:
        """The request, short enough for the window. Raises BudgetReached when it could cost too much."""
        messages = self._talk.messages()
        if self._compaction.shorten(reserve=self._max_tokens):
            messages = self._talk.messages()
            self._counted = 0
        body = self._request.of(messages)
        self._sent_bytes = body.read_bytes
        self._meter.require(tokens_in=self._most_tokens(body), tokens_out=self._max_tokens)
        return body

    def _most_tokens(self, body: Body) -> int:
        """A bound on what the request holds: the last count, and what came since with every byte as a token.

        What an earlier turn had shortened is there in full again: that came since, too.
        """
        since = body.newest_bytes if self._counted else body.read_bytes
        if self._counted and self._counted_bytes:
            since = max(since, body.read_bytes - self._counted_bytes)
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
            self._pause(min(LOOK_S, wait_s))
            wait_s -= LOOK_S
        return True

    def _pay_broken(self, usage: Usage, *, stop: str, began: bool) -> None:
        """Book a request that gave no reply: by the server's count, else what it held by ours if it was answered."""
        if not usage.context and began:
            usage = Usage(input=self._compaction.tokens(), output=usage.output)
        self._pay(usage, stop=stop)

    def _pay(self, usage: Usage, *, stop: str, said: str = "", blob: str = "") -> None:
        if not (said or blob or usage.total):
            return
        self._talk.replies += 1
        paid = self._meter.paid(self._run, usage, stop=stop, reply=blob)
        called = msgspec.structs.replace(paid, content=said, read_bytes=self._sent_bytes)
        self._session.record(called, key=str(self._talk.replies))


def content_of(called: e.ModelCalled, blobs: Blobs) -> list[dict[str, Any]] | None:
    """What a recorded reply said; None for a request that gave none."""
    if called.content:
        said: bytes | str = called.content
    elif called.reply:
        said = blobs.get(called.reply)
    else:
        return None
    return msgspec.json.decode(said, type=list[dict[str, Any]])


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


def _wait_s(number: int) -> float:
    """Twice as long each time, and never all at once when many runs met the same trouble."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (number - 1)) * random.uniform(0.75, 1.25)


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "Look at the key: workbench agents doctor. It is read where the AEE was started."
    if 300 <= status < 400:
        return "Its server points elsewhere, where the key is not taken: write the right base_url in your own settings."
    if status == 404:
        return "Look at the agent's model and base_url in the settings."
    return "Look at the agent's settings, then resume the run."
