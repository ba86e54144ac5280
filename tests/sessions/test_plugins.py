"""Plugins at the screens: their rows in the palette, their views, a theme, and what a broken one leaves behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ace_world import Call, git

from tests.pluginhost.bundles import HOOK, MANIFEST
from workbench.ace.tui.preferences import preferences
from workbench.ace.tui.themes import shipped_directory
from workbench.ace.wiring.workplace import Workplace
from workbench.pluginhost import discovery
from workbench.pluginhost.bundle import read_directory
from workbench.testing.stage import stage

SCREENS = (
    "from workbench.pluginhost.hookspecs import PluginAction, View\n"
    + HOOK
    + """def views():
    return [View(id="tally-runs", title="TALLY", lines=lambda states: [f"{len(states.runs())} runs", "\\x1b[31m[b]"])]


@hookimpl
def actions():
    return [
        PluginAction(id="tally-look", label="tally them", tooltip="Count the runs", act=lambda states: "tally-runs"),
        PluginAction(id="tally-say", label="say how many", tooltip="In words", act=lambda states: "none at all"),
        PluginAction(id="tally-break", label="break", tooltip="In vain", act=lambda states: 1 / 0),
        PluginAction(id="go-back", label="forged", tooltip="Not of its name", act=lambda states: ""),
    ]
"""
)
LOOP = "id: tally\nversion: '1'\nscope: repository\nstages: [{id: do, role: coder}]\n"


@pytest.fixture
def tally(call: Call, repository: Path) -> Path:
    """A trusted plugin for the screens, with a loop."""
    place = repository / ".workbench/plugins/tally"
    place.mkdir(parents=True)
    more = 'loops = ["tally.yaml"]\n[modules]\nace = ["screens"]\n'
    (place / "plugin.toml").write_text(MANIFEST.format(name="tally", more=more))
    (place / "screens.py").write_text(SCREENS)
    (place / "tally.yaml").write_text(LOOP)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Tally")
    digest = next(row["digest"] for row in call("plugin", "list", "--json").rows if row["id"] == "tally")
    assert call("plugin", "trust", "tally", "--digest", digest).code == 0
    return place


def test_actions_and_views_of_a_plugin_are_in_the_palette(repository: Path, tally: Path, call: Call) -> None:
    """What an action says is told, a view is shown as text, and one that fails is an alert in the inbox."""

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("ctrl+p")
            await person.type("tally")
            person.sees("tally them", "say how many", "TALLY")
            person.sees_not("forged")
            await person.press("escape", "ctrl+p")
            await person.type("how many")
            await person.press("enter")
            person.sees("none at all")
            await person.press("ctrl+p")
            await person.type("count the")
            await person.press("enter")
            person.sees("TALLY", "0 runs", "[31m[b]")
            await person.press("escape", "ctrl+p")
            await person.type("vain")
            await person.press("enter")
            person.sees("the plugin tally failed")

    asyncio.run(session())
    alerts = [row for row in call("inbox", "--json").rows if row["kind"] == "alert"]
    assert {(row["id"], row["category"]) for row in alerts} == {("plugin/tally", "plugin-failed")}


def test_a_loop_of_a_plugin_is_listed_and_shown(call: Call, tally: Path) -> None:
    """As one of the repository; a mission can be started under it."""
    (row,) = call("loop", "list", "--json").rows
    assert (row["id"], row["problems"]) == ("tally", 0)
    assert call("loop", "show", "tally", "--json").one["id"] == "tally"
    started = call("run", "Do it", "--loop", "tally", "--script", "agent.yaml", "--no-start", "--json")
    assert "no loop" not in started.err


def test_a_theme_of_an_installed_plugin_is_found(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name, where no file has it; the control: without the plugin there is no such theme."""
    chosen = {"HOME": str(home), "WORKBENCH_SCREENS_THEME": "sea-deep"}
    assert preferences(chosen).problems
    place = tmp_path / "sea"
    (place / "themes").mkdir(parents=True)
    text = (shipped_directory() / "workbench-dark.toml").read_text().replace("workbench-dark", "sea-deep")
    (place / "themes/sea-deep.toml").write_text(text)
    (place / "plugin.toml").write_text(MANIFEST.format(name="sea", more='themes = ["themes/sea-deep.toml"]\n'))
    found = read_directory(place, origin="installed")
    monkeypatch.setattr(discovery, "installed", lambda: [found])
    assert preferences(chosen).theme.name == "sea-deep"
    assert preferences(chosen).problems == ()
