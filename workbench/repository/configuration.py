"""Finds the configuration's layers and lays them over each other; which settings there are is not known here.

Order: defaults < the person's `config.toml` < `.workbench/config.toml` < `.workbench/local.toml` < environment <
flags. What a repository brings may not loosen what protects the person from it: such keys are left out, with a warning.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from workbench.artifacts import configuration as c
from workbench.artifacts.problem_list import has_errors
from workbench.model.errors import EnvironmentProblem, NotFound, RepositoryProblem
from workbench.model.problems import Problem

SHARED = ".workbench/config.toml"
LOCAL = ".workbench/local.toml"
MAX_BYTES = 1 << 20
OWN_OF_AGENTS = {  # keys of an agent that only a person's own configuration sets
    "base_url": "where your key is sent",
    "key_file": "which of your files holds a key",
    "key_env": "which of your variables holds a key",
    "prices": "what a model costs you: budgets rest on it",
}


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration file. `foreign`: it came with the repository."""

    path: str
    data: bytes
    foreign: bool


def person_config(environment: Mapping[str, str]) -> Path:
    """Where a person's own configuration lies."""
    base = environment.get("XDG_CONFIG_HOME", "")
    if not Path(base).is_absolute():
        home = environment.get("HOME", "")
        base = f"{home}/.config" if home else str(Path("~/.config").expanduser())
    return Path(base) / "workbench" / "config.toml"


def read_settings(
    checkout: Path | None,
    *,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    shared: str | bytes | None = None,
) -> tuple[c.Settings, dict[str, str]]:
    """The settings in force, and for each dotted key where it comes from.

    `environment` is the caller's (None: this process's), `flags` go by dotted key. `shared` takes the place of the
    checkout's `.workbench/config.toml`: the text as it stands in a base commit. Raises ArtifactInvalid.
    """
    variables = _variables(environment)
    layers = [_restrained(file)[0] for file in _files(checkout, variables, shared)]
    return c.merged([*layers, c.environment_layer(variables), c.flag_layer(flags or {})])


def settings_problems(checkout: Path | None, *, environment: Mapping[str, str] | None = None) -> list[Problem]:
    """What is wrong with the configuration files, warnings too; never raises for their content."""
    problems: list[Problem] = []
    for file in _files(checkout, _variables(environment), None):
        found = c.check(file.data, file.path)
        problems += found
        if not has_errors(found):
            problems += _restrained(file)[1]
    return problems


def _variables(environment: Mapping[str, str] | None) -> Mapping[str, str]:
    return os.environ if environment is None else environment


def _files(checkout: Path | None, variables: Mapping[str, str], shared: str | bytes | None) -> Iterator[_File]:
    own = person_config(variables)
    yield from _file(own, str(own), foreign=False)
    if shared is not None:
        data = shared.encode("utf-8", "surrogatepass") if isinstance(shared, str) else shared
        yield _File(path=SHARED, data=data, foreign=True)
    elif checkout is not None:
        yield from _file(checkout / SHARED, SHARED, foreign=True)
    if checkout is not None and (checkout / LOCAL).is_file():
        yield from _file(checkout / LOCAL, LOCAL, foreign=_is_tracked(checkout, LOCAL))


def _file(path: Path, name: str, *, foreign: bool) -> Iterator[_File]:
    """The file, if there is a regular one; a pipe or a device that a repository left there is never opened."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                yield _File(path=name, data=file.read(MAX_BYTES + 1), foreign=foreign)
    except OSError as error:
        reason = error.strerror or str(error)
        raise EnvironmentProblem(f"{name} cannot be read: {reason}", hint="look at its permissions") from error


def _is_tracked(checkout: Path, path: str) -> bool:
    """Whether a commit brought the file: then it is not a person's own. When git cannot say, it is taken as if so."""
    from workbench.repository.repository import open_repository

    try:
        with open_repository(checkout, allow_empty=True) as repository:
            return path in repository.list_files(repository.resolve("HEAD"), ".workbench")
    except NotFound:
        return False  # no commit yet, so nothing came with one
    except RepositoryProblem:
        return True


def _restrained(file: _File) -> tuple[c.Layer, list[Problem]]:
    """A file's layer; without the keys that a repository may not set, if it came with one."""
    layer = c.layer(file.data, file.path)
    if not file.foreign:
        return layer, []
    refused = dict(_refused(layer.data))
    problems = [_warning(file.path, layer.origins.get(".".join(key), ""), why) for key, why in refused.items()]
    return (c.without_keys(layer, refused) if refused else layer), problems


def _refused(data: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in data.get("screens", {}):
        yield ("screens", key), "a repository may not change your screens and keys"
    if data.get("run", {}).get("sandbox") == "none":
        yield ("run", "sandbox"), "a repository may not switch the sandbox off"
    environment = data.get("environment", {})
    if _leaves(environment.get("virtual_env", "")):
        yield ("environment", "virtual_env"), "a repository may not name a directory outside itself"
    if any(_leaves(path) for path in environment.get("search_path", ())):
        yield ("environment", "search_path"), "a repository may not name a directory outside itself"
    for name, agent in data.get("agents", {}).items():
        for key, what in OWN_OF_AGENTS.items():
            if key in agent:
                yield ("agents", name, key), f"a repository may not say {what}"


def _leaves(path: str) -> bool:
    return path.startswith(("/", "~", "$")) or ".." in Path(path).parts


def _warning(path: str, origin: str, reason: str) -> Problem:
    line = origin.rpartition(":")[2]
    remedy = f"it is left out; set it in your own config.toml or in {LOCAL}"
    number = int(line) if line.isdigit() else 0
    return Problem(path=path, line=number, column=1, text=reason, remedy=remedy, severity="warning")
