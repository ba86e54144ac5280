"""Which rows of two runs say the same, though they are laid out otherwise: first by their bare text, which finds all
that could be equal, then by their tokens, which prove it. It knows rows only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from itertools import accumulate, chain, groupby

import msgspec

from workbench.code.lines import pairs
from workbench.code.sides import Key

Run = bytes | Key  # what some rows say, one after the other


class Piece(msgspec.Struct, frozen=True):
    """Indices into both runs, half-open. `is_equal`: all that they say is."""

    old: int
    old_end: int
    new: int
    new_end: int
    is_equal: bool
    is_reflow: bool = False  # equal as a whole, not row by row


def align(old: Sequence[Run], new: Sequence[Run]) -> list[Piece]:
    """The two runs cut into pieces that are equal or not, in order; nothing is left out."""
    if not old or not new:
        return _rest(old, new, (0, len(old), 0, len(new)))
    if flat(old) == flat(new):
        return list(_cut(old, new))
    pieces: list[Piece] = []
    at = to = 0
    shared = [] if set(old).isdisjoint(new) else pairs(old, new)
    for first, second, length in [*shared, (len(old), len(new), 0)]:
        pieces += _rest(old, new, (at, first, to, second))
        if length:
            pieces.append(Piece(first, first + length, second, second + length, is_equal=True))
        at, to = first + length, second + length
    return pieces


def _cut(old: Sequence[Run], new: Sequence[Run]) -> Iterator[Piece]:
    """Two runs that say the same as a whole, cut where rows of both end."""
    ends, others = list(accumulate(map(len, old))), list(accumulate(map(len, new)))
    both = set(ends) & set(others)
    cuts, cuts_new = _last_rows(ends, both), _last_rows(others, both)
    at = to = 0
    pieces: list[Piece] = []
    for row, row_new in zip(cuts, cuts_new, strict=True):
        is_reflow = (row - at, row_new - to) != (1, 1)
        last = pieces[-1] if pieces else None
        if last and last.is_reflow == is_reflow:
            pieces[-1] = Piece(last.old, row, last.new, row_new, is_equal=True, is_reflow=is_reflow)
        else:
            pieces.append(Piece(at, row, to, row_new, is_equal=True, is_reflow=is_reflow))
        at, to = row, row_new
    yield from pieces


def _last_rows(ends: Sequence[int], both: Set[int]) -> list[int]:
    """After which row each length that both sides reach is reached; blank rows go with what stands above."""
    rows = {end: row + 1 for row, end in enumerate(ends) if end in both}
    return [rows[end] for end in sorted(rows)]


def proven(pieces: Sequence[Piece], old: Sequence[Key], new: Sequence[Key]) -> Iterator[Piece]:
    """The pieces as far as their tokens, too, are equal. Only the tokens of equal pieces need to be there."""
    held: list[Piece] = []  # neighbours that are not equal
    for piece in (part for each in pieces for part in _parts(each, old, new)):
        if not piece.is_equal:
            held.append(piece)
            continue
        if held:
            yield _joined(held)
            held = []
        yield piece
    if held:
        yield _joined(held)


def _joined(held: Sequence[Piece]) -> Piece:
    return Piece(held[0].old, held[-1].old_end, held[0].new, held[-1].new_end, is_equal=False)


def _parts(piece: Piece, old: Sequence[Key], new: Sequence[Key]) -> Iterator[Piece]:
    if not piece.is_equal:
        yield piece
    elif piece.is_reflow:
        yield from _rest(old, new, (piece.old, piece.old_end, piece.new, piece.new_end))
    else:
        same = [old[piece.old + at] == new[piece.new + at] for at in range(piece.old_end - piece.old)]
        at = 0
        for is_equal, run in groupby(same):
            end = at + len(list(run))
            yield Piece(piece.old + at, piece.old + end, piece.new + at, piece.new + end, is_equal=is_equal)
            at = end


def flat(rows: Sequence[Run]) -> Run:
    """All that some rows say."""
    if rows and isinstance(rows[0], bytes):
        return b"".join(rows)  # type: ignore[arg-type]  # all rows of a run are of one kind
    return tuple(chain.from_iterable(rows))


def _rest(old: Sequence[Run], new: Sequence[Run], gap: tuple[int, int, int, int]) -> list[Piece]:
    a0, a1, b0, b1 = gap
    if a0 == a1 and b0 == b1:
        return []
    ours, theirs = flat(old[a0:a1]), flat(new[b0:b1])
    if ours == theirs or not (ours or theirs):
        return [Piece(a0, a1, b0, b1, is_equal=True, is_reflow=True)]
    if not ours or not theirs or (a1 - a0, b1 - b0) == (1, 1):
        return [Piece(a0, a1, b0, b1, is_equal=False)]
    head = _shared(old[a0:a1], new[b0:b1], ours, theirs)
    tail = _shared(old[a0 + head[0] : a1][::-1], new[b0 + head[1] : b1][::-1], ours, theirs, is_tail=True)
    found = [Piece(a0, a0 + head[0], b0, b0 + head[1], is_equal=True, is_reflow=True)] if head != (0, 0) else []
    middle = (a0 + head[0], a1 - tail[0], b0 + head[1], b1 - tail[1])
    if middle[0] < middle[1] or middle[2] < middle[3]:
        found.append(Piece(*middle, is_equal=False))
    if tail != (0, 0):
        found.append(Piece(middle[1], a1, middle[3], b1, is_equal=True, is_reflow=True))
    return found


def _shared(
    old: Sequence[Run], new: Sequence[Run], ours: Run, theirs: Run, *, is_tail: bool = False
) -> tuple[int, int]:
    """How many whole rows of both begin, or from the other side end, with the same."""
    if ours[-1 if is_tail else 0] != theirs[-1 if is_tail else 0]:
        return 0, 0
    first = max(next((len(row) for row in rows if row), 0) for rows in (old, new))  # what is shared is no shorter
    if (ours[-first:] != theirs[-first:]) if is_tail else (ours[:first] != theirs[:first]):
        return 0, 0
    starts = {count: row + 1 for row, count in reversed(list(enumerate(accumulate(map(len, old)))))}
    others = {count: row + 1 for row, count in reversed(list(enumerate(accumulate(map(len, new)))))}
    both = sorted(count for count in starts.keys() & others.keys() if count)
    low, high = 0, len(both)
    while low < high:  # what is shared up to some count is shared up to every lower one
        middle = (low + high + 1) // 2
        count = both[middle - 1]
        if (ours[-count:] == theirs[-count:]) if is_tail else (ours[:count] == theirs[:count]):
            low = middle
        else:
            high = middle - 1
    return (starts[both[low - 1]], others[both[low - 1]]) if low else (0, 0)
