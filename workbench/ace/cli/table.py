"""Tables for people: aligned, cut to the terminal, states as glyph and word; pure but for the terminal's width."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TextIO, TypeVar

from workbench.ace.wiring.marks import mark
from workbench.model.text import cell_width, clip, one_line

Row = TypeVar("Row")
Paint = Callable[[str, str], str]

DEFAULT_WIDTH = 80  # columns, when the terminal does not say
NARROWEST = 10  # cells that a growing column keeps at least
COMFORTABLE = 20  # cells that a growing column should have before spare columns are shown
GAP = "  "

STYLES: dict[str, str] = {  # of what a state means
    "dim": "dim", "stale": "dim", "accent": "blue", "needs-you": "yellow", "proven": "green", "failed": "red",
}  # fmt: skip


class Column(Generic[Row]):
    """One column; ids and what else has no keyword are never cut.

    `grow`: takes what is left, and is cut; `most`: cut to so many cells; `spare`: left out where others need the room;
    `state`: cells get glyph and colour; `right`: numbers.
    """

    def __init__(
        self,
        title: str,
        cell: Callable[[Row], str],
        *,
        grow: bool = False,
        most: int = 0,
        spare: bool = False,
        state: bool = False,
        right: bool = False,
    ) -> None:
        self.title = title
        self.cell = cell
        self.grow = grow
        self.most = most
        self.spare = spare
        self.state = state
        self.right = right


def table(rows: Sequence[Row], columns: Sequence[Column[Row]], *, width: int, paint: Paint) -> Iterator[str]:
    """The lines of a table, its head first, none wider than `width` cells where a column can grow."""
    columns = _shown(columns, rows, width)
    cells = [[_cell(column, row) for column in columns] for row in rows]
    widths = _widths(columns, cells, width)
    head = [column.title.upper() for column in columns]
    yield paint(_line(columns, head, widths, lambda words, _: words), "dim")
    for line in cells:
        yield _line(columns, line, widths, paint)


def glyph(state: str) -> str:
    """A state as glyph and word, e.g. `✓ done`."""
    return f"{mark(state).glyph} {state}"


def age(seconds: float) -> str:
    """How long ago, in its two largest units: `12s`, `4m`, `3h 5m`, `2d 4h`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours < 1:
        return f"{minutes}m"
    if days < 1:
        return f"{hours}h {minutes % 60}m"
    return f"{days}d {hours % 24}h"


def money(usd: float) -> str:
    """An amount; a dash when nothing was spent."""
    return f"${usd:.2f}" if usd else "-"


def terminal_width() -> int:
    """The width of the terminal in columns, 80 when it is unknown."""
    import shutil  # its archives take a tenth of what a listing as JSON, which has no width, costs to start

    return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns


def reading_width(stream: TextIO) -> int:
    """The columns that somebody reads `stream` in; 0 where nobody says so, as in a file or a pipe without COLUMNS."""
    return terminal_width() if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else 0


def wrapped(line: str, width: int, *, indent: int = 2) -> list[str]:
    """A line in pieces of at most `width` cells, broken between words only; all but the first stand `indent` deeper."""
    if cell_width(line) <= width:
        return [line]
    margin = " " * (len(line) - len(line.lstrip()))
    pieces: list[str] = []
    piece = ""
    for word in line.strip().split(" "):
        deeper = margin + " " * indent * bool(pieces)
        if piece and cell_width(deeper) + cell_width(piece) + 1 + cell_width(word) > width:
            pieces.append((deeper + piece).rstrip())
            piece = word
        else:
            piece = f"{piece} {word}" if piece else word
    return [*pieces, margin + " " * indent * bool(pieces) + piece]


def _cell(column: Column[Row], row: Row) -> str:
    words = one_line(column.cell(row), column.most)
    return glyph(words) if column.state and words else words


def _shown(columns: Sequence[Column[Row]], rows: Sequence[Row], width: int) -> Sequence[Column[Row]]:
    """All columns, or those without the spare ones where these would leave too little for what grows."""
    cells = [[_cell(column, row) for column in columns] for row in rows]
    wanted = [
        min(cells_wide, COMFORTABLE) if column.grow else cells_wide
        for column, cells_wide in zip(columns, _wanted(columns, cells), strict=True)
    ]
    fits = sum(wanted) + len(GAP) * (len(columns) - 1) <= width
    return columns if fits else [column for column in columns if not column.spare]


def _wanted(columns: Sequence[Column[Row]], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        max([cell_width(column.title), *(cell_width(line[index]) for line in cells)])
        for index, column in enumerate(columns)
    ]


def _widths(columns: Sequence[Column[Row]], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column: what is over is taken from the widest growing one, cell by cell."""
    wanted = [
        min(cells_wide, width) if column.grow else cells_wide
        for column, cells_wide in zip(columns, _wanted(columns, cells), strict=True)
    ]
    over = sum(wanted) + len(GAP) * (len(columns) - 1) - width
    growing = [index for index, column in enumerate(columns) if column.grow]
    while over > 0 and growing:
        widest = max(growing, key=wanted.__getitem__)
        if wanted[widest] <= NARROWEST:
            break
        wanted[widest] -= 1
        over -= 1
    return wanted


def _line(columns: Sequence[Column[Row]], cells: Sequence[str], widths: Sequence[int], paint: Paint) -> str:
    parts = []
    for column, words, width in zip(columns, cells, widths, strict=True):
        shown = clip(words, width)
        blank = " " * (width - cell_width(shown))
        style = STYLES[mark(words[2:]).role] if column.state else ""
        painted = paint(shown, style)
        parts.append(blank + painted if column.right else painted + blank)
    return GAP.join(parts).rstrip()
