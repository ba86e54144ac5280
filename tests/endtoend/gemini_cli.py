"""The real Gemini CLI at a pinned version, installed from npm once a machine, for tests that drive it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

PACKAGE, VERSION = "@google/gemini-cli", "0.61.0"
INSTALL_S = 300.0


def installed() -> Path:
    """Its command. Skips the test, with the reason, where it cannot be had."""
    found = find()
    if isinstance(found, str):
        pytest.skip(found)
    return found


def find() -> Path | str:
    """Its command, installed now if it was not before; or why it cannot be had."""
    for program in ("node", "npm", "bwrap"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    place = Path(base) / "workbench-tests" / f"gemini-cli-{VERSION}"
    command = place / "node_modules" / ".bin" / "gemini"
    why_not = "" if command.exists() else _install(place)
    return why_not or command


def _install(place: Path) -> str:
    """Made beside and moved into place, so that two at once, or a killed one, leave nothing half made; why not."""
    place.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=place.parent))
    words = ["npm", "install", "--prefix", str(making), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run([*words, f"{PACKAGE}@{VERSION}"], capture_output=True, text=True, timeout=INSTALL_S)
        if done.returncode:
            return f"{PACKAGE} {VERSION} cannot be installed: {done.stderr.strip()[-300:]}"
        if not place.exists():
            making.rename(place)
    except subprocess.TimeoutExpired:
        return f"{PACKAGE} {VERSION} was not installed within {INSTALL_S:.0f} s"
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return ""


if __name__ == "__main__":
    print(find())  # noqa: T201 - `python -m tests.endtoend.gemini_cli` installs it beforehand
