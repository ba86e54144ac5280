"""Rows in their order, in groups with a head each, and what a filter leaves of them. Plain values; it knows no widget.

A sheet is made beside the event loop, however long it is; a widget only asks it for single lines.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Generic, NamedTuple, TypeVar

from workbench.ace.tui.text import Safe

RowT = TypeVar("RowT")


class Group(NamedTuple):
    """A head above the rows from `start` on; `title` empty: no head."""

    start: int
    title: Safe


class Sheet(Generic[RowT]):
    """Rows, each with a key of its own that stays the same while the row changes."""

    def __init__(
        self, rows: Sequence[RowT], *, key: Callable[[RowT], str], group: Callable[[RowT], Safe] | None = None
    ) -> None:
        self.rows = rows
        self.key = key
        self.group = group
        self.keys = tuple(map(key, rows))
        self.groups = _groups(rows, group) if group else ()
        self._heads = [group.start + number for number, group in enumerate(self.groups)]  # lines that are heads

    def __len__(self) -> int:
        """Lines: rows and heads."""
        return len(self.rows) + len(self.groups)

    @cached_property
    def places(self) -> dict[str, int]:
        """Key to the number of its row."""
        return {key: number for number, key in enumerate(self.keys)}

    def line_of(self, row: int) -> int:
        """The line on which a row stands."""
        return row + bisect_right(self.groups, row, key=lambda group: group.start)

    def at(self, line: int) -> int | Safe:
        """The number of the row on a line, or the head that stands there."""
        heads = bisect_right(self._heads, line)
        if heads and self._heads[heads - 1] == line:
            return self.groups[heads - 1].title
        return line - heads

    def renewed(self, rows: Sequence[RowT]) -> Sheet[RowT]:
        """The same places with newer rows, whose keys and groups are those that stand there."""
        sheet: Sheet[RowT] = object.__new__(type(self))
        sheet.__dict__.update(self.__dict__)
        sheet.rows = rows
        return sheet

    def kept(self, wanted: Callable[[RowT], bool]) -> Sheet[RowT]:
        """Only the rows that are wanted."""
        return Sheet([row for row in self.rows if wanted(row)], key=self.key, group=self.group)


class Merged(NamedTuple, Generic[RowT]):
    """A newer sheet in the order of the one on screen: what is new waits, what is gone stays and is known."""

    sheet: Sheet[RowT]
    gone: frozenset[str]
    new: int


def merged(shown: Sheet[RowT], newer: Sheet[RowT]) -> Merged[RowT]:
    """`newer`'s rows where `shown` has them, so that nothing moves under a person's eyes."""
    if shown.keys == newer.keys:
        return Merged(newer, frozenset(), 0)
    kept = [
        newer.rows[newer.places[key]] if key in newer.places else shown.rows[at] for key, at in shown.places.items()
    ]
    gone = frozenset(shown.places.keys() - newer.places.keys())
    return Merged(_regrouped(shown, kept), gone, len(newer.places.keys() - shown.places.keys()))


def _regrouped(shown: Sheet[RowT], rows: Sequence[RowT]) -> Sheet[RowT]:
    """The same places with newer rows: groups stay as they were drawn."""
    sheet = Sheet(rows, key=shown.key)
    sheet.group, sheet.groups, sheet._heads = shown.group, shown.groups, shown._heads
    return sheet


def _groups(rows: Sequence[RowT], group: Callable[[RowT], Safe]) -> tuple[Group, ...]:
    found: list[Group] = []
    for number, row in enumerate(rows):
        title = group(row)
        if not found or found[-1].title != title:
            found.append(Group(number, title))
    return tuple(found)
