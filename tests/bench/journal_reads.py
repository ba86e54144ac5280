"""Reads of a large journal: the newest hundred events of a run among ten million, and full text among one million.

    python -m tests.bench.journal_reads [--events N] [--texts N] [--under DIR] [--real-time]

Prints `name, ours, yardstick, ratio`. A read of the large journal is held against the same in one of a tenth of its
size; a search against the bare index, asked for the same rows. Medians in turns; the ratio of a `p99` is to 10 ms.
With `--real-time` reads go before other work, in place of a quiet machine.
The journals are written by SQL, as appending so many would take an hour; their hashes are made up. The index of words
is the product's own. Ten million events take about 5 GB of disk.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from workbench.journal.clock import SystemClock
from workbench.journal.search import index, search
from workbench.journal.store import SqliteJournal, open_journal

EVENTS, TEXTS = 10_000_000, 1_000_000
RUN_LENGTH = 2_000  # events of a run on average
LATEST = 100
READS = 400
SEARCHES = 60  # of each kind
HITS = 50
P99_MS = 10.0
# Runs go on beside each other, so that neighbours in time are of many runs. A word of each event is in all of them, one
# in each two thousandth, one in twenty of a million; letters are drawn by a multiplication, so that all is repeatable.
FILL = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :events)
INSERT INTO events
SELECT i + 1, printf('%032x', i), 'run/m-' || (i % :runs) || '.1', i / :runs + 1, 'ThoughtRecorded', 1, 'agent:m',
       '2026-11-22T12:00:00Z',
       json_object('run', 'm-' || (i % :runs) || '.1', 'text', printf(
         'looking at the limiter of part%d for case%d again', i * 7919 % 2000, i * 104729 % 50000)),
       :hash, :hash
FROM n
"""


def filled(place: Path, events: int) -> SqliteJournal:
    """A journal with so many events of runs."""
    open_journal(place, clock=SystemClock()).close()
    connection = sqlite3.connect(place / "journal.sqlite3", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -1000000")
    connection.execute(FILL, {"events": events, "runs": runs_of(events), "hash": "0" * 64})
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return open_journal(place, clock=SystemClock())


def runs_of(events: int) -> int:
    """How many runs a journal of so many events has."""
    return max(1, events // RUN_LENGTH)


def ms(act: Callable[[], Sequence[object]], *, expected: int) -> float:
    """How long it took to get so many rows."""
    begun = time.perf_counter()
    got = len(act())
    spent = 1000 * (time.perf_counter() - begun)
    assert got == expected, f"{got} rows in place of {expected}"
    return spent


@contextmanager
def undisturbed(wanted: bool) -> Iterator[None]:
    """Nothing else is scheduled before what is done here."""
    if wanted:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    try:
        yield
    finally:
        if wanted:
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def latest(large: SqliteJournal, small: SqliteJournal) -> None:
    """Runs are drawn at random, the two journals in turns."""
    chance = random.Random(1)
    kinds: dict[str, tuple[list[float], list[float]]] = {"latest 100": ([], []), "100 before the middle": ([], [])}
    for turn in range(READS + 10):
        for at, journal in enumerate((large, small)):
            stream = f"run/m-{chance.randrange(runs_of(journal.last_seq()))}.1"
            for spent, before in zip(kinds.values(), (0, RUN_LENGTH // 2), strict=True):
                took = ms(lambda: journal.read_newest(stream, limit=LATEST, before=before), expected=LATEST)  # noqa: B023
                if turn >= 10:
                    spent[at].append(took)
    for name, (ours, yard) in kinds.items():
        row(f"{name} of a run among {large.last_seq()}, over {small.last_seq()}", ours, yard)
        p99(f"{name} of a run among {large.last_seq()}", ours)


def texts(journal: SqliteJournal) -> None:
    """Words that are everywhere, seldom and rare, two at once, a beginning, and a word within one run."""
    chance, runs = random.Random(2), runs_of(journal.last_seq())

    def drawn_from(word: str, count: int) -> str:
        return f"{word}{chance.randrange(count)}"

    kinds: dict[str, Callable[[], tuple[str, str]]] = {
        "a word of every event": lambda: ("limiter", ""),
        "a word of one in 2,000": lambda: (drawn_from("part", 2000), ""),
        "a word of one in 50,000": lambda: (drawn_from("case", 50_000), ""),
        "a frequent and a rare word": lambda: (f"looking {drawn_from('case', 50_000)}", ""),
        "the beginning of 1,111 words": lambda: ("part1", ""),
        "a word of every event, in one run": lambda: (
            "limiter",
            f"run/{drawn_from('m-', runs)}.1",
        ),
    }
    for name, drawn in kinds.items():
        ours, yard = [], []
        for _ in range(SEARCHES):
            words, stream = drawn()
            found = search(journal, words, stream=stream, limit=HITS).events
            ours.append(ms(lambda: search(journal, words, stream=stream, limit=HITS).events, expected=len(found)))  # noqa: B023
            yard.append(ms(lambda: bare(journal, words), expected=HITS) if not stream and len(found) == HITS else 0.0)  # noqa: B023
        row(f"{name}, over the bare index", ours, yard)
        p99(name, ours)


def bare(journal: SqliteJournal, words: str) -> Sequence[object]:
    """The newest rows of the index itself."""
    query = " AND ".join(f'text : "{word}"' for word in words.split()) + "*"
    return journal.rows("SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid DESC LIMIT ?", query, HITS)


def row(name: str, ours: Sequence[float], yardstick: Sequence[float]) -> None:
    """Medians and their ratio."""
    mine, yard = statistics.median(ours), statistics.median(yardstick)
    ratio = f"{mine / yard:.2f}" if yard else "-"
    print(f"{name}, {mine:.2f} ms, {yard:.2f} ms, {ratio}", flush=True)


def p99(name: str, values: Sequence[float]) -> None:
    """The slowest but one in a hundred."""
    slow = sorted(values)[int(0.99 * (len(values) - 1))]
    print(f"{name} p99, {slow:.2f} ms, {P99_MS:.2f} ms, {slow / P99_MS:.2f}", flush=True)


def main() -> int:
    """Fill, read, print."""
    parser = argparse.ArgumentParser(description="Reads of a large journal.")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--under", type=Path, default=None)
    parser.add_argument("--real-time", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.under) as directory:
        place = Path(directory)
        small, large = filled(place / "small", asked.events // 10), filled(place / "large", asked.events)
        with small, large, undisturbed(asked.real_time):
            latest(large, small)
        with filled(place / "texts", asked.texts) as journal:
            begun = time.perf_counter()
            while index(journal, pages=100):
                pass
            print(f"# {asked.texts} events indexed in {time.perf_counter() - begun:.0f} s", flush=True)
            with undisturbed(asked.real_time):
                texts(journal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
