"""What a run of a driven agent has spent and may still spend, with several requests under way at once.

Each request is held at the most that it can cost before it is passed on, and paid by what the model's host counted.
It must not know wire formats beyond their bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.aee.meter import Meter, booked
from workbench.aee.prices import Price, Usage, price_of, worst_cost
from workbench.aee.spending import Allowance
from workbench.model.events import Event, ModelCalled

UNCOUNTED = "uncounted"  # in the journal: what the model's host did not count, we did


class Held:
    """A request under way."""

    def __init__(self, model: str, body: bytes, *, tokens_in: int, tokens_out: int, price: Price | None) -> None:
        self.model, self.body, self.price = model, body, price
        self.tokens = tokens_in + tokens_out
        self.usd = worst_cost(price, tokens_in=tokens_in, tokens_out=tokens_out)


class Purse:
    """`prices` are of one model (`model`), or of several by their names; other models have list prices, or none."""

    def __init__(
        self, allowance: Allowance, *, run: str, model: str, prices: Mapping[str, Any], history: Iterable[Event]
    ) -> None:
        self._allowance, self._run, self._model, self._prices = allowance, run, model, prices
        self._guard = threading.Lock()
        self._spent = Meter(allowance, model="", price=None)
        self._spent.replay(history)
        self._held: set[Held] = set()
        self._counted: dict[str, tuple[bytes, int]] = {}  # of each model: a request, and the tokens that it had

    def hold(self, model: str, body: bytes, *, tokens_out: int) -> Held:
        """Allow a request. Raises BudgetReached where it, with all under way, could pass what is allowed."""
        with self._guard:
            price = self._price(model)
            tokens_in = self._most(model, body)
            meter = Meter(self._allowance, model=model, price=price)
            meter.usd = self._spent.usd + sum(held.usd for held in self._held)
            meter.tokens = self._spent.tokens + sum(held.tokens for held in self._held)
            meter.require(tokens_in=tokens_in, tokens_out=tokens_out)
            held = Held(model, body, tokens_in=tokens_in, tokens_out=tokens_out, price=price)
            self._held.add(held)
            return held

    def pay(self, held: Held, usage: Usage | None, *, is_counted: bool = True) -> ModelCalled | None:
        """The event of a request that is over; None where it cost nothing."""
        with self._guard:
            self._held.discard(held)
            if usage is None or not usage.total:
                return None
            if is_counted:
                self._counted[held.model] = (held.body, usage.context)
            stop = "" if is_counted else UNCOUNTED
            called = booked(usage, run=self._run, model=held.model, price=held.price, stop=stop)
            self._spent.count(called)
            return called

    def _price(self, model: str) -> Price | None:
        several = isinstance(self._prices.get(model), Mapping)
        own = self._prices[model] if several else self._prices if model == self._model else None
        flat = own if own and not any(isinstance(value, Mapping) for value in own.values()) else None
        return price_of(model, flat)

    def _most(self, model: str, body: bytes) -> int:
        """Tokens that a request holds at most: the last count, and each byte as one that is not in that request."""
        before, counted = self._counted.get(model, (b"", 0))
        same = _same(before, body)
        left = min(len(before), len(body)) - same
        same += _same(before[same:][::-1][:left], body[same:][::-1][:left])
        return min(len(body), counted + len(body) - same) if counted <= len(before) else counted + len(body) - same


def _same(one: bytes, other: bytes) -> int:
    """How many bytes at their beginnings are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
