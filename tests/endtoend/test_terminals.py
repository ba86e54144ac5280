"""A sample of the ways in which screens end; `tests/soak/terminals.py` plays hundreds of rounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_screens_end_at_random_moments(tmp_path: Path) -> None:
    """Left, ended, killed or without their terminal, screens lose no answer and stop no agent."""
    words = [sys.executable, "-m", "tests.soak.terminals", "--rounds", "5", "--seed", "4", "--under", str(tmp_path)]
    played = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert played.returncode == 0, played.stdout + played.stderr
