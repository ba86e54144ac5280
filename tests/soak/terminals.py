"""The screens are left, ended, killed, resized and lose their terminal at random moments, while agents work.

    python -m tests.soak.terminals [--rounds 200] [--seed S] [--under DIR]

Real agents ask real questions in a repository; each round opens the screens in a real terminal, presses random keys,
answers a question now and then, and ends them at a random moment in one of six ways. Laws, looked at after each round
and at the end:

* restored: whoever could still write to the terminal left it as it was (not after kill -9, which nobody survives);
* kept: an answer that a screen said to be recorded stands in the journal;
* going on: the AEE is the same process as before, and every answered mission comes to its pack;
* sound: `journal verify` is clean, and no screen failed (`screens.log` beside the journal).

Prints a table; exit code 1 when a law was broken.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.terminal.pseudo import PseudoTerminal
from workbench.ace.tui.app import LOG
from workbench.ace.wiring.workplace import Workplace

MISSIONS = 12
WAYS = ("leave", "terminate", "hang up", "kill", "lose", "resize and leave")
KEYS = ("j", "k", "\r", "\x1b", "\t", "g", "i", "m", "?", "w", "/", "n", "r", "J", "K", "Z", ".", "\x1b[B", "\x1b[A")
SIZES = ((80, 24), (160, 45), (60, 18), (100, 30))
PATIENCE_S = 120.0
LEFT, CURSOR, MOUSE = b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"
RECORDED = re.compile(r"recorded (VCR-[\w.-]+)")
SCRIPT = """
agent: asker
steps:
  - ask: {{summary: "Which name for {number}?", options: [{{id: A, label: Short}}, {{id: B, label: Long}}]}}
  - edit: {{path: notes-{number}.md, content: "done\\n"}}
  - submit: {{message: Add notes, rationale: {{approach: One file.}}}}
"""


class Tally(NamedTuple):
    """What happened, and every broken law in a sentence."""

    ways: Counter[str]
    recorded: set[str]
    broken: list[str]


def laid_out(under: Path) -> tuple[Path, dict[str, str]]:
    """A repository whose agents ask, and the environment in which everything runs."""
    repository = under / "shop"
    home = under / "home"
    home.mkdir(parents=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "WORKBENCH_", "NO_COLOR"))
    }
    homes = {f"XDG_{name}_HOME": str(under / name.lower()) for name in ("STATE", "CONFIG", "CACHE")}
    env = {**kept, **homes, "HOME": str(home), "COLORTERM": "truecolor"}
    os.environ.update(homes, HOME=str(home))
    repository.mkdir()
    (repository / "shop.py").write_text("PRICE = 1\n")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "First")):
        subprocess.run(["git", *words], cwd=repository, env=env, check=True)
    for number in range(MISSIONS):
        script = under / f"agent-{number}.yaml"
        script.write_text(SCRIPT.format(number=number))
        call(repository, env, "run", f"Choose a name for {number}", "--script", str(script))
    return repository, env


def call(repository: Path, env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The command line."""
    argv = [sys.executable, "-m", "workbench", *words]
    return subprocess.run(argv, cwd=repository, env=env, capture_output=True, text=True, check=False)


def play(repository: Path, env: dict[str, str], *, rounds: int, chance: random.Random) -> Tally:
    """So many rounds."""
    tally = Tally(Counter(), set(), [])
    aee = aee_pid(repository)
    for number in range(rounds):
        way = chance.choice(WAYS)
        tally.ways[way] += 1
        with PseudoTerminal(repository, env, size=chance.choice(SIZES)) as terminal:
            live(terminal, chance)
            code = ended(terminal, way, chance)
            tally.recorded.update(RECORDED.findall(terminal.raw.decode("utf-8", "replace")))
            if way not in ("kill", "lose") and not is_restored(terminal):
                tally.broken.append(f"round {number}: {way} (exit code {code}) left the terminal as the screens had it")
        if aee_pid(repository) != aee:
            tally.broken.append(f"round {number}: after {way} the AEE is another process, or none")
            aee = aee_pid(repository)
    return tally


def live(terminal: PseudoTerminal, chance: random.Random) -> None:
    """Some seconds of a person's life, or less."""
    until = time.monotonic() + chance.uniform(0.1, 2.5)
    if chance.random() < 0.7:
        terminal.sees("help")
        if chance.random() < 0.4:
            answer(terminal, chance)
    while time.monotonic() < until:
        terminal.type(chance.choice(KEYS))
        if chance.random() < 0.1:
            terminal.resize(*chance.choice(SIZES))
        listen(terminal, chance.uniform(0.0, 0.15))  # to the end: faster than any key repeat is nobody's life


