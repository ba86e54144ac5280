"""The contract between Workbench and plugins, version 1: every hook, what it is given, what it gives, and its limits.

A plugin is a directory with a manifest (`plugin.toml`, see `manifest.py`) and modules. A module implements a hook as a
function of its name, marked with `@hookimpl`; it takes those of the hook's arguments that it wants, by name:

    from workbench.pluginhost.hookspecs import Workshop, hookimpl

    @hookimpl
    def collectors(workshop: Workshop):
        return [MyCollector(workshop)]

What holds for all of them:

* A module is imported only by the wing that the manifest names it for: `drivers`, `collectors` and `tools` are asked in
  `aee` (a process for one step of a run, no terminal), `actions` and `views` in `ace` (the screens). `themes` and
  `loops`, and agents that are data, need no module: the manifest lists them.
* A hook has `HOOK_S` seconds, a collector as many as its manifest says (`timeout_s`, 600 by default, 7,200 at most).
  What raises, overruns or gives something else than is written here is left out, recorded in the journal
  (`PluginFailed`) and shown in the inbox; the work goes on without it.
* Names belong to the plugin: agents, drivers, themes, loops, actions and views are called as the plugin or begin with
  its name and a dash; kinds of evidence and findings begin with its name and a dot, which the host puts before them.
* What is handed in is read-only. Text from repositories and agents is hostile: it is data, never markup or a command.
* A plugin's code runs in Workbench's own process with all of a person's rights. Commands go through the rig or the
  sandbox that it is handed, never through `subprocess`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pluggy

from workbench.artifacts.brief import Brief
from workbench.artifacts.configuration import Agent
from workbench.core.state import RunState
from workbench.model.evidence import Criterion, Evidence, EvidenceState
from workbench.pluginhost.manifest import CONTRACT, AgentProgram
from workbench.ports import (
    Blobs,
    Change,
    Collector,
    Completed,
    Driver,
    Environment,
    Limits,
    Mount,
    Sandbox,
    States,
    Tool,
    Workspace,
)

PROJECT = "workbench"
HOOK_S = 10.0  # seconds for one hook of one plugin, and for the import of one module
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


# --- evidence ---------------------------------------------------------------------------------------------------------


class Rig(Protocol):
    """Places and commands for a collector. Every command runs in the sandbox of the run, without network."""

    def workspace(self, commit: str) -> AbstractContextManager[Workspace]:
        """A clean checkout of `change.base`, `change.head` or `change.result`, given back at the end."""
        ...

    def outbox(self) -> AbstractContextManager[Path]:
        """A fresh directory; what a command leaves below `report/` in it can be read until it is given back."""
        ...

    def run(
        self,
        argv: Sequence[str],
        workspace: Workspace,
        *,
        box: Path,
        env: Mapping[str, str] | None = None,
        mounts: Sequence[Mount] = (),
        stdin: bytes = b"",
    ) -> Completed:
        """Run a command in the workspace, with the project's environment. `mounts` are read-only unless they say so.

        `completed.stdout.data` and `.stderr.data` are cut to some megabytes; look at `completed.state` first.
        """
        ...

    def keep(self, completed: Completed) -> dict[str, str]:
        """Keep a command's outputs with the pack: for the `outputs` of evidence."""
        ...

    def evidence(
        self,
        change: Change,
        kind: str,
        *,
        criterion: Criterion,
        state: EvidenceState,
        summary: str,
        started_at: str = "",
        **more: Any,
    ) -> Evidence:
        """Evidence that was made with this rig; `more` are further fields of `workbench.model.evidence.Evidence`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What collectors are made with. `settings` is `[plugins.NAME]` of the base commit's and the person's settings."""

    rig: Rig
    settings: Mapping[str, Any] = field(default_factory=dict)
    brief: Brief | None = None


