"""The manifest, `plugin.toml`: what a plugin is called, what it needs and which modules each wing imports.

It is data: reading it imports nothing of the plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.checker import ABSENT, Reader
from workbench.artifacts.nodes import from_data
from workbench.artifacts.problem_list import ProblemList, has_errors
from workbench.artifacts.source import decode
from workbench.artifacts.terms import Command
from workbench.artifacts.toml_lines import load
from workbench.model.problems import Problem

FILE = "plugin.toml"
CONTRACT = 1  # the version of hookspecs.py that this host keeps; a plugin names the one that it was written for
MAX_BYTES = 1 << 16
COLLECT_S = 600  # seconds for one collector of a plugin, where its manifest names no other limit
Wing = Literal["aee", "ace"]
Wire = Literal["none", "gemini"]  # what the proxy to an agent's model can read, and therefore passes on

# What is ours: kinds of evidence, drivers and words of the house. A plugin of such a name could pass for it.
RESERVED = frozenset(
    {"workbench", "plugin", "collector", "branch", "scripted", "native", "acp", "plain", "demo", "text", "size"}
    | {"tests", "coverage", "lint", "types", "secrets", "tampering", "dependencies", "clause", "clauses"}
    | {"rationale", "audit", "mutation", "growth", "structure", "dangerous", "interface"}
)
NAME = f.Shape(
    pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    wanted="a plugin's name",
    remedy="use small letters, digits and single dashes, starting with a letter",
)
MODULE = f.Shape(
    pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$",
    wanted="a module of the plugin",
    remedy="write it as Python does, without `.py`, relative to the plugin's directory",
)
VARIABLE = f.Shape(
    pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$", wanted="the name of a variable", remedy="write the name alone"
)


class Modules(msgspec.Struct, frozen=True, kw_only=True):
    """The modules that hold hooks, by the wing that imports them: no other wing ever does."""

    aee: tuple[str, ...] = ()
    ace: tuple[str, ...] = ()


class AgentProgram(msgspec.Struct, frozen=True, kw_only=True):
    """An agent as data: a program that speaks the Agent Client Protocol, and how it is to be run.

    In `env`, `{settings}` is the path of the file that holds `settings` as JSON, `{port}` the port on loopback at
    which the model is reached, and `{hiding}` a script for node that hides the paths of `hides`.
    """

    command: Command
    summary: str = ""
    version: tuple[str, ...] = ()
    env: dict[str, str] = {}
    settings: dict[str, Any] = {}
    hides: tuple[str, ...] = ()
    address_space_mb: int = 0
    before: str = ""
    model_words: tuple[str, ...] = ()
    model: str = ""
    url: str = ""
    url_variable: str = ""
    key_variable: str = ""
    key_header: str = ""
    wire: Wire = "none"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin, as it describes itself. `timeout_s` is for each of its collectors."""

    name: str
    version: str
    host: int
    summary: str
    modules: Modules = Modules()
    agents: dict[str, AgentProgram] = {}
    themes: tuple[str, ...] = ()
    loops: tuple[str, ...] = ()
    timeout_s: int = COLLECT_S

    @property
    def offers(self) -> tuple[str, ...]:
        """What it says that it brings, in words."""
        found = [f"agent {name}" for name in self.agents]
        found += [f"theme {path}" for path in self.themes]
        found += [f"loop {path}" for path in self.loops]
        found += [f"module {name} ({wing})" for wing in ("aee", "ace") for name in getattr(self.modules, wing)]
        return tuple(found)


