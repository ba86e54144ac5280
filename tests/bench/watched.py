"""From the write of a file to the call of who watches its directory, over bare watchdog.

Prints `name, ours, yardstick, ratio`: ms, medians in turns; the ratio of the `p99` is to 5 ms. `chrt -f 10` in front of
the command takes the place of a quiet machine.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from workbench.ace.wiring.watching import Watch

WRITES = 300
P99_MS = 5.0
QUIET_S = 0.02  # between two writes, so that what a write still causes is not taken for the next one's


class Called:
    """When it was called first since it was armed."""

    def __init__(self) -> None:
        self._came = threading.Event()
        self._at = 0.0

    def __call__(self) -> None:
        if not self._came.is_set():
            self._at = time.perf_counter()
            self._came.set()

    def ms_after(self, act: Callable[[], object]) -> float:
        """From before the act to the call."""
        self._came.clear()
        begun = time.perf_counter()
        act()
        assert self._came.wait(10), "nobody was told"
        return 1000 * (self._at - begun)


class Bare(FileSystemEventHandler):
    """Watchdog as it comes."""

    def __init__(self, called: Called) -> None:
        self._called = called

    def on_any_event(self, event: FileSystemEvent) -> None:
        self._called()


def main() -> None:
    """Measure and print."""
    ours, bare = Called(), Called()
    spent: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as directory:
        places = [Path(directory) / name for name in ("ours", "bare")]
        for place in places:
            (place / "deep" / "below").mkdir(parents=True)
        watch = Watch(places[0], ours)
        assert watch.begin(), "the system can watch no more"
        observer = Observer()
        observer.schedule(Bare(bare), str(places[1]), recursive=True)
        observer.start()
        for number in range(WRITES):
            for called, place, took in zip((ours, bare), places, spent, strict=True):
                time.sleep(QUIET_S)
                file = place / "deep" / "below" / f"{number % 20}.md"
                took.append(called.ms_after(lambda: file.write_text(str(number))))  # noqa: B023
        watch.end()
        observer.stop()
        observer.join()
    mine, yard = (statistics.median(took) for took in spent)
    slow = sorted(spent[0])[int(0.99 * (WRITES - 1))]
    print(f"file write to callback over bare watchdog, {mine:.2f} ms, {yard:.2f} ms, {mine / yard:.2f}")
    print(f"file write to callback p99, {slow:.2f} ms, {P99_MS:.2f} ms, {slow / P99_MS:.2f}")


if __name__ == "__main__":
    main()
