"""How fast the journal takes events, against raw sqlite3 and the disk's own fsync.

    python -m tests.bench.journal_append [directory] [--slower-fsync MS]

Prints `name, ours, yardstick, ratio`, measured in turns in the same run, medians of several: for this disk
and, on a fast one, for a disk like that on which the aims were set. `--slower-fsync` lets each fsync and fdatasync of
this process, ours and the yardstick alike, take so much longer: on a memory file system, a disk of a known speed.
An acknowledgement is timed from just before `submit` to the callback of its future, which needs the
interpreter as the load's thread does; the yardstick is one fsync of 4 KiB more at a file's end, with nothing beside it.
"""

from __future__ import annotations

import argparse
import gc
import os
import queue
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.model.events import Event, Proposed

ROUNDS = 31  # short turns of each side, so that a stall of a shared disk spoils few of them
SINGLES = 40  # commits in a turn
GROUPS, GROUP_SIZE = 6, 200
RATE, FLOOD_S = 5_000, 1.0  # events per second, for so long
FLOODS = 7
AIMED_AT_MS = 3.0  # an fsync of the disk that the aims were set on: 275 to 324 of them a second
RUNS = 20  # streams that the events belong to

SLOWED = "SLOWER_FSYNC_MS"  # set: this process is the slower one
SLOWER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
static int slower(const char *name, int fd) {
    int result = ((int (*)(int))dlsym(RTLD_NEXT, name))(fd);
    double ms = atof(getenv("SLOWER_FSYNC_MS"));
    struct timespec nap = {ms / 1e3, (ms / 1e3 - (long)(ms / 1e3)) * 1e9};
    nanosleep(&nap, 0);
    return result;
}
int fsync(int fd) { return slower("fsync", fd); }
int fdatasync(int fd) { return slower("fdatasync", fd); }
"""
RAW_SCHEMA = """
CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, stream TEXT NOT NULL, version INTEGER NOT NULL,
  kind TEXT NOT NULL, schema INTEGER NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL, payload TEXT NOT NULL,
  prev_hash TEXT NOT NULL, hash TEXT NOT NULL);
CREATE UNIQUE INDEX events_id ON events (id);
CREATE UNIQUE INDEX events_stream ON events (stream, version);
"""


def proposals(count: int) -> list[Proposed]:
    """What a run reports: a call of a tool and what came of it."""
    return [_report(number) for number in range(count)]


def _report(number: int) -> Proposed:
    run = f"mission-{number % RUNS}.1"
    arguments = {"path": f"src/package/module_{number % 50}.py", "old": "return None", "new": "return value\n" * 3}
    payload = e.ToolCalled(run=run, call=f"call-{number}", tool="edit", title="Edit module", arguments=arguments)
    return Proposed(stream=f"run/{run}", payload=payload, actor=f"agent:{run}")


class Raw:
    """The yardstick: the same rows with the same pragmas and indexes, no chain, no projections."""

    def __init__(self, directory: Path) -> None:
        self.connection = sqlite3.connect(directory / "raw.sqlite3", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.executescript(RAW_SCHEMA)
        self.number = 0

    def append(self, count: int) -> None:
        """One transaction of `count` rows."""
        rows = [self._row() for _ in range(count)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(f"INSERT INTO events VALUES ({', '.join('?' * 11)})", rows)
        self.connection.execute("COMMIT")

    def _row(self) -> tuple[object, ...]:
        self.number += 1
        number = self.number
        run = f"mission-{number % RUNS}.1"
        payload = (
            f'{{"arguments":{{"new":"return value\\nreturn value\\nreturn value\\n","old":"return None",'
            f'"path":"src/package/module_{number % 50}.py"}},"call":"call-{number}","run":"{run}",'
            f'"title":"Edit module","tool":"edit"}}'
        )
        hash_ = f"{number:064x}"
        event_id = f"{number:012x}{os.urandom(10).hex()}"
        at = "2026-11-22T08:00:00.000Z"
        return (number, event_id, f"run/{run}", number, "ToolCalled", 1, f"agent:{run}", at, payload, hash_, hash_)


def fresh_journal(directory: Path) -> SqliteJournal:
    """A journal whose runs are queued."""
    journal = open_journal(directory, clock=SystemClock())
    for number in range(RUNS):
        run = f"mission-{number}.1"
        queued = e.RunQueued(run=run, mission="m", agent="a", driver="d", branch="b", base_commit="c")
        journal.append([Proposed(stream=f"run/{run}", payload=queued, actor="aee")])
    return journal


def timed(act: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    """Seconds that `act` took over all arguments."""
    started = time.perf_counter()
    for argument in arguments:
        act(argument)
    return time.perf_counter() - started


def show(name: str, ours: float, yardstick: float, unit: str, ratio: float, aim: str) -> None:
    """One line of the report."""
    print(f"{name}, {ours:.4g} {unit}, {yardstick:.4g} {unit}, {ratio:.2f} (aim {aim})")


def throughput(name: str, journal: SqliteJournal, raw: Raw, *, commits: int, size: int, aim: str) -> None:
    """Events per second in commits of `size`, in turns."""
    batches = [proposals(size) for _ in range(commits)]
    ours, theirs, ratios = [], [], []
    for turn in range(ROUNDS):
        if turn % 2:
            seconds_raw, seconds_ours = timed(raw.append, [size] * commits), timed(journal.append, batches)
        else:
            seconds_ours, seconds_raw = timed(journal.append, batches), timed(raw.append, [size] * commits)
        ours.append(commits * size / seconds_ours)
        theirs.append(commits * size / seconds_raw)
        ratios.append(seconds_raw / seconds_ours)
    show(name, statistics.median(ours), statistics.median(theirs), "events/s", statistics.median(ratios), aim)


def fsync_seconds(directory: Path, *, count: int = 200) -> list[float]:
    """What one small write and fsync at a file's end costs here."""
    path = directory / "fsync"
    with path.open("ab", buffering=0) as file:

        def write(_: int) -> None:
            file.write(b"x" * 4096)
            os.fsync(file.fileno())

        taken = [timed(write, [number]) for number in range(count)]
    path.unlink()
    return taken


