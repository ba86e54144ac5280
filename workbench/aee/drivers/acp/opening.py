"""Opens the driver `acp` for a run child, from what a person's own settings say of the agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from workbench.aee.drivers.acp.driver import AcpDriver
from workbench.aee.drivers.acp.profiles import Profile
from workbench.aee.spending import Allowance
from workbench.aee.tools.toolbox import ToolBox
from workbench.artifacts.configuration import Settings
from workbench.artifacts.terms import Command
from workbench.model.errors import NotFound


def open_acp(
    name: str,
    own: Settings,
    *,
    box: ToolBox,
    home: Path,
    answered: Callable[[str], Mapping[str, Any]],
    allowance: Allowance,
    command: Command = "",
    profile: Profile | None = None,
) -> AcpDriver:
    """The driver of the agent `name`. `own` are settings without the repository's: those start no program of a person.

    `command` and `profile` are those of a plugin that knows the program; the person's own command comes first.

    Raises NotFound where the person has no such agent.
    """
    agent = own.agents.get(name)
    if agent is not None and not agent.command:
        agent = replace(agent, command=command)
    if agent is None or not agent.command:
        raise NotFound(
            f"your own settings name no program for the agent {name!r}",
            hint=f'Write [agents.{name}] driver = "acp", command = [...] into your config.toml or into '
            ".workbench/local.toml: a program that a repository names is not run.",
        )
    return AcpDriver(
        agent=agent,
        place=box.place,
        home=home,
        tools=box.tools,
        answered=answered,
        allowance=allowance,
        profile=profile,
    )
