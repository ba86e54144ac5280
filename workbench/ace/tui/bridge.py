"""From the journal to the screens: one thread reads, computes what they watch, and tells each at most once a frame.

A screen watches a `View`. Its newest value is delivered when the one before was taken, so a flood of events costs the
event loop no more than a few messages a second, and whatever was skipped is contained in what comes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from workbench.ace.tui.mirror import Mirror
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.location import DATABASE
from workbench.journal.presence import Presence
from workbench.model.errors import EnvironmentProblem, WorkbenchError

LOOK_EVERY_S = 0.05  # between two looks at the journal's `data_version`, which cost microseconds
FRAME_S = 0.08  # at least, between two computations: 12 a second, also in a flood
IDLE_S = 2.0  # how often what no event tells is looked at again: the AEE's presence, branches, the date


class Moment(NamedTuple):
    """What a view computes from. `changed` are streams; `*` means everything."""

    place: Workplace
    ledger: Ledger
    mirror: Mirror
    presence: Presence
    now: str
    changed: frozenset[str]


class View(Protocol):
    """Computes what a screen shows; called in the bridge's thread, one call at a time."""

    def __call__(self, moment: Moment, /) -> Any:
        """A frozen value, compared with the one before."""
        ...


class Arrived(NamedTuple):
    """The value of a view, or what prevented it."""

    name: str
    value: Any
    problem: WorkbenchError | None = None


class _Watch:
    """One view and what came of it."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.value: Any = self  # equals nothing that a view gives
        self.waiting = False  # a newer value than the one that was told
        self.taken = True  # the screen has taken what it was told
        self.fresh = True  # was never computed
        self.failed = False  # the last time; it is tried again with the next look


class Bridge:
    """The thread. `tell` is called in it, and must only post a message."""

    def __init__(self, place: Workplace, tell: Callable[[Arrived], None]) -> None:
        self._place, self._tell = place, tell
        self._watches: dict[str, _Watch] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = False
        self._urged = False  # somebody asked to look now
        self._had_journal = False
        self.mirror = Mirror()
        self.looks = 0  # computations so far
        self._thread = threading.Thread(target=self._work, name="bridge", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the reading that goes on."""
        self._ended = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def watch(self, name: str, view: View) -> None:
        """Tell what `view` gives from now on, in place of an earlier view of that name."""
        with self._lock:
            self._watches[name] = _Watch(view)
        self._wake.set()

    def unwatch(self, name: str) -> None:
        """Tell it no more."""
        with self._lock:
            self._watches.pop(name, None)

    def taken(self, name: str) -> None:
        """The screen has shown what it was told: the next one may come."""
        with self._lock:
            watch = self._watches.get(name)
            if watch is None:
                return
            watch.taken = True
            late = watch.waiting
        if late:
            self._wake.set()

    @property
    def is_settled(self) -> bool:
        """Whether all that was in the journal at the last look has been taken by the screens."""
        with self._lock:
            return not any(watch.fresh or watch.waiting or not watch.taken for watch in self._watches.values())

    def look_now(self) -> None:
        """Something was just decided here: do not wait for the next look."""
        self._urged = True
        self._wake.set()

    # --- the thread ---

    def _work(self) -> None:
        while not self._ended:
            try:
                self._follow()
            except WorkbenchError as problem:
                self._tell_problem(problem)
            except OSError as problem:
                told = EnvironmentProblem(str(problem), hint="see workbench doctor; what is shown may be outdated")
                self._tell_problem(told)
            self._pause(IDLE_S)

    def _follow(self) -> None:
        """Until the journal is not what it was: it was made, or replaced."""
        with self._place.reading() as ledger:
            path = getattr(ledger, "path", None)
            existed = path is not None
            which = self._require_ground(path)
            version = -1
            self.mirror = Mirror()
            quiet_s = IDLE_S
            while not self._ended:
                seen = ledger.data_version()
                if seen != version or quiet_s >= IDLE_S or self._urged or self._has_fresh():
                    if self._require_ground(path) != which or (existed and ledger.last_seq() < self.mirror.seq):
                        return  # another file, or an earlier state of it, was put in its place
                    version, quiet_s, self._urged = seen, 0.0, False
                    self._compute(ledger)
                    self._pause(FRAME_S)
                else:
                    self._deliver()
                    self._pause(LOOK_EVERY_S)
                    quiet_s += LOOK_EVERY_S
                if not existed and self._place.journal_directory.is_dir() and quiet_s == 0.0:
                    return

    def _require_ground(self, path: Path | None) -> int:
        """Which file the journal is now. Raises EnvironmentProblem where what is shown stands on nothing any more."""
        located = self._place.located
        if not located.common_dir.is_dir():
            raise EnvironmentProblem(
                f"The repository is gone, moved or deleted: {located.checkout or located.common_dir}",
                hint="open Workbench where it is now; what was decided is in its journal",
            )
        self._had_journal = self._had_journal or path is not None
        if not self._had_journal:
            return 0
        try:
            return (self._place.journal_directory / DATABASE).stat().st_ino
        except FileNotFoundError:
            raise EnvironmentProblem(
                f"The journal is gone; this is what was known last: {self._place.journal_directory}",
                hint="put it back, or restore a backup: workbench journal backups",
            ) from None

    def _compute(self, ledger: Ledger) -> None:
        changed = self.mirror.refresh(ledger)
        self.looks += 1
        moment = Moment(self._place, ledger, self.mirror, self._place.presence(), self._place.clock.now(), changed)
        with self._lock:
            watches = list(self._watches.items())
        for name, watch in watches:
            seen = moment._replace(changed=frozenset(("*",))) if watch.fresh else moment
            watch.failed = False
            try:
                value = watch.view(seen)
            except WorkbenchError as problem:
                watch.failed = True
                self._tell(Arrived(name, None, problem))
                continue
            watch.fresh = False
            if value != watch.value:
                watch.value, watch.waiting = value, True
        self._deliver()

    def _deliver(self) -> None:
        with self._lock:
            ready = [(name, watch) for name, watch in self._watches.items() if watch.waiting and watch.taken]
            for _, watch in ready:
                watch.waiting = watch.taken = False
        for name, watch in ready:
            self._tell(Arrived(name, watch.value))

    def _has_fresh(self) -> bool:
        with self._lock:
            return any(watch.fresh and not watch.failed for watch in self._watches.values())

    def _tell_problem(self, problem: WorkbenchError) -> None:
        with suppress(RuntimeError):  # the app is gone
            self._tell(Arrived("", None, problem))

    def _pause(self, seconds: float) -> None:
        if not self._ended:
            self._wake.wait(seconds)
            self._wake.clear()
