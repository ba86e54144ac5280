"""Completion in the shells themselves: each takes its script as it is printed, and finishes verbs and nouns."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ace_world import Call

PROGRAMS = Path(sys.executable).parent
PATIENCE_S = 60.0  # of these tests, on a busy machine


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(name) is None or not (PROGRAMS / "workbench").exists():
        pytest.skip(f"{name}, or the program `workbench`, is not installed")
    return name


@pytest.fixture
def kept(call: Call, home: Path, shell: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script where that shell looks for it, and `workbench` on the path."""
    places = {"bash": "workbench", "zsh": ".zfunc/_workbench", "fish": "config/fish/completions/workbench.fish"}
    place = home / places[shell]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(call("completion", shell, "--quiet").out)
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")
    return place


@pytest.mark.parametrize(("typed", "finished"), [("workbench comp", "completion"), ("workbench mrp ver", "verify")])
def test_a_shell_finishes_verbs_and_nouns(shell: str, kept: Path, repository: Path, typed: str, finished: str) -> None:
    """What is typed in part is finished by Tab."""
    asked = {"bash": _of_bash, "zsh": _of_zsh, "fish": _of_fish}[shell]
    assert finished in asked(kept, repository, typed, finished)


def _of_bash(script: Path, place: Path, typed: str, _: str) -> str:
    words = typed.split()
    order = (
        f"source '{script}'; COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; "
        '_workbench_completion workbench; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    return _said("bash", "--norc", "-c", order, at=place)


def _of_fish(_script: Path, place: Path, typed: str, _: str) -> str:
    return _said("fish", "-c", f'complete -C "{typed}"', at=place)


def _said(*words: str, at: Path) -> str:
    return subprocess.run(words, cwd=at, capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout


def _of_zsh(script: Path, place: Path, typed: str, finished: str) -> str:
    """Zsh completes only for somebody who types, so somebody types."""
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(place)
        os.environ["TERM"] = "dumb"
        os.execvp("zsh", ["zsh", "-f", "-i"])
    try:
        start = f"fpath=({script.parent} $fpath); autoload -Uz compinit; compinit -u -D; print set''tled\n"
        os.write(terminal, start.encode())
        _until(terminal, "settled")
        os.write(terminal, f"{typed}\t".encode())
        return _until(terminal, finished)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(pid, 0)


def _until(terminal: int, wanted: str) -> str:
    """What the terminal shows, once that is in it; as far as it came when the patience is over."""
    shown, until = "", time.monotonic() + PATIENCE_S
    while wanted not in shown and time.monotonic() < until:
        if select.select([terminal], [], [], 0.5)[0]:
            shown += os.read(terminal, 65536).decode("utf-8", "replace")
    return shown
