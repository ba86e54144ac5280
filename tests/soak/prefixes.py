"""Every moment at which the power can be lost in a run of 5,000 events, out of the record of its writes and syncs.

    python -m tests.soak.prefixes [--events 5000] [--seed S] [--jobs N] [--every N] [--early]

Two processes write (see `power`). After each write, truncation, sync and answer the disk is made three times: with
*all* that was written by then, with the *least*, which is what was synced, and with *some* of the rest, torn writes
among it. Each must open as a journal that is the run up to some event, with all that was acknowledged: every decision
is there, and its question is answered. A disk that is the one of the moment before is not opened again. One in
`VERIFIED` is walked through by `journal verify`. Prints a table; exit code 1 when something was lost. `--early` is the
control: it answers before the sync. `--every` takes a sample.
"""

from __future__ import annotations

import argparse
import bisect
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.soak.power import Act, Disk, put, recorded
from workbench.journal.clock import SystemClock
from workbench.journal.store import DATABASE, SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model.errors import WorkbenchError
from workbench.model.events import ConsultationResolved, Event

DECISION_EVENTS = 2  # asked, answered
SHARE_OF_DECISIONS = 20  # one append in so many is a decision
VERIFIED = 50
TOGETHER = 50  # moments that one job takes in a row, for their disks are much alike
MEMORY = Path("/dev/shm")  # where the disks are made: what they hold is known, and need not be kept
KINDS = ("all", "least", "some")


class Run(NamedTuple):
    """What was recorded, and how it came out."""

    place: Path
    acts: list[Act]
    events: list[Event]  # in their final order


class Judged(NamedTuple):
    """What a share of the moments came to."""

    states: Counter[str]
    wrong: list[str]


class Opened(NamedTuple):
    """What one disk opened as."""

    last: int  # the newest event of the run that it holds
    wrong: str


Files = dict[str, bytearray]


class Judge:
    """Opens disks, one after the other."""

    def __init__(self, run: Run, directory: Path) -> None:
        self.states, self.wrong = Counter[str](), list[str]()
        self._run, self._place = run, directory / "after"
        self._answers = [event.seq for event in run.events if _is_answer(event)]
        self._known: dict[str, tuple[int, Opened]] = {}  # the newest disk of a kind, by the acts that made it

    def moment(self, at: int, disk: Disk, *, answered: int, made: dict[str, int], seed: int) -> None:
        """Judge the three disks of a moment. `made`: how many acts had changed all that was written, and the least."""
        chance = random.Random(f"{seed}-{at}")
        for kind, files in _disks(disk, chance):
            self.states[kind] += 1
            opened = self._open(kind, files, made.get(kind), is_walked=chance.randrange(VERIFIED) == 0)
            said = opened.wrong
            if not said and opened.last < answered:
                said = f"event {answered} was acknowledged, the newest is {opened.last}"
            self.wrong += [f"{kind} after act {at}: {said}"] if said else []

    def _open(self, kind: str, files: Files, version: int | None, *, is_walked: bool) -> Opened:
        known = self._known.get(kind)
        if known is not None and version == known[0] and not is_walked:
            return known[1]
        self.states["opened"] += 1
        self.states["walked"] += is_walked
        opened = self._opened(files, is_walked=is_walked)
        if version is not None:
            self._known[kind] = version, opened
        return opened

    def _opened(self, files: Files, *, is_walked: bool) -> Opened:
        self._place.mkdir()
        try:
            for name, data in files.items():
                (self._place / name).write_bytes(data)
            with open_journal(self._place, clock=SystemClock()) as journal:
                opened = self._as_the_run(journal)
                if is_walked and not opened.wrong:
                    opened = opened._replace(wrong="; ".join(fault.text for fault in verify(journal).problems))
                return opened
        except WorkbenchError as refused:
            return Opened(0, f"it does not open: {refused.message}")
        finally:
            shutil.rmtree(self._place)

    def _as_the_run(self, journal: SqliteJournal) -> Opened:
        """How far the journal is the run, and why it is not."""
        count, last = journal.rows("SELECT count(*), max(seq) FROM events")[0]
        (newest,) = journal.read_all(after=last - 1)
        if count != last or newest != self._run.events[last - 1]:
            return Opened(last, f"{count} events, of which the newest is not the {last}th of the run")
        before = bisect.bisect_right(self._answers, last)
        decided = self._run.events[self._answers[before - 1] - 1].payload if before else None
        if isinstance(decided, ConsultationResolved):
            question = journal.consultation(decided.consultation)
            if question is None or question.state != "resolved":
                return Opened(last, f"{decided.resolution} is in the journal, and its question is not answered")
        return Opened(last, "")


