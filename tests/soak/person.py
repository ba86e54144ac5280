"""A person at the command line of a world of their own: each call is a process, which somebody may kill."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from workbench.journal.location import DATABASE

KILLED = -9
CALL_S = 180.0  # no command of the demo comes near


class Said(NamedTuple):
    """What a command answered; `code` is KILLED when it was killed first."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The NDJSON rows on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def is_acknowledged(self) -> bool:
        """Whether the person was told that it is done."""
        return self.code == 0 and bool(self.out)


class Person:
    """Somebody in the world at `root`, which holds the repository, the journal and the home of this person."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.repository = root / "shop"
        self.state = root / "state"
        self.calling: subprocess.Popen[str] | None = None
        self.environment = _environment(root)

    @property
    def journal(self) -> Path:
        """The directory of the only journal in this world."""
        (found,) = (self.state / "workbench").glob(f"*/{DATABASE}")
        return found.parent

    def call(self, *words: str, at: Path | None = None) -> Said:
        """Call `workbench` with `words`, and wait for its end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench", *words],
            cwd=at or self.repository,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.calling = process
        try:
            out, err = process.communicate(timeout=CALL_S)
        finally:
            self.calling = None
            if process.poll() is None:
                process.kill()
        return Said(words, process.returncode, out, err)

    def rows(self, *words: str) -> list[dict[str, Any]]:
        """The rows of a `--json` command; none when it was killed."""
        said = self.call(*words, "--json")
        return said.rows if said.code == 0 else []

    def git(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Plain git in the person's repository."""
        return subprocess.run(
            ["git", *words], cwd=self.repository, env=self.environment, capture_output=True, text=True, check=False
        )


def _environment(root: Path) -> dict[str, str]:
    home = root / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gitconfig").write_text("[user]\n\tname = Ada Coach\n\temail = ada@example.org\n")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "WORKBENCH_", "XDG_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    own = {"HOME": str(home), "XDG_STATE_HOME": str(root / "state"), "XDG_CONFIG_HOME": str(home / "config")}
    return kept | own | {"XDG_CACHE_HOME": str(home / "cache"), "NO_COLOR": "1", "WORKBENCH_TESTS_MUTATION_S": "0"}
