"""`mrp impact`: what a pack does to the rest of the tree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import things
from workbench.ace.wiring.workplace import Workplace

if TYPE_CHECKING:
    from workbench.code.impact_model import Impact

_MARKS = {"failed": "! ", "alert": "! ", "unknown": "? "}


@click.command("impact")
@click.argument("mrp")
@speaks
def mrp_impact(place: Workplace, out: Output, mrp: str) -> None:
    """What the pack MRP does to the rest of the tree: who needs whom, rules, callers, migrations.

    It is read from the code by names, without running any: what could not be told is listed last.
    """
    from workbench.ace.wiring.impacting import impact_of

    with place.reading() as ledger:
        pack = things.pack(ledger, mrp)
    found = impact_of(place, pack)
    out.one({"schema": 1, "id": pack.id, "kind": "impact", **msgspec.to_builtins(found)}, _lines(found))


def _lines(found: Impact) -> Iterator[str]:
    from workbench.core.views.impact import impact_lines, in_short

    yield in_short(found)
    for group, lines in groupby(impact_lines(found), key=lambda each: each.group):
        yield ""
        yield group
        for each in lines:
            fact = f"  ({each.fact})" if each.fact else ""
            yield f"{'  ' * (each.depth + 1)}{_MARKS.get(each.state, '')}{each.words}{fact}"
