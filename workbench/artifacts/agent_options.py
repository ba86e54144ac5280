"""Which keys an agent's settings may have beside the common ones, by its driver; what they do, only drivers know."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from workbench.artifacts.configuration import Agent, Settings
from workbench.artifacts.problem_list import did_you_mean, quoted
from workbench.model.problems import Problem

_COMMON = tuple(name for name in Agent.__struct_fields__ if name != "options")
NATIVE = frozenset({"max_tokens", "window", "temperature", "prices", "base_url", "key_file", "key_env"})
ACP = frozenset({"profile", "url", "key_variable", "mounts", "patience_s", "prices"})  # of agents that are data, too
OPTIONS: Mapping[str, Collection[str]] = MappingProxyType({"scripted": (), "native": NATIVE, "acp": ACP})


def unknown_options(
    settings: Settings, origins: Mapping[str, str], *, known: Mapping[str, Collection[str]] = OPTIONS
) -> list[Problem]:
    """A warning for each key that the agent's driver does not know, where it stands; by agent, in its order.

    `known` are the keys by driver. What a driver takes that is not among them is its own affair.
    """
    return [
        _warning(name, agent, key, origins.get(f"agents.{name}.{key}", ""), known[agent.driver])
        for name, agent in settings.agents.items()
        if agent.driver in known
        for key in agent.options
        if key not in known[agent.driver]
    ]


def _warning(name: str, agent: Agent, key: str, origin: str, known: Collection[str]) -> Problem:
    path, _, line = origin.rpartition(":")
    there = path and line.isdigit()
    return Problem(
        path=path if there else origin or "settings",
        line=int(line) if there else 0,
        column=1 if there else 0,
        text=f"the driver {agent.driver} knows no key {quoted(key)}; agents.{name} is taken without it",
        remedy=did_you_mean(key, sorted({*_COMMON, *known})),
        severity="warning",
    )