class RawGroups:
    """The yardstick of grouping: one thread that stores whatever came meanwhile, and answers after the sync."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._queue: queue.SimpleQueue[Future[list[Event]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def __enter__(self) -> RawGroups:
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def submit(self, _: Sequence[Proposed]) -> Future[list[Event]]:
        """One more row."""
        future: Future[list[Event]] = Future()
        self._queue.put(future)
        return future

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            while not self._queue.empty() and (more := self._queue.get()) is not None:
                group.append(more)
            self._raw.append(len(group))
            for future in group:
                future.set_result([])


def flood(journal: SqliteJournal, raw: Raw, directory: Path) -> None:
    """`RATE` events a second through GroupCommit, several times: how long until each is acknowledged."""
    syncs, p50s, p99s, raw_p99s, rates = fsync_seconds(directory), [], [], [], []
    for _ in range(FLOODS):
        waits, lasted = flooded(GroupCommit(journal))
        raw_waits, _lasted = flooded(RawGroups(raw))
        syncs += fsync_seconds(directory)
        p50s.append(waits[len(waits) // 2] * 1000)
        p99s.append(waits[int(len(waits) * 0.99)] * 1000)
        raw_p99s.append(raw_waits[int(len(raw_waits) * 0.99)] * 1000)
        rates.append(len(waits) / lasted)
    sync, rate = statistics.median(syncs), statistics.median(rates)
    worst = sorted(syncs)[int(len(syncs) * 0.99)]
    show("fsync p99 over its median: how quiet the machine was", worst * 1000, sync * 1000, "ms", worst / sync, "-")
    p99, raw_p99 = statistics.median(p99s), statistics.median(raw_p99s)
    show(f"{RATE} events/s, acknowledgement p99 over raw groups", p99, raw_p99, "ms", p99 / raw_p99, "-")
    for name, waited, aim in (("p50", statistics.median(p50s), "-"), ("p99", statistics.median(p99s), "<= 3")):
        show(
            f"{RATE} events/s, acknowledgement {name} over fsync", waited, sync * 1000, "ms", waited / sync / 1000, aim
        )
    show("rate of grouped events over rate of fsync", rate, 1 / sync, "/s", rate * sync, ">= 20 at 3-4 ms")


def flooded(grouped: GroupCommit | RawGroups) -> tuple[list[float], float]:
    """The waits of all events of one flood, shortest first, and how long it lasted."""
    waits: list[float] = []
    answered = threading.Semaphore(0)
    events = proposals(int(RATE * FLOOD_S))
    gc.collect()
    gc.freeze()  # the load's own heap is not what is measured
    with grouped:
        started = time.perf_counter()
        for number, proposed in enumerate(events):
            due = started + number / RATE
            while (left := due - time.perf_counter()) > 0:
                time.sleep(min(left, 0.001))
            stop = _stopwatch(waits, answered)
            grouped.submit([proposed]).add_done_callback(stop)
        for _ in events:
            answered.acquire()
        lasted = time.perf_counter() - started
    return sorted(waits), lasted


def _stopwatch(waits: list[float], answered: threading.Semaphore) -> Callable[[Future[list[Event]]], None]:
    started = time.perf_counter()

    def stop(future: Future[list[Event]]) -> None:
        future.result()
        waits.append(time.perf_counter() - started)
        answered.release()

    return stop


def again_slower(directory: Path, arguments: list[str], ms: float) -> int:
    """Run this benchmark once more with slower syncs; its exit code."""
    source, library = directory / "slower.c", directory / "slower.so"
    source.write_text(SLOWER, encoding="ascii")
    subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(library), SLOWED: str(ms)}
    return subprocess.run([sys.executable, "-m", "tests.bench.journal_append", *arguments], env=environment).returncode


def measure(directory: Path) -> None:
    """All rows, on files in `directory`."""
    raw = Raw(directory)
    with fresh_journal(directory / "journal") as journal:
        print("name, ours, yardstick, ratio")
        throughput("one event per commit", journal, raw, commits=SINGLES, size=1, aim=">= 0.9")
        throughput(f"groups of {GROUP_SIZE}", journal, raw, commits=GROUPS, size=GROUP_SIZE, aim=">= 0.45")
        flood(journal, raw, directory)


def main() -> int:
    """Measure; 0 when all went well."""
    parser = argparse.ArgumentParser(description="How fast the journal takes events.")
    parser.add_argument("directory", nargs="?", help="where to put the files; the file system is what is measured")
    parser.add_argument("--slower-fsync", type=float, metavar="MS", help="milliseconds that each sync takes longer")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.directory) as place:
        if asked.slower_fsync:
            return again_slower(Path(place), [asked.directory] if asked.directory else [], asked.slower_fsync)
        here_ms = statistics.median(fsync_seconds(Path(place))) * 1000
        print(f"## on this disk, where an fsync takes {here_ms:.2f} ms")
        measure(Path(place))
        if here_ms < AIMED_AT_MS / 2 and SLOWED not in os.environ:
            print(
                f"## the same, each fsync {AIMED_AT_MS:.0f} ms longer: the disk that the aims were set on", flush=True
            )
            with tempfile.TemporaryDirectory(dir=asked.directory) as other:
                return again_slower(Path(other), [asked.directory] if asked.directory else [], AIMED_AT_MS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
