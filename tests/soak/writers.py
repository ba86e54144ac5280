"""Ten thousand kills of the processes that write a journal, and what must hold afterwards.

    python -m tests.soak.writers [--kills 10000] [--seed S] [--under DIR] [--control hasty|nameless]

One process appends in groups as the AEE does, under its lock and card; three append as people's commands do, which open
and close the journal all the time. Checkpoints run, and the log is begun anew. At random moments one of them is killed,
or all, and started again at once; it first tries again what was not acknowledged. Every so many kills the laws are
looked at, and a new journal begins. Prints a table; exit code 1 when a law was broken.

The controls: `hasty` acknowledges before it appends, `nameless` tries again without the ids of the first time.
"""

from __future__ import annotations

import argparse
import os
import random
import selectors
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.soak.writing import AEE, Task, asked, ids_of, is_answer, live
from workbench.journal import projections
from workbench.journal.chain import GENESIS
from workbench.journal.clock import SystemClock
from workbench.journal.rebuild import rebuild
from workbench.journal.store import SqliteJournal, open_journal
from workbench.journal.verify import verify
from workbench.model import events as e
from workbench.model.events import Event, Proposed

WHO = (AEE, "ada", "bob", "cem")
KILLS_A_JOURNAL = 250
SHORTEST_S, LONGEST_S = 0.0, 0.07  # between two kills
ALL_AT_ONCE = 0.25  # of the moments
PATIENCE_S = 120.0  # for the writers that end a journal
LAST_TRIES = 5  # of these
LAWS = ("lost", "doubled", "gaps", "unsound", "rebuilt differently", "hindered")


class Broken(NamedTuple):
    """A law and what broke it."""

    law: str
    sentence: str


class Writer:
    """One place among the writers, and what whoever held it said."""

    def __init__(self, who: str, directory: Path, *, control: str) -> None:
        self.who, self._directory, self._control = who, directory, control
        self.tried: dict[int, bool] = {}  # whether it was acknowledged
        self.odd: list[str] = []
        self.late = 0  # times that another process had the lock for too long; it tries again when it is its turn
        self.pid, self.pipe = 0, -1
        self._rest = b""
        self._said = False  # anything since its start

    def start(self, *, is_last: bool = False) -> None:
        """Fork the next process. The pipe's other end is the child's alone, so that it ends with it."""
        first = max(self.tried, default=0) + 1
        pending = tuple(number for number, acknowledged in self.tried.items() if not acknowledged)
        last = first if is_last else 1 << 30
        task = Task(self._directory, self.who, pending, first, last, self._control)
        self.pipe, other = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self.pipe)
            live(task, other)
            os._exit(0)
        os.close(other)
        self._rest, self._said = b"", False

    def hear(self) -> bool:
        """Take what was said; whether more can come."""
        said = os.read(self.pipe, 1 << 16)
        self._rest += said
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            self._take(line.decode())
        return bool(said)

    def _take(self, line: str) -> None:
        self._said = True
        kind, _, rest = line.partition(" ")
        if kind == "ODD":
            self.odd.append(rest)
        elif kind == "BUSY":
            self.late += 1
        elif kind == "TRY":
            self.tried.setdefault(int(rest), False)
        else:
            self.tried[int(rest)] = True

    def kill(self) -> str:
        """Kill it; in which state it was, empty when it had ended by itself."""
        os.kill(self.pid, signal.SIGKILL)
        return self.bury()

    def bury(self) -> str:
        """Wait for its end and hear the last of it; in which state a kill met it."""
        _, status = os.waitpid(self.pid, 0)
        while self.hear():
            pass
        os.close(self.pipe)
        self.pid, self.pipe = 0, -1
        if not os.WIFSIGNALED(status):
            return ""
        if not self._said:
            return "opening"
        return "idle" if all(self.tried.values()) else "appending"


class Played(NamedTuple):
    """What one journal went through."""

    kills: Counter[str]  # by who and by state
    events: int
    acknowledged: int
    again: int  # appends that were tried again
    late: int  # told that another process has the lock
    broken: list[Broken]
    seconds: float


def play(directory: Path, *, kills: int, chance: random.Random, control: str = "") -> Played:
    """One journal, so many kills, and the laws."""
    begun = time.monotonic()
    with open_journal(directory, clock=SystemClock()) as journal:
        queued = e.RunQueued(run="m.1", mission="m", agent="a", driver="d", branch="b", base_commit="c")
        journal.append([Proposed(stream="run/m.1", payload=queued, actor="aee")])
    writers = [Writer(who, directory, control=control) for who in WHO]
    counted: Counter[str] = Counter()
    for writer in writers:
        writer.start()
    again = 0
    while counted["kills"] < kills:
        _listen(writers, time.monotonic() + chance.uniform(SHORTEST_S, LONGEST_S))
        struck = writers if chance.random() < ALL_AT_ONCE else [chance.choice(writers)]
        for writer in struck:
            os.kill(writer.pid, signal.SIGKILL)
        for writer in struck:
            state = writer.bury()
            counted.update(("kills", writer.who, state) if state else ("ended",))
        for writer in struck:
            again += sum(not acknowledged for acknowledged in writer.tried.values())
            writer.start()
    broken = _ended(writers, chance)
    broken += _judged(directory, writers)
    acknowledged = sum(sum(writer.tried.values()) for writer in writers)
    with open_journal(directory, clock=SystemClock(), read_only=True) as journal:
        late = sum(writer.late for writer in writers)
        return Played(counted, journal.last_seq(), acknowledged, again, late, broken, time.monotonic() - begun)


def _listen(writers: list[Writer], until: float) -> None:
    """Hear all of them until that moment. One that ended by itself is left until it is struck."""
    with selectors.DefaultSelector() as selector:
        for writer in writers:
            selector.register(writer.pipe, selectors.EVENT_READ, writer)
        while selector.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if not key.data.hear():
                    selector.unregister(key.fd)