def share(run: Run, *, number: int, jobs: int, every: int, seed: int) -> Judged:
    """Judge the moments of one job; each replays all of the record."""
    seqs = {event.id: event.seq for event in run.events}
    disk = Disk((run.place / "before" / DATABASE).read_bytes())
    answered = 0
    made = {"all": 0, "least": 0}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        judge = Judge(run, Path(directory))
        for at, act in enumerate(run.acts):
            disk.see(act)
            made["all"] += act.kind in ("write", "truncate")
            made["least"] += act.kind == "sync ended"
            if act.kind == "answer":
                answered = max(answered, seqs[act.data.decode()])
            if at % every == 0 and at // every // TOGETHER % jobs == number:
                judge.moment(at, disk, answered=answered, made=made, seed=seed)
    return Judged(judge.states, judge.wrong)


def _disks(disk: Disk, chance: random.Random) -> Iterator[tuple[str, Files]]:
    everything = {name: bytearray(data) for name, data in disk.files.items()}
    for act in disk.later:
        put(everything, act)
    yield "all", everything
    yield "least", disk.files
    yield "some", disk.after_loss(chance)


def _is_answer(event: Event) -> bool:
    return isinstance(event.payload, ConsultationResolved)


def main() -> int:
    """Record, judge, print."""
    parser = argparse.ArgumentParser(prog="prefixes", description="Every moment at which the power can be lost.")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--early", action="store_true")
    asked = parser.parse_args()
    if shutil.which("strace") is None:
        print("strace is not installed")
        return 1
    begun = time.monotonic()
    decisions = asked.events // (DECISION_EVENTS * SHARE_OF_DECISIONS)
    grouped = (asked.events - DECISION_EVENTS * decisions) // 2
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        acts = recorded(place, grouped=grouped, decisions=decisions, early=asked.early)
        with open_journal(place / "journal", clock=SystemClock()) as journal:
            run = Run(place, acts, journal.read_all(limit=1 << 30))
        with multiprocessing.get_context("fork").Pool(asked.jobs) as pool:
            options = {"jobs": asked.jobs, "every": asked.every, "seed": asked.seed}
            jobs = [pool.apply_async(share, (run,), {"number": n, **options}) for n in range(asked.jobs)]
            judged = [job.get() for job in jobs]
    wrong = [sentence for one in judged for sentence in one.wrong]
    print(*wrong[:20], sep="\n", end="\n" if wrong else "")
    print(_table(run, sum((one.states for one in judged), Counter[str]()), wrong, time.monotonic() - begun, asked.seed))
    answers = sum(act.kind == "answer" for act in acts)
    return int(bool(wrong) or answers != grouped + decisions)


def _table(run: Run, states: Counter[str], wrong: list[str], seconds: float, seed: int) -> str:
    kinds = Counter(act.kind for act in run.acts)
    columns = {
        "seed": seed,
        "events": len(run.events),
        "decisions": sum(map(_is_answer, run.events)),
        "writes / syncs / answers": f"{kinds['write'] + kinds['truncate']} / {kinds['sync ended']} / {kinds['answer']}",
        "logs begun": sum(act.kind == "write" and act.file != DATABASE and act.at == 0 for act in run.acts),
        "disks: all / least / some": " / ".join(str(states[kind]) for kind in KINDS),
        "opened": states["opened"],
        "walked through": states["walked"],
        "wrong: all / least / some": " / ".join(str(sum(it.startswith(kind) for it in wrong)) for kind in KINDS),
        "seconds": round(seconds),
    }
    return "\n".join(
        (f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", f"| {' | '.join(map(str, columns.values()))} |")
    )


if __name__ == "__main__":
    sys.exit(main())
