"""`pause`, `resume` and `stop`: what people say to runs."""

from __future__ import annotations

import click

from workbench.ace.cli.missions import RUN_COLUMNS
from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import steering
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import RunState
from workbench.core.views.missions import run_row

_ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_because = click.option("--why", default="", type=TEXT, help="The reason; '-' reads it from stdin.")


@click.command()
@_ids
@_because
@speaks
def pause(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """Hold runs, or all live runs of missions, after their next act."""
    _list(place, out, steering.pause(place, ids, why=why))


@click.command()
@_ids
@_because
@speaks
def resume(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """Let runs go on that were paused, failed, or ended their turn without delivering."""
    _list(place, out, steering.resume(place, ids, why=why))


@click.command()
@_ids
@_because
@speaks
def stop(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """End runs or whole missions; their commits and packs stay, their open questions are withdrawn."""
    _list(place, out, steering.stop(place, ids, why=why))


def _list(place: Workplace, out: Output, runs: list[RunState]) -> None:
    now = place.clock.now()
    out.rows([run_row(run, now=now) for run in runs], RUN_COLUMNS, empty="No run was meant.")
