"""What a run may spend on its model, and the stop before the request that would pass it. It asks nobody itself."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.aee.prices import Price, Usage, cost_of, worst_cost
from workbench.aee.spending import Allowance, BudgetReached
from workbench.model.events import Event, ModelCalled


def booked(usage: Usage, *, run: str, model: str, price: Price | None, stop: str, reply: str = "") -> ModelCalled:
    """The event of a request that was made, at its price; one without a price is known to cost something unknown."""
    return ModelCalled(
        run=run,
        model=model,
        tokens_in=usage.input,
        tokens_out=usage.output,
        tokens_cache_write=usage.cache_write,
        tokens_cache_read=usage.cache_read,
        cost_usd=cost_of(price, usage),
        cost_known=price is not None,
        reply=reply,
        stop=stop,
    )


class Meter:
    """Adds up what a run spent, from its history on, and refuses the request that would pass its allowance."""

    def __init__(self, allowance: Allowance, *, model: str, price: Price | None) -> None:
        self._allowance, self._model, self.price = allowance, model, price
        self.usd = 0.0
        self.tokens = 0

    def replay(self, history: Iterable[Event]) -> None:
        """Count what the history records."""
        for event in history:
            if isinstance(called := event.payload, ModelCalled):
                self.count(called)

    def count(self, called: ModelCalled) -> None:
        """Add a request that was paid."""
        self.usd += called.cost_usd
        self.tokens += called.tokens_in + called.tokens_out + called.tokens_cache_write + called.tokens_cache_read

    def require(self, *, tokens_in: int, tokens_out: int) -> None:
        """Raises BudgetReached when a request of at most so many tokens could pass what is allowed."""
        usd = self.usd + worst_cost(self.price, tokens_in=tokens_in, tokens_out=tokens_out)
        tokens = self.tokens + tokens_in + tokens_out
        allowed = self._allowance
        limit_tokens = allowed.tokens if self.price is not None else allowed.tokens or allowed.unpriced_tokens
        if usd <= allowed.usd and (not limit_tokens or tokens <= limit_tokens):
            return
        raise BudgetReached(
            model=self._model,
            spent_usd=self.usd,
            spent_tokens=self.tokens,
            need_usd=max(0.0, usd - allowed.usd),
            need_tokens=max(0, tokens - limit_tokens) if limit_tokens else 0,
            allowance=allowed,
            is_priced=self.price is not None,
        )

    def paid(self, run: str, usage: Usage, *, stop: str, reply: str = "") -> ModelCalled:
        """The event of a request that was made, counted."""
        called = booked(usage, run=run, model=self._model, price=self.price, stop=stop, reply=reply)
        self.count(called)
        return called
