"""Fifty scripted agents at once, for an hour: nothing stalls, grows, is orphaned or left behind.

    python -m tests.soak.steady [--minutes 60] [--agents 50] [--under DIR]

Each agent looks around, waits between its acts as for a model, edits a file that hardly any other has now, and
delivers; one in three asks first. The first fifty have lives of different lengths, so that not all deliver at once.
Somebody answers, approves and merges, or rejects; somebody else starts a mission for each that is over; a third looks
on. Laws:

* no stall: a run that waits neither for a person nor for nothing has some event within `STALL_S`;
* flat: the AEE's memory in the last minutes is at most 5 % above that in the minutes after the first (medians);
* bounded: a finished mission of the second half keeps no more bytes than one of the first;
* no orphan: after `aee stop` no process, lock or half-made thing of it is left; the journal is sound.

Prints a line a minute and a table; exit code 1 when a law was broken.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.soak.invariants import left_behind, unsound
from tests.soak.killing import aee_pid
from tests.soak.person import Person
from workbench.core.next_step import next_step
from workbench.core.state import RunState
from workbench.journal.clock import SystemClock
from workbench.journal.store import SqliteJournal, open_journal

STALL_S = 120.0  # beyond the longest wait of an agent; a pack needs seconds, and the machine may be busy
LOOK_EVERY_S = 5.0
SLOTS = 1.2  # files for each agent; missions write them again, or the repository would grow with every merge
WARM = 1 / 6  # of the time: what comes before is not judged, and so long are the stretches that are compared
TRIES = 3  # of a start that is refused because others write
LOCKED = "the journal is locked by another process"
GROWTH = 1.05  # of the AEE's memory
SWELLING = 1.25  # of the bytes that a finished mission keeps: objects are packed now and then
ACTS, LEAST_ACTS = 20, 2  # of an agent
SHORTEST_WAIT, SPREAD = 10, 20  # seconds before an act
DRAIN_S = 900.0  # for what is live at the end
SCRIPT = """
agent: steady
steps:
{acts}
{ask}
  - edit: {{path: notes/{slot}.md, content: "{name}\\n"}}
  - submit: {{message: Add a note, rationale: {{approach: One file.}}}}
