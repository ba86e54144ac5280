"""A real agent of others, from a sentence to a merge: the Gemini CLI in the sandbox, against a scripted model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.gemini_cli import installed
from tests.endtoend.real_package import FILES, QUESTION, REACH, SAID, World, holding
from tests.endtoend.test_real_release import releases
from workbench.testing.model_server.gemini import PATH, gemini_route, responses, texts, tools_offered
from workbench.testing.model_server.messages import Reply, Use
from workbench.testing.model_server.server import Received, Server

__all__ = ["releases"]  # a fixture
CANARY = "canary-7f3a-model-key"
TOOLS = "mcp_workbench_"


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


@pytest.fixture
def world(releases: tuple[Path, Path], tmp_path: Path) -> Iterator[World]:
    model = Model(tmp_path / "itsdangerous")
    server = Server({PATH: gemini_route(model)})
    model.port = server.port
    env = {"GEMINI_API_KEY": CANARY, "GOOGLE_GEMINI_BASE_URL": server.url}
    settings = f'driver = "acp"\ncommand = {json.dumps([str(installed()), "--acp"])}\n'
    made = World(tmp_path, releases[0], server=server, env=env, agent="gem", settings=settings)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_a_driven_agent_asks_survives_a_kill_and_delivers(world: World, tmp_path: Path) -> None:
    """It edits, asks, waits while the AEE is killed and started again, gets the answer, delivers, and is merged."""
    log = world.play()
    calls = [row["payload"]["tool"] for row in log if row["kind"] == "ToolCalled"]
    assert calls.count("acp:edit") == 2, "what is told again is not recorded again"
    assert [row["payload"]["loaded"] for row in log if row["kind"] == "AgentSessionOpened"] == [False, True]

    requests = world.server.requests
    assert f"{TOOLS}submit_merge_readiness" in tools_offered(requests[0]), "our tools are there in the first turn"
    assert {request.headers["x-goog-api-key"] for request in requests} == {CANARY}
    assert f", the person who coaches you:\n{SAID}" in texts(requests[-1]), "its words came in a prompt"
    shell = next(one for one in responses(requests[-1]) if one["name"] == "run_shell_command")
    assert "Connection refused" in json.dumps(shell), "loopback inside is not the host's"
    assert not holding(CANARY, tmp_path), "the key is nowhere on disk"
