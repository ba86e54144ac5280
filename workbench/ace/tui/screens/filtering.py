"""What every screen with a list or a text can do: filter or search it, mark rows, copy what is selected.

It knows panes, not what is in them.
"""

from __future__ import annotations

from workbench.ace.tui.screens.painting import Painting
from workbench.ace.tui.widgets.filter import FilterLine
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView


class Filtering(Painting):
    """Part of every screen."""

    _filtered: LinesView | None = None  # the pane that is filtered

    def copied(self) -> str:
        """What `y` copies: the id of the thing that is selected, or that the screen is about."""
        return ""

    # --- the pane ---

    @property
    def pane(self) -> LinesView | None:
        """The pane that has the focus, else the main one, if that has lines."""
        focused = self.focused
        if isinstance(focused, LinesView):
            return focused
        main = self.main
        found = list(self.query(main).results(LinesView)) if main else []
        return found[0] if found else None

    @property
    def _line(self) -> FilterLine | None:
        return next(iter(self.query("#filter").results(FilterLine)), None)

    # --- filter ---

    def off_filter_rows(self) -> str:
        """There must be lines."""
        return "" if self.pane is not None else "there is nothing here to filter"

    def act_filter_rows(self) -> None:
        """Ask for words, or for others; their line stays while it hides rows, so that nothing is hidden unseen."""
        self._filtered = self.pane
        line = self._line
        if line is None:
            line = FilterLine(id="filter")
            self.mount(line, before=self.query_one("#footer"))
        line.open()

    def on_filter_line_filtered(self, message: FilterLine.Filtered) -> None:
        """Show what fits."""
        if self._filtered is not None:
            self._filtered.keep(message.words)

    def on_filter_line_left(self) -> None:
        """Keys go to the pane again."""
        if self._filtered is not None:
            self._filtered.focus()

    def clear_filter(self) -> bool:
        """Show everything again; whether there was a filter."""
        line = self._line
        if line is None or not (line.value or line.has_focus):
            return False
        line.close()
        return True

    def act_next_match(self) -> None:
        """The next line that fits."""
        self._find(1)

    def act_previous_match(self) -> None:
        """The one before."""
        self._find(-1)

    def off_next_match(self) -> str:
        """There must be words to look for."""
        return "" if self.pane is not None and self.pane.sought else "/ asks for words first"

    off_previous_match = off_next_match

    def _find(self, step: int) -> None:
        if self.pane is not None and not self.pane.find(step):
            self.tell("no other line has these words", "dim")

    # --- marks and copying ---

    def off_mark_row(self) -> str:
        """Only rows of a list can be marked."""
        return "" if isinstance(self.pane, RowsView) else "there is no list of rows here"

    def act_mark_row(self) -> None:
        """Mark the row, or unmark it."""
        if isinstance(self.pane, RowsView):
            self.pane.toggle_mark()

    def off_copy_id(self) -> str:
        """Something must be selected."""
        return "" if self.copied() else "nothing is selected that has an id"

    def act_copy_id(self) -> None:
        """Copy it."""
        text = self.copied()
        self.tell(f"{text}: {self.workbench.copy(text)}", "dim")
