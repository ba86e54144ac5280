"""Keeps runs that stand on others where those stand: what moved below is answered by an event, and dispatch does it.

It looks whenever what it heeds has happened, and first of all once, so that nothing is missed while no AEE lived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from workbench.core.decide.stack import follow
from workbench.core.stack import footing_of
from workbench.core.state import PackState, RunState
from workbench.model import events as e
from workbench.model.errors import Conflict
from workbench.ports import Journal, States

MOVES = (e.RunPackSubmitted, e.PackMerged, e.MergeUndone, e.RunEnded, e.RunStopped, e.RunQueued)
ATTEMPTS = 5  # where others write to the same run meanwhile; after that the next move is waited for


class Restacking:
    """Looks in the thread of whoever tells it; a look asks the projections alone."""

    def __init__(self, journal: Journal, states: States) -> None:
        self._journal, self._states = journal, states
        self._has_looked = False

    def heed(self, events: Iterable[e.Event]) -> None:
        """Look if any of these may have moved something, or if it did not look yet."""
        if not self._has_looked or any(isinstance(event.payload, MOVES) for event in events):
            self.look()
            self._has_looked = True

    def look(self) -> int:
        """Record what follows for every run that stands on another; for how many something did."""
        return sum(self._follow(run.id) for run in self._states.runs(live=True) if run.on)

    def _follow(self, name: str) -> bool:
        for _ in range(ATTEMPTS):
            run = self._states.run(name)
            if run is None:
                return False
            decision = follow(run, self._pack(run), footing_of(run.on, self._states.run, self._states.pack))
            if decision is None:
                return False
            try:
                return bool(self._journal.append(decision.events, expect=decision.expect))
            except Conflict:
                continue
        return False

    def _pack(self, run: RunState) -> PackState | None:
        return self._states.pack(run.pack) if run.pack else None


def together(*heeding: Callable[[Iterable[e.Event]], None]) -> Callable[[Iterable[e.Event]], None]:
    """All of them told of the same events, one after the other."""

    def heed(events: Iterable[e.Event]) -> None:
        known = list(events)
        for each in heeding:
            each(known)

    return heed
