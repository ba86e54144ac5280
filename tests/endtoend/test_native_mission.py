"""Our own loop on a real package, from a sentence to a merge, against a scripted model."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.endtoend.real_package import FILES, QUESTION, REACH, SAID, World, holding
from tests.endtoend.test_real_release import releases
from workbench.aee.sandbox.select import probe
from workbench.testing.model_server.messages import PATH, Reply, by_turn, messages_route, turns_taken, use
from workbench.testing.model_server.server import Received, Server

__all__ = ["releases"]  # a fixture
KEY = "sk-canary-40b1"
SOURCE = "src/itsdangerous/encoding.py"
OLD = "def want_bytes("
SETTINGS = 'driver = "native"\nmodel = "claude-haiku-4-5"\n'


class Model:
    """Does the work by how far the conversation is; a request that is made again gets the same reply."""

    def __init__(self) -> None:
        self.port = 0

    def __call__(self, request: Received) -> Reply:
        steps = [
            use("read", path=SOURCE),
            use("edit", path=SOURCE, old=OLD, new=f"#: Texts of the package are halved in `halving`.\n{OLD}"),
            *(use("edit", path=path, content=content) for path, content in FILES.items()),
            use("request_consultation", **QUESTION),
            use("run", command=f'{sys.executable} -c "{REACH.format(self.port)}"'),
            use("submit_merge_readiness", message="Halve texts", rationale={"approach": "Down"}),
        ]
        step = by_turn(steps)(request)
        assert isinstance(step, Reply) and turns_taken(request) < len(steps)
        return step


@pytest.fixture
def world(releases: tuple[Path, Path], tmp_path: Path) -> Iterator[World]:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    model = Model()
    server = Server({PATH: messages_route(model)})
    model.port = server.port
    env = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": server.url}
    made = World(tmp_path, releases[0], server=server, env=env, agent="loop", settings=SETTINGS)
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_our_own_loop_asks_survives_a_kill_and_delivers(world: World, tmp_path: Path) -> None:
    """It edits, asks, waits while the AEE is killed and started again, gets the answer, delivers, and is merged."""
    log = world.play()
    requests = world.server.sent_to(PATH)
    assert len(requests) == 7, "no reply is asked for twice"
    assert "Nobody asked for more." in requests[5].body.decode()
    assert [request.body.decode().count(SAID) for request in requests[4:]] == [0, 1, 1]
    assert "Connection refused" in json.dumps(requests[6].json["messages"][-1]), "loopback inside is not the host's"
    assert "halved in `halving`" in (world.repository / SOURCE).read_text()
    assert sum(row["kind"] == "ModelCalled" for row in log) == 7
    assert all(KEY in str(request.headers) for request in requests), "the control: the server was given it"
    assert not holding(KEY, tmp_path), "the key is nowhere on disk"
