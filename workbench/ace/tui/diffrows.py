"""Which lines of a diff stand in which row: one below the other, or side by side; folded lines in one row.

It knows no width and no words, so that it is made once, beside the event loop, and only folds change it.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import NamedTuple

from workbench.ace.tui.difffold import Fold
from workbench.code.unified import FileDiff

NONE = -1
_CHANGE = re.compile(rb"(-+)\+*|\++")  # in the signs of lines


class Row(NamedTuple):
    """Places in the diff: the line before and the line after, the same for what did not change; or a fold's number."""

    old: int
    new: int
    fold: int = NONE
    note: int = NONE  # the number of a note that stands below the row before it


class Pairs:
    """The rows of a diff side by side: what was removed beside what was added in its place.

    Kept are only the changes: where each begins, among the lines and among the rows, and what it removes and adds.
    """

    def __init__(self, diff: FileDiff) -> None:
        self._lines, self._rows, self._removed, self._added = (array("l", (0,)) for _ in range(4))
        shift = 0  # lines so far that stand beside another
        for found in _CHANGE.finditer(diff.kinds):
            start, end = found.span()
            removed = max(found.end(1) - start, 0)
            added = end - start - removed
            self._lines.append(start)
            self._rows.append(start - shift)
            self._removed.append(removed)
            self._added.append(added)
            shift += min(removed, added)
        self._count = len(diff) - shift

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: int) -> tuple[int, int]:
        """The lines that stand in a row, before and after; the same for what did not change."""
        at = bisect_right(self._rows, row) - 1
        step, line, removed, added = row - self._rows[at], self._lines[at], self._removed[at], self._added[at]
        if step < max(removed, added):
            return line + step if step < removed else NONE, line + removed + step if step < added else NONE
        below = line + min(removed, added) + step
        return below, below

    def row_of(self, line: int) -> int:
        """The row in which a line stands."""
        at = bisect_right(self._lines, line) - 1
        step, row, removed, added = line - self._lines[at], self._rows[at], self._removed[at], self._added[at]
        if step < removed:
            return row + step
        return row + step - (removed if step < removed + added else min(removed, added))


class _Stretch(NamedTuple):
    """Rows from `first` on as they are; or one that stands for all of a fold; or a note."""

    first: int
    size: int
    fold: int = NONE
    note: int = NONE


class Rows:
    """The rows that are shown. `closed` are the numbers of folds that stand as one row.

    `notes` are lines of the diff, in order, below each of which a note has a row of its own.
    """

    def __init__(
        self,
        diff: FileDiff,
        pairs: Pairs | None,
        folds: Sequence[Fold],
        closed: Collection[int],
        notes: Sequence[int] = (),
    ) -> None:
        self._pairs = pairs
        self._starts = [0]  # the first shown row of each stretch, and how many there are in all
        self._stretches: list[_Stretch] = []
        total = len(diff) if pairs is None else len(pairs)
        waiting = sorted(((self._place(line), number) for number, line in enumerate(notes)), reverse=True)
        at = 0
        for number, fold in enumerate(folds):
            if number in closed and (span := self._span(fold)) is not None:
                at = self._put_plain(at, span[0], waiting)
                self._put(_Stretch(at, span[1] + 1 - at, fold=number))
                at = span[1] + 1
                self._put_notes(at, waiting)
        self._put_plain(at, total, waiting)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        at = bisect_right(self._starts, index) - 1
        stretch = self._stretches[at]
        if stretch.fold != NONE or stretch.note != NONE:
            return Row(NONE, NONE, stretch.fold, stretch.note)
        place = stretch.first + index - self._starts[at]
        return Row(place, place) if self._pairs is None else Row(*self._pairs[place])

    def row_of(self, line: int) -> int:
        """The shown row in which a line of the diff stands, or the fold that it is in."""
        place = self._place(line)
        at = bisect_right(self._stretches, place, key=lambda one: one.first) - 1
        while at > 0 and self._stretches[at].note != NONE:
            at -= 1
        if at < 0:
            return 0
        stretch = self._stretches[at]
        return self._starts[at] + (0 if stretch.fold != NONE else place - stretch.first)

    def _place(self, line: int) -> int:
        return line if self._pairs is None else self._pairs.row_of(line)

    def _put(self, stretch: _Stretch) -> None:
        self._stretches.append(stretch)
        self._starts.append(self._starts[-1] + (stretch.size if stretch.fold == NONE == stretch.note else 1))

    def _put_plain(self, at: int, end: int, waiting: list[tuple[int, int]]) -> int:
        """Rows up to `end` as they are, with the notes that wait below them."""
        while waiting and waiting[-1][0] < end:
            below = waiting[-1][0] + 1
            if below > at:
                self._put(_Stretch(at, below - at))
            self._put_notes(below, waiting)
            at = max(at, below)
        if end > at:
            self._put(_Stretch(at, end - at))
        return end

    def _put_notes(self, end: int, waiting: list[tuple[int, int]]) -> None:
        while waiting and waiting[-1][0] < end:
            self._put(_Stretch(end, 0, note=waiting.pop()[1]))

    def _span(self, fold: Fold) -> tuple[int, int] | None:
        """The rows of a fold; None where others stand beside its lines."""
        if self._pairs is None:
            return fold.first, fold.last
        pairs = self._pairs
        first, last = pairs.row_of(fold.first), pairs.row_of(fold.last)
        for row in range(first, last + 1):
            if any(line != NONE and not fold.first <= line <= fold.last for line in pairs[row]):
                return None
        return first, last
