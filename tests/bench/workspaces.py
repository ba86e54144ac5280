"""How soon a run's workspace is ready on a tree of 5,000 files, against plain git's reset and clean of the same.

Run it with `python tests/bench/workspaces.py`; it prints `name, ours ms, yardstick ms, ratio`.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from workbench.aee.sandbox.select import probe, select
from workbench.aee.workspaces import SharedClones
from workbench.ports import SandboxLevel
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

FILES = 5000
ROUNDS = 9
LEVELS: tuple[SandboxLevel, ...] = ("none", "bubblewrap")


def dirty(clone: Path) -> None:
    """What an agent leaves: some files changed, some new, a build directory."""
    for number in range(0, FILES, 100):
        (clone / f"src/m{number % 50}/f{number}.txt").write_text("changed\n")
    for number in range(200):
        place = clone / "build" / f"{number}.o"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"x" * 100)


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that it took."""
    begun = time.perf_counter()
    act()
    return (time.perf_counter() - begun) * 1000


def measure(place: Path, level: SandboxLevel) -> tuple[float, float, float, float]:
    """Medians: a workspace from the pool, one that comes from there again, a fresh one, and the yardstick, in turns.

    The first time some files are as young as the index that knows them, so git reads these anew.
    """
    repo = Repo(place / "repo")
    base = repo.commit({f"src/m{n % 50}/f{n}.txt": f"line {n}\n" * 20 for n in range(FILES)})
    yard = place / "yard"
    repo.git("clone", "-q", "--shared", str(repo.path), str(yard))
    pooled, later, fresh, plain = [], [], [], []
    with Store.open(place / "store.git", source=repo.path / ".git") as store:
        sandbox = select(level, allow_none=True)
        clones = SharedClones(place / "w", store=store, sandbox=sandbox, checkout=repo.path)
        for number in range(ROUNDS):
            run, again, third = f"m.{number}", f"n.{number}", f"o.{number}"

            def ready(name: str) -> Callable[[], object]:
                return lambda: clones.prepare(run=name, base_commit=base, branch=f"workbench/m/{name}")

            fresh.append(timed(ready(run)))
            dirty(place / "w" / "runs" / run / "clone")
            clones.retire(run)
            dirty(yard)
            plain.append(timed(lambda: subprocess.run(["git", "reset", "-q", "--hard"], cwd=yard, check=True)))
            plain[-1] += timed(lambda: subprocess.run(["git", "clean", "-qfdx"], cwd=yard, check=True))
            pooled.append(timed(ready(again)))
            dirty(place / "w" / "runs" / again / "clone")
            clones.retire(again)
            later.append(timed(ready(third)))
            shutil.rmtree(place / "w" / "runs" / third)
    return statistics.median(pooled), statistics.median(later), statistics.median(fresh), statistics.median(plain)


def main() -> None:
    """Measure and print."""
    print("name, ours ms, yardstick ms, ratio")
    for level in LEVELS:
        if not probe(level).works:
            continue
        with tempfile.TemporaryDirectory() as directory:
            pooled, later, fresh, plain = measure(Path(directory), level)
        print(f"pooled workspace ({level}) / reset and clean, {pooled:.0f}, {plain:.0f}, {pooled / plain:.2f}")
        print(f"the same used again ({level}) / reset and clean, {later:.0f}, {plain:.0f}, {later / plain:.2f}")
        print(f"fresh workspace ({level}) / reset and clean, {fresh:.0f}, {plain:.0f}, {fresh / plain:.2f}")


if __name__ == "__main__":
    main()
