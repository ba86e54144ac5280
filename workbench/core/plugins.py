"""How plugins stand in a repository: trusted by digest, switched off, failed. It knows no plugin and imports none."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workbench.model.events import Event, PluginDisabled, PluginEnabled, PluginFailed, Proposed, TrustGranted
from workbench.model.ids import derived_id

TRUST_STREAM = "repository/trust"
PLUGIN_STREAM = "repository/plugins"
TRUST_USE = "plugin"


class Failing(msgspec.Struct, frozen=True, kw_only=True):
    """The first failure of a plugin that nobody has settled yet, and how many different ones there were."""

    failed: PluginFailed
    at: str
    count: int = 1


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of plugins, and which failures wait for a word. `settled` counts the words, by name."""

    trusted: frozenset[tuple[str, str]] = frozenset()  # (name, digest)
    disabled: dict[str, str] = {}  # name to reason
    failing: dict[str, Failing] = {}
    settled: dict[str, int] = {}


def failure(failed: PluginFailed, now: Standing, *, actor: str) -> Proposed:
    """The event for a failure: recorded once for each way to fail, until a person says something about the plugin."""
    settled = now.settled.get(failed.plugin, 0)
    name = derived_id("plugin-failed", failed.plugin, failed.digest, failed.hook, failed.state, settled)
    return Proposed(stream=PLUGIN_STREAM, payload=failed, actor=actor, id=name)


def standing(trust: Iterable[Event], plugins: Iterable[Event]) -> Standing:
    """How they stand after the events of `TRUST_STREAM` and `PLUGIN_STREAM`."""
    granted = [e.payload for e in trust if isinstance(e.payload, TrustGranted) and e.payload.use == TRUST_USE]
    disabled: dict[str, str] = {}
    failing: dict[str, Failing] = {}
    settled: dict[str, int] = {}
    for event in plugins:
        said = event.payload
        if isinstance(said, PluginFailed):
            known = failing.get(said.plugin)
            failing[said.plugin] = (
                Failing(failed=said, at=event.at)
                if known is None
                else msgspec.structs.replace(known, count=known.count + 1)
            )
        elif isinstance(said, PluginDisabled | PluginEnabled):
            failing.pop(said.plugin, None)
            settled[said.plugin] = settled.get(said.plugin, 0) + 1
            if isinstance(said, PluginDisabled):
                disabled[said.plugin] = said.reason
            else:
                disabled.pop(said.plugin, None)
    return Standing(
        trusted=frozenset((trust.subject, trust.digest) for trust in granted),
        disabled=disabled,
        failing=failing,
        settled=settled,
    )