def answer(terminal: PseudoTerminal, chance: random.Random) -> None:
    """From home: open the first question, choose, say why, send; whatever follows may come before it is recorded."""
    for keys, seconds in (
        ("gg", 0.3),
        ("\r", 0.8),
        (chance.choice("12"), 0.8),
        ("because it fits", 0.8),
        ("\x13", 0.0),
    ):
        terminal.type(keys)
        listen(terminal, seconds)
    listen(terminal, chance.uniform(0.0, 1.5))


def listen(terminal: PseudoTerminal, seconds: float) -> None:
    """Read for so long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        terminal.read(left)


def ended(terminal: PseudoTerminal, way: str, chance: random.Random) -> int:
    """End the screens in one way; the exit code."""
    pid = terminal.process.pid
    if way == "lose":
        terminal.lose()
        return int(terminal.process.wait(timeout=30))
    if way == "resize and leave":
        for _ in range(5):
            terminal.resize(*chance.choice(SIZES))
    signals = {"terminate": signal.SIGTERM, "hang up": signal.SIGHUP, "kill": signal.SIGKILL}
    if way in signals:
        os.kill(pid, signals[way])
    else:
        leave(terminal)
    return terminal.ends()


def leave(terminal: PseudoTerminal) -> None:
    """`Esc` until nothing is left to leave."""
    for _ in range(60):
        if terminal.process.poll() is not None:
            return
        terminal.type("\x1b")
        listen(terminal, 0.3)


def is_restored(terminal: PseudoTerminal) -> bool:
    """Whether the terminal is as it was, also when the program was ended before it took it."""
    raw = terminal.raw
    if b"\x1b[?1049h" not in raw:
        return bool(terminal.modes == terminal.modes_before)
    shown = raw.rfind(CURSOR) > raw.rfind(b"\x1b[?25l")
    return LEFT in raw and shown and MOUSE in raw and bool(terminal.modes == terminal.modes_before)


def aee_pid(repository: Path) -> int:
    """The process that serves the repository; 0 when none does."""
    with Workplace(repository) as place:
        found: Any = place.presence()
    return int(found.pid or 0) if found.state == "running" else 0


def judged(repository: Path, env: dict[str, str], tally: Tally) -> None:
    """The laws of the end."""
    with Workplace(repository) as place, place.reading() as ledger:
        known = {question.resolution for question in ledger.consultations() if question.resolution}
        log = place.journal_directory / LOG
        if log.exists() and log.read_text():
            tally.broken.append(f"a screen failed: {log.read_text()[-400:]}")
    tally.broken.extend(f"{name} was said to be recorded, and is not in the journal" for name in tally.recorded - known)
    tally.broken.extend(f"{run} did not come to its pack" for run in answered_to_the_end(repository, env))
    verified = call(repository, env, "journal", "verify")
    if verified.returncode:
        tally.broken.append(f"journal verify: {verified.stdout} {verified.stderr}")


def answered_to_the_end(repository: Path, env: dict[str, str]) -> list[str]:
    """Answer all that is asked, also by agents that had no turn yet, until each run has its pack; those without."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with Workplace(repository) as place, place.reading() as ledger:
            asked = [question.id for question in ledger.consultations(is_open=True)]
            late = [run.id for run in ledger.runs() if not run.pack]
        if not late or time.monotonic() > until:
            return late
        for question in asked:
            call(repository, env, "answer", question, "--option", "A", "--why", "to come to an end")
        time.sleep(0.2)


def main() -> int:
    """Play, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--under", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        repository, env = laid_out((asked.under or Path(directory)) / "terminals")
        begun = time.monotonic()
        try:
            tally = play(repository, env, rounds=asked.rounds, chance=random.Random(asked.seed))
            judged(repository, env, tally)
        finally:
            call(repository, env, "aee", "stop")
    ways = ", ".join(f"{way} {count}" for way, count in tally.ways.most_common())
    print(f"seed {asked.seed}: {asked.rounds} rounds in {time.monotonic() - begun:.0f} s ({ways})")
    print(f"answers that a screen said to be recorded: {len(tally.recorded)}; broken laws: {len(tally.broken)}")
    for sentence in tally.broken:
        print(f"  {sentence}")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
