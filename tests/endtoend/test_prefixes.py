"""A sample of the moments at which the power can be lost; `tests/soak/prefixes.py` looks at all of a long run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def played(*words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "tests.soak.prefixes", "--jobs", "1", "--events", "80", *words]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


@strace
def test_at_each_moment_the_disk_holds_what_was_acknowledged() -> None:
    """With all, some or none of the writes since the last sync: the journal opens with every acknowledged decision."""
    said = played("--every", "5")
    assert said.returncode == 0, said.stdout + said.stderr


@strace
def test_an_answer_before_the_sync_would_be_seen_to_be_lost() -> None:
    """The control."""
    said = played("--every", "20", "--early")
    assert "was acknowledged, the newest is" in said.stdout, said.stdout + said.stderr
