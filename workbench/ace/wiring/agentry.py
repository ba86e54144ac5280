"""The agents that are configured: which there are, whether each could work, and one tiny turn of it to see.

It never reads a key: it says where one would be found, and whether something is there.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring import settings_check
from workbench.ace.wiring.check import Check
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.configuration import Agent
from workbench.model.errors import NotFound

TRYING = "workbench.aee.trying"
REACH_S = 5.0  # for a server to say anything at all
NATIVE_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
NATIVE_URL = "ANTHROPIC_BASE_URL"
VENDOR = "https://api.anthropic.com"
OWN_HOSTS = ("http://127.0.0.1", "http://localhost", "http://[::1]")
MODULES = {"scripted": "workbench.aee.drivers.scripted", "native": "anthropic", "acp": "acp"}


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """One agent, as the settings have it."""

    id: str
    driver: str
    model: str = ""
    script: str = ""
    command: tuple[str, ...] = ()
    is_default: bool = False
    origin: str = ""
    kind: str = "agent"
    schema: int = 1


def agents(place: Workplace) -> list[AgentRow]:
    """All agents that `run --agent` knows."""
    settings, origins = place.settings()
    default = settings.run.agent or (next(iter(settings.agents)) if len(settings.agents) == 1 else "")
    return [
        AgentRow(
            id=name,
            driver=agent.driver,
            model=agent.model,
            script=agent.script,
            command=(agent.command,) if isinstance(agent.command, str) and agent.command else tuple(agent.command),
            is_default=name == default,
            origin=origins.get(f"agents.{name}.driver", ""),
        )
        for name, agent in settings.agents.items()
    ]


def examine(place: Workplace, names: tuple[str, ...]) -> Iterator[Check]:
    """What each agent needs, and whether it is there. Raises NotFound for a name that no agent has."""
    known = place.settings()[0].agents
    for name in names or tuple(known):
        agent = _agent(known, name)
        yield from _settings(place, name)
        look = _LOOKS.get(agent.driver)
        if look is None:
            yield from _of_plugin(place, name, agent)
            continue
        if importlib.util.find_spec(MODULES[agent.driver].partition(".")[0]) is None:
            text = f"driver {agent.driver}: the package {MODULES[agent.driver]} is not installed"
            yield Check(id=f"{name}/driver", state="fail", text=text, remedy="install Workbench anew")
        else:
            yield Check(id=f"{name}/driver", state="ok", text=f"driver {agent.driver}")
        for check in look(place, agent):
            yield msgspec.structs.replace(check, id=f"{name}/{check.id}")


def _settings(place: Workplace, name: str) -> Iterator[Check]:
    """Keys that its driver does not know, where they stand."""
    for problem in settings_check.of_agents(place, name):
        text = f"{problem.path}:{problem.line}: {problem.text}"
        yield Check(id=f"{name}/settings", state="warn", text=text, remedy=problem.remedy)


def _of_plugin(place: Workplace, name: str, agent: Agent) -> Iterator[Check]:
    """What an agent needs that a plugin describes; one whose driver is a plugin's code only its plugin can tell."""
    from workbench.ace.wiring import plugs

    found = plugs.provider(place, agent.driver)
    if found is None or found.manifest is None:
        remedy = f"one of: {', '.join(MODULES)}; or of a plugin: workbench plugin doctor says which may not run"
        yield Check(id=f"{name}/driver", state="fail", text=f"there is no driver {agent.driver!r}", remedy=remedy)
        return
    yield Check(id=f"{name}/driver", state="ok", text=f"driver {agent.driver} of the plugin {found.name}")
    if (program := found.manifest.agents.get(agent.driver)) is not None:
        own = msgspec.structs.replace(program, command=agent.command or program.command)
        yield from plugs.agent_checks(name, own)


def try_agent(place: Workplace, name: str) -> dict[str, Any]:
    """Have the agent take one tiny turn in a throwaway clone, sandboxed; what came back."""
    from workbench.ace.wiring import engine

    _agent(place.settings()[0].agents, name)
    (row,) = engine.ask(place, TRYING, "--agent", name)
    return row


def _agent(known: Mapping[str, Agent], name: str) -> Agent:
    if name not in known:
        hint = f"Configured: {', '.join(known) or 'none'}. Write [agents.NAME] into a config.toml."
        raise NotFound(f"There is no agent {name!r}.", hint=hint)
    return known[name]


def _scripted(place: Workplace, agent: Agent) -> Iterator[Check]:
    path = place.checkout / agent.script
    if not agent.script or not path.is_file():
        text, remedy = f"the script {agent.script or '(none)'} is not there", 'write script = "FILE"'
        yield Check(id="script", state="fail", text=text, remedy=remedy)
    else:
        yield Check(id="script", state="ok", text=f"script {agent.script}")


def _native(_: Workplace, agent: Agent) -> Iterator[Check]:
    if agent.model:
        yield Check(id="model", state="ok", text=f"model {agent.model}")
    else:
        yield Check(id="model", state="fail", text="no model is named", remedy='write model = "..."')
    base_url = str(agent.options.get("base_url") or os.environ.get(NATIVE_URL, ""))
    yield _key(agent.options, base_url)
    yield _way(base_url or VENDOR)


def _key(options: Mapping[str, Any], base_url: str) -> Check:
    """Where the key is; never what it is."""
    if path := options.get("key_file"):
        there = os.access(Path(str(path)).expanduser(), os.R_OK)
        text = f"the key file {path} " + ("can be read" if there else "cannot be read")
        return Check(id="key", state="ok" if there else "fail", text=text, remedy="" if there else "look at key_file")
    names = (str(options["key_env"]),) if options.get("key_env") else NATIVE_KEYS
    found = next((name for name in names if os.environ.get(name)), "")
    if found:
        return Check(id="key", state="ok", text=f"{found} is set here; the AEE must be started where it is")
    if base_url.startswith(OWN_HOSTS):
        return Check(id="key", state="ok", text="no key; a server on this machine is asked without one")
    remedy = f"set {names[0]} where the AEE is started, or key_file in your own config.toml"
    return Check(id="key", state="fail", text=f"none of {', '.join(names)} is set", remedy=remedy)


def _way(url: str) -> Check:
    """Whether anything answers there; nothing is asked of it, and no key is sent."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REACH_S):
            pass
    except urllib.error.HTTPError:
        pass  # it answers
    except (OSError, ValueError) as problem:
        remedy = f"look at the network, and at {NATIVE_URL} or base_url"
        return Check(id="server", state="fail", text=f"{url} does not answer: {problem}", remedy=remedy)
    return Check(id="server", state="ok", text=f"{url} answers")


def _acp(_: Workplace, agent: Agent) -> Iterator[Check]:
    words = (agent.command,) if isinstance(agent.command, str) else agent.command
    program = words[0].split()[0] if words and words[0].strip() else ""
    if program and shutil.which(program):
        yield Check(id="program", state="ok", text=f"program {program}")
    else:
        text = f"the program {program or '(none)'} is not there"
        yield Check(id="program", state="fail", text=text, remedy='install it, or write command = ["..."]')


_LOOKS: dict[str, Callable[[Workplace, Agent], Iterator[Check]]] = {
    "scripted": _scripted,
    "native": _native,
    "acp": _acp,
}
