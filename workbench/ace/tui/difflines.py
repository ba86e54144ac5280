"""A diff laid out for one width: unified or side by side, with folds, syntax, and the words of a line that differ.

Only the line that is asked for is made. It knows no widget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from workbench.ace.tui.difffold import ADDED, REMOVED, Fold
from workbench.ace.tui.diffrows import NONE, Pairs, Row, Rows
from workbench.ace.tui.diffshade import SHADELESS, Shade, toned
from workbench.ace.tui.text import Ground, Line, Piece, Role, blanks, cut, piece, safe_line, width_of
from workbench.code.githunks import GitHunk
from workbench.code.unified import FileDiff
from workbench.model.text import cell_width

HINT = "  (Enter shows it)"
LEAST_FOLD = 20  # cells for the words of a hunk that was read
LEAD = 1  # cells before a line, for the mark of the place one is at
BLANK_LEAD = blanks(LEAD)
BOTH_NUMBERS = 90  # cells from which on a line has its old and its new number
SPLIT_FROM = 150  # cells from which on the two sides stand beside each other, unless a person says otherwise
MIDDLE = Piece(safe_line(" │ "), "dim")
_CONTEXT, _HUNK, _REMARK = ord(" "), ord("@"), ord("\\")
_LOOKS: dict[int, tuple[str, Role, Ground]] = {
    _CONTEXT: (" ", "plain", ""),
    ADDED: ("+", "added", "added"),
    REMOVED: ("-", "removed", "removed"),
    _REMARK: (" ", "dim", ""),
}
_NO_NOTES: Mapping[int, Piece] = MappingProxyType({})


class Shown(NamedTuple):
    """One file's diff and all that is known of it; made beside the event loop."""

    diff: FileDiff
    folds: tuple[Fold, ...] = ()
    pairs: Pairs | None = None  # for side by side; None: only unified
    shade: Shade = SHADELESS
    hunks: tuple[GitHunk, ...] = ()  # none of what is too large


class Note(NamedTuple):
    """Words that stand below a line of the diff."""

    line: int
    words: Line


class Look(NamedTuple):
    """How a person wants to see it."""

    split: bool | None = None  # None: by the width
    closed: frozenset[int] = frozenset()  # numbers of the folds that stand as one line
    left: int = 0  # cells that the pane was moved to the right
    found: int = NONE  # the line of the diff that was gone to
    marked: tuple[int, int] = (NONE, NONE)  # lines of the diff that a person took together
    read: frozenset[int] = frozenset()  # heads of hunks that were read
    is_tinted: bool = True  # whether grounds are painted


