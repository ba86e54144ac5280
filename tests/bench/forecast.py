"""Fifty branches held against each other, against one `git merge-tree` for each pair; and one of them moved.

Run it with `python -m tests.bench.forecast`; it prints `name, ours, yardstick, ratio`, times in milliseconds. The
branches change a few files each of a repository of some thousand, a third of them in files that others change as well.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from itertools import combinations
from pathlib import Path

from workbench.core.forecast import Branch, Forecast
from workbench.repository.forecast import Forecaster
from workbench.repository.store import Store, fetch_flags
from workbench.testing.repositories import Repo

BRANCHES = 50
FILES = 3000
LINES = 200
EACH = 6  # files that a branch changes
SHARED = 60  # files from which a third of the changes are drawn
SAMPLE = 25  # pairs for which a process each is started
ROUNDS = 7
SEED = 20261122


def name(number: int) -> str:
    return f"src/part{number % 40:02d}/room{number % 7}/file{number:04d}.py"


def text(number: int, changed: dict[int, str] | None = None) -> str:
    edits = changed or {}
    return "".join(edits.get(line, f"value_{line} = {number * line}") + "\n" for line in range(LINES))


def build(root: Path) -> tuple[Repo, list[str]]:
    """The repository, and the heads of the branches."""
    chance = random.Random(SEED)
    repo = Repo(root / "big")
    base = repo.commit({name(number): text(number) for number in range(FILES)})
    heads = []
    for branch in range(BRANCHES):
        heads.append(change(repo, chance, branch, base))
    repo.git("checkout", "-q", "main")
    return repo, heads


def change(repo: Repo, chance: random.Random, branch: int, at: str) -> str:
    """A commit on a branch of its own."""
    repo.branch(f"b{branch}", at=at)
    files = {}
    for _ in range(EACH):
        number = chance.randrange(SHARED if chance.random() < 0.33 else FILES)
        edits = {chance.randrange(LINES): f"changed_by_{branch} = 1" for _ in range(3)}
        files[name(number)] = text(number, edits)
    return repo.commit(dict(files), f"b{branch}")


def fetch(repo: Repo, store: Store) -> str:
    source = repo.path / ".git"
    store.git.run("fetch", *fetch_flags(source), str(source), "+refs/heads/*:refs/workbench/kept/*")
    return repo.git("rev-parse", "main")


def branches(heads: list[str]) -> list[Branch]:
    return [Branch(name=f"b{n}", head=head, target="refs/heads/main", group=f"b{n}") for n, head in enumerate(heads)]


def timed(forecaster: Forecaster, looked: list[Branch], main: str) -> tuple[float, Forecast]:
    begun = time.perf_counter()
    found = forecaster.look(looked, {branch.name: main for branch in looked})
    return (time.perf_counter() - begun) * 1000, found


def one_process_a_pair(store: Store, heads: list[str]) -> float:
    """Milliseconds of a pair, the median of some."""
    taken = []
    for one, other in random.Random(SEED).sample(list(combinations(heads, 2)), SAMPLE):
        begun = time.perf_counter()
        store.git.run("merge-tree", "--write-tree", "--name-only", one, other, ok=(0, 1))
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="forecast-") as directory:
        repo, heads = build(Path(directory))
        with Store.open(Path(directory) / "store.git", source=repo.path / ".git") as store:
            main_at = fetch(repo, store)
            pairs = BRANCHES * (BRANCHES - 1) // 2
            yardstick = one_process_a_pair(store, heads)
            cold, seen = [], Forecast()
            for _ in range(ROUNDS):
                with Forecaster(store) as forecaster:
                    taken, seen = timed(forecaster, branches(heads), main_at)
                    cold.append(taken)
            moved = _moves(repo, store, heads, main_at)
    print(f"# {len(seen.clashes)} of {pairs} pairs conflict")
    ours, once = statistics.median(cold) / pairs, statistics.median(moved)
    print(f"50 branches pairwise, ms a pair, {ours:.3f}, {yardstick:.2f}, {ours / yardstick:.4f}")
    print(f"one branch moved, ms, {once:.2f}, {yardstick:.2f}, {once / yardstick:.2f}")


def _moves(repo: Repo, store: Store, heads: list[str], main_at: str) -> list[float]:
    """Milliseconds of a look after one branch got a commit, while the others are known."""
    chance = random.Random(SEED + 1)
    taken = []
    with Forecaster(store) as forecaster:
        timed(forecaster, branches(heads), main_at)
        for number in range(ROUNDS):
            heads = [*heads]
            heads[number] = change(repo, chance, number, heads[number])
            fetch(repo, store)
            taken.append(timed(forecaster, branches(heads), main_at)[0])
    return taken


if __name__ == "__main__":
    main()
