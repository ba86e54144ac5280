"""What screens have whose main pane is a list: a filter, its matches, and what waits to be let in."""

from __future__ import annotations

from typing import Any

from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.widgets.filter import FilterLine
from workbench.ace.tui.widgets.rows import RowsView


class ListScreen(WorkScreen):
    """A screen with one `RowsView` as `main`. A subclass yields a `FilterLine` at the end of its body."""

    @property
    def list(self) -> RowsView[Any]:
        """The list."""
        return self.query_one(self.main, RowsView)

    @property
    def filter_words(self) -> str:
        """What the list is filtered by; empty when it is not."""
        return self.query_one(FilterLine).value

    def act_filter_rows(self) -> None:
        """Ask for the words."""
        self.query_one(FilterLine).open()

    def on_filter_line_filtered(self, message: FilterLine.Filtered) -> None:
        """Show what is left."""
        self.list.keep(message.words)

    def on_filter_line_left(self) -> None:
        """The keys go to the list again."""
        self.list.focus()

    def act_go_back(self) -> None:
        """Take the filter away first."""
        line = self.query_one(FilterLine)
        if line.value or line.has_focus:
            line.close()
        else:
            super().act_go_back()

    def off_next_match(self) -> str:
        """Without a filter everything matches."""
        return "" if self.filter_words else "no filter is set: / sets one"

    off_previous_match = off_next_match

    def act_next_match(self) -> None:
        """The next line that is left."""
        self.list.go("next-line")

    def act_previous_match(self) -> None:
        """The one before."""
        self.list.go("previous-line")

    def act_show_new(self) -> None:
        """Draw the list anew, in its own order."""
        self.list.let_in()
