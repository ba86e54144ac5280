"""Keeps a draft on disk while it is written, beside the event loop and in the order in which it was written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from workbench.ace.wiring.attending import Desk, Draft
from workbench.model.errors import WorkbenchError


class Keeper:
    """Writes the newest draft; what was overtaken while another write went on is never written."""

    def __init__(self, start: Callable[[Callable[[], None]], object]) -> None:
        """`start` runs a function in a thread."""
        self._start = start
        self._lock = threading.Lock()
        self._next: tuple[Desk, Draft] | None = None
        self._works = False

    def keep(self, desk: Desk, draft: Draft) -> None:
        """Have it written; returns at once."""
        if self._is_first(desk, draft):
            self._start(self._work)

    def finish(self, desk: Desk, draft: Draft) -> None:
        """Write it here and now, for threads may start no more; a write that goes on takes it along."""
        if self._is_first(desk, draft):
            self._work()

    def _is_first(self, desk: Desk, draft: Draft) -> bool:
        with self._lock:
            self._next = (desk, draft)
            idle, self._works = not self._works, True
        return idle

    def _work(self) -> None:
        while True:
            with self._lock:
                todo, self._next = self._next, None
                if todo is None:
                    self._works = False
                    return
            with suppress(WorkbenchError):  # a full disk takes no draft; sending says what is wrong
                todo[0].keep_draft(todo[1])
