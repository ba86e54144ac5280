"""A clock that stands still until it is told to move."""

from __future__ import annotations

from workbench.model.instants import instant

EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class SettableClock:
    """A `Clock` for tests and simulations."""

    def __init__(self, epoch_seconds: float = EPOCH) -> None:
        self._wall = epoch_seconds
        self._monotonic = 0.0

    def now(self) -> str:
        """The instant at which the clock was set."""
        return instant(self._wall)

    def monotonic(self) -> float:
        """All seconds that the clock was moved forward."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let time pass, for the wall and for `monotonic`."""
        self._wall += seconds
        self._monotonic += seconds
