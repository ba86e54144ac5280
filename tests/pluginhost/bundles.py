"""Small plugins as bundles, and how they come to be registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.plugins import Standing
from workbench.pluginhost.bundle import Bundle, Origin
from workbench.pluginhost.host import Failure, Host
from workbench.pluginhost.manifest import Wing
from workbench.pluginhost.roster import Plugin, roster

MANIFEST = 'name = "{name}"\nversion = "1.0"\nhost = 1\nsummary = "For a test"\ntimeout_s = 60\n{more}'
HOOK = "from workbench.pluginhost.hookspecs import hookimpl\n\n\n@hookimpl\n"
NONE_FOUND = HOOK + "def collectors(workshop):\n    return []\n"


def bundle(
    name: str = "tidy", *, more: str = "", origin: Origin = "repository", manifest: str = "", **modules: str
) -> Bundle:
    """A plugin of these modules, all of the agents' wing unless `more` names the wings."""
    named = more or (f"[modules]\naee = {[*modules]}\n" if modules else "")
    files = {"plugin.toml": (manifest or MANIFEST.format(name=name, more=named)).encode()}
    files |= {f"{module}.py": text.encode() for module, text in modules.items()}
    return Bundle(name, files, origin=origin, where=f"{origin}/{name}")


def trusting(*bundles: Bundle) -> Standing:
    """What stands where a person trusts exactly these."""
    return Standing(trusted=frozenset((each.name, each.digest) for each in bundles))


def judged(*bundles: Bundle, standing: Standing | None = None) -> list[Plugin]:
    """The roster of these; all trusted unless said otherwise."""
    return roster(bundles, trusting(*bundles) if standing is None else standing)


def opened(
    *bundles: Bundle, wing: Wing = "aee", ours: Sequence[object] = (), **options: Any
) -> tuple[Host, list[Failure]]:
    """A host with these plugins, and the list of their failures."""
    failures: list[Failure] = []
    host = Host(wing, record=failures.append, **{"hook_s": 60.0, **options})  # a busy machine fails no import
    for each in ours:
        host.build_in(each)
    host.admit(judged(*bundles))
    return host, failures
