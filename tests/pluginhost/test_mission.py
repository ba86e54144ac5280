"""One mission with plugins of its repository: an agent that is data, collectors that work, fail, or lack trust."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.endtoend.repositories import Person
from tests.pluginhost.bundles import MANIFEST
from tests.pluginhost.test_collecting import TOP
from workbench.aee.sandbox.select import probe
from workbench.testing import acp_agent
from workbench.testing.repositories import Repo

STEPS = [
    {"write": ["notes.txt", "UNFINISHED\n"]},
    {"write": ["answer.txt", "HELLO\n"]},
    {"tool": ["submit_merge_readiness", {"message": "Note it", "rationale": {"approach": "a file"}}]},
]
CODE = '[modules]\naee = ["code"]\n'
MARK = "import pathlib\npathlib.Path({!r}).touch()\n"


class World:
    """A person, and a repository that brings four plugins: three are trusted, one is not."""

    def __init__(self, root: Path) -> None:
        self.person = Person(root / "home")
        self.repo = Repo(root / "repo")
        self.marks = {name: root / f"imported-{name}" for name in ("well", "hostile")}
        words = [sys.executable, "-I", str(acp_agent.__file__), json.dumps(STEPS)]
        agent = f"[agents.player]\ncommand = {json.dumps(words)}\n"
        code = {
            "well": MARK.format(str(self.marks["well"])) + TOP.format(body="return Collected()"),
            "broken": TOP.format(body="raise ValueError('no such table')"),
            "hostile": MARK.format(str(self.marks["hostile"])) + TOP.format(body="return Collected()"),
        }
        files = {self.path("player"): MANIFEST.format(name="player", more=agent), "a.txt": "one\n"}
        for name, text in code.items():
            files |= {self.path(name): MANIFEST.format(name=name, more=CODE), self.path(name, "code.py"): text}
        self.repo.commit(files)
        config = root / "home" / "config" / "workbench" / "config.toml"
        config.parent.mkdir(parents=True)
        mounts = json.dumps([str(acp_agent.__file__), sys.base_prefix, sys.prefix])
        config.write_text(f'[agents.p]\ndriver = "player"\nmounts = {mounts}\n')

    @staticmethod
    def path(name: str, file: str = "plugin.toml") -> str:
        """A plugin's file in the repository."""
        return f".workbench/plugins/{name}/{file}"

    def types(self, *words: str, expect: int = 0) -> list[dict[str, Any]]:
        """The rows that `workbench WORDS --json` prints."""
        answer = self.person.types(self.repo.path, *words)
        assert answer.code == expect, (words, answer)
        return [json.loads(line) for line in answer.out.splitlines()]

    def plugins(self) -> dict[str, dict[str, Any]]:
        """The plugins by name."""
        return {row["id"]: row for row in self.types("plugin", "list")}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if not (working := probe("bubblewrap")).works:
        pytest.skip(f"bubblewrap does not work here: {working}")
    made = World(tmp_path)
    yield made
    made.types("aee", "stop")


@pytest.mark.timeout(300)
def test_plugins_of_a_repository_take_part_once_they_are_trusted(world: World) -> None:
    """The agent delivers, the pack says which plugins had a part, one that failed is in the inbox until it is off."""
    states = {name: row["state"] for name, row in world.plugins().items() if row["origin"] == "repository"}
    assert states == dict.fromkeys(("player", "well", "broken", "hostile"), "untrusted")
    world.types("run", "Write a note", "--agent", "p", expect=2)
    assert world.types("missions") == [], "nothing is queued that its driver could not carry out"
    for name in ("player", "well", "broken"):
        world.types("plugin", "trust", name, "--digest", world.plugins()[name]["digest"])
    (tried,) = world.types("agents", "try", "p")
    assert (tried["ok"], tried["answer"]) == (True, "HELLO"), "it can be tried as it will work"
    (started,) = world.types("run", "Write a note", "--agent", "p")
    world.types("wait", "--timeout", "100", expect=3)

    inbox = {row["kind"]: row for row in world.types("inbox")}
    (pack,) = world.types("mrp", "show", inbox["mrp"]["id"])
    digests = {name: row["digest"] for name, row in world.plugins().items()}
    tools = {name: value for name, value in pack["audit"]["tools"].items() if name.startswith("plugin ")}
    assert tools == {f"plugin {name}": f"1.0 {digests[name]}" for name in ("player", "well", "broken")}
    (broken,) = [piece for piece in pack["evidence"] if piece["collector"] == "broken/c"]
    assert (broken["state"], broken["inputs"]["plugin broken"]) == ("error", digests["broken"])
    assert [(mark.exists(), name) for name, mark in world.marks.items()] == [(True, "well"), (False, "hostile")]

    (unasked,) = [piece for piece in pack["evidence"] if piece["kind"] == "plugin.hostile"]
    assert (unasked["state"], unasked["collector"]) == ("not-checked", "plugins")
    assert "nobody trusts" in unasked["summary"]

    alert = inbox["alert"]
    assert (alert["category"], alert["next"]) == ("plugin-failed", "workbench plugin disable broken")
    assert "no such table" in alert["title"]
    assert [row["payload"]["plugin"] for row in _failures(world)] == ["broken"]
    world.types(*alert["next"].split()[1:])
    assert [row["kind"] for row in world.types("inbox")] == ["mrp"]
    assert world.plugins()["broken"]["state"] == "disabled"
    assert started["runs"]


def _failures(world: World) -> list[dict[str, Any]]:
    return [row for row in world.types("journal", "export") if row["kind"] == "PluginFailed"]
