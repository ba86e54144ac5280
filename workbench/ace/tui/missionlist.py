"""The rows of the missions screen: one a mission and, unfolded, one a run; made anew only where something changed.

They are computed beside the event loop; no widget is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.mirror import Mirror
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Safe, safe
from workbench.core.forecast import FORECAST_STREAM, NOTHING, Forecast, in_words
from workbench.core.state import MissionState, RunState
from workbench.core.status import Status, is_over, mission_status, run_status, stage, taken_back
from workbench.core.views.stages import reached

ANYTHING = "*"  # in `changed`: all may have changed
HEADS: tuple[Safe, ...] = (safe("NEEDS YOU"), safe("AT WORK"), safe("DONE"))
_DONE = ("done", "failed", "stopped")


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    id: str
    mission: str
    agent: str
    status: Status
    stage: str
    reached: int
    cost_usd: float
    last_act: str
    since: str  # its last significant act
    pack: str
    version: int
    on: str = ""  # the run on whose head it stands
    failed: bool = False  # it stands still, and could go on
    held: bool = False  # a person paused it, or it rests
    over: bool = False


class MissionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One mission with its runs."""

    id: str
    title: str
    status: Status
    stage: str
    reached: int
    cost_usd: float
    last_act: str
    since: str
    started: str
    group: int
    over: bool
    runs: tuple[RunLine, ...]
    forecast: str = ""  # with how many branches it would conflict, and where


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list: a mission, or a run of the unfolded mission above it."""

    key: str
    mission: MissionLine
    run: RunLine | None = None
    open: bool = False

    @property
    def kind(self) -> Literal["mission", "run"]:
        """What the line is about."""
        return "mission" if self.run is None else "run"

    @property
    def id(self) -> str:
        """Its id."""
        return self.mission.id if self.run is None else self.run.id


class MissionsData(msgspec.Struct, frozen=True):
    """All missions in their order, and the sheet that was made of them."""

    missions: tuple[MissionLine, ...]
    unfolded: frozenset[str]
    sheet: Any
    aee: str

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference."""
        return isinstance(other, MissionsData) and (self.missions, self.unfolded, self.aee) == (
            other.missions, other.unfolded, other.aee,
        )  # fmt: skip

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


class MissionsView:
    """A `View`. It keeps the lines of missions of which nothing changed; `unfolded` is set by the screen."""

    def __init__(self) -> None:
        self.unfolded: frozenset[str] = frozenset()
        self._mirror: Mirror | None = None
        self._runs: dict[str, list[str]] = {}  # mission to its runs
        self._seen = 0  # runs of the mirror that are in there
        self._lines: dict[str, MissionLine] = {}
        self._undone: frozenset[str] = frozenset()
        self._last: MissionsData | None = None

    def __call__(self, moment: Moment) -> MissionsData:
        """The missions of this moment."""
        mirror, unfolded = moment.mirror, self.unfolded
        touched = self._touched(moment)
        if not touched and self._last is not None and self._last.unfolded == unfolded:
            if self._last.aee != moment.presence.state:
                self._last = msgspec.structs.replace(self._last, aee=moment.presence.state)
            return self._last
        newer = {name: self._line(mirror, name) for name in touched}
        before = {name: self._lines.get(name) for name in newer}
        self._lines |= newer
        if self._last is not None and self._last.unfolded == unfolded and _same_places(before, newer):
            missions, sheet = _replaced(self._last, newer)
        else:
            missions = tuple(sorted(self._lines.values(), key=_place))
            sheet = sheet_of(missions, unfolded)
        self._last = MissionsData(missions, unfolded, sheet, moment.presence.state)
        return self._last

    def _line(self, mirror: Mirror, name: str) -> MissionLine:
        runs = [mirror.runs[run] for run in self._runs.get(name, ())]
        said = {run.id: words for run in runs if (words := said_of(run, mirror))}
        return mission_line(mirror.missions[name], runs, said, self._undone, _still(mirror, self._undone))

    def _touched(self, moment: Moment) -> list[str]:
        """The missions of which something changed, their runs known."""
        mirror = moment.mirror
        if mirror is not self._mirror:
            self._mirror, self._seen, self._last = mirror, 0, None
            self._runs.clear()
            self._lines.clear()
        self._index(mirror)
        if ANYTHING in moment.changed or FORECAST_STREAM in moment.changed or self._last is None:
            self._undone = _undone(mirror)
            return list(mirror.missions)
        if any(stream.startswith("pack/") for stream in moment.changed):
            before, self._undone = self._undone, _undone(mirror)
            extra = {mirror.runs[run].mission for run in before ^ self._undone if run in mirror.runs}
        else:
            extra = set()
        named = {_mission_of(stream, mirror) for stream in moment.changed} | extra
        return [name for name in named if name in mirror.missions]

    def _index(self, mirror: Mirror) -> None:
        if len(mirror.runs) == self._seen:
            return
        for run in list(mirror.runs.values())[self._seen :]:
            self._runs.setdefault(run.mission, []).append(run.id)
        self._seen = len(mirror.runs)