# --- agents -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Seat:
    """What a driver is opened with. `agent` is as the person's own settings have it, its own keys in `options`.

    `rules()` are the active norms of the team, in words. `home` is a directory of the run's own, which outlives turns.
    `workspace`, `sandbox`, `environment` and `limits` are those in which the agent's commands must run.
    """

    run: RunState
    agent: Agent
    brief: str
    rules: Callable[[], Sequence[str]]
    tools: Sequence[Tool]
    blobs: Blobs
    workspace: Workspace
    sandbox: Sandbox
    environment: Environment
    limits: Limits
    home: Path


@dataclass(frozen=True, kw_only=True)
class DriverKind:
    """A kind of agent, by the word that `driver = "..."` of an agent's settings names."""

    name: str
    open: Callable[[Seat], Driver]


@dataclass(frozen=True, kw_only=True)
class AgentKind:
    """A kind of agent that is data: a program that speaks the Agent Client Protocol."""

    name: str
    program: AgentProgram


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What tools are made with; commands go through `sandbox`, files are in `workspace.path`, where an agent writes."""

    run: RunState
    workspace: Workspace
    sandbox: Sandbox
    environment: Environment
    limits: Limits
    settings: Mapping[str, Any] = field(default_factory=dict)


# --- screens ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class View:
    """Lines to look at: `lines(states)` are plain text, made visible and cut by the screen; 2 s, 10,000 lines."""

    id: str
    title: str
    lines: Callable[[States], Sequence[str]]


@dataclass(frozen=True, kw_only=True)
class PluginAction:
    """A row of the palette: `act(states)` gives a sentence to show, or the id of a view to open. It changes nothing."""

    id: str
    label: str
    tooltip: str
    act: Callable[[States], str]


@dataclass(frozen=True, kw_only=True)
class NamedText:
    """A theme (TOML) or a loop (YAML) as text, by the name under which a person asks for it."""

    name: str
    text: str
    where: str


# --- the hooks --------------------------------------------------------------------------------------------------------


@hookspec
def collectors(workshop: Workshop) -> Sequence[Collector]:  # type: ignore[empty-body]
    """Wing `aee`. Collectors for one pack, in order; `collect` is called once each, in a thread of its own.

    A collector gives `Collected` and does not raise for what a change does: a broken tool is evidence with state
    `error`, what could not be looked at `not-checked`. Grades above `executed` are lowered to it, clauses are left out
    (the brief's own checks prove them), and the host adds the plugin's name, version and digest.
    """


@hookspec
def drivers() -> Sequence[DriverKind | AgentKind]:  # type: ignore[empty-body]
    """Wing `aee`. Kinds of agents. `open` may raise WorkbenchError with a hint; it starts nothing: `take_turn` does."""


@hookspec
def tools(bench: Bench) -> Sequence[Tool]:  # type: ignore[empty-body]
    """Wing `aee`. More tools for the agents of a run; a name begins with the plugin's, `-` written as `_`, and `_`.

    `call` gives a `ToolResult` and does not raise; the agent may call it at any time, and again after an interruption.
    """


@hookspec
def views() -> Sequence[View]:  # type: ignore[empty-body]
    """Wing `ace`. Lines to look at, opened from the palette."""


@hookspec
def actions() -> Sequence[PluginAction]:  # type: ignore[empty-body]
    """Wing `ace`. Rows of the palette."""


@hookspec
def themes() -> Sequence[NamedText]:  # type: ignore[empty-body]
    """Wing `ace`. Themes with all the colours of a shipped one; those that the manifest lists come by themselves."""


@hookspec
def loops() -> Sequence[NamedText]:  # type: ignore[empty-body]
    """Wing `ace`. Loops. Those that the manifest lists come by themselves."""


WINGS: Mapping[str, str] = {
    "collectors": "aee",
    "drivers": "aee",
    "tools": "aee",
    "views": "ace",
    "actions": "ace",
    "themes": "ace",
    "loops": "ace",
}

__all__ = [
    "CONTRACT",
    "HOOK_S",
    "WINGS",
    "AgentKind",
    "Bench",
    "DriverKind",
    "NamedText",
    "PluginAction",
    "Rig",
    "Seat",
    "View",
    "Workshop",
    "hookimpl",
]