class DiffLines:
    """A diff laid out for one width, with remarks about the file above it."""

    def __init__(
        self,
        remarks: tuple[Line, ...],
        shown: Shown,
        cells: int,
        *,
        look: Look = Look(),  # noqa: B008 - a value
        notes: Mapping[int, Piece] = _NO_NOTES,
        below: Sequence[Note] = (),
    ) -> None:
        self._remarks, self._shown, self._cells, self._look, self._notes = remarks, shown, cells, look, notes
        self._below = sorted(below, key=lambda note: note.line)
        self.is_split = shown.pairs is not None and (cells >= SPLIT_FROM if look.split is None else look.split)
        self._rows = Rows(
            shown.diff,
            shown.pairs if self.is_split else None,
            shown.folds,
            look.closed,
            [note.line for note in self._below],
        )
        self._digits = shown.diff.widest_number
        self._both = cells >= BOTH_NUMBERS

    def __len__(self) -> int:
        return len(self._remarks) + len(self._rows)

    def __getitem__(self, index: int, /) -> Line:
        at = index - len(self._remarks)
        return (BLANK_LEAD, *self._remarks[index]) if at < 0 else self._painted(self._rows[at])

    def line_of(self, index: int) -> int:
        """The line of the diff that stands there; NONE above it, the first of a fold."""
        at = index - len(self._remarks)
        if not 0 <= at < len(self._rows):
            return NONE
        row = self._rows[at]
        if row.note != NONE:
            return self._below[row.note].line
        return self._shown.folds[row.fold].first if row.fold != NONE else (row.new if row.new != NONE else row.old)

    def fold_of(self, index: int) -> int:
        """The number of the fold that stands there as one line; NONE for any other line."""
        at = index - len(self._remarks)
        return self._rows[at].fold if 0 <= at < len(self._rows) else NONE

    def index_of(self, line: int) -> int:
        """Where a line of the diff stands, or the fold that it is in."""
        return len(self._remarks) + self._rows.row_of(line)

    # --- painting ---

    def _painted(self, row: Row) -> Line:
        if row.note != NONE:
            return (BLANK_LEAD, *self._below[row.note].words)
        if row.fold != NONE:
            return self._folded(self._shown.folds[row.fold])
        line = row.new if row.new != NONE else row.old
        kind = self._shown.diff.kind(line)
        if kind == _HUNK:
            read = (Piece(safe_line("  read"), "proven"),) if line in self._look.read else ()
            return (BLANK_LEAD, Piece(safe_line(self._shown.diff.text(line)), "hunk"), *read)
        return self._beside(row) if self.is_split else self._unified(line)

    def _folded(self, fold: Fold) -> Line:
        if fold.sign:
            words = cut((piece(fold.words, "dim"),), max(LEAST_FOLD, self._cells - LEAD - len(HINT) - 2))
            return (BLANK_LEAD, Piece(safe_line(f"{fold.sign} "), "proven"), *words, piece(HINT, "dim"))
        return (
            BLANK_LEAD,
            Piece(safe_line("= "), "mechanical"),
            piece(f"{fold.words}  (Enter shows them)", "mechanical"),
        )

    def _unified(self, line: int) -> Line:
        diff = self._shown.diff
        old, new = diff.numbers(line)
        shown = f"{old or '':>{self._digits}} {new or '':>{self._digits}}" if self._both else self._number(new or old)
        words = (BLANK_LEAD, self._numbers(shown, line), *self._words(line, self._partner(line)))
        note = (self._notes[new],) if new and new in self._notes else ()
        return self._to_the_end((*words, *note), line, self._cells)

    def _beside(self, row: Row) -> Line:
        room = self._cells - LEAD - width_of((MIDDLE,))
        left = self._half(row.old, row.new, room // 2, side=0)
        right = self._half(row.new, row.old, room - room // 2, side=1)
        return (BLANK_LEAD, *left, MIDDLE, *right)

    def _half(self, line: int, other: int, cells: int, *, side: int) -> Line:
        if line == NONE:
            return (blanks(cells),)
        number = self._shown.diff.numbers(line)[side]
        partner = other if other != line else NONE
        words: Line = (self._numbers(self._number(number), line), *self._words(line, partner))
        if side and number in self._notes:
            words = (*words, self._notes[number])
        return self._to_the_end(cut(words, cells), line, cells)

    def _words(self, line: int, partner: int) -> tuple[Piece, ...]:
        diff, look = self._shown.diff, self._look
        kind = diff.kind(line)
        sign, role, ground = _LOOKS.get(kind, ("?", "failed", ""))
        text = diff.text(line)
        ended = (Piece(safe_line("\\r"), "dim"),) if text.endswith("\r") else ()
        tones = self._shown.shade.tones(line, partner, self._shown.diff)
        plain: Role = "plain" if look.is_tinted and ground else role
        words = toned(text, tones, role=plain, ground=ground, colored=look.is_tinted or not ground, left=look.left)
        return (Piece(safe_line(f" {sign} "), role, ground), *words, *ended)

    def _partner(self, line: int) -> int:
        """The line that stands, or would stand, beside a changed one."""
        pairs = self._shown.pairs
        if pairs is None or self._shown.diff.kind(line) not in (ADDED, REMOVED):
            return NONE
        old, new = pairs[pairs.row_of(line)]
        return new if old == line else old

    def _to_the_end(self, words: Line, line: int, cells: int) -> Line:
        _, _, ground = _LOOKS.get(self._shown.diff.kind(line), ("", "plain", ""))
        left = cells - width_of(words)
        if left <= 0:
            return words
        return (*words, blanks(left)._replace(ground=ground if self._look.is_tinted else ""))

    def _number(self, number: int) -> str:
        return f"{number or '':>{self._digits}}"

    def _numbers(self, shown: str, line: int) -> Piece:
        return Piece(safe_line(shown) if shown.strip() else safe_line(" " * cell_width(shown)), self._emphasis(line))

    def _emphasis(self, line: int) -> Role:
        first, last = self._look.marked
        return "match" if line == self._look.found else "accent" if first <= line <= last else "dim"
