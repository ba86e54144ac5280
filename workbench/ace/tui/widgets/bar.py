"""A bar of one line: words at its left and at its right, and keys in it that the mouse can press."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.ace.tui.palette import Palette
from workbench.ace.tui.text import EMPTY, Line, cut, width_of
from workbench.ace.tui.widgets.look import look_of


class Part(NamedTuple):
    """Words of a bar; with `action`, a click on them is that action. The first parts to go have the highest `spare`."""

    words: Line
    action: str = ""
    spare: int = 0


class Bar(Widget):
    """One line, painted directly."""

    DEFAULT_CSS = "Bar { height: 1; width: 1fr; background: $panel; }"
    GAP = 2  # cells between parts

    class Pressed(Message):
        """The mouse pressed a part that is an action."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, *, id: str | None = None, lead: int = 1) -> None:
        super().__init__(id=id)
        self._lead = lead  # empty cells before the first word
        self._left: Sequence[Part] = ()
        self._right: Sequence[Part] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """Show other words."""
        if (left, right) != (self._left, self._right):
            self._left, self._right = left, right
            self.refresh()

    @property
    def words(self) -> str:
        """What stands there now."""
        left, right = self._fitting(self.size.width)
        return "  ".join("".join(piece.text for piece in part.words) for part in (*left, *right))

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """The bar."""
        look = look_of(self)
        base = self.rich_style
        cells = self.size.width
        left, right = self._fitting(cells)
        self._places = []
        segments = [Segment(" " * self._lead, base)]
        at = self._add(segments, left, self._lead, look)
        room = cells - at - self._cells(right) - 1
        if right and room > 0:
            segments.append(Segment(" " * room, base))
            self._add(segments, right, at + room, look)
        return Strip(segments).adjust_cell_length(cells, base)

    def on_click(self, event: events.Click) -> None:
        """Tell which action was pressed."""
        for start, end, action in self._places:
            if start <= event.x < end and action:
                self.post_message(self.Pressed(action))

    def _add(self, segments: list[Segment], parts: Sequence[Part], at: int, look: Palette) -> int:
        base = self.rich_style
        for number, part in enumerate(parts):
            if number:
                segments.append(Segment(" " * self.GAP, base))
                at += self.GAP
            words = cut(part.words, max(0, self.size.width - at))
            segments.extend(Segment(look.shown(piece.text), base + look.style(piece.role)) for piece in words)
            self._places.append((at, at + width_of(words), part.action))
            at += width_of(words)
        return at

    def _fitting(self, cells: int) -> tuple[list[Part], list[Part]]:
        left, right = list(self._left), list(self._right)
        while self._cells(left) + self._cells(right) + 3 > cells:
            spare = max((*left, *right), key=lambda part: part.spare, default=Part(EMPTY))
            if not spare.spare:
                break
            (left if spare in left else right).remove(spare)
        return left, right

    def _cells(self, parts: Sequence[Part]) -> int:
        return sum(width_of(part.words) for part in parts) + self.GAP * max(0, len(parts) - 1)
