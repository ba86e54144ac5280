"""The rows of missions and of runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from workbench.core.forecast import NOTHING, Forecast, in_words
from workbench.core.state import MissionState, RunState
from workbench.core.status import Status, is_over, mission_status, run_status, stage
from workbench.model.instants import seconds_between

_GOING_ON: frozenset[Status] = frozenset({"queued", "running", "waiting-quota"})


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `age_s` counts from when it was queued, `idle_s` from its last significant act."""

    id: str
    mission: str
    run: str
    agent: str
    status: Status
    stage: str
    cost_usd: float
    tokens: int
    last_act: str
    pack: str
    age_s: int
    idle_s: int
    conflicts: tuple[str, ...] = ()  # runs with which it would conflict, or `target`
    forecast: str = ""  # the same in words, with the files
    on: str = ""  # the run on whose head it stands
    kind: Literal["run"] = "run"
    schema: int = 1


class MissionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One mission: the most pressing status of its runs, and what all of them spent."""

    id: str
    mission: str
    run: str
    agent: str
    status: Status
    stage: str
    cost_usd: float
    tokens: int
    title: str
    runs: tuple[str, ...]
    age_s: int
    conflicts: tuple[str, ...] = ()  # runs with which any of its own would conflict, or `target`
    forecast: str = ""
    on: str = ""  # the run of another mission on whose head it stands
    kind: Literal["mission"] = "mission"
    schema: int = 1


def run_row(run: RunState, *, now: str, undone: Collection[str] = (), forecast: Forecast = NOTHING) -> RunRow:
    """The row of one run. `undone` (`core.status.taken_back`) are runs whose merge was taken back."""
    return RunRow(
        id=run.id,
        mission=run.mission,
        run=run.id,
        agent=run.agent,
        status=run_status(run, undone),
        stage=stage(run, undone),
        cost_usd=round(run.cost_usd, 6),
        tokens=run.tokens,
        last_act=run.last_act,
        pack=run.pack,
        age_s=_age(run.queued_at, now),
        idle_s=_age(run.last_at or run.queued_at, now),
        conflicts=forecast.against((run.id,)),
        forecast=in_words(forecast, (run.id,)),
        on=run.on,
    )


def mission_row(
    mission: MissionState,
    runs: Sequence[RunState],
    *,
    now: str,
    undone: Collection[str] = (),
    forecast: Forecast = NOTHING,
) -> MissionRow:
    """The row of one mission with its runs. `run` and `agent` name the run whose status shows."""
    status = mission_status(mission, runs, undone)
    outcome = mission.outcome if is_over(mission, runs, undone) else ""
    speaking = next((run for run in runs if run_status(run, undone) == status), runs[0] if runs else None)
    return MissionRow(
        id=mission.id,
        mission=mission.id,
        run="" if speaking is None else speaking.id,
        agent=", ".join(dict.fromkeys(run.agent for run in runs)),
        status=status,
        stage=outcome or ("" if speaking is None else stage(speaking, undone)),
        cost_usd=round(sum(run.cost_usd for run in runs), 6),
        tokens=sum(run.tokens for run in runs),
        title=mission.title,
        runs=tuple(run.id for run in runs),
        age_s=_age(mission.started_at, now),
        conflicts=forecast.against([run.id for run in runs]),
        forecast=in_words(forecast, [run.id for run in runs]),
        on=mission.on,
    )


def goes_on(mission: MissionState, runs: Sequence[RunState]) -> bool:
    """Whether any run of the mission can still do something without a person."""
    return not mission.outcome and any(run_status(run) in _GOING_ON for run in runs)


def _age(since: str, now: str) -> int:
    return max(0, int(seconds_between(since, now))) if since else 0
