"""Plugins of the screens' wing at work: rows of the palette, views, themes and loops, each call guarded and timed.

It opens a host for each question and knows no widget; what a plugin does wrong goes into the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from workbench.ace.wiring import plugs
from workbench.ace.wiring.workplace import Workplace
from workbench.core.plugins import Standing, failure
from workbench.model.errors import NotFound, WorkbenchError
from workbench.model.events import PluginFailed
from workbench.model.text import one_line
from workbench.pluginhost import discovery
from workbench.pluginhost.guard import guarded
from workbench.pluginhost.hookspecs import NamedText, PluginAction, View
from workbench.pluginhost.host import Failure, Host, Source
from workbench.pluginhost.manifest import owns
from workbench.pluginhost.roster import Plugin, roster
from workbench.ports import States

PLUGIN = "plugin:"  # what the key of an offer begins with
ACTION_S = 10.0  # for an action
VIEW_S = 2.0  # for the lines of a view
LABEL, TOLD = 40, 120  # cells of a row's label and of what is told of it
MOST_LINES = 10_000  # of a view
MOST_CELLS = 2_000  # of one of its lines


class Offer(NamedTuple):
    """A row of the palette that a plugin brings."""

    key: str
    label: str
    tooltip: str


class Shown(NamedTuple):
    """What came of a row: a sentence, or a view with its title and lines."""

    text: str = ""
    title: str = ""
    lines: tuple[str, ...] = ()


def offers(place: Workplace) -> tuple[Offer, ...]:
    """The rows of all plugins; nothing is imported where none has a module for the screens."""
    if (host := _host(place)) is None:
        return ()
    actions = [_offer(source, action.id, action.label, action.tooltip) for source, action in _named(host, "actions")]
    views = [_offer(source, view.id, view.title, "look at it") for source, view in _named(host, "views")]
    return (*actions, *views)


def _offer(source: Source, name: str, label: object, tooltip: object) -> Offer:
    told = f"{one_line(str(tooltip), TOLD)} ({source.plugin})"
    return Offer(_key(source, name), one_line(str(label), LABEL), told)


def carry_out(place: Workplace, key: str) -> Shown:
    """Do what a row offers. Raises NotFound, and WorkbenchError where the plugin failed."""
    host = _host(place)
    views = {view.id: (source, view) for source, view in _named(host, "views")} if host is not None else {}
    for source, action in _named(host, "actions") if host is not None else ():
        if host is not None and _key(source, action.id) == key:
            said = _called(place, host, source, partial(_said, action), f"act {action.id}", ACTION_S)
            return _view(place, host, *views[said]) if said in views else Shown(text=said)
    for source, view in views.values():
        if host is not None and _key(source, view.id) == key:
            return _view(place, host, source, view)
    raise NotFound(f"no plugin offers {key.removeprefix(PLUGIN)!r} any more", hint="workbench plugin list")


def loops(place: Workplace, *, commit: str = "") -> list[NamedText]:
    """The loops of plugins, the repository's as a commit has them."""
    host = _host(place, also=lambda plugin: bool(plugin.manifest and plugin.manifest.loops), commit=commit)
    return [text for _, text in _texts(host, "loops")] if host is not None else []


def theme(name: str) -> NamedText | None:
    """A theme of a plugin that is shipped or that a person installed: a repository may not change their screens."""
    found = roster([*discovery.shipped(), *discovery.installed()], Standing())
    if not any(plugin.state == "ready" and owns(plugin.name, name) for plugin in found):
        return None
    host = Host("ace", record=lambda _failure: None)
    host.admit(found)
    return next((text for _, text in _texts(host, "themes") if text.name == name), None)


def _host(place: Workplace, *, also: Callable[[Plugin], bool] = lambda _plugin: False, commit: str = "") -> Host | None:
    """The plugins that have something for the screens; None where none has."""
    wanted = [
        plugin
        for plugin in plugs.plugins(place, commit=commit)
        if plugin.state == "ready" and plugin.manifest is not None and (plugin.manifest.modules.ace or also(plugin))
    ]
    if not wanted:
        return None
    host = Host("ace", record=lambda failed: _record(place, failed))
    host.admit(wanted)
    return host


def _record(place: Workplace, failed: Failure) -> None:
    source = failed.source
    payload = PluginFailed(
        plugin=source.plugin, digest=source.digest, hook=failed.hook, state=failed.state, reason=failed.reason
    )
    with place.writing() as journal:
        journal.append([failure(payload, plugs.stands(place), actor=place.actor)])


def _named(host: Host, hook: str) -> list[tuple[Source, Any]]:
    """What is of the right kind and named for its plugin; the rest is refused, and told."""
    kind = {"actions": PluginAction, "views": View}[hook]
    return [(source, each) for source, each in host.gather(hook) if _fits(host, hook, source, each, kind)]


def _fits(host: Host, hook: str, source: Source, each: object, kind: type[PluginAction] | type[View]) -> bool:
    if isinstance(each, kind) and owns(source.plugin, each.id):
        return True
    host.fail(
        source,
        hook,
        state="refused",
        reason=f"{type(each).__name__}: it wants a {kind.__name__} that is named for the plugin",
    )
    return False


def _texts(host: Host, hook: str) -> list[tuple[Source, NamedText]]:
    found: list[tuple[Source, NamedText]] = []
    for source, text in host.gather(hook):
        if isinstance(text, NamedText) and owns(source.plugin, text.name):
            found.append((source, text))
        else:
            host.fail(
                source,
                hook,
                state="refused",
                reason=f"{type(text).__name__}: it wants a NamedText that is named for the plugin",
            )
    return found


def _view(place: Workplace, host: Host, source: Source, view: View) -> Shown:
    def lines(states: States) -> tuple[str, ...]:
        return tuple(str(line)[:MOST_CELLS] for line in islice(view.lines(states), MOST_LINES))

    shown: tuple[str, ...] = _called(place, host, source, lines, f"lines {view.id}", VIEW_S)
    return Shown(title=one_line(str(view.title), LABEL), lines=shown)


def _called(place: Workplace, host: Host, source: Source, call: Callable[[Any], Any], hook: str, limit_s: float) -> Any:
    """What a plugin's own function gives for the states as they are now."""
    with place.reading() as ledger:
        found = guarded(lambda: call(ledger), limit_s=limit_s, name=f"{source.plugin}-{hook}")
    if found.state == "ok":
        return found.value
    if isinstance(found.error, WorkbenchError):
        raise found.error
    host.fail(source, hook, state=found.state, reason=found.reason)
    hint = f"Do without it: workbench plugin disable {source.plugin}"
    raise WorkbenchError(f"the plugin {source.plugin} failed: {found.reason}", hint=hint)


def _said(action: PluginAction, states: States) -> str:
    return one_line(str(action.act(states)), TOLD)


def _key(source: Source, name: str) -> str:
    return f"{PLUGIN}{source.plugin}/{name}"
