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
    for program in ("node", "npm", "bwrap"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    place = Path(base) / "workbench-tests" / f"gemini-cli-{VERSION}"
    command = place / "node_modules" / ".bin" / "gemini"
    if not command.exists():
        _install(place)
    return command


def _install(place: Path) -> None:
    """Made beside and moved into place, so that two tests at once, or a killed one, leave nothing half made."""
    place.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=place.parent))
    words = ["npm", "install", "--prefix", str(making), "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        done = subprocess.run(
            [*words, f"{PACKAGE}@{VERSION}"], capture_output=True, text=True, timeout=INSTALL_S, check=False
        )
        if done.returncode:
            pytest.skip(f"{PACKAGE} {VERSION} cannot be installed: {done.stderr.strip()[-300:]}")
        if not place.exists():
            making.rename(place)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{PACKAGE} {VERSION} was not installed within {INSTALL_S:.0f} s")
    finally:
        shutil.rmtree(making, ignore_errors=True)


if __name__ == "__main__":
    print(installed())  # noqa: T201 - for a machine that installs it beforehand
