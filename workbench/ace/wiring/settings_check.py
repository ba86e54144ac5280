"""What is wrong with the settings in force: of their files, and keys of agents that no driver takes."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.agent_options import ACP, OPTIONS, unknown_options
from workbench.artifacts.configuration import Settings
from workbench.artifacts.problem_list import has_errors
from workbench.model.problems import Problem


def problems(place: Workplace) -> list[Problem]:
    """All problems of the configuration files, warnings too; never raises for their content."""
    from workbench.repository.configuration import settings_problems

    found = settings_problems(place.located.checkout)
    return found if has_errors(found) else [*found, *of_agents(place)]


def of_agents(place: Workplace, *names: str) -> list[Problem]:
    """Keys that the drivers of these agents do not know; of all agents, if none is named."""
    settings, origins = place.settings()
    chosen = {name: agent for name, agent in settings.agents.items() if not names or name in names}
    given = msgspec.structs.replace(settings, agents=chosen)
    return unknown_options(given, origins, known={**OPTIONS, **_described(place, given)})


def _described(place: Workplace, settings: Settings) -> dict[str, Collection[str]]:
    """The keys of agents that plugins describe as data; plugins are only looked at where an agent may be theirs."""
    wanted = {agent.driver for agent in settings.agents.values()} - OPTIONS.keys()
    if not wanted:
        return {}
    from workbench.ace.wiring import plugs

    manifests = [plugin.manifest for plugin in plugs.plugins(place) if plugin.manifest is not None]
    return {name: ACP for manifest in manifests for name in manifest.agents if name in wanted}
