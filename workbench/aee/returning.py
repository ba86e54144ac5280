"""Gives workspaces of runs that are over back to the pool by itself: a thread that looks now and then.

Only what a person merged or turned down is touched, and only where git in the sandbox says that nothing in the clone is
missing elsewhere; all else waits for a person's `workbench gc`.
"""

from __future__ import annotations

import threading
from pathlib import Path

from workbench.aee.tidying import opened
from workbench.aee.trouble import Trouble, log
from workbench.model.errors import Refused
from workbench.ports import States
from workbench.repository.locate import STORE

CLOSE_WITHIN_S = 10.0


class Returning:
    """Looks every `after_s` seconds, from `start` to `close`; 0: never.

    A workspace is given back at the second look that finds its run over: a merge that is taken back soon costs none.
    """

    def __init__(self, states: States, *, directory: Path, repository: Path, after_s: float) -> None:
        self._states, self._directory, self._repository = states, directory, repository
        self._after_s = after_s
        self._stop = threading.Event()
        self._trouble = Trouble("workspaces of runs that are over cannot be given back")
        self._seen: set[str] = set()  # over at the last look
        self._stays: set[str] = set()  # what holds more than the store: gc tells the person
        self._thread = threading.Thread(target=self._work, name="returning", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        if self._after_s > 0:
            self._thread.start()

    def close(self) -> None:
        """End, after the workspace that it has in hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_WITHIN_S)

    def _work(self) -> None:
        while not self._stop.wait(self._after_s):
            try:
                self.look()
                self._trouble.over()
            except Refused:  # somebody tidies by hand: there will be another look
                continue
            except Exception as problem:  # noqa: BLE001 - the worker's top: the AEE outlives a full or damaged disk
                self._trouble.met(problem)

    def look(self) -> list[str]:
        """Give back what was found at the last look, too; the runs whose workspaces went."""
        if not (self._directory / STORE).exists():
            return []
        given: list[str] = []
        with opened(self._directory, self._repository, self._states) as house:
            found = house.over()
            for run in sorted((found & self._seen) - self._stays):
                if self._stop.is_set():
                    break
                if why := house.give_back(run):
                    self._stays.add(run)
                    log(f"the workspace of {run} stays: {why}")
                else:
                    given.append(run)
            self._seen = found
        return given
