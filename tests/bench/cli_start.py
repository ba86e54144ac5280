"""What starting the command line costs, as ratios to `python -c "import sqlite3, click"` in the same run."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 15
YARDSTICK = ("yardstick", [sys.executable, "-c", "import sqlite3, click"])
COMMANDS = (
    ("--help", [sys.executable, "-m", "workbench", "--help"]),
    ("inbox --json", [sys.executable, "-m", "workbench", "inbox", "--json"]),
    ("missions --json", [sys.executable, "-m", "workbench", "missions", "--json"]),
    ("aee status", [sys.executable, "-m", "workbench", "aee", "status"]),
    ("bare python", [sys.executable, "-c", "pass"]),
)


def main() -> None:
    """Print `name, ours, yardstick, ratio` (milliseconds of processor time, median)."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["XDG_STATE_HOME"] = str(place / "state")
        _repository(place / "shop", environment)
        measured = _measure(place / "shop", environment)
    base = measured[YARDSTICK[0]]
    for name, _ in COMMANDS:
        print(f"{name}, {measured[name]:.1f} ms, {base:.1f} ms, {measured[name] / base:.2f}")


def _repository(path: Path, environment: dict[str, str]) -> None:
    """A repository with a journal that holds one mission."""
    path.mkdir()
    (path / "a.py").write_text("A = 1\n")
    (path / "agent.yaml").write_text("agent: a\nsteps: []\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "First"]):
        subprocess.run(["git", *words], cwd=path, check=True, env=environment)
    named = {**environment, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org"}
    start = [sys.executable, "-m", "workbench", "run", "Do this", "--script", "agent.yaml", "--no-start", "--quiet"]
    subprocess.run(start, cwd=path, check=True, env=named, stdout=subprocess.DEVNULL)


def _measure(path: Path, environment: dict[str, str]) -> dict[str, float]:
    """Rounds interleaved, so that a busy moment falls on all alike; the first round warms up."""
    seen: dict[str, list[float]] = {name: [] for name, _ in (YARDSTICK, *COMMANDS)}
    for _ in range(ROUNDS + 1):
        for name, words in (YARDSTICK, *COMMANDS):
            seen[name].append(_cpu_ms(words, path, environment))
    return {name: statistics.median(values[1:]) for name, values in seen.items()}


def _cpu_ms(words: list[str], path: Path, environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(words, cwd=path, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    main()
