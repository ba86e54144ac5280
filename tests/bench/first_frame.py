"""How soon the screens are painted in a real terminal, against a bare Textual app with a one-line footer of its own.

    python -m tests.bench.first_frame [--events N] [--runs N]

The journal holds so many runs and events. Prints `name, ours, yardstick, ratio`: seconds from the start of the process
until the footer's words arrive at the terminal, medians, in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.keys import terminal
from workbench.journal.clock import SystemClock
from workbench.journal.location import journal_directory
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.events import Proposed

TURNS = 9
MARK = b"filter"  # a word of our footer
BARE = """
from rich.segment import Segment
from textual.app import App
from textual.strip import Strip
from textual.widget import Widget

class Footer(Widget):
    DEFAULT_CSS = "Footer { dock: bottom; height: 1; }"
    def render_line(self, y):
        return Strip([Segment("hello filter")])

class Bare(App):
    ENABLE_COMMAND_PALETTE = False
    def compose(self):
        yield Footer()

Bare().run()
"""


def until_painted(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Seconds until `MARK` arrives in a pseudo-terminal; the program is ended then."""
    begun = time.perf_counter()
    with terminal(argv, cwd=cwd, env=dict(env)) as shown:
        shown.wait_for(MARK)
        return time.perf_counter() - begun


def filled(place: Path, env: Mapping[str, str], *, runs: int, events: int) -> Path:
    """A repository whose journal holds so many runs and events; most of the runs are over."""
    repository = place / "shop"
    repository.mkdir()
    for words in (("init", "-q", "-b", "main"), ("commit", "-q", "--allow-empty", "-m", "First")):
        subprocess.run(
            ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words], cwd=repository, env=dict(env), check=True
        )
    os.environ["XDG_STATE_HOME"] = env["XDG_STATE_HOME"]
    with open_journal(journal_directory(repository / ".git"), clock=SystemClock()) as journal:
        for start in range(0, runs, 500):
            journal.append([_queued(number) for number in range(start, min(runs, start + 500))])
        for start in range(0, events, 2000):
            journal.append([_thought(number, runs) for number in range(start, min(events, start + 2000))])
        for start in range(0, runs - 50, 500):
            journal.append([_over(number) for number in range(start, min(runs - 50, start + 500))])
    return repository


def _queued(number: int) -> Proposed:
    run = f"m-{number}.1"
    queued = e.RunQueued(run=run, mission=f"m-{number}", agent="a", driver="scripted", branch="b", base_commit="c")
    return Proposed(stream=f"run/{run}", payload=queued, actor="aee")


def _thought(number: int, runs: int) -> Proposed:
    run = f"m-{number % runs}.1"
    return Proposed(stream=f"run/{run}", payload=e.ThoughtRecorded(run=run, text=f"thought {number}"), actor="aee")


def _over(number: int) -> Proposed:
    run = f"m-{number}.1"
    return Proposed(stream=f"run/{run}", payload=e.RunEnded(run=run, outcome="stopped", reason=""), actor="aee")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        env = {**kept, "XDG_STATE_HOME": str(place / "state"), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        repository = filled(place, env, runs=asked.runs, events=asked.events)
        bare = place / "bare.py"
        bare.write_text(BARE)
        ours, theirs = [sys.executable, "-m", "workbench"], [sys.executable, str(bare)]
        pairs = [(until_painted(ours, repository, env), until_painted(theirs, place, env)) for _ in range(TURNS + 1)]
        mine, yardstick = (statistics.median(times) for times in zip(*pairs[1:], strict=True))
        ratio = statistics.median(one / other for one, other in pairs[1:])
        print("name, ours, yardstick, ratio")
        print(f"first frame over bare Textual, {mine:.3f} s, {yardstick:.3f} s, {ratio:.2f} (aim <= 1.35)")


if __name__ == "__main__":
    main()
