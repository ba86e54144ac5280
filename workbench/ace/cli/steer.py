"""`pause`, `resume` and `stop`: what people say to runs."""

from __future__ import annotations

from collections.abc import Callable

import click

from workbench.ace.cli.missions import RUN_COLUMNS
from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring import things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import mission as missions
from workbench.core.decide import run as decide_run
from workbench.core.decide.decision import Decision
from workbench.core.state import RunState
from workbench.core.views.missions import run_row
from workbench.model.errors import Refused

_ids = click.argument("ids", nargs=-1, required=True, metavar="ID...")
_because = click.option("--why", default="", type=TEXT, help="The reason; '-' reads it from stdin.")


@click.command()
@_ids
@_because
@speaks
def pause(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """Hold runs, or all live runs of missions, after their next act."""
    _each_run(
        place,
        out,
        ids,
        fits=lambda run: not run.outcome and not run.paused,
        say=lambda _, run: decide_run.pause_run(run, reason=why, actor=place.actor),
    )


@click.command()
@_ids
@_because
@speaks
def resume(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """Let runs go on that were paused, failed, or ended their turn without delivering."""
    _each_run(
        place,
        out,
        ids,
        fits=lambda run: run.outcome == "failed" or (not run.outcome and (run.paused or run.resting)),
        say=lambda states, run: decide_run.resume_run(
            run, reason=why, actor=place.actor, mission=states.mission(run.mission)
        ),
    )


@click.command()
@_ids
@_because
@speaks
def stop(place: Workplace, out: Output, ids: tuple[str, ...], why: str) -> None:
    """End runs or whole missions; their commits and packs stay, their open questions are withdrawn."""
    with place.writing() as journal:
        named = [things.find(journal, wanted, "mission", "run") for wanted in ids]
        for thing in named:
            how = _stop_mission if thing.kind == "mission" else _stop_run
            decide(journal, lambda states, how=how, thing=thing: how(states, thing.id, why, place.actor))  # type: ignore[misc]  # a lambda's defaults
        runs = [run for thing in named for run in things.runs_of(journal, thing.id)]
    _list(place, out, runs)


def _stop_mission(states: Ledger, name: str, reason: str, actor: str) -> Decision:
    runs = states.runs(mission=name)
    questions = [question for run in runs for question in states.consultations(run=run.id, is_open=True)]
    return missions.stop(things.mission(states, name), runs, questions, reason=reason, actor=actor)


def _stop_run(states: Ledger, name: str, reason: str, actor: str) -> Decision:
    run = things.run(states, name)
    return decide_run.stop_run(
        run,
        states.consultations(run=name, is_open=True),
        reason=reason,
        actor=actor,
        mission=states.mission(run.mission) if run.mission else None,
        siblings=[sibling for sibling in states.runs(mission=run.mission) if sibling.id != name],
    )


def _each_run(
    place: Workplace,
    out: Output,
    ids: tuple[str, ...],
    *,
    fits: Callable[[RunState], bool],
    say: Callable[[Ledger, RunState], Decision],
) -> None:
    """Say it to each named run; of a mission, to those that it fits. Refused when a mission has none."""
    with place.writing() as journal:
        wanted: list[str] = []
        for name in ids:
            found = things.runs_of(journal, name)
            fitting = [run.id for run in found if len(found) == 1 or fits(run)]
            if not fitting:
                raise Refused(f"No run of {name} can take this.", hint="workbench runs shows how each run stands.")
            wanted += fitting
        for name in dict.fromkeys(wanted):
            decide(journal, lambda states, name=name: say(states, things.run(states, name)))  # type: ignore[misc]  # a lambda's default
        runs = [things.run(journal, name) for name in dict.fromkeys(wanted)]
    _list(place, out, runs)


def _list(place: Workplace, out: Output, runs: list[RunState]) -> None:
    now = place.clock.now()
    out.rows([run_row(run, now=now) for run in runs], RUN_COLUMNS, empty="No run was meant.")
