"""`demo`: the whole loop in a small repository, offline, with scripted agents."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.wiring.workplace import Workplace

DIRECTORY = "workbench-demo"
_LOOK_FIRST = (
    "  workbench wait                              until you are needed: exit code 3",
    "  workbench inbox                             what needs you",
)
SETTLE_S = 60.0  # until each of the three agents has asked or delivered


@click.command()
@click.argument("directory", default=DIRECTORY, type=click.Path(path_type=Path), metavar="[DIR]")
@click.option("--no-tui", is_flag=True, help="Start it, print what was started, and return at once.")
@speaks
def demo(place: Workplace, out: Output, directory: Path, no_tui: bool) -> None:
    """Make a small repository in DIR and let three scripted agents work in it: offline, without a key.

    One asks and then delivers, one delivers at once, one makes the tests pass by weakening them and is found out.
    """
    out.say(f"Making a small repository in {directory} and putting three agents to work; this takes some seconds.")
    from workbench.ace.wiring import demonstration, engine

    where = demonstration.lay_out((place.directory / directory).absolute())
    shop = Workplace(where)
    started = demonstration.start(shop)
    aee = engine.start(shop)
    if aee.sandbox == "none":
        out.warn("no sandbox works here, so the demo's own agents run without one; workbench doctor says why")
    built = {
        "schema": 1,
        "kind": "demo",
        "id": str(where),
        "repository": str(where),
        "missions": [mission.mission for mission in started],
        "runs": [run for mission in started for run in mission.runs],
        "aee": {"state": aee.state, "pid": aee.pid, "sandbox": aee.sandbox},
    }
    if no_tui or out.as_json:
        out.one(built, [str(where), *(f"  {mission.mission}" for mission in started)])
    else:
        _watch(shop, out)
    started_only = no_tui or out.as_json
    for line in _next_steps(where, place.directory.absolute(), wait_first=started_only):
        out.say(line)


def _watch(shop: Workplace, out: Output) -> None:
    """Wait until every agent needs a person, then show the inbox."""
    from workbench.ace.cli.inbox import print_inbox
    from workbench.ace.cli.wait import settle

    try:
        out.say("Three agents are at work. Ctrl-C leaves them to it.")
        settle(shop, timeout=SETTLE_S)
    except KeyboardInterrupt:
        out.say(f"\nThe agents go on without you, in {shop.directory}. There, `workbench inbox` shows what needs you,")
        out.say("and `workbench aee stop` ends them.")
        raise
    print_inbox(shop, out)


def _next_steps(where: Path, here: Path, *, wait_first: bool) -> list[str]:
    shown = where.relative_to(here) if where.is_relative_to(here) else where
    return [
        "",
        "What to type next:",
        *_to_be_found(),
        f"  cd {shlex.quote(str(shown))}",
        "  workbench                                   all of it on screens; or by hand:",
        *_LOOK_FIRST[: None if wait_first else 0],
        "  workbench show CRP-payments-limit.1-1       the question that waits for you",
        '  workbench answer CRP-payments-limit.1-1 --option A --why "DOD-1 says so"',
        "  workbench mrp show MRP-parser-fix.1-1 --md  what is proven, what unchecked",
        '  workbench approve MRP-parser-fix.1-1 --why "the new tests show it"',
        "  workbench merge MRP-parser-fix.1-1",
        "  workbench mrp show MRP-flaky-retry.1-1 --md  found out",
        "  workbench aee stop                          when you have seen enough",
    ]


def _to_be_found() -> list[str]:
    """How the shell finds `workbench`, where it was called by its path."""
    beside = Path(sys.executable).parent
    if shutil.which("workbench") or not (beside / "workbench").exists():
        return []
    return [f'  export PATH="{beside}:$PATH"']
