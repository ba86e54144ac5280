"""Interrupted merges are settled by the next command that decides or waits; it says so."""

from __future__ import annotations

from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace


def settle_merges(place: Workplace, out: Output) -> None:
    """Finish or abandon what a killed command left without an outcome. Costs a query when there is nothing."""
    with place.reading() as ledger:
        if not any(pack.merging or pack.undoing for pack in ledger.packs()):
            return
    from workbench.ace.wiring import merging

    for sentence in merging.settle(place):
        out.say(sentence)
