"""A mission in a real package's repository: asked, killed while it waits, answered, delivered, merged; by any agent."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.endtoend.repositories import Person
from tests.endtoend.test_real_release import OLDER, text_files
from workbench.testing.model_server.server import Server

MODULE = "def halved(text: str) -> str:\n    return text[: len(text) // 2]\n"
TEST = "from itsdangerous.halving import halved\n\n\ndef test_halved() -> None:\n    assert halved('abcd') == 'ab'\n"
FILES = {"src/itsdangerous/halving.py": MODULE, "tests/test_itsdangerous/test_halving.py": TEST}
QUESTION = {
    "summary": "Round up or down?",
    "category": "trade-off",
    "options": [{"id": "A", "label": "Down"}, {"id": "B", "label": "Up"}],
}
SAID = "No more than these two files, please."
REACH = "import socket; socket.create_connection(('127.0.0.1', {}), 3)"


class World:
    """A person with the package's repository, the agent in their own `settings`, the key in their environment."""

    def __init__(
        self, place: Path, release: Path, *, server: Server, env: Mapping[str, str], agent: str, settings: str
    ) -> None:
        self.repository, self.server, self.agent = place / "itsdangerous", server, agent
        for path, content in text_files(release).items():
            (self.repository / path).parent.mkdir(parents=True, exist_ok=True)
            (self.repository / path).write_text(content, encoding="utf-8", newline="")
        self.person = Person(place / "home")
        self.person.env |= env
        config = place / "home" / "config" / "workbench" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f"[agents.{agent}]\n{settings}")
        for words in (["init", "-q", "-b", "main"], ["add", "--all"], ["commit", "-q", "-m", f"Release {OLDER}"]):
            self.person.git(self.repository, *words)

    def types(self, *words: str, expect: int = 0) -> Any:
        """The object that `workbench WORDS --json` prints."""
        answer = self.person.types(self.repository, *words)
        assert answer.code == expect, (words, answer)
        return answer.one if answer.out.strip() else {}

    def log(self, run: str) -> list[dict[str, Any]]:
        """The run's events."""
        return [json.loads(line) for line in self.person.types(self.repository, "log", run).out.splitlines()]

    def play(self) -> list[dict[str, Any]]:
        """The whole mission; the run's events."""
        started = self.types("run", "Halve texts in a function of the package", "--agent", self.agent)
        mission, run = started["mission"], started["runs"][0]
        self.types("wait", mission, "--timeout", "90", expect=3)
        question = self.types("inbox")
        assert (question["kind"], question["title"]) == ("crp", QUESTION["summary"])

        said = self.types("steer", run, SAID)  # kept until the answer, whatever is killed before that
        os.kill(self.types("aee", "status")["pid"], signal.SIGKILL)
        self.types("aee", "start")
        self.types("answer", question["id"], "--option", "A", "--why", "Nobody asked for more.")
        self.types("wait", mission, "--timeout", "100", expect=3)

        item = self.types("inbox")
        assert item["kind"] == "mrp", item
        pack = self.types("mrp", "show", item["id"])
        assert pack["audit"]["resolutions"] == [f"VCR-{question['id']}"]
        assert [(each["id"], each["text"]) for each in pack["audit"]["messages"]] == [(said["id"], SAID)]
        override = () if pack["verdict"] == "ready" else ("--override",)
        self.types("approve", item["id"], "--why", "It is what was asked for.", *override)
        self.types("merge", item["id"])
        assert all((self.repository / path).read_text() == content for path, content in FILES.items())
        assert self.types("journal", "verify")["ok"] is True
        log = self.log(run)
        calls = [row["payload"]["tool"] for row in log if row["kind"] == "ToolCalled"]
        assert calls.count("request_consultation") == 1, "the question is not raised twice"
        given = [row["payload"]["message"] for row in log if row["kind"] == "MessageGiven"]
        assert given == [said["id"]], "words are given once"
        return log

    def close(self) -> None:
        self.types("aee", "stop")
        self.server.close()


def holding(secret: str, root: Path) -> list[Path]:
    """The files below `root` that hold `secret`."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in found if secret.encode() in path.read_bytes()]
