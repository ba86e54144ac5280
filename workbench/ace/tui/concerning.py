"""What needs a person at this moment, found once for the header and the inbox."""

from __future__ import annotations

from workbench.ace.tui.bridge import Moment
from workbench.ace.wiring.concerning import PACK_STATES
from workbench.ace.wiring.tips import tips
from workbench.core.attention import Concern, concerns


def concerns_of(moment: Moment) -> list[Concern]:
    """All concerns, most costly wait first."""
    key = (moment.mirror.seq, moment.presence.state, moment.presence.trouble, moment.now)
    return moment.mirror.once("concerns", key, lambda: _found(moment))


def _found(moment: Moment) -> list[Concern]:
    mirror = moment.mirror
    packs = [pack for pack in mirror.packs.values() if pack.state in PACK_STATES]
    return concerns(
        runs=list(mirror.runs.values()),
        consultations=mirror.open_questions(),
        packs=packs,
        aee_running=moment.presence.state != "stopped",
        now=moment.now,
        over={mission.id for mission in mirror.missions.values() if mission.outcome},
        tips=tips(moment.place, packs, mirror.below),
        plugins=mirror.plugins,
        aee_trouble=moment.presence.trouble,
    )
