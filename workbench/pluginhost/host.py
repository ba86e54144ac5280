"""The host: registers plugins that may run, and asks their hooks, guarded and timed. It knows no hook's use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import msgspec
import pluggy

from workbench.pluginhost import hookspecs
from workbench.pluginhost.datum import Datum
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.loading import load
from workbench.pluginhost.manifest import Manifest, Wing
from workbench.pluginhost.roster import Plugin

OURS = "workbench"
NO_LIMITS: Mapping[str, float] = MappingProxyType({})


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Which plugin something comes from; `digest` is empty for what is Workbench's own."""

    plugin: str
    version: str = ""
    digest: str = ""
    origin: str = ""
    timeout_s: float = 0.0

    @property
    def is_ours(self) -> bool:
        """Whether it is built in."""
        return self.plugin == OURS


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin did that it must not."""

    source: Source
    hook: str
    state: Literal["error", "timed-out", "refused"]
    reason: str


Record = Callable[[Failure], None]


class Host:
    """The plugins of one wing. `record` is told of each failure; nothing that a plugin does is raised from here.

    `hook_s` is for each hook; `limits` are for the collectors and tools of plugins, in place of their manifest's.
    """

    def __init__(
        self, wing: Wing, *, record: Record, hook_s: float = hookspecs.HOOK_S, limits: Mapping[str, float] = NO_LIMITS
    ) -> None:
        self._wing = wing
        self._record = record
        self._hook_s = hook_s
        self._limits = limits
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._sources: list[tuple[Source, list[object]]] = []
        self.left_out: list[Plugin] = []  # that may not run, though nobody switched them off

    def build_in(self, plugin: object) -> None:
        """Register something of our own, by the same hooks; it comes before all plugins, and is not guarded."""
        self._manager.register(plugin)
        if not self._sources or not self._sources[0][0].is_ours:
            self._sources.insert(0, (Source(plugin=OURS), []))
        self._sources[0][1].append(plugin)

    def admit(self, plugins: Iterable[Plugin]) -> None:
        """Import and register those that are ready, for this wing; the others are not touched, but known."""
        for plugin in plugins:
            if plugin.state == "ready" and plugin.manifest is not None:
                self._admit(plugin, plugin.manifest)
            elif plugin.state != "disabled":
                self.left_out.append(plugin)

    @property
    def admitted(self) -> tuple[Source, ...]:
        """The plugins that were registered, in their order."""
        return tuple(source for source, _ in self._sources if not source.is_ours)

    def gather(
        self, hook: str, given: Callable[[Source], Mapping[str, Any]] = lambda _source: {}
    ) -> list[tuple[Source, Any]]:
        """What each plugin gives for a hook, one thing a row, ours first. `given` are the arguments for one plugin."""
        return [
            (source, thing)
            for source, objects in self._sources
            for each in objects
            for thing in self._ask(hook, source, each, given)
        ]

    def fail(self, source: Source, hook: str, *, state: Literal["error", "timed-out", "refused"], reason: str) -> None:
        """Record that a plugin did what it must not."""
        self._record(Failure(source=source, hook=hook, state=state, reason=reason))

    def _admit(self, plugin: Plugin, manifest: Manifest) -> None:
        source = source_of(plugin)
        if limit_s := self._limits.get(source.plugin, 0.0):
            source = msgspec.structs.replace(source, timeout_s=limit_s)
        objects: list[object] = [Datum(plugin.bundle, manifest)]
        for name in getattr(manifest.modules, self._wing):
            found = guarded(partial(load, plugin.bundle, name), limit_s=self._hook_s, name=f"import-{name}")
            if found.state != "ok":
                self.fail(source, f"import {name}", state=found.state, reason=found.reason)
                return
            objects.append(found.value)
        for each in objects:
            if (reason := self._register(each)) != "":
                self.fail(source, "register", state="refused", reason=reason)
                return
        self._sources.append((source, objects))

    def _register(self, plugin: object) -> str:
        """Register; what is wrong with its hooks, if something is."""
        try:
            self._manager.register(plugin)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as problem:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            return str(problem).replace("\n", " ")
        return ""

    def _ask(
        self, hook: str, source: Source, plugin: object, given: Callable[[Source], Mapping[str, Any]]
    ) -> Iterable[Any]:
        callers = self._manager.get_hookcallers(plugin) or []
        if not any(caller.name == hook for caller in callers):
            return ()
        others = [each for each in self._manager.get_plugins() if each is not plugin]
        caller = self._manager.subset_hook_caller(hook, others)
        if source.is_ours:
            return _flat(caller(**given(source)))
        arguments = given(source)
        found = guarded(lambda: _flat(caller(**arguments)), limit_s=self._hook_s, name=f"{source.plugin}-{hook}")
        if found.state != "ok":
            self.fail(source, hook, state=found.state, reason=found.reason)
            return ()
        things: list[Any] = found.value
        return things


def _flat(answers: Iterable[Iterable[Any]]) -> list[Any]:
    return [thing for answer in answers for thing in answer]


def source_of(plugin: Plugin) -> Source:
    """What evidence and failures say of a plugin."""
    manifest = plugin.manifest
    return Source(
        plugin=plugin.name,
        version=plugin.version,
        digest=plugin.digest,
        origin=plugin.bundle.origin,
        timeout_s=float(manifest.timeout_s) if manifest is not None else 0.0,
    )
