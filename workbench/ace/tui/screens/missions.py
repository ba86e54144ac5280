"""All missions at a glance: how each stands, how far it came, what it cost; their runs fold out beneath."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from textual.widget import Widget

from workbench.ace.tui import routes
from workbench.ace.tui.bridge import View
from workbench.ace.tui.missionlist import HEADS, MissionsData, MissionsView, Row, RunLine, sheet_of
from workbench.ace.tui.prose import Block, Prose, blank, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.screens.stopping import StopDialog
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Piece, line, piece
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.words import count, money, since
from workbench.ace.wiring import steering
from workbench.ace.wiring.marks import mark
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import RunState
from workbench.core.views.stages import STAGES

TAIL_CELLS = 19  # of a run's id: where it is longer, its number is the end that tells
MARKS_SHOWN = 6  # runs of a mission drawn one by one; more are counted
_STAGE_WORDS = {"turn": "at work", "consultation": "asks", "idle": "waits"}


class MissionsScreen(WorkScreen):
    """The missions, with the one in `focus` under the cursor and unfolded."""

    where = "missions"
    main = "#missions"
    DEFAULT_CSS = """
    MissionsScreen #nothing { display: none; padding: 0 1; }
    MissionsScreen.-nothing #nothing { display: block; }
    MissionsScreen.-nothing #missions { display: none; }
    """

    def __init__(self, focus: str = "") -> None:
        super().__init__()
        self._view = MissionsView()
        self._data: MissionsData | None = None
        self._wanted = focus
        if focus:
            self._view.unfolded = frozenset((focus,))

    def body(self) -> Iterator[Widget]:
        """The list."""
        empty: Sheet[Row] = sheet_of((), frozenset())
        yield RowsView(empty, painter(self._columns()), text=_words, id="missions")
        yield LinesView(id="nothing")

    def views(self) -> dict[str, View]:
        """The missions."""
        return {"missions": self._view}

    def arrived(self, name: str, value: MissionsData) -> None:  # noqa: ARG002 - there is one view
        """Newer states."""
        if self._data is None and "being read" in self.told:
            self.tell("")  # a key was too early
        self._data = value
        stale = value.unfolded != self._view.unfolded  # folded or unfolded while it was on its way
        self.rows.take(sheet_of(value.missions, self._view.unfolded) if stale else value.sheet)
        self.set_class(not value.missions, "-nothing")
        if not value.missions:
            self.query_one("#nothing", LinesView).show(Prose(list(_nothing())))
        if self._wanted and self.rows.go_to_key(f"mission/{self._wanted}"):
            self._wanted = ""
        self.show_footer()

    def on_rows_view_moved(self) -> None:
        """Other keys can be used."""
        self.show_footer()

    def on_rows_view_waiting(self, message: RowsView.Waiting) -> None:
        """Rows wait to be let in, or stand where they no longer belong."""
        moved = self._moved() if not message.count else 0
        if message.count or moved:
            what = f"{message.count} new or gone" if message.count else f"{count(moved, 'mission')} changed place"
            self.tell(f"{what} - press . to draw the list anew", "accent")
        elif self.told.endswith("draw the list anew"):
            self.tell("")

    def on_rows_view_opened(self) -> None:
        """A click on the selected row."""
        self.act_open_row()

    @property
    def rows(self) -> RowsView[Row]:
        """The list."""
        return self.query_one("#missions", RowsView)

    @property
    def _row(self) -> Row:
        """What is selected; actions are off when nothing is."""
        row: Row | None = self.rows.row
        assert row is not None
        return row

    # --- actions ---

    def off_open_row(self) -> str:
        """Nothing is selected."""
        if self._data is None:
            return "the missions are being read"
        return "" if self.rows.row is not None else "no mission was started here yet"

    off_fold_mission = off_open_row

    def act_open_row(self) -> None:
        """Open the run; of a mission with several, show them."""
        row = self._row
        if row.run is not None:
            routes.open_thing(self.workbench, "run", row.run.id)
        elif len(row.mission.runs) == 1:
            routes.open_thing(self.workbench, "run", row.mission.runs[0].id)
        else:
            self.act_fold_mission()

    def act_fold_mission(self) -> None:
        """Show or hide the runs of the mission."""
        row = self._row
        self._view.unfolded ^= {row.mission.id}
        if self._data is not None:
            self.rows.take(sheet_of(self._data.missions, self._view.unfolded))
            self.rows.let_in()
            self.rows.go_to_key(f"mission/{row.mission.id}")
        self.bridge.watch(self._watched("missions"), self._view)

    def act_show_new(self) -> None:
        """Draw the list anew, in its own order."""
        self.rows.let_in()

    def copied(self) -> str:
        """The id of the mission or run."""
        row: Row | None = self.rows.row
        return "" if row is None else row.id

    def off_pause_run(self) -> str:
        """Whether something of it can be held, or go on."""
        runs = self._meant()
        if not runs:
            return self.off_open_row()
        if not any(not run.over or run.failed for run in runs):
            return f"{self._row.id} is over"
        return ""

    def act_pause_run(self) -> None:
        """Hold what is at work; where nothing is, let go on what was held."""
        name = self._row.id
        going = [run for run in self._meant() if not run.over and not run.held]
        if going:
            self._carry_out(lambda place: steering.pause(place, [name], why=""), f"{name} pauses after its act")
        else:
            self._carry_out(lambda place: steering.resume(place, [name], why=""), f"{name} goes on")

    def off_stop_run(self) -> str:
        """Whether there is something to end."""
        row: Row | None = self.rows.row
        if row is None:
            return self.off_open_row()
        over = row.mission.over if row.run is None else row.run.over and not row.run.failed
        return f"{row.id} is over already" if over else ""

    def act_stop_run(self) -> None:
        """Ask in words, then end it."""
        row = self._row
        name = row.id
        what = f"This ends {'run' if row.run else 'mission'} {name}"
        what += f" and its {count(len(row.mission.runs), 'run')}." if row.run is None else "."

        def answered(why: str | None) -> None:
            if why is not None:
                self._carry_out(lambda place: steering.stop(place, [name], why=why), f"{name} was stopped")

        self.app.push_screen(StopDialog(name, what=what), answered)

    def off_compare_versions(self) -> str:
        """Only where there are several."""
        row: Row | None = self.rows.row
        if row is None:
            return self.off_open_row()
        return "" if len(row.mission.runs) > 1 else f"{row.mission.id} has one version"

    def act_compare_versions(self) -> None:
        """Hold the versions of the mission against each other."""
        routes.compare(self.workbench, self._row.mission.id)

    def _carry_out(self, command: Callable[[Workplace], list[RunState]], done: str) -> None:
        self.workbench.carry_out(command, lambda _runs: self.tell(done, "accent"))

    def _meant(self) -> tuple[RunLine, ...]:
        row: Row | None = self.rows.row
        if row is None:
            return ()
        return row.mission.runs if row.run is None else (row.run,)

    def _moved(self) -> int:
        """Missions that stand under a head that is no longer theirs."""
        sheet: Sheet[Row] = self.rows.sheet
        if self._data is None or not sheet.groups or sheet.keys == self._data.sheet.keys:
            return 0
        starts = [*(group.start for group in sheet.groups[1:]), len(sheet.rows)]
        moved, at = 0, 0
        for (_, title), end in zip(sheet.groups, starts, strict=True):
            head = HEADS.index(title)
            moved += sum(row.mission.group != head for row in sheet.rows[at:end] if row.run is None)
            at = end
        return moved

    # --- painting ---

    def _columns(self) -> list[Column[Row]]:
        return [
            Column(self._sign, 1),
            Column(lambda row: piece(mark(_status(row)).word, mark(_status(row)).role), 12, spare=7),
            Column(self._named, 22),
            Column(self._about, 0, least=18),
            Column(self._bar, 4, spare=2),
            Column(lambda row: piece(_stage(row), "dim"), 8, spare=4),
            Column(self._runs, MARKS_SHOWN + 2, spare=3),
            Column(lambda row: piece(_act(row), "dim"), 44, spare=8),
            Column(lambda row: piece(money(_cost(row)), "dim"), 7, right=True, spare=5),
            Column(self._age, 4, right=True, spare=1),
        ]

    def _sign(self, row: Row) -> Piece:
        return self.workbench.glyphs.sign(_status(row))

    def _named(self, row: Row) -> Piece:
        pick = self.workbench.glyphs.pick
        if row.run is not None:
            name = row.run.id
            return piece(f"   {name if len(name) <= TAIL_CELLS else f'…{name[1 - TAIL_CELLS :]}'}")
        fold = pick("▾", "v") if row.open else pick("▸", ">")
        return piece(f"{fold} {row.mission.id}", "strong")

    def _about(self, row: Row) -> Line:
        """A mission's title, marked where it stands on another one; a run's agent, and what it stands on."""
        on = _ground(row)
        if row.run is not None:
            return line(piece(row.run.agent), piece(f" on {on}" if on else "", "dim"))
        stands = self.workbench.glyphs.pick("↳ ", "on: ") if on else ""
        return line(piece(stands, "accent"), piece(row.mission.title))

    def _bar(self, row: Row) -> Line:
        pick = self.workbench.glyphs.pick
        done = row.mission.reached if row.run is None else row.run.reached
        return line(
            piece(pick("▰", "#") * done, "proven" if done == len(STAGES) else "accent"),
            piece(pick("▱", "-") * (len(STAGES) - done), "dim"),
        )

    def _runs(self, row: Row) -> Line:
        if row.run is not None:
            return ()
        runs = row.mission.runs
        signs = [self.workbench.glyphs.sign(run.status) for run in runs[:MARKS_SHOWN]]
        more = [piece(f"+{len(runs) - MARKS_SHOWN}", "dim")] if len(runs) > MARKS_SHOWN else []
        return (*signs, *more)

    def _age(self, row: Row) -> Piece:
        at = row.mission.since if row.run is None else row.run.since
        return piece(since(at, self.workbench.place.clock.now()), "dim")


def _status(row: Row) -> str:
    return row.mission.status if row.run is None else row.run.status


def _stage(row: Row) -> str:
    stage = row.mission.stage if row.run is None else row.run.stage
    return _STAGE_WORDS.get(stage, stage)


def _act(row: Row) -> str:
    if row.run is not None:
        return row.run.last_act
    ground = _ground(row)
    stands = f"on {ground}" if ground else ""
    return "; ".join(words for words in (stands, row.mission.forecast, row.mission.last_act) if words)


def _ground(row: Row) -> str:
    """The run on whose head it stands, until that is merged."""
    runs = row.mission.runs if row.run is None else (row.run,)
    return next((run.on for run in runs if run.on), "")


def _cost(row: Row) -> float:
    return row.mission.cost_usd if row.run is None else row.run.cost_usd


def _words(row: Row) -> str:
    runs: Any = row.mission.runs if row.run is None else (row.run,)
    agents = " ".join(f"{run.id} {run.agent}" for run in runs)
    return f"{row.id} {row.mission.title} {mark(_status(row)).word} {_stage(row)} {agents} {_act(row)}"


def _nothing() -> Iterator[Block]:
    yield paragraph("No mission was started here yet.", "strong")
    yield blank()
    yield paragraph("+ starts one from a sentence or from a brief under .workbench/briefs (g s shows them).", "dim")
