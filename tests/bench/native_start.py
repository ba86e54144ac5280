"""How long it takes from the spawn of a run's child to the first request of our own loop, over importing the SDK.

A real AEE starts the child; the model is ours, in this process. Prints `name, ours, yardstick, ratio`: seconds by the
wall, medians, in turns. The kernel tells when a child began in hundredths of a second. `chrt -f 10` in front of the
command takes the place of a quiet machine: everything that it starts goes before other work.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.endtoend.repositories import Person
from workbench.testing.model_server.messages import PATH, Reply, messages_route
from workbench.testing.model_server.server import Received, Server

ROUNDS = 7
TICKS = os.sysconf("SC_CLK_TCK")
SDK = "import anthropic; anthropic.Anthropic"
SETTINGS = '[agents.loop]\ndriver = "native"\nmodel = "claude-haiku-4-5"\n'


class Model:
    """Notes when, since the machine's start, each run's first request comes."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.at = 0.0

    def __call__(self, _request: Received) -> Reply:
        if not self.heard.is_set():
            self.at = time.clock_gettime(time.CLOCK_BOOTTIME)
            self.heard.set()
        return Reply(text="That is all.")


def laid_out(place: Path, url: str) -> tuple[Person, Path]:
    """Somebody whose agent is our own loop, and a repository."""
    person, repository = Person(place / "home"), place / "shop"
    person.env |= {"ANTHROPIC_API_KEY": "no-key", "ANTHROPIC_BASE_URL": url}
    config = place / "home" / "config" / "workbench" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(SETTINGS)
    repository.mkdir()
    (repository / "shop.py").write_text("PRICE = 1\n")
    for words in (["init", "-q", "-b", "main"], ["add", "--all"], ["commit", "-q", "-m", "First"]):
        person.git(repository, *words)
    return person, repository


def one(person: Person, repository: Path, model: Model, number: int) -> float:
    """Seconds from the child's beginning to the first request of one mission."""
    model.heard.clear()
    started = person.types(repository, "run", f"Look around {number}", "--agent", "loop").one
    assert model.heard.wait(60), "the model was never asked"
    run = started["runs"][0]
    person.types(repository, "wait", started["mission"], "--timeout", "60")
    log = [json.loads(line) for line in person.types(repository, "log", run).out.splitlines()]
    begun: list[float] = [row["payload"]["started_ticks"] / TICKS for row in log if row["kind"] == "ChildStarted"]
    return model.at - max(at for at in begun if at < model.at)


def sdk() -> float:
    """Seconds to import it."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", SDK], check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    model, ours, yardstick = Model(), [], []
    with tempfile.TemporaryDirectory() as directory, Server({PATH: messages_route(model)}) as server:
        person, repository = laid_out(Path(directory), server.url)
        try:
            for number in range(ROUNDS + 1):
                took, imported = one(person, repository, model, number), sdk()
                if number:  # the first round warms the machine's caches
                    ours.append(took)
                    yardstick.append(imported)
        finally:
            person.types(repository, "aee", "stop")
    mine, its = statistics.median(ours), statistics.median(yardstick)
    print(f"spawn to first request over importing the SDK, {mine:.2f} s, {its:.2f} s, {mine / its:.2f}")
    print(f"the same, calmest round, {min(ours):.2f} s, {min(yardstick):.2f} s, {min(ours) / min(yardstick):.2f}")


if __name__ == "__main__":
    main()
