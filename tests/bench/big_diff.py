"""A diff of 131,000 changed lines, made to its end as the review shows it, against a bare `git diff` of the same.

    python -m tests.bench.big_diff

Prints `name, ours, yardstick, ratio`: seconds by the wall, medians in turns, of the diff with its rows side by side;
the memory that it takes in a process of its own, over the size of the diff; and the longest time between two lines of
a walk to its end. What the review does of it happens beside the event loop, so that a key never waits for it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.keys import environment
from workbench.ace.tui.diffmaking import Change
from workbench.ace.wiring.differing import WHOLE, ChangedFile, changed_files
from workbench.ace.wiring.workplace import Workplace
from workbench.repository.locate import STORE
from workbench.repository.store import Store

LINES = 131_000  # changed, counted on both sides
TURNS = 5
MEASURE = "--measure"
PATH = "big.py"


def repository(place: Path) -> Path:
    """Two commits: every other line of a large file changed."""
    found = place / "shop"
    subprocess.run(["git", "init", "-q", "-b", "main", str(found)], check=True)
    git = ["git", "-C", str(found), "-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for said in ("looked_at", "weighed"):
        lines = (
            f"value_{n} = {said if n % 2 else 'kept'}({n}, 'part {n % 97}', limit={n * 7919 % 1000})"
            for n in range(LINES)
        )
        (found / PATH).write_text("\n".join(lines))
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", said], check=True)
    return found


def change(place: Workplace) -> tuple[Change, ChangedFile]:
    """The large change."""
    base, head = (place.repository.resolve(name) for name in ("main~1", "main"))
    (file,) = changed_files(place, base, head)
    return Change(base, head, [file]), file


def made(place: Workplace, *, around: int) -> float:
    """Seconds until the diff is there, with its rows side by side and its last line."""
    both, file = change(place)
    begun = time.perf_counter()
    shown = both.shown(place, file, around=around)
    shown.diff.text(len(shown.diff) - 1)
    return time.perf_counter() - begun


def bare(found: Path, *, around: int) -> tuple[float, int]:
    """Seconds of git alone, and the bytes that it prints."""
    begun = time.perf_counter()
    printed = subprocess.run(["git", "-C", str(found), "diff", f"-U{around}", "HEAD~1", "HEAD"], capture_output=True)
    return time.perf_counter() - begun, len(printed.stdout)


def resident_kib() -> int:
    """What this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def measure(found: Path) -> None:
    """Print how much more this process holds with the diff than with one of the smallest."""
    with Workplace(found) as place:
        both, file = change(place)
        before = resident_kib()
        shown = both.shown(place, file)
        print(resident_kib() - before, len(shown.diff))


def main() -> None:
    """Measure."""
    if sys.argv[1:2] == [MEASURE]:
        measure(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as directory:
        env = environment(Path(directory))
        os.environ["XDG_STATE_HOME"] = env["XDG_STATE_HOME"]
        found = repository(Path(directory))
        with Workplace(found) as place:
            with Store.of(place.repository, place.journal_directory / STORE) as store:
                store.pin(place.repository.resolve("main"))
            print("name, ours, yardstick, ratio")
            for name, around in (("three lines around", 3), ("the whole file", WHOLE)):
                turns = [(made(place, around=around), bare(found, around=around)) for _ in range(TURNS)]
                ours = statistics.median(taken for taken, _ in turns)
                yardstick, size = statistics.median(taken for _, (taken, _) in turns), turns[0][1][1]
                print(f"big diff, {name}, {ours:.2f} s, {yardstick:.2f} s, {ours / yardstick:.2f} (aim <= 1.5)")
                print(f"  {size / 1e6:.1f} MB of diff")
        argv = [sys.executable, "-m", "tests.bench.big_diff", MEASURE, str(found)]
        kib, lines = map(int, subprocess.run(argv, env=env, capture_output=True, check=True).stdout.split())
        size = bare(found, around=3)[1]
        print(f"memory of a diff of {lines} lines, {kib} KiB, {size // 1024} KiB, {kib * 1024 / size:.1f} (aim <= 3)")


if __name__ == "__main__":
    main()
