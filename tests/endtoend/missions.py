"""A person with one repository and one AEE, in which missions run side by side, each known by the script it plays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.endtoend.repositories import Answer, Person
from workbench.testing.model_server.server import Server
from workbench.testing.repositories import Repo

CODE = "def add(a, b):\n    return a + b\n"
SUITE = "from adder import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
POLICY = ".workbench/policy.yaml"
UNSHOWN = "extends: standard\nwithout: [shown]\n"  # what these missions do is shown by no check of theirs
WAIT_S = "100"
PATIENCE = 3  # times that long
TIMED_OUT = 5  # the exit code


class Missions:
    """`settings` are the person's own. `server` is their agents' model; it is closed with the rest."""

    def __init__(
        self,
        root: Path,
        *,
        server: Server,
        env: Mapping[str, str],
        settings: str,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.home, self.server = root, root / "home", server
        self.person = Person(self.home)
        self.person.env |= env
        self.repo = Repo(root / "repo")
        self.repo.commit({"adder.py": CODE, "tests/test_adder.py": SUITE, POLICY: UNSHOWN, **(files or {})})
        config = self.home / "config" / "workbench" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f"[run]\nmax_runs = 4\n{settings}")
        self.runs: dict[str, str] = {}

    def types(self, *words: str, expect: int | None = 0) -> Answer:
        said = self.person.types(self.repo.path, *words)
        assert expect is None or said.code == expect, (words, said)
        return said

    def rows(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.types(*words).out.splitlines()]

    def filled(self, command: str) -> str:
        """A command with the places of this world in it."""
        places = {"home": self.home, "repo": self.repo.path, "root": self.root, "state": self.state}
        return command.format(port=self.server.port, **places)

    def start(self, *plays: str, agent: str = "") -> None:
        """A mission of each; of the real agent where one is named, else of the scripted one of that name."""
        for play in plays:
            started = self.types("run", f"Play the {play} mission", "--agent", agent or play).one
            self.runs[play] = started["runs"][0]

    def settle(self) -> None:
        """Wait until nothing goes on by itself; several times as long where a machine is busy."""
        for _ in range(PATIENCE):
            if self.types("wait", "--timeout", WAIT_S, expect=None).code != TIMED_OUT:
                return

    def run(self, play: str) -> dict[str, Any]:
        (row,) = [row for row in self.rows("runs") if row["run"] == self.runs[play]]
        return row

    def inbox(self, play: str) -> dict[str, Any]:
        """What waits for the person, of one mission; its newest."""
        found = [row for row in self.rows("inbox") if row.get("run") == self.runs[play]]
        return found[-1] if found else {}

    def pack(self, play: str) -> dict[str, Any]:
        row = self.inbox(play)
        assert row.get("kind") == "mrp", (play, row, self.run(play), self.log(play)[-5:])
        return self.rows("mrp", "show", row["id"])[0]

    def answer(self, play: str, option: str) -> None:
        row = self.inbox(play)
        assert row.get("kind") == "crp", (play, row, self.run(play), self.log(play)[-5:])
        self.types("answer", row["id"], "--option", option, "--why", "so be it")

    def log(self, play: str) -> list[dict[str, Any]]:
        return self.rows("log", self.runs[play])

    def payloads(self, play: str, kind: str) -> list[dict[str, Any]]:
        return [row["payload"] for row in self.log(play) if row["kind"] == kind]

    @property
    def state(self) -> Path:
        """Where the journal of this repository is."""
        (found,) = (path.parent for path in (self.home / "state" / "workbench").glob("*/journal.sqlite3"))
        return found

    def close(self) -> None:
        self.types("aee", "stop", expect=None)
        self.server.close()
