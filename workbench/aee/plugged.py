"""The plugins of one run's step: those of its base commit, with what people said of them, for the agents' wing.

It knows which plugins there are, what their hooks are given here, and who is told of their failures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import msgspec

from workbench.aee.tools.toolbox import ToolBox
from workbench.aee.wiring import ChildGround, bound_by
from workbench.artifacts.brief import Brief
from workbench.artifacts.configuration import Plugin as PluginSettings
from workbench.core.plugins import PLUGIN_STREAM, TRUST_STREAM, Standing, failure, standing
from workbench.core.state import RunState
from workbench.evidence.rig import Rig
from workbench.model.events import PluginFailed, Proposed
from workbench.pluginhost import discovery
from workbench.pluginhost.collecting import GuardedCollector
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.hookspecs import HOOK_S, Bench, Workshop
from workbench.pluginhost.host import Failure, Host, Source
from workbench.pluginhost.manifest import owns
from workbench.pluginhost.roster import roster
from workbench.ports import Collector, Tool, ToolResult

TOOLS = "tools"


def host_of(ground: ChildGround, run: RunState, *, ours: Iterable[object] = ()) -> Host:
    """The host with all plugins that may run for this run; `ours` are hooks of our own, which come first."""
    now = standing(ground.journal.read(TRUST_STREAM), ground.journal.read(PLUGIN_STREAM))
    limits = {name: float(plugin.timeout_s) for name, plugin in ground.settings(run).plugins.items()}
    host = Host("aee", record=lambda failed: ground.report([_failed(failed, now)]), limits=limits)
    for each in ours:
        host.build_in(each)
    brought = discovery.of_commit(ground.store, bound_by(run))
    host.admit(roster([*discovery.shipped(), *discovery.installed(), *brought], now))
    return host


def _failed(failed: Failure, now: Standing) -> Proposed:
    source = failed.source
    payload = PluginFailed(
        plugin=source.plugin, digest=source.digest, hook=failed.hook, state=failed.state, reason=failed.reason
    )
    return failure(payload, now, actor="aee")


# --- tools ------------------------------------------------------------------------------------------------------------


def bench_of(ground: ChildGround, run: RunState, box: ToolBox) -> Callable[[Source], Mapping[str, Any]]:
    """What the tools of each plugin are made with."""
    place, settings = box.place, ground.settings(run).plugins

    def given(source: Source) -> Mapping[str, Any]:
        bench = Bench(
            run=run,
            workspace=place.workspace,
            sandbox=place.sandbox,
            environment=place.environment,
            limits=place.limits,
            settings=_options(settings, source),
        )
        return {"bench": bench}

    return given


def tools_of(host: Host, given: Callable[[Source], Mapping[str, Any]]) -> list[Tool]:
    """The tools of plugins, each under a guard; one that is not named for its plugin is left out, and told."""
    found: list[Tool] = []
    for source, tool in host.gather(TOOLS, given):
        made = guarded(partial(GuardedTool, host, source, tool), limit_s=HOOK_S, name=f"{source.plugin}-tool")
        if made.state != "ok":
            host.fail(source, TOOLS, state=made.state, reason=made.reason)
        elif not made.value.name.startswith(f"{source.plugin.replace('-', '_')}_"):
            reason = f"the tool {made.value.name[:60]!r} is not named for the plugin"
            host.fail(source, TOOLS, state="refused", reason=reason)
        else:
            found.append(made.value)
    return found


class GuardedTool:
    """Port Tool: one of a plugin. What it raises becomes the agent's error result, and is recorded."""

    def __init__(self, host: Host, source: Source, inner: Tool) -> None:
        self._host, self._source, self._inner = host, source, inner
        self.name = str(inner.name)
        self.description = str(inner.description)
        self.parameters = dict(inner.parameters)

    def call(self, arguments: Mapping[str, Any], call_id: str) -> ToolResult:
        """The tool's result, which neither ends nor suspends the turn."""
        found = guarded(lambda: self._inner.call(arguments, call_id), limit_s=self._source.timeout_s, name=self.name)
        if found.state == "ok" and isinstance(found.value, ToolResult):
            return msgspec.structs.replace(found.value, suspend=False, finish=False)
        reason = found.reason or f"it gave {type(found.value).__name__}, not ToolResult"
        state: Literal["error", "timed-out"] = "timed-out" if found.state == "timed-out" else "error"
        self._host.fail(self._source, f"call {self.name}", state=state, reason=reason)
        return ToolResult(state="error", summary=f"the tool is broken: {reason}")


# --- evidence ---------------------------------------------------------------------------------------------------------


def workshop_of(
    settings: Mapping[str, PluginSettings], rig: Rig, brief: Brief | None
) -> Callable[[Source, Callable[[], bool]], dict[str, Any]]:
    """What the collectors of each plugin are made with; their commands end when their time is over."""

    def given(source: Source, is_over: Callable[[], bool]) -> dict[str, Any]:
        stopping = rig.stop
        own = rig if source.is_ours else replace(rig, stop=lambda: stopping() or is_over())
        return {"workshop": Workshop(rig=own, settings=_options(settings, source), brief=brief)}

    return given


def tools_brought(host: Host, collectors: Iterable[Collector], *, driver: str) -> dict[str, str]:
    """Version and digest of each plugin that had a part in a pack: by a collector, or as the agent's driver."""
    parts = {each.source.plugin for each in collectors if isinstance(each, GuardedCollector)}
    return {
        f"plugin {source.plugin}": f"{source.version} {source.digest}"
        for source in host.admitted
        if source.plugin in parts or owns(source.plugin, driver)
    }


def _options(settings: Mapping[str, PluginSettings], source: Source) -> Mapping[str, Any]:
    return settings[source.plugin].options if source.plugin in settings else {}
