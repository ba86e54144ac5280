"""Acts that are killed where they touch something: a child of this process does one, and dies at the n-th point."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable

TOUCHES = ("subprocess.Popen", "sqlite3.connect", "os.rename", "os.link", "fcntl.flock")
SEED = int(os.environ.get("WORKBENCH_SEED", "1"))
MOST = 400  # points of one act; none comes near


def killed_at(point: int, act: Callable[[], object]) -> bool:
    """Whether `act`, in a process group of its own, came to the point where it touches something for that time."""
    child = os.fork()
    if not child:
        try:
            _quiet()
            _die_at(point)
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def sampled(count: int, kind: str, *, points: int) -> list[int]:
    """So many of the points by the seed; WORKBENCH_SOAK=1 takes all of them."""
    every = range(1, count + 1)
    if os.environ.get("WORKBENCH_SOAK"):
        return list(every)
    return sorted(random.Random(f"{SEED} {kind}").sample(every, min(points, count)))


def count_points(act: Callable[[], object]) -> int:
    """How many points `act` has; it is carried out, in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        seen = 0

        def look(event: str, _: object) -> None:
            nonlocal seen
            seen += event in TOUCHES

        try:
            _quiet()
            sys.addaudithook(look)
            act()
        finally:
            os.write(write, str(seen).encode())
            os._exit(0)
    os.waitpid(child, 0)
    os.close(write)
    with os.fdopen(read) as told:
        return min(MOST, int(told.read()))


def _quiet() -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _die_at(point: int) -> None:
    os.setsid()
    seen = 0

    def look(event: str, _: object) -> None:
        nonlocal seen
        if event in TOUCHES:
            seen += 1
            if seen == point:
                os.killpg(0, signal.SIGKILL)

    sys.addaudithook(look)
