"""A seeded sample of the kills of a journal's writers; `tests/soak/writers.py` plays ten thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def played(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.soak.writers", "--under", str(place), *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    """Whether one of them is killed or all: what was acknowledged is there once, and whoever comes next goes on."""
    said = played(tmp_path, "--kills", "40", "--seed", "3")
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_kills_would_show_an_answer_before_the_append(tmp_path: Path) -> None:
    """The control: what is acknowledged before it is appended is found to be lost."""
    said = played(tmp_path, "--kills", "20", "--seed", "3", "--control", "hasty")
    assert "lost: aee" in said.stdout, said.stdout + said.stderr
