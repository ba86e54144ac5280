"""The tour of the README is walked: each command is typed in order, and ends as the README says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import readme
from workbench.ace.wiring.levels import bubblewrap_problem

STEP_S = 100  # for one command of the tour
PROGRAMS = Path(sys.executable).parent
PATH = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if Path(part) != PROGRAMS)


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
        (self.place / ".venv").symlink_to(sys.prefix)
        self.environment = {"HOME": str(home), "PATH": PATH, "NO_COLOR": "1", "LANG": "C.UTF-8", "GIT_PAGER": "cat"}
        self.environment["WORKBENCH_TESTS_MUTATION_S"] = "0"
        self._left = place / "left"  # where the shell was, and what it searched, when it was done with a line

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run one line as it is; where it went and what it exported holds for the next one."""
        leaving = f'code=$?; printf "%s\\n%s" "$PWD" "$PATH" > {shlex.quote(str(self._left))}; exit $code'
        done = subprocess.run(
            ["bash", "-c", f"{line}\n{leaving}"],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=STEP_S,
        )
        place, self.environment["PATH"] = self._left.read_text().split("\n")
        self.place = Path(place)
        return done


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A terminal on a machine where nothing of Workbench is; whatever AEE was started is ended."""
    opened = Terminal(tmp_path)
    yield opened
    for demo in ("", "-C workbench-demo "):  # the walk may have ended after or before it went into the demo
        opened.type(f"{PROGRAMS}/workbench {demo}aee stop --quiet")


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
    demo = terminal.type(".venv/bin/workbench demo")
    assert demo.returncode == 0
    assert demo.stderr.startswith("Making a small repository")
    assert f'export PATH="{PROGRAMS}' in demo.stderr
    assert "  cd workbench-demo\n" in demo.stderr
    said = walk(terminal, "Five minutes")
    assert all(kind in said["workbench inbox"] for kind in ("CRP-payments-limit", "MRP-parser-fix", "MRP-flaky-retry"))
    assert "Not checked" in said["workbench mrp show MRP-parser-fix.1-1 --md"]
    assert "now skipped" in said["workbench mrp show MRP-flaky-retry.1-1 --md"]
    assert "Refuse amounts that are no numbers" in said["git log --oneline --graph"]


def test_what_the_demo_says_to_type_next_can_be_typed(terminal: Terminal) -> None:
    """Also after `--no-tui`, which returns before anything is there to be shown: its first steps wait and look."""
    demo = terminal.type(".venv/bin/workbench demo --no-tui")
    lines = [line.strip() for line in demo.stderr.partition("What to type next:")[2].splitlines() if line.strip()]
    codes = {}
    for line in lines:
        command = re.split(r"  +", line)[0]
        codes[command] = terminal.type(command).returncode
    assert codes.pop("workbench wait") == 3
    assert set(codes.values()) == {0}, codes


@pytest.mark.skipif(
    shutil.which("bwrap") is None or bubblewrap_problem() is not None, reason="bubblewrap does not work"
)
def test_in_a_repository_of_your_own(terminal: Terminal) -> None:
    """From nothing to a pack, with the script that the README shows; then the gate alone, for a branch."""
    title = "In a repository of your own"
    (script,) = readme.blocks(readme.section(title), "yaml")
    start = ('export PATH="$PWD/.venv/bin:$PATH"', "mkdir mine && cd mine", "git init -q")
    for line in (*start, "git commit -q --allow-empty -m First", "git branch my-branch"):
        assert terminal.type(line).returncode == 0
    (terminal.place / "agent.yaml").write_text(script)
    terminal.type("git switch -q my-branch && git commit -q --allow-empty -m Work && git switch -q main")
    said = walk(terminal, title)
    assert "MRP-say-what-prices-are-in" in said["workbench inbox"]
    assert not (terminal.place / "NOTES.md").exists()
