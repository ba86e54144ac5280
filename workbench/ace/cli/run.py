"""`run`: start a mission from a brief or one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from workbench.ace.cli.options import TEXT, speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.settling import settle_merges
from workbench.ace.wiring.workplace import Workplace

SHOWN_PATHS = 10  # of uncommitted work, before the rest is counted
LEVELS = ("auto", "bubblewrap", "landlock", "sandbox-exec", "container", "none")


@click.command()
@click.argument("what", type=TEXT, metavar='BRIEF|"SENTENCE"')
@click.option("--agent", default="", help="The agent; default: the setting run.agent, or the only one configured.")
@click.option("--script", default="", metavar="FILE", help="Play this script as the agent.")
@click.option("--loop", default="", help="The loop, as the base commit has it.")
@click.option("--versions", type=click.IntRange(1, 50), default=1, show_default=True, help="Runs side by side.")
@click.option("--base", default="", metavar="REF", help="Where work starts; default: what is checked out.")
@click.option("--on", default="", metavar="MISSION|RUN|MRP", help="Start on its newest head; it is merged first.")
@click.option("--into", default="", metavar="BRANCH", help="The branch to merge into; default: the base's own.")
@click.option("--sandbox", type=click.Choice(LEVELS), default=None, help="DANGER with none: nothing is confined.")
@click.option("--priority", type=int, default=None, help="Larger goes first; default: the brief's.")
@click.option("--no-start", is_flag=True, help="Queue only; start no AEE.")
@speaks
def run(
    place: Workplace,
    out: Output,
    what: str,
    agent: str,
    script: str,
    loop: str,
    versions: int,
    base: str,
    on: str,
    into: str,
    sandbox: str | None,
    priority: int | None,
    no_start: bool,
) -> None:
    """Start a mission from a brief (its id or path) or one sentence ('-' reads it from stdin).

    Agents work from commits: what is not committed they cannot see, and it is listed. With --on the work starts on what
    another mission has delivered: when that moves, its commits are put on the new head and examined again.
    """
    from workbench.ace.wiring import launching, starting

    order = starting.Order(
        what=what,
        agent=agent,
        script=script,
        loop=loop,
        versions=versions,
        base=base,
        on=on,
        into=into,
        sandbox=sandbox or "",
        priority=priority,
    )
    settle_merges(place, out)
    launched = launching.launch(place, order, serve=not no_start)
    started, aee = launched.started, launched.aee
    for line in uncommitted_lines(started.uncommitted):
        out.say(line)
    for warning in started.warnings:
        out.warn(warning)
    built = {
        "schema": 1,
        "kind": "mission",
        "id": started.mission,
        "mission": started.mission,
        "runs": started.runs,
        "base": started.base_commit,
        "base_ref": started.base_ref,
        "into": started.into,
        "on": started.on,
        "sandbox": started.sandbox,
        "uncommitted": started.uncommitted,
        "warnings": started.warnings,
        "aee": {"state": aee.state, "pid": aee.pid},
    }
    out.one(built, [started.mission, *(f"  {name}" for name in started.runs)])
    if not out.as_json:
        out.say(f"next: workbench {'aee start' if no_start else f'wait {started.mission}'}")


def uncommitted_lines(paths: Sequence[str]) -> Iterator[str]:
    """What a person is told about work that agents cannot see."""
    if not paths:
        return
    yield f"Agents work from the base commit and cannot see {len(paths)} uncommitted path{'s' * (len(paths) != 1)}:"
    yield from (f"  {path}" for path in paths[:SHOWN_PATHS])
    if len(paths) > SHOWN_PATHS:
        yield f"  and {len(paths) - SHOWN_PATHS} more"
