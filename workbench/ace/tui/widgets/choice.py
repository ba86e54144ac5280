"""A choice of one among a few, on one line; arrows or a click change it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from workbench.ace.tui.text import Line, cut, line, piece, width_of
from workbench.ace.tui.widgets.look import look_of


class Choice(Widget, can_focus=True):
    """Says what is chosen, and between what."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; background: $panel; }"
    GAP = 2  # cells between words

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], *, id: str) -> None:
        super().__init__(id=id)
        self._title = title
        self._names = [name for name, _ in choices]
        self._words = [words for _, words in choices]
        self._at = 0

    @property
    def chosen(self) -> str:
        """The name of the chosen one."""
        return self._names[self._at]

    def choose(self, name: str) -> None:
        """Choose the one of that name, if there is one."""
        if name in self._names and name != self.chosen:
            self._at = self._names.index(name)
            self.refresh()
            self.post_message(self.Changed())

    def step(self, by: int = 1) -> None:
        """The next one, round the end."""
        self.choose(self._names[(self._at + by) % len(self._names)])

    def key_right(self) -> None:
        """The next one."""
        self.step()

    def key_left(self) -> None:
        """The one before."""
        self.step(-1)

    def key_space(self) -> None:
        """The next one."""
        self.step()

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        at = 1 + len(self._title) + self.GAP
        for name, words in zip(self._names, self._words, strict=True):
            width = width_of(self._part(name, words))
            if at <= event.x < at + width:
                self.choose(name)
            at += width + self.GAP

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """Title and choices."""
        parts: list[Line] = [line(piece(self._title, "dim"))]
        parts += [self._part(name, words) for name, words in zip(self._names, self._words, strict=True)]
        look = look_of(self)
        base = self.rich_style + look.cursor if self.has_focus else self.rich_style
        words = tuple(part for number, each in enumerate(parts) for part in (piece("  " if number else " "), *each))
        segments = [
            Segment(look.shown(part.text), base + look.style(part.role)) for part in cut(words, self.size.width)
        ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _part(self, name: str, words: str) -> Line:
        if name == self.chosen:
            return line(piece("(x) ", "accent"), piece(words, "strong"))
        return line(piece("( ) ", "dim"), piece(words, "dim"))