def mission_line(
    mission: MissionState,
    runs: Sequence[RunState],
    said: Mapping[str, str],
    undone: Iterable[str] = (),
    forecast: Forecast = NOTHING,
) -> MissionLine:
    """The line of a mission. `said` is what a run's question or pack says, by the run's id."""
    gone = frozenset(undone)
    status = mission_status(mission, runs, gone)
    lines = tuple(run_line(run, said.get(run.id, ""), gone) for run in runs)
    speaking = next((line for line in lines if line.status == status), lines[0] if lines else None)
    newest = max(lines, key=lambda line: line.since, default=None)
    over = is_over(mission, runs, gone)
    return MissionLine(
        id=mission.id,
        title=mission.title,
        status=status,
        stage=mission.outcome if over else (speaking.stage if speaking else ""),
        reached=max((line.reached for line in lines), default=0),
        cost_usd=sum(line.cost_usd for line in lines),
        last_act=(said.get(newest.id) or newest.last_act) if newest else "",
        since=newest.since if newest else mission.started_at,
        started=mission.started_at,
        group=2 if over or status in _DONE else 0 if status == "waiting-human" else 1,
        over=over,
        runs=lines,
        forecast="" if over else in_words(forecast, [run.id for run in runs]),
    )


def run_line(run: RunState, said: str = "", undone: Iterable[str] = ()) -> RunLine:
    """The line of a run."""
    gone = frozenset(undone)
    return RunLine(
        id=run.id,
        mission=run.mission,
        agent=run.agent,
        status=run_status(run, gone),
        stage=stage(run, gone),
        reached=reached(run),
        cost_usd=run.cost_usd,
        last_act=said or run.last_act,
        since=run.last_at or run.queued_at,
        pack=run.pack,
        version=run.version,
        on=run.on,
        failed=run.outcome == "failed",
        held=run.paused or run.resting,
        over=bool(run.outcome),
    )


def sheet_of(missions: Sequence[MissionLine], unfolded: frozenset[str]) -> Sheet[Row]:
    """The rows, with the runs of the unfolded missions beneath them."""
    rows: list[Row] = []
    for mission in missions:
        is_open = mission.id in unfolded
        rows.append(Row(key=f"mission/{mission.id}", mission=mission, open=is_open))
        if is_open:
            rows += [Row(key=f"run/{run.id}", mission=mission, run=run) for run in mission.runs]
    sheet = Sheet(rows, key=_key, group=_group)
    _ = sheet.places  # made here, beside the event loop
    return sheet


def _same_places(before: Mapping[str, MissionLine | None], newer: Mapping[str, MissionLine]) -> bool:
    return all(
        (was := before[name]) is not None and _place(was) == _place(line) and len(was.runs) == len(line.runs)
        for name, line in newer.items()
    )


def _replaced(last: MissionsData, newer: Mapping[str, MissionLine]) -> tuple[tuple[MissionLine, ...], Sheet[Row]]:
    """The same list with the newer lines in their places: nothing is sorted, and no key is made anew."""
    sheet: Sheet[Row] = last.sheet
    rows = list(sheet.rows)
    for line in newer.values():
        at = sheet.places[f"mission/{line.id}"]
        rows[at] = msgspec.structs.replace(rows[at], mission=line)
        for number, run in enumerate(line.runs if rows[at].open else (), start=at + 1):
            rows[number] = msgspec.structs.replace(rows[number], mission=line, run=run)
    return tuple(newer.get(line.id, line) for line in last.missions), sheet.renewed(rows)


def said_of(run: RunState, mirror: Mirror) -> str:
    """What is to be known of a run beyond its last act: what it asks, or what its newest pack says."""
    if run.waiting_for and (question := mirror.consultations.get(run.waiting_for[0])) is not None:
        return question.title
    if run.resting or run.outcome in ("failed", "stopped"):
        return run.reason
    pack = mirror.packs.get(run.pack)
    return (pack.facts or pack.headline) if pack is not None and run.to_decide else ""


def _place(line: MissionLine) -> tuple[int, Any]:
    """Where it stands: who waits longest first, work in the order of its start, what is done newest first."""
    if line.group == 2:
        return 2, tuple(-ord(char) for char in line.since)
    return line.group, (line.since if line.group == 0 else line.started, line.id)


def _still(mirror: Mirror, undone: frozenset[str]) -> Forecast:
    """The forecast without what is over by now."""
    seen = mirror.forecast
    if not seen.clashes:
        return NOTHING
    over = {name for name in seen.heads if (run := mirror.runs.get(name)) is None or run.outcome}
    return seen.without(over - undone)


def _undone(mirror: Mirror) -> frozenset[str]:
    return taken_back(mirror.runs.values(), mirror.packs.values())


def _mission_of(stream: str, mirror: Mirror) -> str:
    kind, _, name = stream.partition("/")
    if kind == "run":
        return mirror.runs[name].mission if name in mirror.runs else ""
    if kind == "pack":
        return mirror.packs[name].mission if name in mirror.packs else ""
    return name if kind == "mission" else ""


def _key(row: Row) -> str:
    return row.key


def _group(row: Row) -> Safe:
    return HEADS[row.mission.group]
