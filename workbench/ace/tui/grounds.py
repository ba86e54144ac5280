"""The missions on whose head another one may stand, as the form that starts one offers them. It starts nothing."""

from __future__ import annotations

from collections import Counter

import msgspec

from workbench.ace.tui.bridge import Moment
from workbench.ace.wiring.marks import mark


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that is not merged yet; `id` names its mission, or its run where the mission has several."""

    id: str
    title: str
    told: str  # how its pack stands


def grounds_view(moment: Moment) -> tuple[Ground, ...]:
    """What a mission could stand on at this moment, newest first."""
    mirror = moment.mirror
    going = [run for run in mirror.runs.values() if not run.against and mirror.below(run.id).state == "stands"]
    versions = Counter(run.mission for run in going)
    found = []
    for run in reversed(going):
        mission, pack = mirror.missions.get(run.mission), mirror.packs.get(run.pack)
        if not mirror.below(run.id).head or not (run.into or (mission is not None and mission.into)):
            continue
        name = run.mission if mission is not None and versions[run.mission] == 1 else run.id
        told = mark(pack.verdict if pack.state == "submitted" else pack.state).word if pack is not None else "delivered"
        found.append(Ground(id=name, title=mission.title if mission is not None else run.title, told=told))
    return tuple(found)
