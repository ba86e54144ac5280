"""`agents list | doctor | try`: which agents there are, whether they could work, and one tiny turn of one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from workbench.ace.cli.checking import Checks
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring.agentry import AgentRow
from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import EXIT_NO

_NAME = Column[AgentRow]("agent", lambda row: row.id + (" *" if row.is_default else ""))
_DRIVER = Column[AgentRow]("driver", lambda row: row.driver)
_WHAT = Column[AgentRow]("what", lambda row: row.model or row.script or " ".join(row.command), grow=True)
_FROM = Column[AgentRow]("from", lambda row: row.origin)


@click.command("list")
@speaks
def list_agents(place: Workplace, out: Output) -> None:
    """The agents that the settings name; `*` marks the one that works when none is named."""
    from workbench.ace.wiring.agentry import agents

    empty = 'There are no agents. Write [agents.NAME] with driver = "native" and model = "..." into a config.toml.'
    out.rows(agents(place), (_NAME, _DRIVER, _WHAT, _FROM), empty=empty)


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@speaks
def doctor(place: Workplace, out: Output, names: tuple[str, ...]) -> int:
    """Check settings, driver, model, key and the way to the server of agents; exit 1 if something is missing.

    Of all agents, if none is named. No key is shown.
    """
    from workbench.ace.wiring.agentry import examine

    checks = Checks(out)
    for check in examine(place, names):
        checks.tell(check)
    return checks.end()


@click.command("try")
@click.argument("name")
@speaks
def try_agent(place: Workplace, out: Output, name: str) -> int:
    """Let an agent take one tiny turn in a throwaway clone, sandboxed. It costs a few requests; exit 1 if it fails."""
    from workbench.ace.wiring import agentry

    out.say("One tiny turn in a throwaway clone; this takes some seconds.")
    row = agentry.try_agent(place, name)
    out.one(row, _lines(row))
    return 0 if row["ok"] else EXIT_NO


def _lines(row: dict[str, Any]) -> Iterator[str]:
    works = "it works" if row["ok"] else "it does not"
    yield f"{row['id']} ({row['driver']}, {row['model'] or 'no model'}): {works}"
    yield from (f"  {call['tool']}: {call['summary']}" for call in row["calls"])
    cost = f"${row['cost_usd']:.4f}" if row["cost_known"] else "cost unknown"
    yield f"  {row['ended'] or 'failed'}; {row['tokens']} tokens, {cost}, {row['seconds']:.1f} s"
    if row["error"]:
        yield f"  {row['error']}"
        yield f"  what to do: {row['hint']}"
