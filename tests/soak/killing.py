"""Who lives in a world, and ending some or all of them without warning, by pid alone."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

from tests.soak.person import Person

SHORTEST_S, LONGEST_S = 0.02, 2.5  # between two kills
LOOK_EVERY_S = 0.005


def inhabitants(root: Path) -> list[int]:
    """Every living process that names the world in its words, environment, directory or mounts; never ourselves."""
    mark = os.fsencode(root)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _belongs(entry, mark)]


def _belongs(entry: Path, mark: bytes) -> bool:
    if int(entry.name) == os.getpid():
        return False
    with contextlib.suppress(OSError):
        state, parent = entry.joinpath("stat").read_bytes().rpartition(b")")[2].split()[:2]
        words = entry.joinpath("cmdline").read_bytes()
        if state in b"ZX" or (int(parent) == os.getpid() and words.startswith(b"git\0")):  # a look of our own
            return False
        if mark in os.fsencode((entry / "cwd").readlink()):
            return True
        if mark in words or mark in entry.joinpath("environ").read_bytes():
            return True
        return mark in entry.joinpath("mountinfo").read_bytes()
    return False


def aee_pid(person: Person) -> int:
    """The pid on the card of the AEE if that process lives, else 0."""
    try:
        pid = int(json.loads((person.journal / "aee.json").read_bytes())["pid"])
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if b"workbench.aee.service" in words else 0


def run_children(person: Person) -> list[int]:
    """The AEE's run children."""
    pid = aee_pid(person)
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir() if pid else ():
            found += [int(word) for word in (task / "children").read_bytes().split()]
    return [child for child in found if _is_run_child(child)]


def _is_run_child(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"workbench.aee.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


class Killer(threading.Thread):
    """Kills at `moments` random moments: the whole world if `all_at_once`, else the AEE, a run child or the command."""

    def __init__(self, person: Person, rng: random.Random, *, moments: int, all_at_once: bool) -> None:
        super().__init__(name="killer", daemon=True)
        self._person, self._rng, self._moments, self._all = person, rng, moments, all_at_once
        self._over = threading.Event()
        self.killed: Counter[str] = Counter()

    def run(self) -> None:
        """Wait, strike, repeat."""
        for _ in range(self._moments):
            if self._over.wait(self._rng.uniform(SHORTEST_S, LONGEST_S)):
                return
            self._strike("tree" if self._all else self._rng.choice(("aee", "child", "command")))

    def end(self) -> None:
        """No kill after this returns."""
        self._over.set()
        self.join()

    def _strike(self, kind: str) -> None:
        until = time.monotonic() + 5.0
        while not self._over.is_set() and time.monotonic() < until:
            victims = self._victims(kind)
            hit = sum(_kill(pid) for pid in victims)
            if hit:
                self.killed[kind] += 1
                return
            time.sleep(LOOK_EVERY_S)

    def _victims(self, kind: str) -> list[int]:
        if kind == "tree":
            return inhabitants(self._person.root)
        if kind == "aee":
            return [pid for pid in (aee_pid(self._person),) if pid]
        if kind == "child":
            return self._rng.sample(found, 1) if (found := run_children(self._person)) else []
        calling = self._person.calling
        return [calling.pid] if calling is not None and calling.poll() is None else []


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
