"""What a plugin shows: its lines as text, in a pane over the screen below."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.widget import Widget

from workbench.ace.tui.screens.dialog import Dialog, Words
from workbench.ace.tui.text import Line, line, piece
from workbench.ace.tui.widgets.lines import Fixed


class ViewScreen(Dialog):
    """The lines of one view."""

    where = "view"
    main = "#lines"

    def __init__(self, title: str, lines: Sequence[str]) -> None:
        super().__init__()
        self.title_words = title  # type: ignore[misc]  # each view has its own
        self._lines = lines

    def body(self) -> Iterator[Widget]:
        """The lines, made safe here and nowhere else."""
        shown: list[Line] = [line(piece(words)) for words in self._lines]
        view = Words(id="lines")
        view.show(Fixed(shown))
        yield view
