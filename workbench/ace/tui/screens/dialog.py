"""A question to the person over the screen below: one pane in the middle, closed by an answer or by `Esc`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.widget import Widget

from workbench.ace.tui.actions import Action, named
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.still import StillLines

FRAME_ROWS = 4  # its border, title and footer
LEAST_ROWS = 3  # of words


class Dialog(WorkScreen):
    """One. A subclass composes its `body`; `title` is its first line."""

    where = "dialog"
    title_words: ClassVar[str] = ""
    _modal = True
    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > Vertical {
        width: 76; max-width: 94%; height: auto; max-height: 90%; background: $surface; padding: 0 1;
        border: $dialog-line $primary;
    }
    Dialog Bar { background: $surface; }
    Dialog #told { padding: 0; background: $surface; }
    """

    def compose(self) -> ComposeResult:
        """The pane."""
        with Vertical():
            yield Bar(id="title", lead=0)
            yield from self.body()
            yield StillLines(id="told")
            yield Bar(id="footer", lead=0)

    def body(self) -> Iterator[Widget]:
        """What is asked."""
        yield from ()

    def footer_actions(self) -> list[Action]:
        """What a dialog can do, and how it is left."""
        ids = [name for name in ("confirm", "open-row") if hasattr(self, f"act_{name.replace('-', '_')}")]
        return [named(name, self.where) for name in (*ids, "go-back")]

    def on_mount(self) -> None:
        """Show the title."""
        self.query_one("#title", Bar).show([Part(line(piece(self.title_words, "title")))])


class Words(LinesView):
    """What a dialog says: as high as that, up to what there is room for; longer text scrolls."""

    DEFAULT_CSS = "Words { height: auto; background: $surface; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - of a Widget
        """As many lines as it has at that width, or as are left beside what else is told."""
        beside = sum(len(each.lines) for each in self.screen.query(StillLines) if each.display)
        room = viewport.height * 9 // 10 - FRAME_ROWS - beside
        return min(len(self._source.laid(width)), max(LEAST_ROWS, room)) if width else 0
