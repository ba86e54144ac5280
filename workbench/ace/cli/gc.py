"""`gc`: show or tidy what runs left behind; undelivered work is copied to the trash before it goes."""

from __future__ import annotations

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring.workplace import Workplace

Item = dict[str, object]
COLUMNS = (
    Column[Item]("act", lambda row: str(row.get("act", ""))),
    Column[Item]("what", lambda row: str(row.get("id", ""))),
    Column[Item]("MiB", lambda row: f"{int(str(row.get('bytes', 0))) / (1 << 20):.1f}", right=True),
    Column[Item]("why", lambda row: str(row.get("problem") or row.get("kept_at") or row.get("why", "")), grow=True),
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done, and why.")
@click.option("--days", type=click.FloatRange(min=0), default=None, help="How long the trash keeps; default: 30.")
@speaks
def gc(place: Workplace, out: Output, dry_run: bool, days: float | None) -> None:
    """Tidy the workspaces of runs that are over. Undelivered work is kept in the trash."""
    from workbench.ace.wiring import engine

    options = [*(["--dry-run"] if dry_run else []), *(["--days", str(days)] if days is not None else [])]
    rows = engine.ask(place, engine.TIDYING, *options)
    out.rows(rows, COLUMNS, empty="Nothing to tidy.")
    if dry_run and rows and not out.as_json:
        out.say("next: workbench gc")
