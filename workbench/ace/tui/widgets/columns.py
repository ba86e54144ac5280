"""How a row is divided: columns of fixed width that go one by one as room shrinks, and one that takes the slack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from workbench.ace.tui.text import Line, Piece, blanks, cut, padded, width_of

RowT = TypeVar("RowT")
GAP = 1


class Column(NamedTuple, Generic[RowT]):
    """One column of a piece or of several. `cells` 0 takes the slack, of which it needs `least`; the highest `spare`
    goes first, 0 never.
    """

    piece: Callable[[RowT], Piece | Line]
    cells: int = 0
    least: int = 0
    right: bool = False
    spare: int = 0


def painter(columns: Sequence[Column[RowT]]) -> Callable[[RowT, int], Line]:
    """A function that lays a row out in so many cells."""
    layouts: dict[int, list[tuple[Column[RowT], int]]] = {}

    def paint(row: RowT, cells: int) -> Line:
        layout = layouts.get(cells)
        if layout is None:
            layout = layouts[cells] = _layout(columns, cells)
        parts: list[Piece] = []
        for number, (column, width) in enumerate(layout):
            if number:
                parts.append(blanks(GAP))
            words = column.piece(row)
            if isinstance(words, Piece):
                parts.append(padded(words, width, right=column.right))
            else:
                parts.extend(_filled(words, width))
        return tuple(parts)

    return paint


def _filled(words: Line, cells: int) -> Line:
    kept = cut(words, cells)
    return (*kept, blanks(cells - width_of(kept)))


def _layout(columns: Sequence[Column[RowT]], cells: int) -> list[tuple[Column[RowT], int]]:
    shown = list(columns)
    while _needed(shown) > cells and any(column.spare for column in shown):
        shown.remove(max(shown, key=lambda column: column.spare))
    slack = cells - sum(column.cells for column in shown) - GAP * (len(shown) - 1)
    return [(column, column.cells or max(slack, 1)) for column in shown]


def _needed(columns: Sequence[Column[RowT]]) -> int:
    return sum(column.cells or column.least for column in columns) + GAP * (len(columns) - 1)
