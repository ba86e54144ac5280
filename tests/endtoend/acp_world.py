"""A person whose agents are programs of others: their settings, one repository, and missions that run side by side."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.endtoend.repositories import Answer, Person
from workbench.testing import acp_agent
from workbench.testing.model_server.gemini import PATH, gemini_route, responses, texts
from workbench.testing.model_server.messages import LAST, Failure, Reply, Step
from workbench.testing.model_server.server import Received, Server
from workbench.testing.repositories import Repo

KEY = "canary-7f3a-model-key"
CODE = "def add(a, b):\n    return a + b\n"
SUITE = "from adder import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
WAIT_S = "100"
PLAY = re.compile(r"Play the (\w+) mission")

PlayScript = Sequence[Step | Sequence[Step]] | Callable[[Received], Step]
Program = Sequence[Mapping[str, Any]]  # of the scripted agent


class Plays:
    """A model that plays each mission's script by how many tools were used; several steps in one place come in turn."""

    def __init__(self, scripts: Mapping[str, PlayScript]) -> None:
        self._scripts = scripts
        self._guard = threading.Lock()
        self._tried: dict[tuple[str, int], int] = defaultdict(int)
        self.asked: dict[str, list[Received]] = defaultdict(list)

    def __call__(self, request: Received) -> Step:
        found = PLAY.search(texts(request))
        play = found[1] if found else ""
        taken = len({response["name"] for response in responses(request)})  # told twice by some, of a broken turn
        script = self._scripts.get(play, ())
        with self._guard:
            self.asked[play].append(request)
            if callable(script):
                return script(request)
            step = script[taken] if taken < len(script) else LAST
            if isinstance(step, Reply | Failure):
                return step
            tried = min(self._tried[play, taken], len(step) - 1)
            self._tried[play, taken] += 1
            return step[tried]


class World:
    """One person, one AEE. `programs` are scripted agents by name; `gemini` is the command of the real one."""

    def __init__(
        self,
        root: Path,
        *,
        plays: Plays | None = None,
        programs: Mapping[str, Program] | None = None,
        gemini: Path | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.root, self.home = root, root / "home"
        self.plays = plays or Plays({})
        self.server = Server({PATH: gemini_route(self.plays)})
        self.person = Person(self.home)
        self.person.env |= {"GEMINI_API_KEY": KEY, "GOOGLE_GEMINI_BASE_URL": self.server.url}
        self.repo = Repo(root / "repo")
        self.repo.commit({"adder.py": CODE, "tests/test_adder.py": SUITE, **(files or {})})
        config = self.home / "config" / "workbench" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("[run]\nmax_runs = 4\n" + "".join(self._agents(programs or {}, gemini)))
        self.runs: dict[str, str] = {}

    def _agents(self, programs: Mapping[str, Program], gemini: Path | None) -> list[str]:
        found = [_agent("gem", [str(gemini), "--acp"])] if gemini else []
        script = str(acp_agent.__file__)
        more = f'profile = "plain"\npatience_s = 0.2\nmounts = {json.dumps([script, sys.base_prefix, sys.prefix])}\n'
        for name, steps in programs.items():
            found.append(_agent(name, [sys.executable, "-I", script, json.dumps(steps)], more))
        return found

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
        """Wait until nothing goes on by itself."""
        self.types("wait", "--timeout", WAIT_S, expect=None)

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
        (found,) = (self.home / "state" / "workbench").iterdir()
        return found

    def close(self) -> None:
        self.types("aee", "stop", expect=None)
        self.server.close()


def _agent(name: str, command: Sequence[str], more: str = "") -> str:
    return f'[agents.{name}]\ndriver = "acp"\ncommand = {json.dumps(list(command))}\n{more}\n'
