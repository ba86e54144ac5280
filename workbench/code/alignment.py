"""Which rows of two runs say the same, token by token, though they are laid out otherwise. It knows rows' keys only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain

import msgspec

from workbench.code.lines import pairs
from workbench.code.sides import Key


class Piece(msgspec.Struct, frozen=True):
    """Indices into both runs, half-open. `is_equal`: all tokens and their shapes are."""

    old: int
    old_end: int
    new: int
    new_end: int
    is_equal: bool
    is_reflow: bool = False  # equal as a whole, not row by row


def align(old: Sequence[Key], new: Sequence[Key]) -> list[Piece]:
    """The two runs cut into pieces that are equal or not, in order; nothing is left out."""
    if not old or not new:
        return _rest(old, new, (0, len(old), 0, len(new)))
    pieces: list[Piece] = []
    at = to = 0
    for first, second, length in [*pairs(old, new), (len(old), len(new), 0)]:
        pieces += _rest(old, new, (at, first, to, second))
        if length:
            pieces.append(Piece(first, first + length, second, second + length, is_equal=True))
        at, to = first + length, second + length
    return pieces


def flat(keys: Sequence[Key]) -> Key:
    """All tokens of some rows."""
    return tuple(chain.from_iterable(keys))


def _rest(old: Sequence[Key], new: Sequence[Key], gap: tuple[int, int, int, int]) -> list[Piece]:
    a0, a1, b0, b1 = gap
    if a0 == a1 and b0 == b1:
        return []
    ours, theirs = flat(old[a0:a1]), flat(new[b0:b1])
    if ours == theirs:
        return [Piece(a0, a1, b0, b1, is_equal=True, is_reflow=True)]
    if not ours or not theirs:
        return [Piece(a0, a1, b0, b1, is_equal=False)]
    head = _shared(old[a0:a1], new[b0:b1], ours, theirs)
    tail = _shared(old[a0 + head[0] : a1][::-1], new[b0 + head[1] : b1][::-1], ours[::-1], theirs[::-1])
    found = [Piece(a0, a0 + head[0], b0, b0 + head[1], is_equal=True, is_reflow=True)] if head != (0, 0) else []
    middle = (a0 + head[0], a1 - tail[0], b0 + head[1], b1 - tail[1])
    if middle[0] < middle[1] or middle[2] < middle[3]:
        found.append(Piece(*middle, is_equal=False))
    if tail != (0, 0):
        found.append(Piece(middle[1], a1, middle[3], b1, is_equal=True, is_reflow=True))
    return found


def _shared(old: Sequence[Key], new: Sequence[Key], ours: Key, theirs: Key) -> tuple[int, int]:
    """How many whole rows of both begin with the same tokens."""
    equal = next(
        (at for at, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other),
        min(len(ours), len(theirs)),
    )
    starts = {count: row + 1 for row, count in reversed(list(enumerate(accumulate(map(len, old)))))}
    others = {count: row + 1 for row, count in reversed(list(enumerate(accumulate(map(len, new)))))}
    best = max((count for count in starts.keys() & others.keys() if 0 < count <= equal), default=0)
    return (starts[best], others[best]) if best else (0, 0)
