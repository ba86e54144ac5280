"""Which lines of a diff stand in which row: one below the other, or side by side; folded lines in one row.

It knows no width and no words, so that it is made once, beside the event loop, and only folds change it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import NamedTuple

from workbench.ace.tui.difffold import ADDED, REMOVED, Fold
from workbench.code.unified import FileDiff

NONE = -1


class Row(NamedTuple):
    """Places in the diff: the line before and the line after, the same for what did not change; or a fold's number."""

    old: int
    new: int
    fold: int = NONE
    note: int = NONE  # the number of a note that stands below the row before it


class Pairs:
    """The rows of a diff side by side: what was removed beside what was added in its place."""

    def __init__(self, diff: FileDiff) -> None:
        self.olds, self.news = array("l"), array("l")
        self.of_line = array("l", bytes(array("l").itemsize * len(diff)))  # the row of each line
        at = 0
        while at < len(diff):
            removed = _run(diff, at, REMOVED)
            added = _run(diff, at + removed, ADDED)
            if removed + added:
                self._put(at, removed, added)
                at += removed + added
            else:
                self._add(at, at)
                at += 1

    def __len__(self) -> int:
        return len(self.olds)

    def _put(self, at: int, removed: int, added: int) -> None:
        for step in range(max(removed, added)):
            self._add(at + step if step < removed else NONE, at + removed + step if step < added else NONE)

    def _add(self, old: int, new: int) -> None:
        for line in {old, new} - {NONE}:
            self.of_line[line] = len(self.olds)
        self.olds.append(old)
        self.news.append(new)


def _run(diff: FileDiff, at: int, kind: int) -> int:
    end = at
    while end < len(diff) and diff.kind(end) == kind:
        end += 1
    return end - at


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
        return Row(place, place) if self._pairs is None else Row(self._pairs.olds[place], self._pairs.news[place])

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
        return line if self._pairs is None else self._pairs.of_line[line]

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
        first, last = pairs.of_line[fold.first], pairs.of_line[fold.last]
        for row in range(first, last + 1):
            if any(line != NONE and not fold.first <= line <= fold.last for line in (pairs.olds[row], pairs.news[row])):
                return None
        return first, last
