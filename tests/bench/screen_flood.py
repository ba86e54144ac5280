"""How soon a key is answered while fifty runs stream into the journal, and whether all of it reaches the screen.

    python -m tests.bench.screen_flood [--rate N ...]

A process of its own appends so many events a second, as the AEE does. Prints `name, ours, yardstick, ratio`:
milliseconds from the byte of a key to the first byte painted after it, against the same idle; then what the flood's
last event is after its end, on screen, and how much of a core the screens used.
"""

from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.keys import Terminal, at, environment, terminal
from workbench.journal.clock import SystemClock
from workbench.journal.group import GroupCommit
from workbench.journal.location import journal_directory
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.events import Proposed

RUNS = 50
KEYS = 300
PACE_S = 0.03  # between two keys, as fast as a hand repeats
GATHERED = 100  # events of one submission
FLOOD = "--flood"


def make(repository: Path) -> None:
    """Fifty missions with a run each."""
    with open_journal(journal_directory(repository / ".git"), clock=SystemClock()) as journal:
        for number in range(RUNS):
            mission, run = f"m{number:02}", f"m{number:02}.1"
            started = e.MissionStarted(
                mission=mission, title=f"Mission {number}", brief=e.Pin(id=mission), base_ref="refs/heads/main",
                base_commit="c" * 40, into="refs/heads/main",
            )  # fmt: skip
            queued = e.RunQueued(
                run=run, mission=mission, agent="a", driver="scripted", branch="b", base_commit="c" * 40
            )
            begun = e.StepStarted(run=run, step="turn", number=1, attempt=1, epoch=1, aee="bench")
            journal.append(
                [
                    Proposed(stream=f"mission/{mission}", payload=started, actor="human:a"),
                    Proposed(stream=f"run/{run}", payload=queued, actor="aee"),
                    Proposed(stream=f"run/{run}", payload=begun, actor="aee"),
                ]
            )


def flood(repository: Path, rate: int) -> None:
    """Append `rate` thoughts a second until stdin ends, then a last one that says it is the last."""
    directory = journal_directory(repository / ".git")
    with open_journal(directory, clock=SystemClock()) as journal, GroupCommit(journal) as grouped:
        begun, sent = time.monotonic(), 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            due = begun + sent / rate
            time.sleep(max(0.0, due - time.monotonic()))
            pending = grouped.submit([_thought(sent + n, f"thought {sent + n}") for n in range(GATHERED)])
            sent += GATHERED
        pending.result()
        took = time.monotonic() - begun
        grouped.append([_thought(0, "the very last thought")])
    print(f"{sent / took:.0f}")


def _thought(number: int, text: str) -> Proposed:
    run = f"m{number % RUNS:02}.1"
    return Proposed(stream=f"run/{run}", payload=e.ThoughtRecorded(run=run, text=text), actor=f"agent:{run}")


def waits(shown: Terminal, keys: int) -> list[float]:
    """The waits for keys that are pressed at a hand's pace, whatever else is painted meanwhile; shortest first.

    A cursor that moves paints its bar: the first output that holds it after the key is its answer.
    """
    found = []
    for number in range(keys):
        shown.drain_now()
        found.append(shown.answered_with(b"k" if number % 2 else b"j", "▌".encode()))
        time.sleep(PACE_S)
    return sorted(found)


def measured(repository: Path, env: dict[str, str], rate: int) -> None:
    """One rate: keys idle and flooded, on the missions screen."""
    with terminal([sys.executable, "-m", "workbench"], cwd=repository, env=env) as shown:
        shown.wait_for(b"filter")
        os.write(shown.leader, b"gm")
        shown.wait_for(b"Mission")
        shown.drain(1.0)
        idle = waits(shown, KEYS)
        argv = [sys.executable, "-m", "tests.bench.screen_flood", FLOOD, str(rate), str(repository)]
        writer = subprocess.Popen(
            argv,
            cwd=Path.cwd(),
            env={**env, "PYTHONPATH": str(Path.cwd())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.0)
        used, begun = cpu_seconds(shown.process.pid), time.monotonic()
        flooded = waits(shown, KEYS)
        share = (cpu_seconds(shown.process.pid) - used) / (time.monotonic() - begun)
        reached = float(writer.communicate()[0])
        ended = time.monotonic()
        shown.wait_for(b"the very last thought")
        late = (time.monotonic() - ended) * 1000
    name = f"key to repaint under {rate} events/s"
    for word, part, aim in (("p50", 0.5, ""), ("p99", 0.99, " (aim 50 ms)"), ("longest", 1.0, "")):
        mine, other = at(flooded, part), at(idle, part)
        print(f"{name}, {word}, {mine:.2f} ms, idle {other:.2f} ms, {mine / other:.2f}{aim}")
    print(f"{name}: {reached:.0f}/s reached, {share:.0%} of a core, the last event on screen after {late:.0f} ms")


def cpu_seconds(pid: int) -> float:
    """Processor seconds of a process so far (proc(5))."""
    fields = re.sub(r"^.*\) ", "", Path(f"/proc/{pid}/stat").read_text()).split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure."""
    if sys.argv[1:2] == [FLOOD]:
        flood(Path(sys.argv[3]), int(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, action="append")
    rates = parser.parse_args().rate or [5_000, 20_000]
    for rate in rates:
        with tempfile.TemporaryDirectory() as directory:
            place = Path(directory)
            repository = place / "shop"
            subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
            env = environment(place)
            os.environ["XDG_STATE_HOME"] = env["XDG_STATE_HOME"]
            make(repository)
            measured(repository, env, rate)


if __name__ == "__main__":
    main()
