"""Fifty scripted agents at once, for an hour: nothing stalls, grows, is orphaned or left behind.

    python -m tests.soak.steady [--minutes 60] [--agents 50] [--under DIR]

Each agent looks around, waits between its acts as for a model, edits a file of its own, and delivers; one in three asks
first. The person answers, approves and merges, or rejects, and starts another mission for each that is over. Laws:

* no stall: while anything is queued or at work, some event comes within `STALL_S`;
* flat: the AEE's memory in the last quarter is at most 5 % above that in the second one (medians);
* bounded: what the state directory holds for each live run does not grow (last quarter over second one);
* no orphan: after `aee stop` no process, lock or half-made thing of it is left; the journal is sound.

Prints a line a minute and a table; exit code 1 when a law was broken.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.soak.invariants import left_behind, unsound
from tests.soak.killing import aee_pid
from tests.soak.person import Person
from workbench.journal.clock import SystemClock
from workbench.journal.store import SqliteJournal, open_journal

STALL_S = 60.0
LOOK_EVERY_S = 5.0
GROWTH = 1.05  # of the AEE's memory
SWELLING = 1.25  # of the bytes kept for each mission so far: objects are packed now and then
ACTS = 12  # of an agent, with a wait of 10 to 29 s before each
STARTS = 3  # missions at most between two decisions
SCRIPT = """
agent: steady
steps:
{acts}
{ask}
  - edit: {{path: notes/{name}.md, content: "done\\n"}}
  - submit: {{message: Add a note, rationale: {{approach: One file.}}}}
"""
ASK = (
    '  - ask: {{id: q1, summary: "Which name for {name}?", options: [{{id: A, label: Short}}, {{id: B, label: Long}}]}}'
)


class Look(NamedTuple):
    """The world at one moment."""

    at: float
    resident_kib: int  # of the AEE
    kept_kib: int  # in the state directory
    live: int  # runs
    missions: int
    last_seq: int


class World:
    """A repository, its person, and what was seen."""

    def __init__(self, root: Path, *, agents: int) -> None:
        self.person = Person(root)
        self.agents = agents
        self.started = 0
        self.looks: list[Look] = []
        self.broken: list[str] = []
        self._lay_out()

    def _lay_out(self) -> None:
        repository = self.person.repository
        (repository / "tests").mkdir(parents=True)
        (repository / "shop.py").write_text("PRICE = 1\n")
        (repository / "tests" / "test_shop.py").write_text("def test_price():\n    assert True\n")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "First")):
            subprocess.run(["git", *words], cwd=repository, env=self.person.environment, check=True)
        self.person.environment["WORKBENCH_RUN_MAX_RUNS"] = str(self.agents)

    def start_one(self) -> None:
        """One more mission."""
        name = f"note-{self.started}"
        acts = "\n".join(f"  - delay: {10 + 7 * (self.started + n) % 20}\n  - read: shop.py" for n in range(ACTS))
        script = self.person.root / f"{name}.yaml"
        ask = ASK.format(name=name) if self.started % 3 == 0 else ""
        script.write_text(SCRIPT.format(acts=acts, ask=ask, name=name))
        said = self.person.call("run", f"Write {name}", "--script", str(script), "--json")
        if said.code:
            self.broken.append(f"{name} was not started: {said.err[-300:]}")
        self.started += 1

    def decide_one(self) -> bool:
        """Attend to what waits longest; whether there was anything."""
        rows = self.person.rows("inbox")
        if not rows:
            return False
        row = rows[0]
        why = ("--why", "as the evidence shows", "--json")
        if row["kind"] == "crp":
            self.person.call("answer", row["id"], "--option", "A", *why)
        elif row["kind"] == "mrp" and int(row["mission"].rpartition("-")[2]) % 2:
            self.person.call("reject", row["id"], *why)
        elif row["kind"] == "mrp":
            self.person.call("approve", row["id"], *why)
            if self.person.call("merge", row["id"], "--json").code:
                self.person.call("reject", row["id"], *why)
        else:
            self.broken.append(f"{row['run']}: {row['title']}")
            self.person.call("stop", row["run"], *why)
        return True

    def look(self, journal: SqliteJournal) -> Look:
        """What is measured."""
        live = [run for run in journal.runs(live=True) if not run.to_decide]
        pid = aee_pid(self.person)
        resident = _resident_kib(pid)
        if not resident:
            self.broken.append("the AEE is gone")
        held = subprocess.run(["du", "-sk", str(self.person.journal)], capture_output=True, text=True, check=False)
        kept = int(held.stdout.split()[0]) if held.stdout else 0
        found = Look(time.monotonic(), resident, kept, len(live), len(journal.missions()), journal.last_seq())
        self._judge_stall(found)
        self.looks.append(found)
        return found

    def _judge_stall(self, now: Look) -> None:
        since = next((look for look in self.looks if look.last_seq == now.last_seq), None)
        if since is not None and now.live and now.at - since.at > STALL_S:
            self.broken.append(f"nothing happened for {now.at - since.at:.0f} s while {now.live} runs were live")


def _resident_kib(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4
    except (OSError, IndexError):
        return 0


def play(world: World, *, seconds: float) -> None:
    """Keep so many agents at work for so long, then let what is live come to its end."""
    for _ in range(world.agents):
        world.start_one()
    over = time.monotonic() + seconds
    told = 0.0
    with open_journal(world.person.journal, clock=SystemClock(), read_only=True) as journal:
        while True:
            now = world.look(journal)
            if now.at >= told:
                print(f"{len(world.looks):5} looks, {now}", flush=True)
                told = now.at + 60.0
            acted = world.decide_one()
            if now.at < over:
                for _ in range(min(STARTS, world.agents - now.live)):
                    world.start_one()
                    acted = True
            elif not acted and not now.live:
                return
            elif now.at > over + 900.0:
                world.broken.append(f"{now.live} runs did not come to their end")
                return
            if not acted:
                time.sleep(LOOK_EVERY_S)


def judged(world: World) -> None:
    """The laws of the end."""
    quarter = len(world.looks) // 4
    second, last = world.looks[quarter : 2 * quarter], world.looks[3 * quarter :]
    for what, most, of in (
        ("memory of the AEE", GROWTH, lambda look: float(look.resident_kib)),
        ("disk for each mission", SWELLING, lambda look: look.kept_kib / max(1, look.missions)),
    ):
        early, late = statistics.median(map(of, second)), statistics.median(map(of, last))
        print(f"{what}: {early:.0f} KiB in the second quarter, {late:.0f} KiB in the last, {late / early:.3f}")
        if late > most * early:
            world.broken.append(f"{what} grew by {late / early:.3f}")
    world.person.call("aee", "stop", "--json")
    world.broken += [*left_behind(world.person), *unsound(world.person)]


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
            judged(world)
    print(f"{world.started} missions, {world.looks[-1].last_seq} events, {len(world.broken)} broken laws")
    for sentence in world.broken:
        print(f"  {sentence}")
    return int(bool(world.broken))


if __name__ == "__main__":
    sys.exit(main())
