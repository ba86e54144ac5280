"""Every moment at which the power can be lost in a run of 5,000 events, out of the record of its writes and syncs.

    python -m tests.soak.prefixes [--events 5000] [--seed S] [--jobs N] [--every N] [--early]

Two processes write (see `power`). After each write, truncation, sync and answer the disk is made three times: with
*all* that was written by then, with the *least*, which is what was synced, and with *some* of the rest, torn writes
among it. Each must open as a journal that is the run up to some event, with all that was acknowledged: every decision
is there, and its question is answered. One in `VERIFIED` is walked through by `journal verify`. Prints a table; exit
code 1 when something was lost. `--early` is the control: it answers before the sync. `--every` takes a sample.
"""

from __future__ import annotations

import argparse
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


def share(run: Run, *, number: int, jobs: int, every: int, seed: int) -> Judged:
    """Judge the moments of one job; each replays all of the record."""
    states, wrong = Counter[str](), list[str]()
    seqs = {event.id: event.seq for event in run.events}
    disk = Disk((run.place / "before" / DATABASE).read_bytes())
    answered = 0
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as directory:
        for at, act in enumerate(run.acts):
            disk.see(act)
            if act.kind == "answer":
                answered = max(answered, seqs[act.data.decode()])
            if at % every or at // every % jobs != number:
                continue
            chance = random.Random(f"{seed}-{at}")
            for kind, files in _disks(disk, chance):
                is_walked = chance.randrange(VERIFIED) == 0
                said = _wrong(files, run.events, answered, Path(directory) / "after", is_walked=is_walked)
                states.update((kind, *(("walked",) if is_walked else ())))
                wrong += [f"{kind} after act {at} ({act.kind}): {said}"] if said else []
    return Judged(states, wrong)


def _disks(disk: Disk, chance: random.Random) -> Iterator[tuple[str, dict[str, bytearray]]]:
    everything = {name: bytearray(data) for name, data in disk.files.items()}
    for act in disk.later:
        put(everything, act)
    yield "all", everything
    yield "least", disk.files
    yield "some", disk.after_loss(chance)


def _wrong(files: dict[str, bytearray], events: list[Event], answered: int, place: Path, *, is_walked: bool) -> str:
    place.mkdir()
    try:
        for name, data in files.items():
            (place / name).write_bytes(data)
        with open_journal(place, clock=SystemClock()) as journal:
            said = _not_the_run(journal, events, answered)
            if is_walked and not said:
                said = "; ".join(fault.text for fault in verify(journal).problems)
    except WorkbenchError as refused:
        said = f"it does not open: {refused.message}"
    finally:
        shutil.rmtree(place)
    return said


def _not_the_run(journal: SqliteJournal, events: list[Event], answered: int) -> str:
    """Why the journal is not the run up to an event that comes no earlier than what was answered."""
    count, last = journal.rows("SELECT count(*), max(seq) FROM events")[0]
    if last < answered:
        return f"event {answered} was acknowledged, the newest is {last}"
    (newest,) = journal.read_all(after=last - 1)
    if count != last or newest != events[last - 1]:
        return f"{count} events, of which the newest is not the {last}th of the run"
    decided = next((event for event in reversed(events[:answered]) if _is_answer(event)), None)
    if decided is not None and isinstance(decided.payload, ConsultationResolved):
        question = journal.consultation(decided.payload.consultation)
        if question is None or question.state != "resolved":
            return f"{decided.payload.resolution} was acknowledged, and its question is not answered"
    return ""


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
        "walked through": states["walked"],
        "wrong: all / least / some": " / ".join(str(sum(it.startswith(kind) for it in wrong)) for kind in KINDS),
        "seconds": round(seconds),
    }
    return "\n".join(
        (f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", f"| {' | '.join(map(str, columns.values()))} |")
    )


if __name__ == "__main__":
    sys.exit(main())
