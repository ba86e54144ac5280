"""Times and amounts as the screens write them."""

from __future__ import annotations

from workbench.model.instants import seconds_between


def since(instant: str, now: str) -> str:
    """How long ago, in its largest unit: `12s`, `14m`, `3h`, `2d`; empty where there is no instant."""
    if not instant:
        return ""
    return lasting(int(seconds_between(instant, now)))


def lasting(seconds: int) -> str:
    """A stretch of time in its largest unit: `12s`, `14m`, `3h`, `2d`."""
    seconds = max(0, seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def count(number: int, word: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def money(usd: float) -> str:
    """`$0.31`; empty when nothing was spent."""
    return f"${usd:.2f}" if usd else ""
