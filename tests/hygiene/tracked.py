"""The files that belong to the project: those that git tracks or would add."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOP = ROOT / "workbench/ace/demo/shop"  # the demo's repository: material, not ours to judge


@cache
def tracked() -> tuple[Path, ...]:
    """Every file of the project; skips the test where there is no git checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def modules(room: str) -> list[Path]:
    """The Python files below `room`, without the demo's."""
    return [path for path in sorted((ROOT / room).rglob("*.py")) if not path.is_relative_to(SHOP)]


def texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file that is text."""
    for path in tracked():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, OSError):
            continue
