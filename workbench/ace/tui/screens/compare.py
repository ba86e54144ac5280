"""The versions of a mission side by side: evidence as rows, versions as columns; to pick one, or compose a new one."""

from __future__ import annotations

from collections.abc import Iterator

from textual.widget import Widget

from workbench.ace.tui import routes
from workbench.ace.tui.bridge import View
from workbench.ace.tui.comparing import (
    FILES,
    Columns,
    CompareData,
    CompareView,
    Row,
    heads,
    hunk_rows,
    paint_row,
    rows_of,
    sheet_of,
)
from workbench.ace.tui.decisiondrafts import DecisionDrafts
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.taking import Taking
from workbench.ace.tui.text import Line
from workbench.ace.tui.widgets.rows import LEAD, RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.tui.words import count
from workbench.ace.wiring import comparing, hunking
from workbench.ace.wiring.choosing import Composed, serve
from workbench.ace.wiring.hunking import Takeable
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState


class CompareScreen(WorkScreen):
    """The versions of one mission."""

    where = "compare"
    main = "#matrix"
    DEFAULT_CSS = "CompareScreen #matrix { height: 1fr; }"

    def __init__(self, mission: str) -> None:
        super().__init__()
        self.mission = mission
        self._data = CompareData()
        self._chosen = 0  # the version under the cursor
        self._against = 1  # the one that it is held against
        self._differences = False
        self._taking = Taking()
        self._hunks: dict[str, list[Row]] = {}  # by path, of files that are shown with their hunks
        self._said = ""  # of the hunk under the cursor
        self._drafts = DecisionDrafts(mission, lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))

    # --- what is shown ---

    def body(self) -> Iterator[Widget]:
        """The heads of the columns, and the matrix."""
        yield StillLines(id="heads")
        yield RowsView(sheet_of([]), self._paint, text=lambda row: f"{row.name} {' '.join(row.values)}", id="matrix")

    def on_mount(self) -> None:
        """Look for what was typed and not sent."""
        self.workbench.carry_out(self._drafts.read, self._drafts.take)

    def views(self) -> dict[str, View]:
        """The versions."""
        return {"compare": CompareView(self.mission)}

    def arrived(self, name: str, value: CompareData) -> None:  # noqa: ARG002 - there is one view
        """The versions as they stand now; hunks are read anew where one of them is another pack."""
        before, self._data = self._data, value
        now = {pack.id for pack in value.packs if pack is not None}
        if before.shown is not None and now != {pack.id for pack in before.packs if pack is not None}:
            self._hunks.clear()
            if gone := self._taking.forget(now):
                self.tell(f"a version has a newer pack: {count(len(gone), 'part')} taken before must be taken anew")
        self._fill()

    @property
    def matrix(self) -> RowsView[Row]:
        """The rows."""
        return self.query_one("#matrix", RowsView)

    def on_resize(self) -> None:
        """Other columns fit."""
        self._show_heads()

    def on_rows_view_moved(self) -> None:
        """Other keys can be used; a hunk's first line is told whole, for its row may have no room for it."""
        self.show_footer()
        row = self.matrix.row
        words = row.label.strip() if row is not None and row.label else ""
        if words != self._said and self.told in ("", f"line {self._said}"):  # what a key said meanwhile stays
            self.tell(f"line {words}" if words else "", "dim")
        self._said = words

    def on_rows_view_opened(self) -> None:
        """The mouse opened a row."""
        if not self.off_open_row():
            self.act_open_row()

    def _fill(self) -> None:
        shown = self._data.shown
        rows = list(rows_of(shown, differences=self._differences, hunks=self._hunks)) if shown is not None else []
        self.matrix.take(sheet_of(rows))
        self.matrix.let_in()
        self._show_heads()
        self.show_footer()

    def _columns(self, cells: int) -> Columns:
        return Columns.fit(cells, len(self._data.packs) or 1, self._chosen)

    def _paint(self, row: Row, cells: int) -> Line:
        of = self._taking.of.get(row.name) if row.group == FILES else None
        taken = tuple(at for at, pack in enumerate(self._data.packs) if of and pack is not None and pack.id == of)
        columns = self._columns(cells)
        return paint_row(row, cells, columns=columns, chosen=self._chosen, taken=taken, glyphs=self.workbench.glyphs)

    def _show_heads(self) -> None:
        self.query_one("#heads", StillLines).show(_Heads(self))

    def heads_in(self, cells: int) -> list[Line]:
        """The heads at that width."""
        columns = self._columns(cells - LEAD)
        glyphs = self.workbench.glyphs
        return list(heads(self._data, columns=columns, chosen=self._chosen, against=self._against, glyphs=glyphs))

    # --- moving among the versions ---

    @property
    def _pack(self) -> PackState | None:
        packs = self._data.packs
        return packs[self._chosen] if self._chosen < len(packs) else None

    def act_next_version(self) -> None:
        """The version to the right."""
        self._choose(self._chosen + 1)

    def act_previous_version(self) -> None:
        """The version to the left."""
        self._choose(self._chosen - 1)

    def _choose(self, at: int) -> None:
        self._chosen = max(0, min(at, len(self._data.packs) - 1))
        self._redraw()

    def act_set_against(self) -> None:
        """From now on others are held against this one."""
        self._against = self._chosen
        self.tell("others are held against this version: Enter on another shows what differs", "dim")
        self._redraw()

    def act_toggle_differences(self) -> None:
        """All rows, or those that differ."""
        self._differences = not self._differences
        self._fill()
        self.tell("only rows in which the versions differ" if self._differences else "all rows", "dim")

    def _redraw(self) -> None:
        self.matrix.forget()
        self._show_heads()
        self.show_footer()

    # --- looking closer ---

    def off_open_row(self) -> str:
        """Two results are needed."""
        first, second = self._pair()
        return "" if first is not None and second is not None else "two versions with a result are needed"

    def act_open_row(self) -> None:
        """What differs between this version and the one that it is held against."""
        first, second = self._pair()
        row = self.matrix.row
        if first is None or second is None:
            return
        if first.base_commit != second.base_commit:
            self.tell(
                f"{first.id} and {second.id} stand on different bases: renew the evidence of both first", "failed"
            )
            return
        routes.show_pair(self.workbench, first, second, row.path if row is not None else "")

    def _pair(self) -> tuple[PackState | None, PackState | None]:
        packs = self._data.packs
        others = [at for at in range(len(packs)) if at != self._chosen]
        if not others:
            return None, None
        at = self._against if self._against in others else others[0]
        found = (packs[at], packs[self._chosen])
        return tuple(pack if pack is not None and pack.tree else None for pack in found)  # type: ignore[return-value]  # of two

    def off_open_version(self) -> str:
        """It has a pack."""
        return "" if self._pack is not None else "this version has no pack yet"

    def act_open_version(self) -> None:
        """The review of its pack."""
        if self._pack is not None:
            routes.open_thing(self.workbench, "mrp", self._pack.id)

    def off_run_crossed(self) -> str:
        """Two packs are needed."""
        there = sum(pack is not None and bool(pack.blob) for pack in self._data.packs)
        return "" if there > 1 else "two versions with a pack are needed"

    def act_run_crossed(self) -> None:
        """Have each run against the tests of the others; what comes of it arrives here."""
        name = self.mission
        self.tell("asking for it …", "dim")
        self.workbench.carry_out(lambda place: _ask(place, name), self._asked)

    def _asked(self, runs: list[str]) -> None:
        words = (
            f"{count(len(runs), 'version')} at work; what comes of it arrives here" if runs else "all were run already"
        )
        self.tell(words, "accent")

    # --- choosing ---

    def off_mark_row(self) -> str:
        """Only a file that this version changes."""
        row = self.matrix.row
        if row is None or row.group != FILES:
            return "only files can be taken: they stand below the evidence"
        pack = self._pack
        if pack is None or not row.values[self._chosen]:
            return "" if row.name in self._taking.of else "this version does not change it"
        found = self._taking.in_the_way(row.name, row.path, pack.id)
        return self._in_the_way(*found) if found is not None else ""

    def _in_the_way(self, other: str, line: int) -> str:
        of = self._taking.of[other]
        run = next((pack.run for pack in self._data.packs if pack is not None and pack.id == of), of)
        what = f"line {line} otherwise" if line else "the whole file otherwise"
        return f"what is taken of {run} changes {what}; Space there takes it back"

    def off_show_hunks(self) -> str:
        """Only of files."""
        row = self.matrix.row
        return "" if row is not None and row.path else "only files have hunks: they stand below the evidence"

    def act_show_hunks(self) -> None:
        """The hunks of this file below it, to be taken one by one; or no longer."""
        row = self.matrix.row
        if row is None:
            return
        path = row.path
        if path in self._hunks:
            del self._hunks[path]
            self._fill()
            self.matrix.go_to_key(f"{FILES}/{path}")
            return
        packs = [pack for pack in self._data.packs if pack is not None and pack.tree]
        self.workbench.carry_out(
            lambda place: hunking.takeable(place, packs, path), lambda found: self._show_hunks(path, found)
        )

    def _show_hunks(self, path: str, found: tuple[Takeable, ...]) -> None:
        shown = self._data.shown
        if shown is None or not found:
            self.tell("it has no hunks to choose from: it is new, gone, renamed or no text", "needs-you")
            return
        self._taking.know(path, found)
        self._hunks[path] = hunk_rows(shown, [one.hunk for one in found])
        self._fill()
        self.tell(f"{count(len(found), 'hunk')}; Space takes one of the chosen version, o hides them", "dim")

    def act_mark_row(self) -> None:
        """Take the file, or the hunk, of this version, of another one, or of none."""
        row = self.matrix.row
        if row is None:
            return
        pack, taken = self._pack, self._taking.of
        if pack is None or taken.get(row.name) == pack.id or not row.values[self._chosen]:
            taken.pop(row.name, None)
        else:
            taken[row.name] = pack.id
        self._redraw()
        kind = "part" if self._taking.has_hunks else "file"
        self.tell(f"{count(len(taken), kind)} for a new version; C composes it" if taken else "", "dim")

    def off_pick_version(self) -> str:
        """Only one that waits for a decision, and is not red."""
        pack = self._pack
        if pack is None:
            return "this version has no pack yet"
        if pack.state != "submitted":
            return f"it is {pack.state}"
        return (
            "it is not ready: r opens it, A there approves it in spite of that" if pack.verdict == "not-ready" else ""
        )

    def act_pick_version(self) -> None:
        """Say what is left behind, then ask for the reason."""
        from workbench.ace.tui.screens.choosing import PickDialog

        pack = self._pack
        if pack is not None:
            shown = self._data.shown
            others = [name for name in (shown.versions if shown is not None else ()) if name != pack.run]
            typed = self._drafts.of("select")
            self.app.push_screen(PickDialog(pack, typed, self._picked, mission=self.mission, others=others))

    def _picked(self, pack: PackState) -> None:
        self.tell(f"{pack.id} is picked; the others are closed and kept. r opens it, M there merges it", "proven")

    def off_compose_version(self) -> str:
        """Something must be marked."""
        return "" if self._taking.of else "Space on a file takes it of the chosen version; nothing is marked yet"

    def act_compose_version(self) -> None:
        """Say what is taken of which, then ask for the reason."""
        from workbench.ace.tui.screens.choosing import ComposeDialog

        parts = self._taking.parts()
        first = next((pack for pack in self._data.packs if pack is not None and pack.id in parts), None)
        if first is None:
            return
        files = self._data.shown.files if self._data.shown is not None else ()
        begun, words = self._taking.paths(), self._taking.words()
        left = [row.name for row in files if row.name not in begun]
        typed = self._drafts.of("compose")
        name = self.mission
        self.app.push_screen(
            ComposeDialog(first, typed, self._composed, mission=name, parts=parts, words=words, left=left)
        )

    def _composed(self, made: Composed) -> None:
        self._taking.of.clear()
        self.tell(f"{made.run} is the new version; its evidence is being made", "proven")
        self._redraw()

    def copied(self) -> str:
        """The id of the chosen version's pack."""
        return self._pack.id if self._pack is not None else self.mission


class _Heads:
    """The heads of the columns as lines that follow the width."""

    def __init__(self, screen: CompareScreen) -> None:
        self._screen = screen

    def laid(self, cells: int) -> list[Line]:
        """The lines at this width."""
        return self._screen.heads_in(cells)


def _ask(place: Workplace, mission: str) -> list[str]:
    runs = comparing.ask_crossed(place, mission)
    if runs:
        serve(place)
    return runs
