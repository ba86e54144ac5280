"""Where a turn's requests to its model are allowed and booked: between the proxy's threads and the turn's own.

What was paid is in the journal before the answer's end reaches the agent, so that nothing acts on an unbooked answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress

from workbench.aee.drivers.acp.front import Front
from workbench.aee.prices import Usage
from workbench.aee.purse import Held, Purse
from workbench.aee.spending import BudgetReached
from workbench.model.events import ModelCalled


class Till:
    """`record` keeps one call, in the turn's thread; `reached` is told, from any, of the request that went too far."""

    def __init__(
        self,
        purse: Purse,
        front: Front,
        *,
        record: Callable[[ModelCalled], None],
        reached: Callable[[BudgetReached], None],
    ) -> None:
        self._purse, self._front, self._record, self._reached = purse, front, record, reached
        self._guard = threading.Lock()
        self._unbooked: list[ModelCalled] = []

    def hold(self, model: str, body: bytes, *, tokens_out: int) -> Held:
        """See `workbench.aee.model_proxy.Till`."""
        try:
            return self._purse.hold(model, body, tokens_out=tokens_out)
        except BudgetReached as problem:
            self._reached(problem)
            raise

    def paid(self, held: Held, usage: Usage | None, *, is_counted: bool) -> None:
        """See `workbench.aee.model_proxy.Till`."""
        called = self._purse.pay(held, usage, is_counted=is_counted)
        if called is None:
            return
        with self._guard:
            self._unbooked.append(called)
        with suppress(CancelledError):  # the turn is over, and books what is left itself
            self._front.do(self.book)

    def book(self) -> None:
        """Record what is not recorded yet; in the turn's thread."""
        while True:
            with self._guard:
                if not self._unbooked:
                    return
                called = self._unbooked.pop(0)
            self._record(called)
