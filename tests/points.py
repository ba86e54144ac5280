"""Acts that are killed where they touch something: a child of this process does one, and dies at the n-th point."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable

SEED = int(os.environ.get("WORKBENCH_SEED", "1"))
Act = Callable[[], object]


class Points:
    """The moments at which Python's audit hooks tell of one of these events (sys.addaudithook)."""

    def __init__(self, *events: str) -> None:
        self._events = frozenset(events)

    def killed_at(self, point: int, act: Act) -> bool:
        """Whether `act`, in a process group of its own, came to that point and was killed there."""
        child = os.fork()
        if not child:
            try:
                _quiet()
                os.setsid()
                self._at_each(lambda seen: os.killpg(0, signal.SIGKILL) if seen == point else None)
                act()
            finally:
                os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL

    def count(self, act: Act) -> int:
        """How many points `act` has; it is carried out, in a process of its own."""
        read, write = os.pipe()
        child = os.fork()
        if not child:
            points: list[int] = []
            try:
                _quiet()
                self._at_each(points.append)
                act()
            finally:
                os.write(write, str(len(points)).encode())
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write)
        with os.fdopen(read) as told:
            return int(told.read())

    def _at_each(self, tell: Callable[[int], None]) -> None:
        """Call `tell` with the number of each point from now on."""
        seen = 0

        def look(event: str, _: object) -> None:
            nonlocal seen
            if event in self._events:
                seen += 1
                tell(seen)

        sys.addaudithook(look)


def sampled(count: int, kind: str, *, points: int) -> list[int]:
    """So many of the points by the seed; WORKBENCH_SOAK=1 takes all of them."""
    every = range(1, count + 1)
    if os.environ.get("WORKBENCH_SOAK"):
        return list(every)
    return sorted(random.Random(f"{SEED} {kind}").sample(every, min(points, count)))


def _quiet() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
