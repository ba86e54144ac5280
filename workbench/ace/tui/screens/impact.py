"""What a pack does to the rest of the tree: a tree of rows, and the lines to which one leads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from textual.widget import Widget

from workbench.ace.tui.impactlist import impact_sheet, paint_impact, said
from workbench.ace.tui.prose import Prose, facts
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.text import Line, Piece, Role, line, padded, piece, safe_line
from workbench.ace.tui.widgets.lines import Fixed, LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.wiring.impacting import impact_of, lines_around
from workbench.core.state import PackState
from workbench.core.views.impact import ImpactLine, impact_lines, in_short

NUMBER_CELLS = 6


class ImpactScreen(WorkScreen):
    """The impact of one pack. What a pack is never changes, so it is found once."""

    where = "impact"
    main = "#tree"
    DEFAULT_CSS = """
    ImpactScreen #tree { height: 1fr; }
    ImpactScreen #there { height: 12; border-top: solid $surface; display: none; }
    ImpactScreen.-there #there { display: block; }
    """

    def __init__(self, pack: PackState, changed: Collection[str], go: Callable[[str, int], bool]) -> None:
        super().__init__()
        self._pack, self._changed, self._go = pack, changed, go

    def body(self) -> Iterator[Widget]:
        """The whole in a line, the tree, and the lines of a place."""
        yield StillLines(id="facts")
        yield RowsView(
            impact_sheet([]), lambda row, cells: paint_impact(row, cells, self.workbench.glyphs), text=said, id="tree"
        )
        yield LinesView(id="there")

    def on_mount(self) -> None:
        """Begin to look."""
        super().on_mount()
        self._say("looking at who is reached …")
        pack = self._pack
        self.workbench.carry_out(lambda place: _found(impact_of(place, pack)), self._take)

    @property
    def rows_view(self) -> RowsView[ImpactLine]:
        """The rows."""
        return self.query_one("#tree", RowsView)

    def _say(self, words: str) -> None:
        words_of = facts(" ", piece(self._pack.id, "strong"), piece(f"  impact: {words}"))
        self.query_one("#facts", StillLines).show(Prose([words_of]))

    def _take(self, found: tuple[str, list[ImpactLine]]) -> None:
        if not self.is_attached:
            return
        self._say(found[0])
        self.rows_view.take(impact_sheet(found[1]))
        self.rows_view.let_in()
        self.show_footer()

    def on_rows_view_moved(self) -> None:
        """Another row: what was shown of one is over."""
        self.set_class(False, "-there")
        self.show_footer()

    def on_rows_view_opened(self) -> None:
        """The mouse opened a row."""
        if not self.off_open_row():
            self.act_open_row()

    def off_open_row(self) -> str:
        """Only what stands in a file."""
        row = self.rows_view.row
        return "" if row is not None and row.path else "it leads to no file"

    def act_open_row(self) -> None:
        """A changed file: its diff. Any other: the lines there."""
        row = self.rows_view.row
        if row is None:
            return
        if row.path in self._changed:
            self.app.pop_screen()
            self._go(row.path, row.line)
            return
        tree, path, number = self._pack.tree, row.path, row.line
        self.workbench.carry_out(lambda place: lines_around(place, tree, path, number), self._show_there)

    def _show_there(self, found: list[tuple[int, str]]) -> None:
        row = self.rows_view.row
        if row is None or not self.is_attached:
            return
        title = line(" ", piece(f"{row.path}:{row.line}", "title"))
        view = self.query_one("#there", LinesView)
        view.show(Fixed([title, *(_numbered(number, text, at=row.line) for number, text in found)]))
        self.set_class(True, "-there")
        self.call_after_refresh(self.rows_view.go_to_key, row.key)  # there is less room now: the row stays in sight

    def act_go_back(self) -> None:
        """Close what is shown of a place; then leave."""
        if self.has_class("-there"):
            self.set_class(False, "-there")
        else:
            super().act_go_back()

    def copied(self) -> str:
        """The place to which a row leads, or its words."""
        row = self.rows_view.row
        if row is None:
            return self._pack.id
        return f"{row.path}:{row.line}" if row.path and row.line else row.path or row.words


def _found(impact: Any) -> tuple[str, list[ImpactLine]]:
    return in_short(impact), impact_lines(impact)


def _numbered(number: int, text: str, *, at: int) -> Line:
    role: Role = "strong" if number == at else "dim"
    return line(padded(piece(str(number), "dim"), NUMBER_CELLS, right=True), " ", Piece(safe_line(text), role))