def _ended(writers: list[Writer], chance: random.Random) -> list[Broken]:
    """Kill all, then have each try again what is pending and end by itself."""
    _listen(writers, time.monotonic() + chance.uniform(SHORTEST_S, LONGEST_S))
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
    for writer in writers:
        writer.bury()
    broken = []
    for _ in range(LAST_TRIES):
        behind = [writer for writer in writers if not all(writer.tried.values())]
        for writer in behind:
            writer.start(is_last=True)
        _listen(behind, time.monotonic() + PATIENCE_S)
        late = [writer.who for writer in behind if writer.kill()]
        broken += [Broken("hindered", f"{who} did not come to its end within {PATIENCE_S:.0f} s") for who in late]
    return broken + [Broken("hindered", sentence) for writer in writers for sentence in writer.odd]


# --- the laws ---


def _judged(directory: Path, writers: list[Writer]) -> list[Broken]:
    with open_journal(directory, clock=SystemClock()) as journal:
        events = journal.read_all(limit=1 << 30)
        broken = [Broken("lost", sentence) for sentence in _lost(events, writers)]
        broken += [Broken("doubled", sentence) for sentence in _doubled(events)]
        broken += [Broken("gaps", sentence) for sentence in _gaps(events)]
        report = verify(journal)
        broken += [Broken("unsound", f"{fault.text} ({fault.stream} {fault.seq})") for fault in report.problems]
        before = _projections(journal)
        rebuild(journal)
        if _projections(journal) != before:
            broken.append(Broken("rebuilt differently", "a refold of all events gives other projections"))
    return broken


def _projections(journal: SqliteJournal) -> dict[str, list[tuple[object, ...]]]:
    with journal.transaction() as (connection, _):
        return projections.dump(connection)


def _lost(events: list[Event], writers: list[Writer]) -> Iterator[str]:
    stored = {event.id for event in events}
    answered = {event.payload.consultation for event in events if isinstance(event.payload, e.ConsultationResolved)}
    for writer in writers:
        for number, acknowledged in writer.tried.items():
            if not acknowledged:
                yield f"{writer.who} {number} was tried again and never acknowledged"
            elif is_answer(writer.who, number) and asked(writer.who, number) not in answered:
                yield f"the answer {writer.who} {number} was acknowledged and is gone"
            elif not is_answer(writer.who, number) and not stored.issuperset(ids_of(writer.who, number)):
                yield f"{writer.who} {number} was acknowledged and is gone"


def _doubled(events: list[Event]) -> Iterator[str]:
    """What stands twice: by its id, an answer by its question, a fact about evidence by its key."""
    named = Counter[str](event.id for event in events)
    for event in events:
        if isinstance(event.payload, e.ConsultationResolved | e.ConsultationRaised):
            named[f"{event.kind} of {event.payload.consultation}"] += 1
        if isinstance(event.payload, e.EvidenceCached):
            named[f"evidence {event.payload.key}"] += 1
    yield from (f"{name} stands {count} times" for name, count in named.items() if count > 1)


def _gaps(events: list[Event]) -> Iterator[str]:
    heads: dict[str, tuple[int, str]] = {}
    for place, event in enumerate(events, start=1):
        version, before = heads.get(event.stream, (0, GENESIS))
        if event.seq != place or event.version != version + 1 or event.prev_hash != before:
            yield f"event {event.seq} at place {place} has version {event.version} after {version} of {event.stream}"
        heads[event.stream] = (event.version, event.hash)


def main(arguments: list[str] | None = None) -> int:
    """Kill, judge, print."""
    parser = argparse.ArgumentParser(prog="writers", description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--under", type=Path, default=None)
    parser.add_argument("--control", choices=("hasty", "nameless"), default="")
    asked_for = parser.parse_args(arguments)
    played: list[Played] = []
    while (done := sum(one.kills["kills"] for one in played)) < asked_for.kills:
        chance = random.Random(f"{asked_for.seed}-{len(played)}")
        with tempfile.TemporaryDirectory(prefix="writers-", dir=asked_for.under) as directory:
            count = min(KILLS_A_JOURNAL, asked_for.kills - done)
            played.append(play(Path(directory) / "journal", kills=count, chance=chance, control=asked_for.control))
        for broken in played[-1].broken[:20]:
            print(f"journal {len(played)}: {broken.law}: {broken.sentence}", flush=True)
        if sys.stdout.isatty() or len(played) % 10 == 0:
            print(f"{done + played[-1].kills['kills']} kills", flush=True)
    print(_table(played, asked_for.seed))
    return int(any(one.broken for one in played))


def _table(played: list[Played], seed: int) -> str:
    kills = sum((one.kills for one in played), Counter[str]())
    seconds = sum(one.seconds for one in played)
    broken = Counter(broken.law for one in played for broken in one.broken)
    columns = {
        "seed": seed,
        "kills": kills["kills"],
        "AEE / people": f"{kills[AEE]} / {kills['kills'] - kills[AEE]}",
        "while opening / appending / idle": f"{kills['opening']} / {kills['appending']} / {kills['idle']}",
        "journals": len(played),
        "events": sum(one.events for one in played),
        "acknowledged appends": sum(one.acknowledged for one in played),
        "tried again": sum(one.again for one in played),
        "told that it is locked": sum(one.late for one in played),
        **{law: broken[law] for law in LAWS},
        "kills a second": f"{kills['kills'] / seconds:.0f}",
    }
    return "\n".join(
        (f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", f"| {' | '.join(map(str, columns.values()))} |")
    )


if __name__ == "__main__":
    sys.exit(main())
