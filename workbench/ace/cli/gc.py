"""`gc`: show or tidy what runs left behind; undelivered work is copied to the trash before it goes."""

from __future__ import annotations

from pathlib import Path

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
@click.option("--restore", default="", metavar="ID", help="Take a run's copy, or one that --dry-run names, back.")
@click.option("--to", type=click.Path(path_type=Path), default=None, help="Where to; default: beside the checkout.")
@speaks
def gc(place: Workplace, out: Output, dry_run: bool, days: float | None, restore: str, to: Path | None) -> None:
    """Tidy the workspaces of runs that are over. Nothing undelivered goes without a copy in the trash.

    A copy goes after its days by the machine's uptime; where that was started anew meanwhile, once two calls that lie a
    day apart find it overdue: a clock that jumps shortens nothing.

    `--dry-run` shows what would be done and what the trash holds. `--restore ID` takes a copy back: its files into a
    new directory, without the git directory in which an agent worked, and its commits as refs/workbench/kept/...,
    from which `git switch -c NAME REF` makes a branch.
    """
    from workbench.ace.wiring import engine

    if restore:
        _take_back(place, out, restore, to)
        return
    options = [*(["--dry-run"] if dry_run else []), *(["--days", str(days)] if days is not None else [])]
    rows = engine.ask(place, engine.TIDYING, *options)
    out.rows(rows, COLUMNS, empty="Nothing to tidy.")
    if dry_run and rows and not out.as_json:
        out.say("next: workbench gc")


def _take_back(place: Workplace, out: Output, subject: str, to: Path | None) -> None:
    from workbench.ace.wiring import engine

    beside = place.checkout.with_name(f"{place.checkout.name}-{subject}".replace("/", "-"))
    target = (place.directory / to if to else beside).absolute()
    [row] = engine.ask(place, engine.TIDYING, f"--restore={subject}", f"--to={target}")
    out.one(row, [str(row["directory"])])
    if row["left_out"]:
        out.say(f"{len(row['left_out'])} things that are not safe to restore are only in {row['archive']}")
    if row["ref"] and not out.as_json:
        out.say(f"next: git log {row['ref']}")