@cache
def _table() -> f.Table:
    modules = {"aee": "modules of the agents' wing: collectors, drivers, tools", "ace": "modules of the screens' wing"}
    agent = {
        "command": "the program and its arguments, e.g. to speak the Agent Client Protocol on stdio",
        "summary": "what it is, in a line",
        "version": "the command that prints its version",
        "env": "variables that it is started with",
        "settings": "what its settings file holds, written as JSON where `{settings}` stands in `env`",
        "hides": "files of a repository that it must not see, such as settings and hooks of its own",
        "address_space_mb": "megabytes that its runtime reserves, without using them",
        "before": "a shell script for the inside of the sandbox, before a session is taken up again",
        "model_words": "put before the model's name on its command line; empty: it takes none",
        "model": "the model, where the person's settings name none",
        "url": "of the model's host",
        "url_variable": "a variable of the AEE's environment with another address of it",
        "key_variable": "the variable of the AEE's environment with the key, which stays outside of the sandbox",
        "key_header": "the header in which the key is sent",
        "wire": "how it speaks to its model, so that what it spends can be counted: gemini, or none without a model",
    }
    variables = dict.fromkeys(("url_variable", "key_variable"), VARIABLE)
    agents = f.MapOf(f.table(AgentProgram, docs=agent, kinds={"summary": f.LINE, **variables}))
    docs = {
        "name": "its name, which is that of its directory",
        "version": "its version",
        "host": "the version of the host's contract that it was written for",
        "summary": "what it is for, in a line",
        "modules": "the modules with hooks, by wing",
        "agents": "agents as data, by name: its own name, or one that begins with it and a dash",
        "themes": "themes as files",
        "loops": "loops as files",
        "timeout_s": "seconds for each of its collectors",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "name": NAME,
        "version": f.LINE,
        "host": f.Integer(1, 1_000),
        "summary": f.LINE,
        "modules": f.table(Modules, docs=modules, kinds={"aee": MODULE, "ace": MODULE}),
        "agents": agents,
        "themes": f.PATH,
        "loops": f.PATH,
        "timeout_s": f.Integer(1, 7_200),
    }
    return f.table(Manifest, docs=docs, kinds=kinds)


def read(data: bytes, path: str) -> tuple[Manifest | None, list[Problem]]:
    """The manifest of a text, and all problems; None where there are errors. Never raises."""
    problems = ProblemList(path)
    decoded = decode(data, problems, limit=MAX_BYTES)
    loaded = None if decoded is None else load(decoded, problems)
    if loaded is None:
        return None, problems.listed()
    plain, places = loaded
    try:
        root = from_data(plain, lines=places)
    except ValueError as error:
        problems.add(0, 0, str(error), "flatten it")
        return None, problems.listed()
    found = Reader(problems).read(_table(), root)
    if found is ABSENT or has_errors(problems.listed()):
        return None, problems.listed()
    manifest = msgspec.convert(found, Manifest)
    for key, text, remedy in _complaints(manifest):
        line, column = places.get((key,), (0, 0))
        problems.add(line, column, text, remedy)
    return (None if has_errors(problems.listed()) else manifest), problems.listed()


def _complaints(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """(key, what is wrong, remedy)."""
    if manifest.name in RESERVED:
        yield "name", f"`{manifest.name}` is a name of Workbench's own", "choose another name"
    if manifest.host > CONTRACT:
        yield (
            "host",
            f"it was written for version {manifest.host} of the contract, this host keeps {CONTRACT}",
            "install a newer Workbench, or an older version of the plugin",
        )
    for name in manifest.agents:
        if not owns(manifest.name, name):
            yield "agents", f"the agent `{name}` is not named for the plugin", f"call it `{manifest.name}-...`"
    for name in {name for pair in (manifest.modules.aee, manifest.modules.ace) for name in pair}:
        if name in manifest.modules.aee and name in manifest.modules.ace:
            yield "modules", f"the module `{name}` is named for both wings", "write one module for each wing"


def name_problem(name: str) -> str:
    """What keeps a word from being a plugin's name; empty where nothing does."""
    if not re.fullmatch(NAME.pattern, name):
        return NAME.remedy
    return "it is a name of Workbench's own" if name in RESERVED else ""


def owns(plugin: str, name: object) -> bool:
    """Whether a thing of this name may come from that plugin: so no plugin can take another's, or ours."""
    return isinstance(name, str) and (name == plugin or name.startswith(f"{plugin}-"))
