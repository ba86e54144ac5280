"""Plugins as a person sees them: which there are, how each stands, and what a person says of one.

It reads manifests and imports no plugin; tests of plugins run in the agents' wing, in a sandbox.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench.ace.wiring import engine
from workbench.ace.wiring.check import Check
from workbench.ace.wiring.workplace import Workplace
from workbench.core.plugins import PLUGIN_STREAM, TRUST_STREAM, TRUST_USE, Standing, standing
from workbench.model.errors import NotFound, Refused, RepositoryProblem, UsageError
from workbench.model.events import Payload, PluginDisabled, PluginEnabled, Proposed, TrustGranted
from workbench.model.text import one_line
from workbench.pluginhost import discovery
from workbench.pluginhost.manifest import FILE, AgentProgram, owns
from workbench.pluginhost.roster import Plugin, roster

TRIAL = "workbench.aee.plugin_trial"
VERSION_S = 20.0  # for a program to say its version
LINE = 200  # characters of what it says
SHORT = 19  # characters of a digest that a person compares: sha256: and twelve digits


class PluginRow(msgspec.Struct, frozen=True, kw_only=True):
    """One plugin, as `plugin list` prints it. `failing` is what it did that nobody has settled."""

    id: str
    version: str
    origin: Literal["shipped", "installed", "repository", "directory"]
    state: Literal["ready", "untrusted", "disabled", "invalid"]
    digest: str
    where: str
    summary: str = ""
    offers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    failing: str = ""
    kind: str = "plugin"
    schema: int = 1


def plugins(place: Workplace, *, commit: str = "") -> list[Plugin]:
    """All plugins that there are here, the repository's as a commit has them, by default HEAD; none is imported."""
    found = [*discovery.shipped(), *discovery.installed()]
    if _in_repository(place):
        found += discovery.of_commit(place.repository, commit or place.repository.resolve("HEAD"))
    return roster(found, stands(place))


def stands(place: Workplace) -> Standing:
    """What was said of plugins in this repository."""
    if not _in_repository(place):
        return Standing()
    with place.reading() as ledger:
        return standing(ledger.read(TRUST_STREAM), ledger.read(PLUGIN_STREAM))


def _in_repository(place: Workplace) -> bool:
    try:
        return place.repository is not None
    except RepositoryProblem:
        return False


def rows(place: Workplace) -> list[PluginRow]:
    """A row for each."""
    now = stands(place)
    return [_row(plugin, now) for plugin in plugins(place)]


def _row(plugin: Plugin, now: Standing) -> PluginRow:
    manifest, failing = plugin.manifest, now.failing.get(plugin.name)
    return PluginRow(
        id=plugin.name,
        version=plugin.version,
        origin=plugin.bundle.origin,
        state=plugin.state,
        digest=plugin.digest,
        where=plugin.bundle.where,
        summary=manifest.summary if manifest is not None else "",
        offers=manifest.offers if manifest is not None else (),
        problems=tuple(str(problem) for problem in plugin.problems),
        failing=f"{failing.failed.hook}: {failing.failed.reason}" if failing is not None else "",
    )


def named(place: Workplace, name: str) -> Plugin:
    """The plugin of that name, the one that owns it. Raises NotFound."""
    found = [plugin for plugin in plugins(place) if plugin.name == name]
    if not found:
        where = discovery.IN_REPOSITORY
        hint = f"workbench plugin list shows them; of a repository's {where}, what is committed counts"
        raise NotFound(f"There is no plugin {name!r}.", hint=hint)
    return found[0]


def provider(place: Workplace, driver: str) -> Plugin | None:
    """The plugin that may run and may bring a driver."""
    ready = (plugin for plugin in plugins(place) if plugin.state == "ready")
    return next((plugin for plugin in ready if may_drive(plugin, driver)), None)


def may_drive(plugin: Plugin, driver: str) -> bool:
    """Whether the driver is the plugin's, as data or, as far as can be told without importing it, as code."""
    manifest = plugin.manifest
    if manifest is None or not owns(plugin.name, driver):
        return False
    sources = (data for path, data in plugin.bundle.files.items() if path.endswith(".py"))
    return driver in manifest.agents or (bool(manifest.modules.aee) and any(b"drivers" in data for data in sources))


# --- what a person says -----------------------------------------------------------------------------------------------


def trust(place: Workplace, plugin: Plugin, *, digest: str) -> PluginRow:
    """Trust exactly this content. Raises Refused where the digest is another one, or nothing is to be trusted."""
    if plugin.state == "invalid":
        raise Refused(f"{plugin.name} cannot run as it is: {plugin.problems[0]}", hint="workbench plugin doctor")
    if plugin.bundle.origin != "repository":
        raise Refused(
            f"{plugin.name} came with {'Workbench' if plugin.bundle.origin == 'shipped' else 'your own installation'}.",
            hint="Only what a repository brings wants trust.",
        )
    if not plugin.digest.startswith(digest) or len(digest) < SHORT:
        raise Refused(f"The digest of {plugin.name} is {plugin.digest}, not {digest}.", hint="Look at it again.")
    granted = TrustGranted(use=TRUST_USE, digest=plugin.digest, subject=plugin.bundle.name)
    _say(place, TRUST_STREAM, granted)
    if plugin.bundle.name in stands(place).failing or plugin.state == "disabled":
        _say(place, PLUGIN_STREAM, PluginEnabled(plugin=plugin.bundle.name))
    return _now(place, plugin.name)


