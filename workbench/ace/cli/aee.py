"""`aee start | status | stop | run`: the agents' environment as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.presence import Presence, end
from workbench.model.errors import TimedOut

STOP_GRACE_S = 20.0  # running steps are ended in order and decided again at the next start
_max_runs = click.option("--max-runs", type=click.IntRange(1), default=None, help="Runs at once; default: the cores.")


@click.command()
@_max_runs
@speaks
def start(place: Workplace, out: Output, max_runs: int | None) -> None:
    """Start the AEE of this repository, detached; returns once it is ready. One that runs already is left alone."""
    from workbench.ace.wiring import engine

    who = engine.start(place, *_options(max_runs))
    print_status(place, out, who)


@click.command()
@speaks
def status(place: Workplace, out: Output) -> None:
    """Whether an AEE serves this repository."""
    print_status(place, out, place.presence())


@click.command()
@click.option("--grace", type=float, default=STOP_GRACE_S, show_default=True, help="Seconds to wait for its end.")
@speaks
def stop(place: Workplace, out: Output, grace: float) -> None:
    """End the AEE. Nothing is lost: runs go on at the next start."""
    who = place.presence()
    if not end(who, grace):
        raise TimedOut(
            f"The AEE (pid {who.pid}) did not end within {grace:g} s.",
            hint=f"kill -9 {who.pid} is safe: nothing acknowledged is lost.",
        )
    print_status(place, out, place.presence())


@click.command()
@_max_runs
@click.option("--exit-when-idle", is_flag=True, help="End when nothing can go on without a person.")
@speaks
def run(place: Workplace, out: Output, max_runs: int | None, exit_when_idle: bool) -> int:
    """Run the AEE in front of you; Ctrl-C ends it in order."""
    from workbench.ace.wiring import engine

    out.say("The AEE runs here; Ctrl-C ends it.")
    return engine.run_in_front(place, *_options(max_runs), *(["--exit-when-idle"] if exit_when_idle else []))


def _options(max_runs: int | None) -> list[str]:
    return ["--max-runs", str(max_runs)] if max_runs else []


def print_status(place: Workplace, out: Output, who: Presence) -> None:
    """How an AEE stands, and what is wrong with its disk."""
    with place.reading() as ledger:
        at_work = sum(run.step is not None for run in ledger.runs(live=True)) if who.pid else 0
    out.one(_object(place, who, at_work), _lines(who, at_work))
    from workbench.ace.wiring.checks import disk_trouble

    if trouble := disk_trouble(place):
        out.warn(trouble)


def _object(place: Workplace, who: Presence, at_work: int) -> dict[str, Any]:
    return {
        "schema": 1,
        "kind": "aee",
        "id": who.aee or "aee",
        "state": who.state,
        "pid": who.pid,
        "version": who.version,
        "sandbox": who.sandbox,
        "runs": at_work,
        "max_runs": who.max_runs,
        "died": who.died,
        "journal": str(place.journal_directory),
    }


def _lines(who: Presence, at_work: int) -> Iterator[str]:
    if who.pid is None:
        yield "stopped" + (" (the last one was killed)" if who.died else "")
        return
    yield f"{who.state}, pid {who.pid}, version {who.version}, sandbox {who.sandbox}"
    yield f"{at_work} of at most {who.max_runs} runs at work"
