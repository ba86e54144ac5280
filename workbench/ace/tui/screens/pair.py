"""What differs between the results of two versions, file by file, with the keys and the diff of a review."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.containers import Horizontal
from textual.widget import Widget

from workbench.ace.tui.diffmaking import Change
from workbench.ace.tui.prose import Prose, facts
from workbench.ace.tui.reviewing import FileRow, file_rows, files_sheet, paint_file
from workbench.ace.tui.screens.changing import Changing
from workbench.ace.tui.screens.comment import CommentDialog
from workbench.ace.tui.text import Line, piece
from workbench.ace.tui.widgets.diff import DiffView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.tui.words import count
from workbench.ace.wiring.differing import ChangedFile, changed_files
from workbench.core.comments import Placed
from workbench.core.state import PackState

_PANES = ("files", "diff")


class PairScreen(Changing):
    """Two packs; what the second has otherwise than the first."""

    where = "pair"
    main = "#files"

    def __init__(self, first: PackState, second: PackState, path: str) -> None:
        super().__init__(second.id)
        self._first, self._second, self._wanted = first, second, path

    def body(self) -> Iterator[Widget]:
        """Which two, the files, and the diff."""
        yield StillLines(id="facts")
        with Horizontal():
            yield RowsView(files_sheet([]), self._paint, text=lambda row: row.file.path, id="files")
            yield DiffView(id="diff")

    def on_mount(self) -> None:
        """Begin to look."""
        super().on_mount()
        self._say("looking …")
        first, second = self._first.tree, self._second.tree
        self.workbench.carry_out(lambda place: changed_files(place, first, second), self._opened)

    def on_rows_view_opened(self) -> None:
        """The mouse opened a row."""
        self.act_open_row()

    def _say(self, words: str) -> None:
        told = facts(
            " ", piece(self._first.run, "removed"), piece(" - and + "), piece(self._second.run, "added"),
            piece(f"  {words}", "dim"),
        )  # fmt: skip
        self.query_one("#facts", StillLines).show(Prose([told]))

    def _opened(self, files: tuple[ChangedFile, ...]) -> None:
        if not self.is_attached:
            return
        self.rows = file_rows(files, None)
        self.change = Change(self._first.tree, self._second.tree, list(files))
        self._say(f"{count(len(files), 'file')} differ" if files else "their results are the same")
        self.files.take(files_sheet(self.rows))
        self.files.let_in()
        if self._wanted and self.files.go_to_key(self._wanted):
            self.show_pane("diff")
        self.show_diff()
        self.show_footer()

    def _paint(self, row: FileRow, cells: int) -> Line:
        return paint_file(row, cells, read=False, glyphs=self.workbench.glyphs)

    @property
    def is_since(self) -> bool:
        """The lines before are of another version, never of the base."""
        return True

    # --- comments ---

    def off_comment(self) -> str:
        """Only on what is there to be read."""
        return "" if self.rows else "there is nothing to read yet"

    def act_comment(self) -> None:
        """On both versions: on the lines that one is at in the one that has them, and on the whole of the other."""
        row, chosen = self.files.row, self.diff.chosen
        here, other = self._second, self._first
        target: dict[str, Any] = {"kind": "whole"}
        quoted: list[str] = []
        if self.pane_name == "diff" and row is not None and chosen is not None:
            side, first, last = chosen
            here, other = (other, here) if side == "old" else (here, other)
            path = row.file.old_path if side == "old" else row.file.path
            target = {"kind": "lines", "path": path, "side": "new", "first": first, "last": last}
            quoted = self.diff.texts(side, first, last)
        self.app.push_screen(CommentDialog(here.id, target, quoted, self._commented, also=other.id))

    def _commented(self, made: Placed) -> None:
        self.tell(f"commented: {made.id}; the agents of both get it with your requests for changes", "accent")

    # --- panes ---

    def show_pane(self, pane: str) -> None:
        """Go to a pane; where it is narrow, it alone is shown."""
        self.set_class(pane == "diff", "-diff")
        self.query_one(f"#{pane}").focus()
        self.show_footer()

    def act_next_pane(self) -> None:
        """The other pane."""
        self.show_pane(_PANES[(_PANES.index(self.pane_name) + 1) % len(_PANES)])

    act_previous_pane = act_next_pane

    def act_open_row(self) -> None:
        """The diff of the file; of a large one, all of it."""
        row = self.files.row
        if row is not None and self.unfolds(row):
            self.show_diff()
        elif self.pane_name != "diff" or not self.diff.unfold():
            self.show_pane("diff")

    def act_go_back(self) -> None:
        """From the diff to the list where it is narrow; else to where one came from."""
        if self.pane_name == "diff" and self.has_class("-narrow"):
            self.show_pane("files")
        else:
            super().act_go_back()

    def copied(self) -> str:
        """The path of the file."""
        return self.files.row.file.path if self.files.row is not None else self.pack_id
