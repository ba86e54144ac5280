"""Missions of the native driver, end to end: the real AEE and sandbox, a scripted model over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from repositories import Answer, Person

from workbench.aee.sandbox.select import probe
from workbench.testing.model_server.messages import PATH, Script, messages_route, use
from workbench.testing.model_server.server import Server
from workbench.testing.repositories import Repo

KEY = "sk-canary-7f3a91c2"
CODE = "def add(a, b):\n    return a + b\n"
SUITE = "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
NEW_TEST = "from adder import double\n\ndef test_double():\n    assert double(2) == 4\n"
DOUBLE = "\n\ndef double(a):\n    return 2 * a\n"
SETTINGS = '[agents.loop]\ndriver = "native"\nmodel = "claude-haiku-4-5"\n'
WAIT_S = "60"


class World:
    """A person, their repository, and a model that plays a script."""

    def __init__(self, root: Path, script: Script, *, settings: str = SETTINGS) -> None:
        self.server = Server({PATH: messages_route(script)})
        self.person = Person(root / "home")
        self.person.env |= {"ANTHROPIC_BASE_URL": self.server.url, "ANTHROPIC_API_KEY": KEY}
        self.repo = Repo(root / "repo")
        self.repo.commit({"adder.py": CODE, "tests/test_adder.py": SUITE, ".workbench/config.toml": settings})

    def types(self, *words: str) -> Answer:
        return self.person.types(self.repo.path, *words)

    def start(self, sentence: str = "Add a double function") -> str:
        started = self.types("run", sentence)
        assert started.code == 0, started
        return str(started.one["mission"])

    def wait(self, code: int) -> None:
        waited = self.types("wait", "--timeout", WAIT_S)
        assert waited.code == code, (waited, self.types("log", self.run["run"]))

    @property
    def run(self) -> dict[str, Any]:
        (row,) = self.rows("runs")
        return row

    def rows(self, *words: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.types(*words).out.splitlines()]

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = [row for row in self.rows("journal", "export") if row["kind"] == kind]
        return [row["payload"] for row in found]

    def merge(self) -> None:
        """The pack that waits is approved and merged."""
        (row,) = self.rows("inbox")
        assert row["kind"] == "mrp", row
        for words in (("approve", row["id"], "--why", "shown"), ("merge", row["id"])):
            done = self.types(*words)
            assert done.code == 0, done

    def close(self) -> None:
        self.types("aee", "stop")
        self.server.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    if not (found := probe("bubblewrap")).works:
        pytest.skip(found.reason)
    made: list[World] = []

    def make(script: Script, **options: Any) -> World:
        made.append(World(tmp_path, script, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


DELIVER = use(
    "submit_merge_readiness", message="Add double", rationale={"approach": "Plainly.", "test_plan": ["test_double"]}
)
WORK = [
    use("read", path="adder.py"),
    use("edit", path="adder.py", content=CODE + DOUBLE),
    use("edit", path="tests/test_double.py", content=NEW_TEST),
]


def test_an_edit_goes_from_a_sentence_to_a_merge(world: Callable[..., World]) -> None:
    """The model reads, edits, tests and delivers; what it cost is on the run; the pack is merged."""
    here = world([*WORK, use("test"), DELIVER])
    here.start()
    here.wait(3)
    row = here.run
    assert row["cost_usd"] > 0
    assert row["tokens"] > 1000
    here.merge()
    assert "double" in (here.repo.path / "adder.py").read_text()
    asked = here.server.sent_to(PATH)
    assert len(asked) == 5
    assert all(
        KEY in (request.headers.get("x-api-key", "") + request.headers.get("authorization", "")) for request in asked
    )
