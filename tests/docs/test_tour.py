"""The tour of the README is walked: each command is typed in order, and ends as the README says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import readme
from workbench.ace.wiring.checks import bubblewrap_problem

STEP_S = 100  # for one command of the tour
PROGRAMS = Path(sys.executable).parent


class Terminal:
    """A person's shell: a directory, an environment, and lines typed one after the other."""

    def __init__(self, place: Path) -> None:
        self.place = place / "here"
        self.place.mkdir()
        home = place / "home"
        home.mkdir()
        (home / ".gitconfig").write_text(
            "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        )
        path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
        self.environment = {"HOME": str(home), "PATH": path, "NO_COLOR": "1", "LANG": "C.UTF-8", "GIT_PAGER": "cat"}

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run one line; `cd` moves the terminal, and activating the environment was done before."""
        words = line.split()
        if words[0] == "cd":
            self.place /= words[1]
        ready = words[0] in ("cd", ".")
        return subprocess.run(
            ["bash", "-c", "true" if ready else line],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_S,
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal on a machine where nothing of Workbench is; whatever AEE was started is ended."""
    opened = Terminal(tmp_path)
    yield opened
    opened.type("workbench aee stop --quiet")


def walk(terminal: Terminal, title: str) -> dict[str, str]:
    """Type each line of a section; what each printed."""
    printed = {}
    for line, code in readme.typed(title):
        done = terminal.type(line)
        assert done.returncode == code, f"{line}\n{done.stdout}\n{done.stderr}"
        printed[line.partition("  #")[0].strip()] = done.stdout
    return printed


def test_five_minutes(terminal: Terminal) -> None:
    """From the demo's inbox to an answer, a merge, a rejection and an AEE that is stopped."""
    assert terminal.type("workbench demo").returncode == 0
    said = walk(terminal, "Five minutes")
    assert all(kind in said["workbench inbox"] for kind in ("CRP-payments-limit", "MRP-parser-fix", "MRP-flaky-retry"))
    assert "Not checked" in said["workbench mrp show MRP-parser-fix.1-1 --md"]
    assert "now skipped" in said["workbench mrp show MRP-flaky-retry.1-1 --md"]
    assert "Refuse amounts that are no numbers" in said["git log --oneline --graph"]


@pytest.mark.skipif(
    shutil.which("bwrap") is None or bubblewrap_problem() is not None, reason="bubblewrap does not work"
)
def test_in_a_repository_of_your_own(terminal: Terminal) -> None:
    """From nothing to a pack, with the script that the README shows; then the gate alone, for a branch."""
    title = "In a repository of your own"
    (script,) = readme.blocks(readme.section(title), "yaml")
    for line in ("git init -q", "git commit -q --allow-empty -m First", "git branch my-branch"):
        assert terminal.type(line).returncode == 0
    (terminal.place / "agent.yaml").write_text(script)
    terminal.type("git switch -q my-branch && git commit -q --allow-empty -m Work && git switch -q main")
    said = walk(terminal, title)
    assert "MRP-say-what-prices-are-in" in said["workbench inbox"]
    assert not (terminal.place / "NOTES.md").exists()
