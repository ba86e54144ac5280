"""A pane of lines that scrolls: only what is in sight is ever laid out or painted, whatever the length."""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from workbench.ace.tui.text import EMPTY, Line, cut
from workbench.ace.tui.widgets.look import look_of

SEARCHED_LINES = 20_000  # at once, some 40 ms of lines that are laid out already
KEPT_STRIPS = 4_000  # painted lines kept, some ten screens of a large terminal
Where = Literal["next-line", "previous-line", "next-page", "previous-page", "first-line", "last-line"]


class Lines(Protocol):
    """Lines laid out for one width."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Line: ...


class Source(Protocol):
    """What a pane shows, laid out when the width is known."""

    def laid(self, cells: int) -> Lines:
        """The lines for a width; long lists give an object that lays out single lines when asked."""
        ...


class Fixed:
    """Lines that are the same at every width; what is too long is cut."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def laid(self, cells: int) -> Lines:  # noqa: ARG002 - of a Source
        """The lines as given."""
        return self._lines


class _WholeCells(ScrollBarRender):
    """A scroll bar without the characters for parts of a cell."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8


class LinesView(ScrollView, can_focus=True):
    """Shows a `Source`."""

    DEFAULT_CSS = """
    LinesView { background: $background; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; }
    LinesView:focus { background-tint: $foreground 0%; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._source: Source = Fixed(())
        self._lines: Lines = ()
        self._laid_cells = 0
        self._strips: dict[int, Strip] = {}
        self._words = ""  # what is searched
        self.painted = 0  # lines laid out so far; tests count them

    def on_mount(self) -> None:
        """Where only ASCII can be shown, the scroll bar keeps to it."""
        if look_of(self).is_ascii:
            self.vertical_scrollbar.renderer = _WholeCells  # type: ignore[misc]  # of this one alone

    @property
    def lines(self) -> Lines:
        """What is shown, as laid out."""
        return self._lines

    def show(self, source: Source, *, keep_place: bool = True) -> None:
        """Show something else, from its top unless the place is to be kept."""
        self._source = source
        self._lay()
        if not keep_place:
            self.scroll_to(0, 0, animate=False, immediate=True)

    def go(self, where: Where) -> None:
        """Scroll."""
        page = max(1, self.size.height // 2)
        steps = {"next-line": 1, "previous-line": -1, "next-page": page, "previous-page": -page}
        target = {"first-line": 0.0, "last-line": float(self.max_scroll_y)}.get(where)
        if target is None:
            target = self.scroll_target_y + steps[where]
        self.scroll_to(0, target, animate=False, immediate=True)

    @property
    def sought(self) -> str:
        """The words that were last searched."""
        return self._words

    def keep(self, words: str) -> None:
        """Search for a line with all of these words, from the top of what is in sight; a list shows no other rows."""
        self._words = words or self._words
        if words and not self._has_words(int(self.scroll_target_y)):
            self.find(1)

    def find(self, step: int) -> bool:
        """Scroll to the next (1) or previous (-1) line with the words, round the ends; whether there is one."""
        count = min(len(self._lines), SEARCHED_LINES)
        at = int(self.scroll_target_y)
        for distance in range(1, count + 1):
            index = (at + step * distance) % len(self._lines)
            if self._has_words(index):
                self.scroll_to(0, index, animate=False, immediate=True)
                return True
        return False

    def _has_words(self, index: int) -> bool:
        if not 0 <= index < len(self._lines):
            return False
        text = "".join(part.text for part in self._lines[index]).casefold()
        return all(word in text for word in self._words.casefold().split())

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if self._laid_cells != self._cells:  # shown for the first time, and nobody told its width
            self._lay_at(self._cells)
            self.call_next(self._lay)
        index = int(self.scroll_offset.y) + y
        if not 0 <= index < len(self._lines):
            return Strip.blank(self.size.width, self.rich_style)
        found = self._strips.get(index)
        if found is None:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            self.painted += 1
            found = self._strips[index] = self._strip(self._lines[index], self.rich_style)
        return self._finished(found, index)

    def forget(self, index: int | None = None) -> None:
        """Paint a line, or all of them, anew."""
        if index is None:
            self._strips.clear()
            self.refresh()
        else:
            self._strips.pop(index, None)
            self.refresh_lines(index, 1)

    def notify_style_update(self) -> None:
        """The theme or the focus changed."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, _event: events.Resize) -> None:
        """Lay out for the new width."""
        self._lay()

    def watch_show_vertical_scrollbar(self) -> None:
        """The scrollbar takes a cell from the lines, or gives it back."""
        self._lay()

    def _lay(self) -> None:
        self._lay_at(self._cells)
        self.virtual_size = Size(self._laid_cells, len(self._lines))
        self.refresh()

    def _lay_at(self, cells: int) -> None:
        self._laid_cells = cells
        self._lines = self._source.laid(cells) if cells else ()
        self._strips.clear()

    @property
    def _cells(self) -> int:
        return self.scrollable_content_region.width or self.size.width

    def _strip(self, words: Line, base: Style) -> Strip:
        cells = self.scrollable_content_region.width
        look = look_of(self)
        parts = cut(words or EMPTY, cells)
        styles = (base + look.style(part.role) + look.ground(part.ground) for part in parts)
        segments = [Segment(look.shown(part.text), style) for part, style in zip(parts, styles, strict=True)]
        return Strip(segments).extend_cell_length(cells, base)

    def _finished(self, strip: Strip, _index: int) -> Strip:
        return strip
