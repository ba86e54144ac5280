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

SETTINGS = "{settings}"  # in a value of `env`: where the profile's settings file is mounted, read-only
HIDING = "{hiding}"  # the script that hides what a repository brings for the program
PORT = "{port}"  # the port on loopback, inside, on which the model is reached
NO_KEY = "workbench-adds-the-key-outside"


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


# Settings of the system's level lie above those that a repository brings: its MCP servers, hooks and extensions stay
# off. Its folder must count as trusted, or the program leaves our tools out, too.
_GEMINI_SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
    "mcp": {"allowed": ["workbench"]},
    "hooksConfig": {"enabled": False},
    "ide": {"enabled": False},
}

# Taken up within the minute in which it was begun, a session is emptied: a file of the same name is begun anew.
_GEMINI_BEFORE = (
    'for f in "$HOME"/.gemini/tmp/*/chats/session-2*-*.jsonl; do '
    '[ -f "$f" ] && mv -n -- "$f" "${f%/*}/session-1970-01-01T00-00-${f##*-}"; done; :'
)

GEMINI = Profile(
    name="gemini",
    env={
        "GEMINI_CLI_NO_RELAUNCH": "true",
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH": SETTINGS,
        "GEMINI_API_KEY": NO_KEY,
        "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{PORT}",
        # Megabytes of heap, in place of the limit on address space below.
        "NODE_OPTIONS": f"--require={HIDING} --disable-wasm-trap-handler --max-old-space-size=4096",
    },
    settings=json.dumps(_GEMINI_SETTINGS),
    hides=(".gemini", ".agents", ".env", ".geminiignore"),
    before=_GEMINI_BEFORE,
    address_space=256 << 30,  # under 4 GiB its start takes three times as long, under 16 twice
    model_words=("--model",),
    model="gemini-2.5-pro",  # the program's own choice asks another model first, which of them to take
    url="https://generativelanguage.googleapis.com",
    url_variable="GOOGLE_GEMINI_BASE_URL",
    key_variable="GEMINI_API_KEY",
    key_header="x-goog-api-key",
    paths=(gemini_wire.PATH,),
)
PLAIN = Profile(name="plain")  # says nothing to a model, or has it inside
PROFILES = {profile.name: profile for profile in (GEMINI, PLAIN)}


def profile_of(command: str, named: str = "") -> Profile:
    """The profile that settings name, or the one of the program's own name. Raises NotFound."""
    name = named or PurePath(os.path.normpath(command)).stem
    found = PROFILES.get(name)
    if found is None:
        raise NotFound(
            f"there is no profile {name!r} for ACP agents",
            hint=f'Set profile = "..." of the agent to one of: {", ".join(PROFILES)}.',
        )
    return found
