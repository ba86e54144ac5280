"""A sample of the races for one answer; `tests/soak/races.py` plays a thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_of_two_answers_at_the_same_instant_one_stands() -> None:
    """From two processes: one answer is recorded each time, and the other person is told who gave it."""
    words = [sys.executable, "-m", "tests.soak.races", "--rounds", "30"]
    played = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "| 30 | 30 |" in played.stdout
