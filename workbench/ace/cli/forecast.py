"""`forecast`: which branches would conflict, and the order in which they had better be merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace

if TYPE_CHECKING:
    from workbench.core.forecast import Forecast
    from workbench.model.events import Clash, Spot


@click.command()
@speaks
def forecast(place: Workplace, out: Output) -> None:
    """Which branches that are not merged yet would conflict, with each other or with their targets.

    It looks at them as they stand now, as git would merge them; nothing moves. Versions of one mission are
    alternatives and are not held against each other.
    """
    from workbench.ace.wiring.foreseeing import foresee

    ahead = foresee(place)
    out.one({"schema": 1, "id": "forecast", "kind": "forecast", **msgspec.to_builtins(ahead)}, _lines(ahead))
    if ahead.order and not out.as_json:
        out.say("next: workbench trial MRP... tries out what is to be merged together")


def _lines(ahead: Forecast) -> Iterator[str]:
    if not ahead.order:
        yield "Nothing is waiting to be merged."
        return
    clashes, branches = len(ahead.clashes) + ahead.left_out, len(ahead.order)
    yield (
        f"{clashes} {'conflict' if clashes == 1 else 'conflicts'} ahead, "
        f"{branches} {'branch' if branches == 1 else 'branches'} to merge"
    )
    for clash in ahead.clashes:
        yield f"  {clash.first} with {clash.second or 'its target'}: {', '.join(_places(clash))}"
    if ahead.left_out:
        yield f"  and {ahead.left_out} more"
    if ahead.unknown:
        yield f"  not looked at, as commits are missing: {', '.join(ahead.unknown)}"
    yield f"suggested order: {', '.join(ahead.order)}"


def _places(clash: Clash) -> Iterator[str]:
    for path in clash.paths:
        lines = ", ".join(_range(spot) for spot in clash.spots if spot.path == path and spot.last)
        yield f"{path}:{lines}" if lines else path
    if clash.symbols:
        yield f"({', '.join(clash.symbols)})"


def _range(spot: Spot) -> str:
    return str(spot.first) if spot.first >= spot.last else f"{spot.first}-{spot.last}"
