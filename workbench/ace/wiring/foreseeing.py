"""The conflict forecast, made now from where the branches stand; it prints nothing and records nothing."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.forecast import NOTHING, Branch, Forecast, live_branches
from workbench.repository.forecast import Forecaster, targets_of
from workbench.repository.locate import STORE
from workbench.repository.store import Store


def foresee(place: Workplace) -> Forecast:
    """What of all that is not merged yet would conflict, as it stands now."""
    with place.reading() as ledger:
        branches = branches_of(ledger)
    path = place.journal_directory / STORE
    if not branches or not path.exists():
        return NOTHING
    with Store(path, source=place.repository.common_dir) as store, Forecaster(store) as forecaster:
        return forecaster.look(branches, targets_of(branches, store, place.repository))


def branches_of(ledger: Ledger) -> Sequence[Branch]:
    """All heads that may still be merged."""
    missions = {mission.id: mission for mission in ledger.missions()}
    return live_branches(ledger.runs(), missions, {pack.id: pack for pack in ledger.packs()})
