"""The list of acts: it follows its newest line until a person moves up, and keeps its place when older lines arrive."""

from __future__ import annotations

from textual import events
from textual.message import Message

from workbench.ace.tui.sheet import RowT, Sheet
from workbench.ace.tui.widgets.rows import RowsView

NEAR_TOP = 40  # lines above the cursor from which on older ones are asked for


class TimelineRows(RowsView[RowT]):
    """Rows of which new ones come at the end."""

    class Held(Message):
        """A person moved away from the newest line, or came back to it."""

    class NearTop(Message):
        """Few lines are left above: older ones are wanted."""

    following = True
    _reads = False  # scrolled with the mouse, away from the cursor

    def put(self, newer: Sheet[RowT]) -> None:
        """Newer rows: those at the end come into sight while following; else nothing in sight moves."""
        self._newest = newer
        self.let_in()

    def follow(self) -> None:
        """Go to the newest line, and stay there."""
        self._set(True)
        self.go_to(len(self.sheet.rows) - 1)

    def hold(self) -> None:
        """Stay where it is, whatever comes."""
        self._set(False)

    def go_to(self, row: int) -> None:
        """Move; the newest line is followed, every other one is not."""
        self._reads = False
        super().go_to(row)
        self._set(self._cursor >= len(self.sheet.rows) - 1)
        if self._cursor < NEAR_TOP:
            self.post_message(self.NearTop())

    def on_resize(self, _event: events.Resize) -> None:
        """The newest line stays in sight."""
        if self.following:
            self.call_after_refresh(self._scroll_to_cursor)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """Reading further up."""
        self._reads = True
        self._set(False)
        if self.scroll_target_y < NEAR_TOP:
            self.post_message(self.NearTop())

    def _key_at(self, line: int) -> str:
        found = self.sheet.at(line) if self.sheet.rows else 0
        return self.sheet.keys[found] if isinstance(found, int) and found < len(self.sheet.rows) else ""

    def _show_sheet(self, sheet: Sheet[RowT]) -> None:
        anchor = self._key_at(int(self.scroll_target_y))
        super()._show_sheet(sheet)
        if self.following:
            super().go_to(len(sheet.rows) - 1)
        elif anchor in sheet.places:
            self.scroll_to(0, sheet.line_of(sheet.places[anchor]), animate=False, immediate=True)

    def _scroll_to_cursor(self) -> None:
        if not self._reads:
            super()._scroll_to_cursor()

    def _set(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.post_message(self.Held())
