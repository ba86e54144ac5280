"""`trial`: whether deliveries hold together, before any of them is merged."""

from __future__ import annotations

import click

from workbench.ace.cli import showing
from workbench.ace.cli.build import exit_code
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace


@click.command()
@click.argument("mrps", nargs=-1, required=True, metavar="MRP...")
@click.option("--timeout", type=click.FloatRange(min=0), default=None, metavar="S", help="Give up after S seconds.")
@speaks
def trial(place: Workplace, out: Output, mrps: tuple[str, ...], timeout: float | None) -> int:
    """Merge the packs MRP... together as a trial, examine the result, and print its pack; nothing moves.

    A run's id means its newest pack. The result has no brief of its own, so a person is needed at best. It cannot be
    merged: each pack is, by itself or with `workbench merge MRP...`.

    Exit codes: 0 ready, 1 not ready, 3 a person is needed, 4 it could not be examined here, 5 time-out.
    """
    from workbench.ace.wiring import trial as trials

    with place.reading() as ledger:
        packs = trials.chosen(ledger, mrps)
    union = trials.unite(place, packs)
    out.say(f"Examining {', '.join(union.packs)} together on {union.base[:12]}.")
    if union.along:
        out.warn(f"What {', '.join(union.along)} brings is part of it: it is not merged, and packs stand on it")
    pack = trials.examine(place, union, timeout=timeout)
    with place.reading() as ledger:
        shown = showing.pack_object(pack, ledger.blobs)
        out.one({**shown, "trial_of": union.packs, "along": union.along}, showing.pack_lines(pack, ledger.blobs))
    if not out.as_json and not union.along and pack.verdict != "not-ready":
        out.say(f"next: workbench merge {' '.join(union.packs)}")
    return exit_code(pack)
