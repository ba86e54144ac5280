"""Two people answer one question at the same instant, from two processes.

    python -m tests.soak.races [--rounds 1000] [--seed S]

Each time exactly one answer stands, and the other person is told who answered. Prints a table; exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from workbench.ace.wiring.deciding import decide
from workbench.core.decide.consultation import raise_consultation, resolve
from workbench.core.decide.decision import Decision, on_run
from workbench.journal.clock import SystemClock
from workbench.journal.sqlite_journal import SqliteJournal
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.errors import AlreadyResolved
from workbench.ports import States

PEOPLE = {"Ada": "A", "Bob": "B"}
PATIENCE_S = 60.0


def question(number: int) -> e.ConsultationRaised:
    """The question of a round."""
    name = f"CRP-race.1-{number}"
    document = {"id": name, "summary": "Which one?"}
    return e.ConsultationRaised(
        consultation=name, mission="race", run="race.1", mode="blocking", category="technical", title="Which one?",
        options=tuple(PEOPLE.values()), document=document,
    )  # fmt: skip


def answer(journal: SqliteJournal, name: str, who: str) -> str:
    """`answered`, or whom the person was told to have been first; by the way that the command line goes."""

    def decision(states: States) -> Decision:
        asked = states.consultation(name)
        assert asked is not None  # all were raised before
        return resolve(asked, option=PEOPLE[who], rationale="better", decided_by=who, actor=f"human:{who}", at="")

    try:
        decide(journal, decision)
    except AlreadyResolved as told:
        return str(told.data["decided_by"])
    return "answered"


def person(who: str, directory: Path, rounds: int, barrier: Barrier, said: Any) -> None:
    """Answers every question as soon as the other person is ready for it, too."""
    with open_journal(directory, clock=SystemClock()) as journal:
        for number in range(1, rounds + 1):
            barrier.wait(PATIENCE_S)
            said.put((number, who, answer(journal, question(number).consultation, who)))


def play(directory: Path, rounds: int) -> tuple[Counter[str], list[str]]:
    """Who came first how often, and what was wrong."""
    context = multiprocessing.get_context("spawn")
    barrier, said = context.Barrier(len(PEOPLE)), context.Queue()
    with open_journal(directory, clock=SystemClock()) as journal:
        queued = e.RunQueued(run="race.1", mission="race", agent="a", driver="scripted", branch="b", base_commit="c")
        journal.append([on_run("race.1", queued)])
        journal.append([item for n in range(1, rounds + 1) for item in raise_consultation(question(n)).events])
        people = [context.Process(target=person, args=(who, directory, rounds, barrier, said)) for who in PEOPLE]
        for process in people:
            process.start()
        told = [said.get(timeout=PATIENCE_S) for _ in range(rounds * len(PEOPLE))]
        for process in people:
            process.join(PATIENCE_S)
        return _judged(journal, rounds, told)


def _judged(journal: SqliteJournal, rounds: int, told: list[tuple[int, str, str]]) -> tuple[Counter[str], list[str]]:
    first: Counter[str] = Counter()
    wrong = []
    for number in range(1, rounds + 1):
        stream = f"consultation/{question(number).consultation}"
        payloads = [event.payload for event in journal.read(stream)]
        stored = [payload.decided_by for payload in payloads if isinstance(payload, e.ConsultationResolved)]
        heard = {who: what for at, who, what in told if at == number}
        if len(stored) != 1:
            wrong.append(f"question {number} has {len(stored)} answers")
            continue
        first[stored[0]] += 1
        expected = {who: "answered" if who == stored[0] else stored[0] for who in PEOPLE}
        if heard != expected:
            wrong.append(f"question {number}: {stored[0]} was first, but they heard {heard}")
    return first, wrong


def main(arguments: list[str] | None = None) -> int:
    """Play the rounds."""
    parser = argparse.ArgumentParser(prog="races", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="races-") as directory:
        first, wrong = play(Path(directory) / "journal", options.rounds)
    print("\n".join(wrong[:20]))
    print(f"| questions | answered once | first: {' / '.join(PEOPLE)} | doubled or told wrongly | seconds |")
    print("|---" * 5 + "|")
    shares = " / ".join(str(first[who]) for who in PEOPLE)
    print(f"| {options.rounds} | {sum(first.values())} | {shares} | {len(wrong)} | {time.monotonic() - began:.1f} |")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
