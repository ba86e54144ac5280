"""What needs a person at this moment, out of the journal, the AEE's presence and the branches."""

from __future__ import annotations

from functools import partial

from workbench.ace.wiring.tips import below, tips
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.attention import Concern, concerns
from workbench.core.plugins import PLUGIN_STREAM, standing

PACK_STATES = ("submitted", "approved")  # those that may want a person; history only grows


def concerns_of(place: Workplace, ledger: Ledger) -> list[Concern]:
    """All concerns, most costly wait first."""
    presence = place.presence()
    packs = [pack for state in PACK_STATES for pack in ledger.packs(state=state)]
    return concerns(
        runs=ledger.runs(),
        consultations=ledger.consultations(is_open=True),
        packs=packs,
        aee_running=presence.state != "stopped",
        aee_trouble=presence.trouble,
        now=place.clock.now(),
        over={mission.id for mission in ledger.missions() if mission.outcome},
        tips=tips(place, packs, partial(below, ledger)),
        plugins=standing((), ledger.read(PLUGIN_STREAM)).failing,
    )
