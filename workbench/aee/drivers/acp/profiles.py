"""What is particular to each kind of agent program: its environment, its settings, its model's host. Values only.

A profile is data about somebody else's program, as it was found to behave; nothing here starts anything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from workbench.aee import gemini_wire
from workbench.aee.model_proxy import Upstream
from workbench.model.errors import EnvironmentProblem, NotFound
from workbench.pluginhost.manifest import AgentProgram

SETTINGS = "{settings}"  # in a value of `env`: where the profile's settings file is mounted, read-only
HIDING = "{hiding}"  # the script that hides what a repository brings for the program
_WIRES: Mapping[str, tuple[str, ...]] = {"none": (), "gemini": (gemini_wire.PATH,)}  # what the proxy passes on


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One kind of program."""

    name: str
    env: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""
    hides: tuple[str, ...] = ()  # of a repository, from a program that node runs
    address_space: int = 0  # bytes that its runtime reserves, without using them; a lower limit makes it slow, or fail
    before: str = ""  # a shell script for the inside, before the program starts
    model_words: tuple[str, ...] = ()  # put before the name of the model on the command line; empty: it takes none
    model: str = ""  # where the settings name none
    url: str = ""  # of the model's host, where the environment names none
    url_variable: str = ""  # of the AEE's own environment
    key_variable: str = ""
    key_header: str = ""
    paths: tuple[str, ...] = ()

    def upstream(self, environment: Mapping[str, str], *, url: str = "", key_variable: str = "") -> Upstream:
        """Where its model is. The key comes from the AEE's environment alone. Raises EnvironmentProblem."""
        named = key_variable or self.key_variable
        key = environment.get(named, "")
        if named and not key:
            raise EnvironmentProblem(
                f"{named} is not set where the AEE was started: the agent's model cannot be asked",
                hint=f"Stop the AEE (workbench aee stop), set {named}, and resume the run.",
            )
        where = url or environment.get(self.url_variable, "") or self.url
        if not where.startswith(("https://", "http://")):
            raise EnvironmentProblem(f"{where!r} is no address of a model's host", hint="Write https:// and a host.")
        return Upstream(url=where, key_header=self.key_header, key=key, paths=self.paths)


PLAIN = Profile(name="plain")  # says nothing to a model, or has it inside
PROFILES = {PLAIN.name: PLAIN}  # all others are data of plugins


def profile_from(name: str, program: AgentProgram) -> Profile:
    """The profile of a program that a plugin's manifest describes."""
    return Profile(
        name=name,
        env=program.env,
        settings=json.dumps(program.settings),
        hides=program.hides,
        address_space=program.address_space_mb << 20,
        before=program.before,
        model_words=program.model_words,
        model=program.model,
        url=program.url,
        url_variable=program.url_variable,
        key_variable=program.key_variable,
        key_header=program.key_header,
        paths=_WIRES[program.wire],
    )


def profile_of(command: str, named: str = "") -> Profile:
    """The profile that settings name, or the one of the program's own name. Raises NotFound."""
    name = named or PurePath(os.path.normpath(command)).stem
    found = PROFILES.get(name)
    if found is None:
        raise NotFound(
            f"there is no profile {name!r} for ACP agents",
            hint=f'Set profile = "..." of the agent to {", ".join(PROFILES)}, or to an agent that a plugin describes: '
            "workbench plugin list.",
        )
    return found
