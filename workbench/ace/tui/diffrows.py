"""Which lines of a diff stand in which row: one below the other, or side by side; folded lines in one row.

It knows no width and no words, so that it is made once, beside the event loop, and only folds change it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import NamedTuple

from workbench.ace.tui.diff import FileDiff
from workbench.ace.tui.difffold import ADDED, REMOVED, Fold

NONE = -1


class Row(NamedTuple):
    """Places in the diff: the line before and the line after, the same for what did not change; or a fold's number."""

    old: int
    new: int
    fold: int = NONE


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


class Rows:
    """The rows that are shown. `closed` are the numbers of folds that stand as one row."""

    def __init__(self, diff: FileDiff, pairs: Pairs | None, folds: Sequence[Fold], closed: Collection[int]) -> None:
        self._pairs = pairs
        self._starts = [0]  # the first row of each stretch
        self._stretches: list[tuple[int, int]] = []  # (first row without folds, NONE), or (first row, a fold's number)
        at = shown = 0
        total = len(diff) if pairs is None else len(pairs)
        for number, fold in enumerate(folds):
            span = self._span(fold) if number in closed else None
            if span is None:
                continue
            for first, end, which in ((at, span[0], NONE), (span[0], span[1] + 1, number)):
                if end > first:
                    self._stretches.append((first, which))
                    shown += end - first if which == NONE else 1
                    self._starts.append(shown)
            at = span[1] + 1
        if total > at:
            self._stretches.append((at, NONE))
            self._starts.append(shown + total - at)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Row:
        stretch = bisect_right(self._starts, index) - 1
        first, fold = self._stretches[stretch]
        if fold != NONE:
            return Row(NONE, NONE, fold)
        at = first + index - self._starts[stretch]
        return Row(at, at) if self._pairs is None else Row(self._pairs.olds[at], self._pairs.news[at])

    def row_of(self, line: int) -> int:
        """The row in which a line of the diff stands, or the fold that it is in."""
        at = line if self._pairs is None else self._pairs.of_line[line]
        stretch = max(0, bisect_right(self._stretches, at, key=lambda one: one[0]) - 1)
        if not self._stretches:
            return 0
        first, fold = self._stretches[stretch]
        return self._starts[stretch] + (0 if fold != NONE else at - first)

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
