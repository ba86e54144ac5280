"""Kills at random moments of the demo, and what must hold afterwards.

    python -m tests.soak.crashes [--rounds 200] [--seed S] [--keep]

Each round lays out the demo in a place of its own, drives it by the command line, and kills, without warning, the AEE,
a run child or the command; in every other round everything at once, sandboxes included. Then the person goes on.
Prints a line for each round and a table at the end; exit code 1 when any law was broken.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.soak.driving import Driver
from tests.soak.invariants import BY_NAME, Witness, events_of, judged
from tests.soak.killing import Killer
from tests.soak.person import Person

FROM_THE_START = 0.15  # of the rounds: the killer is there before the first command


class Round(NamedTuple):
    """One demo: how it was disturbed, and which laws were broken."""

    number: int
    kind: str
    killed: Counter[str]
    events: int
    broken: dict[str, list[str]]
    seconds: float


def play(root: Path, *, number: int, seed: int) -> Round:
    """One round in an empty directory; the same seed makes the same plan, if not the same moments."""
    rng = random.Random(f"{seed}-{number}")
    person = Person(root)
    began = time.monotonic()
    all_at_once = number % 2 == 0
    killer = Killer(person, rng, moments=rng.randint(1, 4), all_at_once=all_at_once)
    driver, witness = Driver(person, rng), Witness(person)
    early = rng.random() < FROM_THE_START
    if early:
        killer.start()
    driver.begin()
    witness.start()
    if not early:
        killer.start()
    driver.drive()
    killer.end()
    witness.end()
    broken = judged(person, witness, driver.told, driver.odd)
    kind = "everything at once" if all_at_once else "one process"
    return Round(number, kind, killer.killed, len(events_of(person)), broken, time.monotonic() - began)


def main(arguments: list[str] | None = None) -> int:
    """Play the rounds."""
    parser = argparse.ArgumentParser(prog="crashes", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="number of the first round, to repeat one")
    parser.add_argument("--keep", action="store_true", help="keep the directories of broken rounds")
    parser.add_argument("--under", type=Path, default=None, help="where the worlds are made")
    options = parser.parse_args(arguments)
    rounds = []
    for number in range(options.first, options.first + options.rounds):
        root = Path(tempfile.mkdtemp(prefix="crash-", dir=options.under))
        rounds.append(played := play(root, number=number, seed=options.seed))
        _say(played)
        if options.keep and any(played.broken.values()):
            print(f"    kept: {root}", flush=True)
        else:
            shutil.rmtree(root, ignore_errors=True)
    _table(rounds)
    return int(any(any(played.broken.values()) for played in rounds))


def _say(played: Round) -> None:
    killed = ", ".join(f"{kind} {count}" for kind, count in sorted(played.killed.items())) or "nothing"
    print(f"round {played.number}: killed {killed}; {played.events} events; {played.seconds:.1f} s", flush=True)
    for law, sentences in played.broken.items():
        for sentence in sentences:
            print(f"    {law}: {sentence}", flush=True)


def _table(rounds: list[Round]) -> None:
    print(
        f"\n| rounds | n | moments (AEE / child / command / all) | events | {' | '.join(BY_NAME)} | seconds a round |"
    )
    print(f"|---|---|---|---|{'---|' * len(BY_NAME)}---|")
    for kind in sorted({played.kind for played in rounds}):
        some = [played for played in rounds if played.kind == kind]
        killed: Counter[str] = sum((played.killed for played in some), Counter())
        moments = " / ".join(str(killed[name]) for name in ("aee", "child", "command", "tree"))
        broken = " | ".join(str(sum(len(played.broken.get(law, ())) for played in some)) for law in BY_NAME)
        seconds = sum(played.seconds for played in some) / len(some)
        events = sum(played.events for played in some)
        print(f"| {kind} | {len(some)} | {moments} | {events} | {broken} | {seconds:.0f} |")


if __name__ == "__main__":
    sys.exit(main())
