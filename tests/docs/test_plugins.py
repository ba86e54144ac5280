"""The guide to plugins is followed: what it says to type is typed, and what it shows is tried as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs import readme
from workbench.aee.sandbox.select import probe
from workbench.artifacts import configuration, policy
from workbench.pluginhost import hookspecs
from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.manifest import AgentProgram, read
from workbench.testing.changes import TreeChange
from workbench.testing.plugin import plain_rig
from workbench.testing.plugin_trial import trial

GUIDE = (readme.ROOT / "workbench/docs/plugins.md").read_text(encoding="utf-8")
SECTIONS = {found["title"]: found["body"] for found in readme.SECTION.finditer(GUIDE)}
COLLECTOR, AGENT = "A collector in five commands", "An agent in three commands"
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def type_line(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Types a line in a person's own repository."""
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    (tmp_path / "mine").mkdir()

    def typed(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", line], cwd=tmp_path / "mine", env=environment, capture_output=True, text=True
        )

    assert typed("git init -q -b main && git commit -q --allow-empty -m First").returncode == 0
    return typed


@pytest.mark.skipif(not probe("bubblewrap").works, reason="bubblewrap does not work here")
def test_what_it_says_to_type_works(type_line: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    """From nothing to a collector that is trusted, and to an agent that is described."""
    lines = [
        line[2:]
        for title in (COLLECTOR, AGENT)
        for body in readme.blocks(SECTIONS[title])
        for line in body.splitlines()
    ]
    assert len(lines) == 8
    for line in lines:
        done = type_line(line)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
    assert re.search(r"left-overs +0.1 +ready", type_line("workbench plugin list").stdout)


def test_the_collector_that_it_shows_passes_the_test_that_it_shows() -> None:
    """With the manifest that it shows."""
    (manifest, *_), (code, test, _) = (readme.blocks(SECTIONS[COLLECTOR], kind) for kind in ("toml", "python"))
    files = {"plugin.toml": manifest, "collector.py": code, "test_collector.py": test}
    shown = Bundle(
        "left-overs", {name: text.encode() for name, text in files.items()}, origin="directory", where="guide"
    )
    tried = list(trial(shown))
    assert {each.state for each in tried} == {"ok"}, tried
    assert tried[-1].text == "2 tests passed"


def test_the_command_that_it_shows_runs(tmp_path: Path) -> None:
    """Through a rig, as a collector has one."""
    code = readme.blocks(SECTIONS[COLLECTOR], "python")[2]
    names: dict[str, Callable[..., str]] = {}
    exec(code, names)
    change = TreeChange.of({"a": "1", "b": "2"}, {"c": "3"})
    assert names["lines_of"](plain_rig(tmp_path, change), change) == "3"


def test_the_agent_that_it_shows_has_every_key() -> None:
    """The manifest is read without a problem, and no key of an agent is missing from it."""
    shown, settings = readme.blocks(SECTIONS[AGENT], "toml")
    manifest, problems = read(shown.encode(), "plugin.toml")
    assert problems == []
    assert manifest is not None
    assert tomllib.loads(shown)["agents"]["tiny-agent"].keys() == set(AgentProgram.__struct_fields__)
    assert configuration.parse(settings).agents["tiny"].driver == "tiny-agent"


def test_the_policy_that_it_shows_can_be_asked_for() -> None:
    """By the kind that the host gives the evidence."""
    (shown,) = readme.blocks(SECTIONS[COLLECTOR], "yaml")
    assert policy.parse(shown).requirements[0].evidence == "left-overs.headers"


def test_every_hook_is_named() -> None:
    """No hook of the contract is missing from the guide, and each is said to belong to a wing."""
    assert [hook for hook in hookspecs.WINGS if f"`{hook}`" not in GUIDE] == []
    assert [hook for hook in hookspecs.WINGS if "Wing `" not in (getattr(hookspecs, hook).__doc__ or "")] == []
