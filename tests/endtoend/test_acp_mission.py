"""A real agent of others, from a sentence to a merge: the Gemini CLI in the sandbox, against a scripted model."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.gemini_cli import installed
from tests.endtoend.repositories import Person
from tests.endtoend.test_real_release import OLDER, releases, text_files
from workbench.testing.model_server.gemini import PATH, gemini_route, responses, texts, tools_offered
from workbench.testing.model_server.messages import Reply, Use
from workbench.testing.model_server.server import Received, Server

__all__ = ["releases"]  # a fixture
CANARY = "canary-7f3a-model-key"
TOOLS = "mcp_workbench_"
MODULE = "def halved(text: str) -> str:\n    return text[: len(text) // 2]\n"
TEST = "from itsdangerous.halving import halved\n\n\ndef test_halved() -> None:\n    assert halved('abcd') == 'ab'\n"
FILES = {"src/itsdangerous/halving.py": MODULE, "tests/test_itsdangerous/test_halving.py": TEST}
QUESTION = {
    "summary": "Round up or down?",
    "category": "trade-off",
    "options": [{"id": "A", "label": "Down"}, {"id": "B", "label": "Up"}],
}
REACH = "import socket; socket.create_connection(('127.0.0.1', {}), 3)"


class Model:
    """Does the work step by step, by what the conversation already holds."""

    def __init__(self, repository: Path) -> None:
        self.repository, self.port = repository, 0

    def __call__(self, request: Received) -> Reply:
        done = [response["name"] for response in responses(request)]
        told = texts(request) + json.dumps(responses(request))
        if (written := done.count("write_file")) < len(FILES):
            path, content = list(FILES.items())[written]
            return use("write_file", file_path=str(self.repository / path), content=content)
        if "Decision: A" not in told:
            return use(f"{TOOLS}request_consultation", **QUESTION)
        if "run_shell_command" not in done:
            return use("run_shell_command", command=f'python3 -c "{REACH.format(self.port)}"')
        return use(f"{TOOLS}submit_merge_readiness", message="Halve texts", rationale={"approach": "Down"})


def use(tool: str, /, **arguments: Any) -> Reply:
    return Reply(text=f"Now {tool}. ", uses=(Use(tool=tool, arguments=arguments),))


class World:
    """A person with a real package's repository, the agent in their own settings, the key in their environment."""

    def __init__(self, place: Path, release: Path, command: Path) -> None:
        self.repository = place / "itsdangerous"
        self.model = Model(self.repository)
        self.server = Server({PATH: gemini_route(self.model)})
        self.model.port = self.server.port
        for path, content in text_files(release).items():
            (self.repository / path).parent.mkdir(parents=True, exist_ok=True)
            (self.repository / path).write_text(content, encoding="utf-8", newline="")
        self.person = Person(place / "home")
        self.person.env |= {"GEMINI_API_KEY": CANARY, "GOOGLE_GEMINI_BASE_URL": self.server.url}
        config = place / "home" / "config" / "workbench" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'[agents.gem]\ndriver = "acp"\ncommand = {json.dumps([str(command), "--acp"])}\n')
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


@pytest.fixture
def world(releases: tuple[Path, Path], tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, releases[0], installed())
    yield made
    made.types("aee", "stop")
    made.server.close()


@pytest.mark.timeout(300)
def test_a_driven_agent_asks_survives_a_kill_and_delivers(world: World, tmp_path: Path) -> None:
    """It edits, asks, waits while the AEE is killed and started again, gets the answer, delivers, and is merged."""
    started = world.types("run", "Halve texts in a function of the package", "--agent", "gem")
    mission, run = started["mission"], started["runs"][0]
    world.types("wait", mission, "--timeout", "90", expect=3)
    question = world.types("inbox")
    assert (question["kind"], question["title"]) == ("crp", QUESTION["summary"])

    os.kill(world.types("aee", "status")["pid"], signal.SIGKILL)
    world.types("aee", "start")
    world.types("answer", question["id"], "--option", "A", "--why", "Nobody asked for more.")
    world.types("wait", mission, "--timeout", "100", expect=3)

    item = world.types("inbox")
    assert item["kind"] == "mrp", item
    pack = world.types("mrp", "show", item["id"])
    assert pack["audit"]["resolutions"] == [f"VCR-{question['id']}"]
    override = () if pack["verdict"] == "ready" else ("--override",)
    world.types("approve", item["id"], "--why", "It is what was asked for.", *override)
    world.types("merge", item["id"])
    assert all((world.repository / path).read_text() == content for path, content in FILES.items())
    assert world.types("journal", "verify")["ok"] is True

    log = world.log(run)
    calls = [row["payload"]["tool"] for row in log if row["kind"] == "ToolCalled"]
    assert calls.count("request_consultation") == 1, "the question is not raised twice"
    assert calls.count("acp:edit") == 2, "what is told again is not recorded again"
    assert [row["payload"]["loaded"] for row in log if row["kind"] == "AgentSessionOpened"] == [False, True]

    requests = world.server.requests
    assert f"{TOOLS}submit_merge_readiness" in tools_offered(requests[0]), "our tools are there in the first turn"
    assert {request.headers["x-goog-api-key"] for request in requests} == {CANARY}
    shell = next(one for one in responses(requests[-1]) if one["name"] == "run_shell_command")
    assert "Connection refused" in json.dumps(shell), "loopback inside is not the host's"
    assert not holding(CANARY, tmp_path), "the key is nowhere on disk"


def holding(secret: str, root: Path) -> list[Path]:
    """The files below `root` that hold `secret`."""
    found = (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in found if secret.encode() in path.read_bytes()]
