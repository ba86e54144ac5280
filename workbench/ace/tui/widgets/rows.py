"""The one list of rows: a cursor, marks, heads of groups and a filter over a `Sheet` of any length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from workbench.ace.tui.sheet import RowT, Sheet, merged
from workbench.ace.tui.text import EMPTY, Line, Piece, line, piece
from workbench.ace.tui.widgets.lines import SEARCHED_LINES, LinesView, Where
from workbench.ace.tui.widgets.look import look_of

SIFTED_AT_ONCE = 3_000  # rows, some 10 ms; a filter on more works in a thread
LEAD = 1  # cells before a row, for the cursor's bar

Paint = Callable[[RowT, int], Line]  # a row in so many cells


class RowsView(LinesView, Generic[RowT]):
    """Shows a sheet. What arrives changes rows where they stand; what is new waits until a person lets it in."""

    class Moved(Message):
        """The cursor stands on another row, or on none."""

    class Opened(Message):
        """The row under the cursor was clicked a second time."""

    class Sifted(Message):
        """What a filter leaves of a long list."""

        def __init__(self, whole: Any, wanted: Sequence[str], left: Any) -> None:
            super().__init__()
            self.whole, self.wanted, self.left = whole, wanted, left

    class Waiting(Message):
        """So many rows wait to be let in."""

        def __init__(self, count: int) -> None:
            super().__init__()
            self.count = count

    def __init__(
        self, sheet: Sheet[RowT], paint: Paint[RowT], *, text: Callable[[RowT], str], id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._paint, self._text = paint, text
        self._newest = self._whole = self._sheet = sheet
        self._gone: frozenset[str] = frozenset()
        self._kept_words = ""  # what the filter leaves has these
        self.marked: set[str] = set()
        self._cursor = 0
        self._rows_high = 0
        self.waiting = 0

    # --- what is shown ---

    @property
    def sheet(self) -> Sheet[RowT]:
        """The rows on screen, in their order."""
        return self._sheet

    @property
    def row(self) -> RowT | None:
        """The row under the cursor."""
        return self._sheet.rows[self._cursor] if self._cursor < len(self._sheet.rows) else None

    @property
    def is_all_filtered(self) -> bool:
        """Whether there are rows, and the filter leaves none of them."""
        return bool(self._whole.rows) and not self._sheet.rows

    @property
    def is_gone(self) -> bool:
        """Whether the row under the cursor is history, and only stays until the list is drawn anew."""
        row = self.row
        return row is not None and self._sheet.key(row) in self._gone

    def take(self, newer: Sheet[RowT]) -> None:
        """Newer rows: in place where they stand; new ones wait, unless nothing is on screen that could move."""
        self._newest = newer
        if not self._whole.rows:
            self.let_in()
            return
        order = merged(self._whole, newer)
        self._gone, self.waiting = order.gone, order.new
        self._whole = order.sheet
        self._apply()
        self.post_message(self.Waiting(self.waiting + len(self._gone)))

    def let_in(self) -> None:
        """Draw the list anew, in its own order, with the cursor on the row it was on."""
        self._whole, self._gone, self.waiting = self._newest, frozenset(), 0
        self._apply()
        self.post_message(self.Waiting(0))

    def keep(self, words: str) -> None:
        """Show only rows that contain all of these words; an empty text shows all."""
        self._words = words or self._words
        self._kept_words = words.casefold()
        self._apply()

    def find(self, step: int) -> bool:
        """Go to the next (1) or previous (-1) row with the words, round the ends; whether there is another one."""
        rows, wanted = self._sheet.rows, self._words.casefold().split()
        for distance in range(1, min(len(rows), SEARCHED_LINES)):
            at = (self._cursor + step * distance) % len(rows)
            if _contains(self._text(rows[at]), wanted):
                self.go_to(at)
                return True
        return False

    def dismiss(self, *keys: str) -> None:
        """Take rows away that a person just put aside; all others stay in their order."""
        self._whole = self._whole.kept(lambda row: self._whole.key(row) not in keys)
        self._newest = self._newest.kept(lambda row: self._newest.key(row) not in keys)
        self._apply()

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on to the next."""
        row = self.row
        if row is not None:
            self.marked ^= {self._sheet.key(row)}
            self.forget(self._sheet.line_of(self._cursor))
            self.go("next-line")

    # --- moving ---

    def go(self, where: Where) -> None:
        """Move the cursor."""
        page = max(1, self.size.height // 2)
        last = len(self._sheet.rows) - 1
        steps = {"next-line": 1, "previous-line": -1, "next-page": page, "previous-page": -page}
        target = {"first-line": 0, "last-line": last}.get(where, self._cursor + steps.get(where, 0))
        self.go_to(target)

    def go_to(self, row: int) -> None:
        """Put the cursor on the row of that number, or on the nearest there is."""
        target = max(0, min(row, len(self._sheet.rows) - 1))
        if target != self._cursor:
            self._repaint_cursor(target)
            self.post_message(self.Moved())
        self._scroll_to_cursor()

    def go_to_key(self, key: str) -> bool:
        """Put the cursor on the row of that key; whether there is one."""
        at = self._sheet.places.get(key)
        if at is not None:
            self.go_to(at)
        return at is not None

    def on_click(self, event: events.Click) -> None:
        """Select; a click on what is selected opens it."""
        found = (
            self._sheet.at(int(self.scroll_offset.y) + event.y) if event.y + self.scroll_offset.y < len(self) else ""
        )
        if isinstance(found, int) and found < len(self._sheet.rows):
            if found == self._cursor:
                self.post_message(self.Opened())
            self.go_to(found)

    def on_resize(self, event: events.Resize) -> None:
        """A cursor that was in sight stays there, also where a line below takes one of the list."""
        high, self._rows_high = self._rows_high, event.size.height
        if 0 <= self._sheet.line_of(self._cursor) - int(self.scroll_target_y) < high:
            self._scroll_to_cursor()

    def on_focus(self) -> None:
        """The cursor is drawn stronger where keys go."""
        self.refresh()

    def on_blur(self) -> None:
        """And weaker where they do not."""
        self.refresh()

    # --- painting ---

    def __len__(self) -> int:
        """Lines."""
        return len(self._sheet)

    def laid(self, cells: int) -> _Painted[RowT]:
        """The rows as lines."""
        return _Painted(self, cells)

    def painted_row(self, row: RowT, cells: int) -> Line:
        """A row as a line."""
        key = self._sheet.key(row)
        words = self._paint(row, cells - LEAD)
        if key in self._gone:  # its sign says so, too: the cursor's bar hides the lead
            words = (piece("~", "stale"), *(Piece(part.text, "stale") for part in words[1:]))
        return line("*" if key in self.marked else " ", *words)

    def _apply(self) -> None:
        """Show what the filter leaves; a long list is sifted beside the event loop."""
        whole, wanted = self._whole, self._kept_words.split()
        if not wanted:
            self._show_sheet(whole)
        elif len(whole.rows) <= SIFTED_AT_ONCE:
            self._show_sheet(self._sifted(whole, wanted))
        else:
            sift = partial(self._sift, whole, wanted)
            self.run_worker(sift, thread=True, exclusive=True, group="sift", exit_on_error=False)

    def _sifted(self, whole: Sheet[RowT], wanted: Sequence[str]) -> Sheet[RowT]:
        return whole.kept(lambda row: _contains(self._text(row), wanted))

    def _sift(self, whole: Sheet[RowT], wanted: Sequence[str]) -> None:
        """In a thread."""
        self.post_message(self.Sifted(whole, wanted, self._sifted(whole, wanted)))

    def on_rows_view_sifted(self, message: Sifted) -> None:
        """Show it, unless there are other rows or other words by now: then another is on its way."""
        message.stop()
        if message.whole is self._whole and message.wanted == self._kept_words.split():
            self._show_sheet(message.left)

    def _show_sheet(self, sheet: Sheet[RowT]) -> None:
        held = self._sheet.key(self.row) if self.row is not None else ""
        self._sheet = sheet
        self._cursor = sheet.places.get(held, min(self._cursor, max(0, len(sheet.rows) - 1)))
        self.show(self)
        self._scroll_to_cursor()
        self.post_message(self.Moved())

    def _repaint_cursor(self, target: int) -> None:
        old, self._cursor = self._cursor, target
        for row in (old, target):
            self.refresh_lines(self._sheet.line_of(row), 1)

    def _scroll_to_cursor(self) -> None:
        at, height, top = self._sheet.line_of(self._cursor), self.size.height, int(self.scroll_target_y)
        first = 0 if at <= 1 else at  # a head above the first row comes into sight with it
        if first < top:
            self.scroll_to(0, first, animate=False, immediate=True)
        elif height and at >= top + height:
            self.scroll_to(0, at - height + 1, animate=False, immediate=True)

    def _finished(self, strip: Strip, index: int) -> Strip:
        if self._sheet.at(index) != self._cursor or not self._sheet.rows:
            return strip
        look = look_of(self)
        style = look.cursor if self.has_focus else look.cursor_away
        words = [Segment(text, (own or Style()) + style) for text, own, _ in strip.crop(1)]
        return Strip([Segment(look.shown("▌"), look.style("accent") + style), *words], strip.cell_length)


class _Painted(Generic[RowT]):
    """The lines of a list at one width."""

    def __init__(self, view: RowsView[RowT], cells: int) -> None:
        self._view, self._cells = view, cells

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, index: int, /) -> Line:
        sheet = self._view.sheet
        found = sheet.at(index)
        if isinstance(found, int):
            return self._view.painted_row(sheet.rows[found], self._cells) if found < len(sheet.rows) else EMPTY
        return line(" ", Piece(found, "title"))


def _contains(text: str, wanted: Sequence[str]) -> bool:
    """Whether a text has all of these words, which are in folded case."""
    folded = text.casefold()
    return all(word in folded for word in wanted)
