"""The real clock, for the composition roots; nothing else in the journal reads the time."""

from __future__ import annotations

import time

from workbench.model.instants import instant


class SystemClock:
    """The machine's own time."""

    def now(self) -> str:
        """This moment as an instant."""
        return instant(time.time())

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()
