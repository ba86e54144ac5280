"""`missions` and `runs`: all of them at a glance."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import click

from workbench.ace.cli.emptiness import say_why_empty
from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column, age, money
from workbench.ace.wiring import things
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.forecast import FORECAST_STREAM, Forecast, newest
from workbench.core.state import RunState
from workbench.core.status import taken_back
from workbench.core.views.missions import MissionRow, RunRow, mission_row, run_row

NONE_YET = 'No missions yet. next: workbench run "one sentence"'
STAGE_CELLS, AGENT_CELLS, FORECAST_CELLS = 14, 16, 24  # at most; names of stages and agents are people's own
ON_CELLS = 24  # of the run on which a mission stands
MISSION_COLUMNS = (
    Column[MissionRow]("mission", lambda row: row.id),
    Column[MissionRow]("status", lambda row: row.status, state=True),
    Column[MissionRow]("stage", lambda row: row.stage, most=STAGE_CELLS),
    Column[MissionRow]("runs", lambda row: str(len(row.runs)), right=True, spare=True),
    Column[MissionRow]("cost", lambda row: money(row.cost_usd), right=True, spare=True),
    Column[MissionRow]("age", lambda row: age(row.age_s), right=True),
    Column[MissionRow]("title", lambda row: row.title, grow=True),
)
ON = Column[MissionRow]("on", lambda row: row.on, most=ON_CELLS, spare=True)
FORECAST = Column[MissionRow]("forecast", lambda row: row.forecast, most=FORECAST_CELLS, spare=True)
RUN_COLUMNS = (
    Column[RunRow]("run", lambda row: row.id),
    Column[RunRow]("agent", lambda row: row.agent or "-", most=AGENT_CELLS, grow=True),
    Column[RunRow]("status", lambda row: row.status, state=True),
    Column[RunRow]("stage", lambda row: row.stage, most=STAGE_CELLS),
    Column[RunRow]("cost", lambda row: money(row.cost_usd), right=True, spare=True),
    Column[RunRow]("idle", lambda row: age(row.idle_s), right=True),
    Column[RunRow]("last act", lambda row: row.last_act, grow=True),
)


@click.command()
@speaks
def missions(place: Workplace, out: Output) -> None:
    """All missions at a glance, oldest first."""
    now = place.clock.now()
    with place.reading() as ledger:
        by_mission: dict[str, list[RunState]] = {}
        everyone = ledger.runs()
        for run in everyone:
            by_mission.setdefault(run.mission, []).append(run)
        undone = taken_back(everyone, ledger.packs(state="approved"))
        ahead = _forecast(ledger, everyone, undone)
        rows = [
            mission_row(mission, by_mission.get(mission.id, []), now=now, undone=undone, forecast=ahead)
            for mission in ledger.missions()
        ]
    stacked = (ON,) if any(row.on for row in rows) else ()
    foreseen = (FORECAST,) if any(row.forecast for row in rows) else ()
    out.rows(rows, (*MISSION_COLUMNS, *stacked, *foreseen), empty=NONE_YET)
    say_why_empty(rows, place, out)


@click.command()
@click.argument("mission", required=False, default="")
@click.option("--live", is_flag=True, help="Only runs that are not over.")
@speaks
def runs(place: Workplace, out: Output, mission: str, live: bool) -> None:
    """All runs at a glance, or those of MISSION, oldest first."""
    now = place.clock.now()
    with place.reading() as ledger:
        whose = things.mission(ledger, mission).id if mission else ""
        chosen = ledger.runs(mission=whose, live=live)
        undone = taken_back(chosen, ledger.packs(state="approved"))
        ahead = _forecast(ledger, ledger.runs(live=True), undone)
        found = [run_row(run, now=now, undone=undone, forecast=ahead) for run in chosen]
    rows = [row for row in found if not live or row.status != "done"]
    out.rows(rows, RUN_COLUMNS, empty=NONE_YET)
    say_why_empty(rows, place, out)


def _forecast(ledger: Ledger, runs: Iterable[RunState], undone: Collection[str]) -> Forecast:
    """What the AEE last foresaw, of runs that are still to be merged."""
    seen = newest(ledger.read_newest(FORECAST_STREAM, limit=1))
    live = {run.id for run in runs if not run.outcome or run.id in undone}
    return seen.without(seen.heads.keys() - live)
