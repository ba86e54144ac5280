"""Which rows stand elsewhere now: those of an entity that left its place, as far as its tokens are the same there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from itertools import accumulate

import msgspec

from workbench.code.alignment import Piece, align, proven
from workbench.code.entities import Found
from workbench.code.pairing import Known, Match, Matches, entity_of
from workbench.code.sides import Names, Pair, Side


class Moved(msgspec.Struct, frozen=True):
    """Rows of the file `old_file` that are rows of the file `new_file` now; half-open, as many as it takes."""

    old_file: int
    old: int
    old_end: int
    new_file: int
    new: int
    new_end: int
    names: Names | None


def moved_rows(
    files: Sequence[Pair], matches: Matches, moved: Set[Known], names_of: Callable[[Match], Names | None]
) -> Iterator[Moved]:
    """All of them; no row twice. Rows that moved are free no more."""
    for match in matches.pairs:
        if match.old not in moved:
            continue
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        if not old.is_damaged and not new.is_damaged:
            yield from _moved(files, match, old, new, names_of(match))


def all_moved(files: Sequence[Pair], matches: Matches) -> frozenset[Known]:
    """What stands elsewhere, by what it was on the old side; to be asked while all changed rows are free."""
    return frozenset(match.old for match in matches.pairs if _has_moved(files, match))


def told_as_moved(files: Sequence[Pair], matches: Matches, moved: Set[Known]) -> Iterator[Known]:
    """What people would say has moved: within a file no import, and nothing that only lines were put around."""
    passed: dict[int, set[int]] = {}
    for known in moved:
        match = matches.of_old[known]
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        if match.old[0] != match.new[0]:
            yield known
        elif old.kind != "import":
            file = files[known[0]]
            if known[0] not in passed:
                passed[known[0]] = _passed(known[0], file, matches)
            if (
                known[1] in passed[known[0]]
                or file.old.parsed.lines[old.first : old.end] == (file.new.parsed.lines[new.first : new.end])
            ):
                yield known


def _passed(number: int, file: Pair, matches: Matches) -> set[int]:
    """The entities that stand before another one now that they stood behind, or the other way round."""
    of_old = ((index, matches.of_old.get((number, index))) for index in range(len(file.old.entities)))
    stayed = [(index, match.new[1]) for index, match in of_old if match is not None and match.new[0] == number]
    places = [place for _, place in stayed]
    highest = [-1, *accumulate(places, max)]
    lowest = [*accumulate(reversed(places), min)][::-1]
    around = zip(stayed, highest, lowest, strict=False)
    return {index for (index, place), high, low in around if high > place or low < place}


def _has_moved(files: Sequence[Pair], match: Match) -> bool:
    """Whether the entity left its file, or its place among what stayed in it, or what it stood in."""
    old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
    if match.old[0] != match.new[0]:
        return True
    file = files[match.old[0]]
    if old.row not in file.old.free or new.row not in file.new.free:
        return False
    gaps = file.gap_of(old.row, is_new=False), file.gap_of(new.row, is_new=True)
    return gaps[0] != gaps[1]


def _moved(files: Sequence[Pair], match: Match, old: Found, new: Found, names: Names | None) -> Iterator[Moved]:
    before, after = files[match.old[0]].old, files[match.new[0]].new
    if not (old.owns_lines and new.owns_lines):
        return
    ours = [row for row in _own_rows(before.entities, old) if row in before.free]
    theirs = [row for row in _own_rows(after.entities, new) if row in after.free]
    text = b"".join([before.parsed.lines[row] for row in ours])
    is_same = text == b"".join([after.parsed.lines[row] for row in theirs]) and (not names or names.said(text) == text)
    if is_same and len(ours) == len(theirs):
        pieces, names = [Piece(0, len(ours), 0, len(theirs), is_equal=True)], None
    else:
        pieces = _agreeing((before, old, ours), (after, new, theirs), names)
    for piece in pieces:
        if piece.is_equal and any(before.parsed.lines[row].strip() for row in ours[piece.old : piece.old_end]):
            for run in _runs(piece, ours, theirs):
                yield Moved(match.old[0], run[0], run[1], match.new[0], run[2], run[3], names)
                before.free.difference_update(range(run[0], run[1]))
                after.free.difference_update(range(run[2], run[3]))


_Rows = tuple[Side, Found, list[int]]


def _agreeing(old: _Rows, new: _Rows, names: Names | None) -> list[Piece]:
    """Pieces of both whose tokens are equal, wherever the entities stand."""
    (before, was, ours), (after, became, theirs) = old, new
    pieces = align(before.bare(ours, names), after.bare(theirs, names))
    for piece in pieces:
        if piece.is_equal:
            before.read(ours[piece.old : piece.old_end])
            after.read(theirs[piece.new : piece.new_end])
    one = [before.key(row, depth=was.depth, names=names) for row in ours]
    two = [after.key(row, depth=became.depth) for row in theirs]
    return list(proven(pieces, one, two))


def _own_rows(entities: Sequence[Found], each: Found) -> list[int]:
    """The rows of an entity, without those of what has a name of its own in it."""
    inner = {row for index in each.members for row in range(entities[index].first, entities[index].end)}
    return [row for row in range(each.first, each.end) if row not in inner]


def _runs(piece: Piece, ours: Sequence[int], theirs: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """The piece as runs of neighbouring rows on both sides; a reflow is one, or nothing."""
    old, new = ours[piece.old : piece.old_end], theirs[piece.new : piece.new_end]
    if piece.is_reflow:
        if old and new and old[-1] - old[0] + 1 == len(old) and new[-1] - new[0] + 1 == len(new):
            yield old[0], old[-1] + 1, new[0], new[-1] + 1
        return
    start = 0
    for at in range(1, len(old) + 1):
        if at == len(old) or old[at] != old[at - 1] + 1 or new[at] != new[at - 1] + 1:
            yield old[start], old[at - 1] + 1, new[start], new[at - 1] + 1
            start = at