"""
ASK = (
    '  - ask: {{id: q1, summary: "Which name for {name}?", options: [{{id: A, label: Short}}, {{id: B, label: Long}}]}}'
)


class Look(NamedTuple):
    """The world at one moment."""

    at: float  # seconds since the first
    resident_kib: int  # of the AEE
    kept_kib: int  # in the state directory
    live: int  # runs that wait for no person
    waiting: int  # runs that do
    ended: int  # missions
    last_seq: int
    processor_s: float  # of the AEE itself
    longest_s: float  # without an event, of a run that wants a place or is at work


class World:
    """A repository, the people in it, and what was seen."""

    def __init__(self, root: Path, *, agents: int) -> None:
        self.root = root
        self.agents = agents
        self.started = 0
        self.looks: list[Look] = []
        self.broken: list[str] = []
        self.over = threading.Event()  # no mission is begun any more
        self.done = threading.Event()  # nobody does anything any more
        self.wanted = threading.Semaphore(0)  # missions to start
        self.asked_for = 0  # of these, in all
        self.refused = 0  # starts, as others wrote for too long: then one tries again, as one is told to
        self._news: dict[str, tuple[int, float]] = {}  # a run's version, and since when
        self._begun = time.monotonic()
        self._lay_out()

    def person(self) -> Person:
        """Somebody; each calls one command at a time."""
        person = Person(self.root)
        person.environment["WORKBENCH_RUN_MAX_RUNS"] = str(self.agents)
        return person

    def _lay_out(self) -> None:
        person = self.person()
        (person.repository / "tests").mkdir(parents=True)
        (person.repository / "shop.py").write_text("PRICE = 1\n")
        (person.repository / "tests" / "test_shop.py").write_text("def test_price():\n    assert True\n")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "First")):
            subprocess.run(["git", *words], cwd=person.repository, env=person.environment, check=True)

    # --- who starts ---

    def start_one(self, person: Person) -> None:
        """One more mission. The first ones are short and long, so that the later ones are spread over time."""
        number = self.started
        name = f"note-{number}"
        acts = ACTS if number >= self.agents else LEAST_ACTS + number * (ACTS - LEAST_ACTS) // self.agents
        waits = [SHORTEST_WAIT + 7 * (number + act) % SPREAD for act in range(acts)]
        script = self.root / f"{name}.yaml"
        script.write_text(
            SCRIPT.format(
                acts="\n".join(f"  - delay: {wait}\n  - read: shop.py" for wait in waits),
                ask=ASK.format(name=name) if number % 3 == 0 else "",
                name=name,
                slot=number % int(SLOTS * self.agents),
            )
        )
        try:
            for _ in range(TRIES):
                said = person.call("run", f"Write {name}", "--script", str(script), "--json")
                if not said.code or LOCKED not in said.err:
                    break
                self.refused += 1
        finally:
            self.started += 1
        if said.code:
            self.broken.append(f"{name} was not started: {said.err[-300:]}")

    def keep_starting(self) -> None:
        """Start what is wanted."""
        person = self.person()
        while not self.over.is_set():
            if self.wanted.acquire(timeout=1.0):
                with self._in_time():
                    self.start_one(person)

    # --- who decides ---

    def keep_deciding(self) -> None:
        """Attend to the inbox, oldest first."""
        person = self.person()
        while not self.done.is_set():
            rows: list[dict[str, Any]] = []
            with self._in_time():
                rows = person.rows("inbox")
            for row in rows:
                with self._in_time():
                    self._decide(person, row)
            if not rows:
                self.done.wait(LOOK_EVERY_S)

    @contextlib.contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            yield
        except subprocess.TimeoutExpired as late:
            self.broken.append(f"{late.cmd} did not end within {late.timeout:.0f} s")

    def _decide(self, person: Person, row: dict[str, Any]) -> None:
        why = ("--why", "as the evidence shows", "--json")
        if row["kind"] == "crp":
            person.call("answer", row["id"], "--option", "A", *why)
        elif row["kind"] == "mrp" and int(row["mission"].rpartition("-")[2]) % 2:
            person.call("reject", row["id"], *why)
        elif row["kind"] == "mrp":
            person.call("approve", row["id"], *why)
            if person.call("merge", row["id"], "--json").code:
                person.call("reject", row["id"], *why)
        else:
            self.broken.append(f"{row['run']}: {row['title']}")
            person.call("stop", row["run"], *why)

    # --- who looks on ---

    def look(self, person: Person, journal: SqliteJournal) -> Look:
        """What is measured, and who stalls."""
        now = time.monotonic()
        runs = journal.runs(live=True)
        goes_on = [run for run in runs if run.step is not None or next_step(run) is not None]
        pid = aee_pid(person)
        resident, processor = _of_process(pid)
        if not resident:
            self.broken.append("the AEE is gone")
        held = subprocess.run(["du", "-sk", str(person.journal)], capture_output=True, text=True, check=False)
        found = Look(
            at=now - self._begun,
            resident_kib=resident,
            kept_kib=int(held.stdout.split()[0]) if held.stdout else 0,
            live=len(goes_on),
            waiting=len(runs) - len(goes_on),
            ended=sum(bool(mission.outcome) for mission in journal.missions()),
            last_seq=journal.last_seq(),
            processor_s=processor,
            longest_s=max((self._without_news(run, now) for run in goes_on), default=0.0),
        )
        self.looks.append(found)
        return found

    def _without_news(self, run: RunState, now: float) -> float:
        version, since = self._news.get(run.id, (-1, now))
        if version != run.version:
            since = now
        elif now - since > SHORTEST_WAIT + SPREAD + STALL_S:
            self.broken.append(f"{run.id} had no event for {now - since:.0f} s, at work: {run.step}")
            since = now
        self._news[run.id] = (run.version, since)
        return now - since


def _of_process(pid: int) -> tuple[int, float]:
    """What a process holds (KiB) and the seconds of processor that it took."""
    try:
        place = Path(f"/proc/{pid}")
        spent = place.joinpath("stat").read_bytes().rpartition(b")")[2].split()[11:13]
        resident = int(place.joinpath("statm").read_text().split()[1]) * 4
    except (OSError, IndexError):
        return 0, 0.0
    return resident, sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")


def play(world: World, *, seconds: float) -> None:
    """Keep so many agents at work for so long, then let what is live come to its end."""
    person = world.person()
    world.start_one(person)
    hands = [threading.Thread(target=work, daemon=True) for work in (world.keep_starting, world.keep_deciding)]
    for hand in hands:
        hand.start()
    try:
        with open_journal(person.journal, clock=SystemClock(), read_only=True) as journal:
            _look_on(world, person, journal, seconds)
    finally:
        world.over.set()
        world.done.set()
        for hand in hands:
            hand.join()


def _look_on(world: World, person: Person, journal: SqliteJournal, seconds: float) -> None:
    told = -60.0
    while True:
        now = world.look(person, journal)
        if now.at >= told + 60.0:
            print(" ".join(f"{name}={value:.0f}" for name, value in now._asdict().items()), flush=True)
            told = now.at
        if now.at > seconds:
            world.over.set()
            if not now.live and not now.waiting:
                return
            if now.at > seconds + DRAIN_S:
                world.broken.append(f"{now.live + now.waiting} runs did not come to their end")
                return
        else:
            on_their_way = 1 + world.asked_for - world.started
            for _ in range(world.agents - now.live - now.waiting - on_their_way):
                world.asked_for += 1
                world.wanted.release()
        time.sleep(LOOK_EVERY_S)


def judged(world: World, *, seconds: float) -> None:
    """The laws of the end."""
    warm = WARM * seconds
    looks = [look for look in world.looks if warm <= look.at <= seconds]
    if not looks:
        return
    early = [look for look in looks if look.at <= 2 * warm]
    late = [look for look in looks if look.at >= seconds - warm]
    memory = [statistics.median(look.resident_kib for look in some) for some in (early, late)]
    middle = looks[len(looks) // 2]
    kept = [_kept_by_one(looks[0], middle), _kept_by_one(middle, looks[-1])]
    for what, (before, after), most in (
        ("memory of the AEE", memory, GROWTH),
        ("kept for a finished mission", kept, SWELLING),
    ):
        ratio = after / before if before > 0 else 1.0
        print(f"{what}: {before:.0f} KiB, then {after:.0f} KiB, {ratio:.3f}")
        if ratio > most:
            world.broken.append(f"{what} grew by {ratio:.3f}")
    print(f"live: {_spread(looks, lambda look: look.live)}; at a person: {_spread(looks, lambda look: look.waiting)}")
    print(f"longest without an event: {max(look.longest_s for look in world.looks):.0f} s")
    share = (looks[-1].processor_s - looks[0].processor_s) / (looks[-1].at - looks[0].at)
    print(f"the AEE: {100 * share:.1f} % of a core")
    person = world.person()
    person.call("aee", "stop", "--json")
    world.broken += [*left_behind(person), *unsound(person)]


def _kept_by_one(first: Look, last: Look) -> float:
    return (last.kept_kib - first.kept_kib) / max(1, last.ended - first.ended)


def _spread(looks: list[Look], of: Callable[[Look], int]) -> str:
    values = sorted(map(of, looks))
    return f"{values[0]} to {values[-1]}, median {statistics.median(values):.0f}"


def main() -> int:
    """Play, print, judge."""
    parser = argparse.ArgumentParser(prog="steady", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--under", type=Path, default=None)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.under) as directory:
        world = World(Path(directory) / "world", agents=asked.agents)
        try:
            play(world, seconds=60 * asked.minutes)
        finally:
            judged(world, seconds=60 * asked.minutes)
    print(f"starts that were refused for a moment: {world.refused}")
    print(f"{world.started} missions, {world.looks[-1].last_seq} events, {len(world.broken)} broken laws")
    for sentence in world.broken:
        print(f"  {sentence}")
    return int(bool(world.broken))


if __name__ == "__main__":
    sys.exit(main())
