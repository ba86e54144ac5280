"""What models cost, in US dollars per million tokens: data that settings override, and arithmetic on it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from workbench.model.errors import UsageError

MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars per million tokens."""

    input: float
    output: float
    cache_write: float = 0.0  # 0: a quarter more than input
    cache_read: float = 0.0  # 0: a tenth of input

    @property
    def dearest_input(self) -> float:
        """What a token that goes in can cost at most."""
        return max(self.input, self.written, self.read)

    @property
    def written(self) -> float:
        """For a token that a cache takes."""
        return self.cache_write or 1.25 * self.input

    @property
    def read(self) -> float:
        """For a token that a cache holds."""
        return self.cache_read or 0.1 * self.input


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request, as its server counts them."""

    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0

    @property
    def context(self) -> int:
        """All that went in."""
        return self.input + self.cache_write + self.cache_read

    @property
    def total(self) -> int:
        """All of it."""
        return self.context + self.output


# List prices as published in 2025; an agent's own `prices` in the settings take their place.
KNOWN: dict[str, Price] = {
    "claude-opus-4-5": Price(input=5.0, output=25.0),
    "claude-opus-4-1": Price(input=15.0, output=75.0),
    "claude-opus-4": Price(input=15.0, output=75.0),
    "claude-sonnet-4-5": Price(input=3.0, output=15.0),
    "claude-sonnet-4": Price(input=3.0, output=15.0),
    "claude-haiku-4-5": Price(input=1.0, output=5.0),
    "claude-3-5-haiku": Price(input=0.8, output=4.0),
}
_DATED = re.compile(r"-(?:\d{8}|latest|0)\Z")


def price_of(model: str, given: Mapping[str, object] | None = None) -> Price | None:
    """The price that settings give, else the list price; None for a model that nobody has told us of."""
    if given:
        try:
            return msgspec.convert(dict(given), Price)
        except msgspec.ValidationError as error:
            hint = "prices = {input = 3, output = 15, cache_write = 3.75, cache_read = 0.3}, per million tokens"
            raise UsageError(f"the agent's prices: {error}", hint=hint) from None
    return KNOWN.get(_DATED.sub("", model))


def cost_of(price: Price | None, usage: Usage) -> float:
    """US dollars; 0 where the price is not known."""
    if price is None:
        return 0.0
    paid = usage.input * price.input + usage.output * price.output
    return (paid + usage.cache_write * price.written + usage.cache_read * price.read) / MILLION


def worst_cost(price: Price | None, *, tokens_in: int, tokens_out: int) -> float:
    """The most that a request can cost."""
    return 0.0 if price is None else (tokens_in * price.dearest_input + tokens_out * price.output) / MILLION
