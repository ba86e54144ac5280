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

    It looks at them as they stand now, as git would merge them, and beyond that at what they name: two that edit one
    function, or one that calls anew what the other removes or calls otherwise. Nothing moves. Versions of one mission
    are alternatives and are not held against each other.
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
    textual = [clash for clash in ahead.clashes if clash.kind != "symbol"]
    by_symbol = [clash for clash in ahead.clashes if clash.kind == "symbol"]
    clashes, branches = len(textual) + ahead.left_out, len(ahead.order)
    yield (
        f"{clashes} {'conflict' if clashes == 1 else 'conflicts'} ahead, "
        f"{branches} {'branch' if branches == 1 else 'branches'} to merge"
    )
    for clash in textual:
        yield f"  {clash.first} with {clash.second or 'its target'}: {', '.join(_places(clash))}"
        yield from (f"    {words}" for words in clash.symbols)
    if ahead.left_out:
        yield f"  and {ahead.left_out} more"
    if by_symbol:
        yield f"{len(by_symbol)} {'pair merges' if len(by_symbol) == 1 else 'pairs merge'}, and may not work together"
    for clash in by_symbol:
        first = f" ({clash.leads} first)" if clash.leads else ""
        yield f"  {clash.first} with {clash.second}{first}"
        yield from (f"    {words}" for words in clash.symbols)
    if ahead.unknown:
        yield f"  not looked at, as commits are missing: {', '.join(ahead.unknown)}"
    yield f"suggested order: {', '.join(ahead.order)}"


def _places(clash: Clash) -> Iterator[str]:
    for path in clash.paths:
        lines = ", ".join(dict.fromkeys(_range(spot) for spot in clash.spots if spot.path == path and spot.last))
        yield f"{path}:{lines}" if lines else path


def _range(spot: Spot) -> str:
    return str(spot.first) if spot.first >= spot.last else f"{spot.first}-{spot.last}"
