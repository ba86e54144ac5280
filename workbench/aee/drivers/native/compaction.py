"""Makes a conversation shorter before it passes the model's window: older exchanges become a line for each call.

The brief, its clauses, answers and other words of people, and calls that are still open stay word for word. What is
left out is kept whole as a blob, whose name stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from workbench.aee.drivers.native.conversation import Conversation, Exchange, line_of
from workbench.aee.drivers.native.results import cut
from workbench.model.text import one_line

FULL = 0.75  # share of the window from which on it is made shorter
AIM = 0.40  # share of the window that is left of it
LINES = 60  # of calls that a summary keeps
SAID = 200  # characters of what the model said, likewise
SHRUNK = 2_000  # characters of an outcome when even the newest exchange does not fit
CHARS_PER_TOKEN = 3.0  # before a server has counted
LEAST, MOST = 1.5, 6.0  # what a server's count may make of it


class Compaction:
    """Measures one conversation in characters, learns what a token is from the server's count, and shortens it."""

    def __init__(self, talk: Conversation, *, window: int, fixed: int, keep: Callable[[bytes], str]) -> None:
        """`fixed`: characters of system prompt and tools; `keep` keeps what is left out and names it."""
        self._talk, self._window, self._fixed, self._keep = talk, window, fixed, keep
        self._ratio = CHARS_PER_TOKEN
        self._sizes: list[int] = []  # of the exchanges from the oldest on to which nothing is added any more
        self._settled = 0  # their sum
        self._lines: list[str] = []
        self._left_out = 0
        self._kept_words: list[str] = []
        self._blob = ""

    def learn(self, tokens: int) -> None:
        """The server counted `tokens` in what was just sent."""
        if tokens > 0:
            self._ratio = min(MOST, max(LEAST, self._chars() / tokens))

    def tokens(self) -> int:
        """What a request would hold now."""
        return int(self._chars() / self._ratio)

    def shorten(self, *, reserve: int, force: bool = False) -> bool:
        """Make it fit, with `reserve` tokens for the reply; whether anything was left out."""
        if not force and self.tokens() + reserve <= self._window * FULL:
            return False
        aim = max(self._window * AIM - reserve, self._window * 0.1)
        if force:  # the server counts otherwise than we
            aim = min(aim, self.tokens() / 2)
        gone: list[Exchange] = []
        while len(self._talk.exchanges) > 1 and self.tokens() > aim:
            gone.append(self._talk.exchanges.pop(0))
            self._settled -= self._sizes.pop(0)
        if gone:
            self._leave_out(gone)
        if self.tokens() > aim and self._talk.exchanges:
            self._shrink(self._talk.exchanges[-1])
        return bool(gone)

    def _leave_out(self, gone: list[Exchange]) -> None:
        dropped = [[exchange.content, exchange.told] for exchange in gone]
        whole = {"earlier": self._blob, "exchanges": dropped}
        self._blob = self._keep(msgspec.json.encode(whole))
        self._left_out += len(gone)
        for exchange in gone:
            self._kept_words += exchange.kept
            said = " ".join(block["text"] for block in exchange.content if block.get("type") == "text")
            self._lines += [one_line(f"you said: {said}")[:SAID]] if said else []
            self._lines += [line_of(call, exchange.results.get(call.id)) for call in exchange.calls]
        self._lines = self._lines[-LINES:]
        self._talk.summary = self._summary()

    def _summary(self) -> str:
        head = f"[{self._left_out} earlier exchanges were left out here; they are kept whole as {self._blob}.]"
        parts = [head, *self._kept_words, "The last calls among them:", *self._lines]
        return "\n".join(parts)

    def _shrink(self, exchange: Exchange) -> None:
        """Even the newest outcomes are too long: their heads and tails must do."""
        if exchange.told is None:
            return
        blocks = [_shrunk(block) for block in exchange.told["content"]]
        exchange.told = {**exchange.told, "content": blocks}
        if len(self._sizes) == len(self._talk.exchanges):
            self._settled -= self._sizes.pop()

    def _chars(self) -> int:
        talk = self._talk
        for exchange in talk.exchanges[len(self._sizes) :]:
            if exchange.told is None:
                break
            self._sizes.append(_size(exchange))
            self._settled += self._sizes[-1]
        said = self._settled + sum(map(_size, talk.exchanges[len(self._sizes) :]))
        return self._fixed + len(talk.task) + len(talk.summary) + said


def _size(exchange: Exchange) -> int:
    return len(msgspec.json.encode([exchange.content, exchange.told]))


def _shrunk(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] == "tool_result":
        return {**block, "content": cut(block["content"], SHRUNK)}
    return block
