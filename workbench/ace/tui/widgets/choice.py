"""A choice of one among a few, on one line; arrows or a click change it."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message

from workbench.ace.tui.text import Line, line, piece, width_of
from workbench.ace.tui.widgets.lines import Fixed, LinesView

GAP = 2  # cells between words


class Choice(LinesView):
    """Says what is chosen, and between what."""

    DEFAULT_CSS = "Choice { height: 1; width: 1fr; background: $panel; padding: 0 1; }"

    class Changed(Message):
        """Another one was chosen."""

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], *, id: str) -> None:
        super().__init__(id=id)
        self._title = title
        self._names = [name for name, _ in choices]
        self._labels = [words for _, words in choices]
        self._at = 0

    @property
    def chosen(self) -> str:
        """The name of the chosen one."""
        return self._names[self._at]

    def choose(self, name: str) -> None:
        """Choose the one of that name, if there is one."""
        if name in self._names and name != self.chosen:
            self._at = self._names.index(name)
            self._draw()
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

    def on_mount(self) -> None:
        """Show it."""
        self._draw()

    def on_focus(self) -> None:
        """Keys go here: which ones."""
        self._draw()

    def on_blur(self) -> None:
        """And no more."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked."""
        at = self.gutter.left + width_of(self._lead())
        for name, words in zip(self._names, self._labels, strict=True):
            width = width_of(self._part(name, words))
            if at <= event.x < at + width:
                self.choose(name)
            at += width + GAP

    def _draw(self) -> None:
        parts = [self._part(name, words) for name, words in zip(self._names, self._labels, strict=True)]
        gap = piece(" " * GAP)
        words = tuple(part for number, each in enumerate(parts) for part in (*((gap,) if number else ()), *each))
        self.show(Fixed([(*self._lead(), *words)]))

    def _lead(self) -> Line:
        return line(
            piece(self._title, "accent" if self.has_focus else "dim"), piece(" < > " if self.has_focus else "  ")
        )

    def _part(self, name: str, words: str) -> Line:
        if name == self.chosen:
            return line(piece("(x) ", "accent"), piece(words, "strong"))
        return line(piece("( ) ", "dim"), piece(words, "dim"))
