"""The real clock, for the composition roots; nothing else in the journal reads the time."""

from __future__ import annotations

import time

from workbench.model.instants import instant


class SystemClock:
    """The machine's own time."""

    def __init__(self) -> None:
        self._second = (-1, "")  # the text of the last second, which most calls share

    def now(self) -> str:
        """This moment as an instant."""
        second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
        known, text = self._second
        if known != second:
            text = instant(second)[:-4]
            self._second = (second, text)
        return f"{text}{millisecond:03d}Z"

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()
