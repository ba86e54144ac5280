"""A person speaks to a scripted agent at work, through kill -9: queued, interrupting, given once, and cited."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.repositories import Person
from workbench.testing.repositories import Repo

PATIENCE_S = 100.0
SCRIPT = """
agent: robin
steps:
  - think: I look first.
  - run: {command: sleep 600, timeout_s: 900}
  - edit: {path: NOTES, content: "notes"}
  - submit: Notes
  - on_message: {contains: docs, steps: [{edit: {path: DOCS, content: "docs"}}, {submit: And docs}]}
"""


class World:
    """One repository and one AEE."""

    def __init__(self, root: Path) -> None:
        self.person, self.repo = Person(root / "home"), Repo(root / "repo")
        self.repo.commit({"a": "x\n"})
        (root / "robin.yaml").write_text(SCRIPT)
        self.run: str = self.types("run", "Take notes", "--script", str(root / "robin.yaml")).one["runs"][0]

    def types(self, *words: str, expect: int | None = 0) -> Any:
        answer = self.person.types(self.repo.path, *words)
        assert expect is None or answer.code == expect, (words, answer)
        return answer

    def payloads(self, kind: str) -> list[dict[str, Any]]:
        rows = map(json.loads, self.types("log", self.run).out.splitlines())
        return [row["payload"] for row in rows if row["kind"] == kind]

    def until(self, kind: str, count: int = 1) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while len(self.payloads(kind)) < count:
            assert time.monotonic() < give_up, (kind, self.types("log", self.run).out)

    def pack(self) -> dict[str, Any]:
        self.types("wait", "--timeout", str(PATIENCE_S), expect=3)
        shown: dict[str, Any] = self.types("mrp", "show", self.types("inbox").one["id"]).one
        return shown


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.types("aee", "stop", expect=None)


@pytest.mark.timeout(300)
def test_words_reach_an_agent_at_work_through_a_kill(world: World) -> None:
    """An interruption ends the command under way and keeps the work; what waited when all was killed is given once."""
    world.until("ToolCalled")
    first = world.types("interrupt", world.run, "Leave it").one
    assert world.pack()["audit"]["messages"][0]["id"] == first["id"] == f"MSG-{world.run}-1"
    (slept, *_) = world.payloads("ToolReturned")
    assert (slept["tool"], slept["state"]) == ("run", "interrupted")
    assert "interrupted" in [step["outcome"] for step in world.payloads("StepFinished")]

    os.kill(world.types("aee", "status").one["pid"], signal.SIGKILL)
    world.types("queue", world.run, "The docs, too")
    rows = [json.loads(line) for line in world.types("queue", world.run).out.splitlines()]
    assert [(row["id"], row["state"]) for row in rows] == [(first["id"], "given"), (f"MSG-{world.run}-2", "waiting")]
    world.types("aee", "start")
    world.until("RunPackSubmitted", 2)
    pack = world.pack()
    assert pack["revision"] == 2
    assert [each["text"] for each in pack["audit"]["messages"]] == ["Leave it", "The docs, too"]
    assert [given["message"] for given in world.payloads("MessageGiven")] == [first["id"], f"MSG-{world.run}-2"]
    assert [called["tool"] for called in world.payloads("ToolCalled")].count("run") == 1
    world.types("stop", world.run)
    assert "over" in world.types("steer", world.run, "x", expect=None).err
