"""A pane with the diff of one file: it knows where the changed places are, and can be moved to the right."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from textual.strip import Strip

from workbench.ace.tui.diff import LEAD, DiffLines, FileDiff, hunk_before, next_hunk
from workbench.ace.tui.text import Line, Piece, piece
from workbench.ace.tui.widgets.lines import LinesView

_NO_NOTES: Mapping[int, Piece] = MappingProxyType({})
SHIFT = 16  # cells by which a key moves the pane sideways


class DiffView(LinesView):
    """Shows one file's diff, with remarks above it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._remarks: tuple[Line, ...] = ()
        self._diff = FileDiff(b"")
        self._notes: Mapping[int, Piece] = {}
        self._left = 0
        self._found = -1
        self._here = -1  # the line of the place that was gone to

    def show_file(
        self, remarks: tuple[Line, ...], diff: FileDiff | None = None, notes: Mapping[int, Piece] = _NO_NOTES
    ) -> None:
        """Show another file, from its top; `notes` stand beside lines of the result."""
        self._remarks, self._diff, self._notes = remarks, diff or FileDiff(b""), notes
        self._left, self._found, self._here = 0, -1, -1
        self.show(self, keep_place=False)

    def laid(self, cells: int) -> DiffLines:
        """The lines at this width."""
        return DiffLines(self._remarks, self._diff, cells, notes=self._notes, left=self._left, found=self._found)

    def go_hunk(self, step: int) -> bool:
        """Go to the next changed place (1) or the one before (-1); whether there is one."""
        hunks = self._diff.hunks
        at = self._place() - len(self._remarks)
        wanted = next_hunk(hunks, at) if step > 0 else hunk_before(hunks, at)
        if not 0 <= wanted < len(hunks):
            return False
        self._go_to(hunks[wanted] + len(self._remarks))
        return True

    def go_last_hunk(self) -> None:
        """Go to the last changed place."""
        if self._diff.hunks:
            self._go_to(self._diff.hunks[-1] + len(self._remarks))

    def go_number(self, number: int) -> None:
        """Go to a line number of the result and mark it."""
        self._found = self._diff.place_of(number)
        self.show(self)
        self._go_to(self._found + len(self._remarks), above=3)

    def shift(self, step: int) -> None:
        """Move the pane to the right (1) or to the left (-1)."""
        self._left = max(0, self._left + step * SHIFT)
        self.show(self)

    def _has_words(self, index: int) -> bool:
        """Looks at the text alone, for a search goes over many lines that nobody sees."""
        at = index - len(self._remarks)
        if not 0 <= at < len(self._diff):
            return super()._has_words(index)
        text = self._diff.text(at).casefold()
        return all(word in text for word in self._words.casefold().split())

    def _place(self) -> int:
        """The line one is at: where one went last, while it is in sight, else the first one in sight."""
        top = int(self.scroll_target_y)
        return self._here if top <= self._here < top + max(1, self.size.height) else top - (self._here < 0 == top)

    def _go_to(self, index: int, *, above: int = 0) -> None:
        before, self._here = self._here, index
        self.scroll_to(0, max(0, index - above), animate=False, immediate=True)
        for changed in (before, index):
            if changed >= 0:
                self.refresh_lines(changed, 1)

    def _finished(self, strip: Strip, index: int) -> Strip:
        if index != self._here:
            return strip
        sign = self._strip((piece("▌", "accent"),), self.rich_style).crop(0, LEAD)
        return Strip.join([sign, strip.crop(LEAD)])
