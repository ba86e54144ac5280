"""`inbox`, and the front page that shows it when no verb is given."""

from __future__ import annotations

import click

from workbench.ace.cli.emptiness import say_why_empty
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column, age
from workbench.ace.wiring.concerning import concerns_of
from workbench.ace.wiring.workplace import Workplace
from workbench.core.views.inbox import InboxRow, inbox_rows

WHAT_CELLS = 48  # at most: what a row is about must stay in sight beside it
KIND_SHOWN = {"crp": "CRP", "mrp": "MRP", "alert": "!"}
COLUMNS = (
    Column[InboxRow]("kind", lambda row: "PRM" if row.category == "permission" else KIND_SHOWN[row.kind]),
    Column[InboxRow]("id", lambda row: row.id),
    Column[InboxRow](
        "what", lambda row: f"{row.category}: {row.facts}" if row.facts else row.category, grow=True, most=WHAT_CELLS
    ),
    Column[InboxRow]("title", lambda row: row.title, grow=True),
    Column[InboxRow]("held runs", lambda row: str(row.held_runs or "-"), right=True, spare=True),
    Column[InboxRow]("age", lambda row: age(row.age_s), right=True),
)


@click.command()
@speaks
def inbox(place: Workplace, out: Output) -> None:
    """What needs a person, costly waits first.

    HELD RUNS counts the runs that stand still until it is settled. A pack whose base moved is stale: its evidence has
    to be renewed (`mrp build MRP`) before it can be merged.
    """
    print_inbox(place, out)


def print_inbox(place: Workplace, out: Output) -> None:
    """The inbox of a place, and what to type about its first row."""
    rows = rows_of(place)
    out.rows(rows, COLUMNS, empty="Nothing needs you.")
    if rows and not out.as_json:
        out.say(f"next: {rows[0].next}")
    say_why_empty(rows, place, out)


def front_page(place: Workplace) -> None:
    """What `workbench` alone prints: the inbox, and what to type."""
    out = Output()
    rows = rows_of(place)
    out.rows(rows, COLUMNS, empty="Nothing needs you.")
    out.say(f"next: {rows[0].next}" if rows else 'next: workbench run "one sentence", or workbench --help')
    say_why_empty(rows, place, out)


def rows_of(place: Workplace) -> list[InboxRow]:
    """The inbox of this place."""
    with place.reading() as ledger:
        found = concerns_of(place, ledger)
    return inbox_rows(found, now=place.clock.now())