def disable(place: Workplace, plugin: Plugin, *, why: str = "") -> PluginRow:
    """Do without a plugin in this repository, until it is enabled again."""
    _say(place, PLUGIN_STREAM, PluginDisabled(plugin=plugin.bundle.name, reason=why))
    return _now(place, plugin.name)


def enable(place: Workplace, plugin: Plugin) -> PluginRow:
    """Have a plugin again, and settle what it did."""
    _say(place, PLUGIN_STREAM, PluginEnabled(plugin=plugin.bundle.name))
    return _now(place, plugin.name)


def _now(place: Workplace, name: str) -> PluginRow:
    return next(row for row in rows(place) if row.id == name)


def _say(place: Workplace, stream: str, payload: Payload) -> None:
    with place.writing() as journal:
        journal.append([Proposed(stream=stream, payload=payload, actor=place.actor)])


# --- looking at them --------------------------------------------------------------------------------------------------


def examine(place: Workplace, names: tuple[str, ...]) -> Iterator[Check]:
    """How each plugin stands, and what its agents need; nothing is imported. Raises NotFound."""
    now = stands(place)
    chosen = [named(place, name) for name in names] if names else plugins(place)
    for plugin in chosen:
        yield from _standing(plugin, now)
        if plugin.state == "ready" and plugin.manifest is not None:
            for name, program in plugin.manifest.agents.items():
                yield from agent_checks(f"{plugin.name}/{name}", program)


def _standing(plugin: Plugin, now: Standing) -> Iterator[Check]:
    name = plugin.name
    told = f"{plugin.version} ({plugin.bundle.origin}), {plugin.digest[:SHORT]}"
    for problem in plugin.problems:
        yield Check(id=name, state="fail", text=str(problem), remedy="mend it, or do without it")
    if plugin.state == "ready":
        yield Check(id=name, state="ok", text=told)
    elif plugin.state == "untrusted":
        remedy = f"read {plugin.bundle.where}, then: workbench plugin trust {name}"
        yield Check(id=name, state="warn", text=f"{told}: nobody trusts this content, so it never runs", remedy=remedy)
    elif plugin.state == "disabled":
        text = f"{told}: disabled {now.disabled.get(plugin.bundle.name, '')}".strip()
        yield Check(id=name, state="ok", text=text)
    if (failing := now.failing.get(plugin.bundle.name)) is not None:
        text = f"{failing.failed.state} in {failing.failed.hook}: {failing.failed.reason}"
        remedy = f"workbench plugin disable {name}; or, once it is mended: workbench plugin enable {name}"
        yield Check(id=f"{name}/failing", state="fail", text=one_line(text, 500), remedy=remedy)


def agent_checks(name: str, program: AgentProgram) -> Iterator[Check]:
    """Whether a program of a plugin is there, says its version, and would find its key; no key is shown."""
    words = program.command.split() if isinstance(program.command, str) else list(program.command)
    found = shutil.which(words[0]) if words else None
    if found is None:
        text = f"the program {words[0] if words else '(none)'} is not there"
        yield Check(id=f"{name}/program", state="warn", text=text, remedy=program.summary or "install it")
        return
    yield Check(id=f"{name}/program", state="ok", text=found)
    if program.version:
        yield _version(f"{name}/version", program.version)
    if program.key_variable:
        there = bool(os.environ.get(program.key_variable))
        text = f"{program.key_variable} is {'set here; the AEE must be started where it is' if there else 'not set'}"
        remedy = "" if there else f"set {program.key_variable} where the AEE is started"
        yield Check(id=f"{name}/key", state="ok" if there else "warn", text=text, remedy=remedy)


def _version(name: str, words: tuple[str, ...]) -> Check:
    try:
        said = subprocess.run(words, capture_output=True, timeout=VERSION_S, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return Check(id=name, state="warn", text=f"its version is not known: {problem}")
    lines = (said.stdout or said.stderr).decode("utf-8", "replace").strip().splitlines()
    text = one_line(lines[0], LINE) if lines else "it says no version"
    return Check(id=name, state="ok" if said.returncode == 0 else "warn", text=text)


# --- trying them out --------------------------------------------------------------------------------------------------


def try_out(place: Workplace, wanted: str, *, sandbox: str = "") -> list[dict[str, Any]]:
    """Run a plugin's own tests, and ours, in a sandbox: of a directory, or of a plugin by its name."""
    directory = _directory(place, wanted)
    if not (directory / FILE).is_file():
        raise UsageError(f"{directory} holds no {FILE}.", hint="Give a plugin's name or directory.")
    options = ["--directory", str(directory.resolve()), *(["--sandbox", sandbox] if sandbox else [])]
    return engine.ask(place, TRIAL, *options)


def _directory(place: Workplace, wanted: str) -> Path:
    """Where its files lie: a repository's as they are in the checkout, so that they can be tried before a commit."""
    path = place.directory / wanted
    if "/" in wanted or (path / FILE).is_file():
        return path
    own = place.checkout / discovery.IN_REPOSITORY / wanted if _in_repository(place) else path
    if (own / FILE).is_file():
        return own
    found = named(place, wanted)
    return Path(found.bundle.where)
