"""A seeded sample of the kills at random moments; `tests/soak/crashes.py` plays hundreds of rounds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(300)
def test_killed_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Whatever is killed, and when: each mission ends, and each answer, pack, commit and merge is there once."""
    played = subprocess.run(
        [sys.executable, "-m", "tests.soak.crashes", "--rounds", "2", "--seed", "3", "--under", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr
