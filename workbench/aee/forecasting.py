"""Keeps the conflict forecast current: a thread that looks when a branch moved, and records what it sees that is new.

It holds up nobody: steps are handed out meanwhile, and what it cannot do now it does at the next news.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from workbench.aee.trouble import Trouble
from workbench.core.forecast import FORECAST_STREAM, NOTHING, Branch, Forecast, live_branches, made_of
from workbench.model import events as e
from workbench.ports import Journal, States
from workbench.repository.forecast import Forecaster, targets_of
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store

MOVES = (  # after these another set of branches, heads or targets is to be looked at
    e.CommitsFetched, e.DeliverySubmitted, e.PackSubmitted, e.PackDecided, e.PackMerged, e.MergeUndone, e.RunEnded,
    e.RunStopped, e.RunResumed,
)  # fmt: skip
REST_S = 0.25  # between two looks, so that a burst of commits costs one of them
CLOSE_WITHIN_S = 10.0


class Forecasting:
    """Looks in a thread of its own, from `start` to `close`."""

    def __init__(self, journal: Journal, states: States, *, store: Path, repository: Path) -> None:
        self._journal, self._states = journal, states
        self._store, self._repository = store, repository
        self._news = threading.Event()
        self._stop = threading.Event()
        self._trouble = Trouble("conflicts cannot be foreseen")
        self._eyes: _Eyes | None = None
        self._last = NOTHING
        self._thread = threading.Thread(target=self._work, name="forecast", daemon=True)

    def start(self) -> None:
        """Look for the first time, soon."""
        self._news.set()
        self._thread.start()

    def heed(self, events: Iterable[e.Event]) -> None:
        """Look again if any of these moved a branch."""
        if any(isinstance(event.payload, MOVES) for event in events):
            self._news.set()

    def close(self) -> None:
        """Look once more if there is news, then end."""
        self._stop.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WITHIN_S)

    def _work(self) -> None:
        while self._news.wait():
            self._news.clear()
            try:
                self._record(self._foresee())
                self._trouble.over()
            except Exception as problem:  # noqa: BLE001 - the worker's top: the AEE outlives a broken repository
                self._trouble.met(problem)
                self._eyes = None
            if self._stop.wait(REST_S):
                return

    def _foresee(self) -> Forecast:
        branches = branches_of(self._states)
        if not branches or not self._store.exists():
            return NOTHING
        if self._eyes is None:
            self._eyes = _Eyes(self._store, self._repository)
        return self._eyes.look(branches)

    def _record(self, seen: Forecast) -> None:
        if seen != self._last:
            self._journal.append([e.Proposed(stream=FORECAST_STREAM, payload=made_of(seen), actor="aee")])
            self._last = seen


def branches_of(states: States) -> list[Branch]:
    """Heads that may still be merged, oldest run first; what is over for good is not even read."""
    runs = {run.id: run for run in states.runs(live=True)}
    over = (pack.run for pack in states.packs(state="approved") if pack.run not in runs)
    runs |= {name: run for name in over if (run := states.run(name)) is not None}
    packs = {name: pack for name in {run.pack for run in runs.values()} if (pack := states.pack(name)) is not None}
    names = {run.mission for run in runs.values()}
    missions = {name: mission for name in names if (mission := states.mission(name)) is not None}
    return live_branches(sorted(runs.values(), key=lambda run: run.queued_at), missions, packs)


class _Eyes:
    """What a look needs. It is kept for what it remembers of branches; no process of it lives between two looks."""

    def __init__(self, store: Path, repository: Path) -> None:
        self._person: GitRepository = open_repository(repository, allow_bare=True)
        self._store = Store(store, source=self._person.common_dir)
        self._forecaster = Forecaster(self._store)

    def look(self, branches: Sequence[Branch]) -> Forecast:
        """The forecast for these branches as their targets stand now."""
        with ExitStack() as stack:
            for one in (self._person, self._store, self._forecaster):
                stack.callback(one.close)
            return self._forecaster.look(branches, targets_of(branches, self._store, self._person))
