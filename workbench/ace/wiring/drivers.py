"""Whether an agent's driver is there when a mission starts, so that no run is queued that nothing could carry out."""

from __future__ import annotations

from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.agent_options import OPTIONS
from workbench.model.errors import NotFound
from workbench.model.text import one_line

WORD_CELLS = 60  # of a driver's name in a message


def require_driver(place: Workplace, driver: str, *, agent: str, commit: str) -> None:
    """Raises NotFound, with the drivers that there are, where neither we nor a plugin that may run brings it.

    The repository's plugins are those of the commit. Nothing is imported: one that brings drivers as code is believed.
    """
    if driver in OPTIONS:
        return
    from workbench.ace.wiring import plugs
    from workbench.pluginhost.manifest import owns

    found = plugs.plugins(place, commit=commit)
    owner = next((plugin for plugin in found if owns(plugin.name, driver)), None)
    told = f"The driver {one_line(driver, WORD_CELLS)!r} of the agent {one_line(agent, WORD_CELLS)!r}"
    if owner is not None and owner.state != "ready":
        raise NotFound(
            f"{told} is of the plugin {owner.name}, which may not run: it is {owner.state}.",
            hint=f"workbench plugin doctor {owner.name} says what to do.",
        )
    if owner is None or not plugs.may_drive(owner, driver):
        data = [name for p in found if p.state == "ready" and p.manifest is not None for name in p.manifest.agents]
        raise NotFound(
            f"{told} is not there.",
            hint=f"There are: {', '.join([*OPTIONS, *data])}. workbench plugin doctor says which plugins may not run.",
        )
