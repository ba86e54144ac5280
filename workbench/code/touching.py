"""Which entities a file's hunks touch, each with its own rows of them and what differs in these. It matches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from workbench.code.comments import Rows, may_be_comment
from workbench.code.entities import Found
from workbench.code.folding import kind_of_rows
from workbench.code.model import Hunk, HunkKind
from workbench.code.pairing import Known, Matches
from workbench.code.sides import SPACE, Pair, Side

_LAYOUT: frozenset[HunkKind] = frozenset({"comment", "renamed"})  # in which a row may differ in its white space alone
_CLOSING = b"}]);," + SPACE
OUTSIDE = -1  # of all entities


class Touch(msgspec.Struct, frozen=True):
    """Rows of one hunk that are one entity's own. `is_closing`: they close brackets, on one side only."""

    kind: HunkKind
    old: Sequence[int]
    new: Sequence[int]
    is_closing: bool


def touches(files: Sequence[Pair], matches: Matches, hunks: Sequence[Sequence[Hunk]]) -> dict[Known, list[Touch]]:
    """Those of each entity that both sides have, by what it was on the old one; what moved touches nothing."""
    found: dict[Known, list[Touch]] = defaultdict(list)
    matched = {number for match in matches.pairs for number in (match.old[0], match.new[0])}
    for number, (file, each) in enumerate(zip(files, hunks, strict=True)):
        if number not in matched:
            continue
        beside = _beside(file.old), _beside(file.new)
        for hunk in each:
            if hunk.kind != "moved":
                for known, touch in _of_hunk(file, number, matches, hunk, beside):
                    found[known].append(touch)
    return found


_Beside = dict[int, list[int]]  # by row the entities there, where another one stands on it, too


def _beside(side: Side) -> _Beside:
    rows: _Beside = {}
    for index, each in enumerate(side.entities):
        if not each.owns_lines and not each.members:
            for row in range(each.first, each.end):
                rows.setdefault(row, []).append(index)
    return rows


def _of_hunk(
    file: Pair, number: int, matches: Matches, hunk: Hunk, beside: tuple[_Beside, _Beside]
) -> Iterator[tuple[Known, Touch]]:
    olds = _rows(file.old, hunk.old.first - 1, hunk.old.last, beside[0])
    news = _rows(file.new, hunk.new.first - 1, hunk.new.last, beside[1])
    both: dict[Known, tuple[list[int], list[int]]] = {}
    others = False
    for index, rows in olds.items():
        match = matches.of_old.get((number, index))
        if match is not None:
            both[match.old] = rows, []
        others |= match is None
    for index, rows in news.items():
        match = matches.of_new.get((number, index))
        if match is not None:
            both.setdefault(match.old, ([], []))[1].extend(rows)
        others |= match is None
    is_alone = len(both) == 1 and not others
    for known, (ours, theirs) in both.items():
        kind = hunk.kind if is_alone else _own_kind(file, hunk.kind, ours, theirs)
        if kind is not None:
            closing = not (ours and theirs) and _only_close(file.old, ours) and _only_close(file.new, theirs)
            yield known, Touch(kind, ours, theirs, closing)


def _rows(side: Side, first: int, end: int, beside: _Beside) -> dict[int, list[int]]:
    """The rows that say something, by the innermost entities on them."""
    found: dict[int, list[int]] = {}
    around, lines = side.around, side.parsed.lines
    last = len(around)
    for row in range(first, end):
        if not lines[row].isspace():
            for index in beside.get(row) or (around[row] if row < last else OUTSIDE,):
                found.setdefault(index, []).append(row)
    return found


def _own_kind(file: Pair, kind: HunkKind, old: Sequence[int], new: Sequence[int]) -> HunkKind | None:
    """What can be said of some of a hunk's rows; None where they do not differ."""
    one, two = [file.old.parsed.lines[row] for row in old], [file.new.parsed.lines[row] for row in new]
    if one == two:
        return None
    if kind in _LAYOUT and b"".join(one).translate(None, SPACE) == b"".join(two).translate(None, SPACE):
        return "reformatted"
    if kind not in ("added", "removed", "changed"):
        return kind
    kinds = {_of_runs(file, ours, theirs) for ours, theirs in _paired(_runs(old), _runs(new))}
    return kinds.pop() if len(kinds) == 1 else "changed"


def _of_runs(file: Pair, old: Rows, new: Rows) -> HunkKind:
    if may_be_comment(file, old, new):
        file.old.read(range(*old))
        file.new.read(range(*new))
    return kind_of_rows(file, old, new)


def _runs(rows: Sequence[int]) -> list[Rows]:
    """Neighbouring rows together."""
    runs: list[Rows] = []
    for row in rows:
        if runs and runs[-1][1] == row:
            runs[-1] = runs[-1][0], row + 1
        else:
            runs.append((row, row + 1))
    return runs


def _paired(old: Sequence[Rows], new: Sequence[Rows]) -> list[tuple[Rows, Rows]]:
    """The one run with the other; several each for itself."""
    if len(old) == len(new) == 1:
        return [(old[0], new[0])]
    return [*((run, (0, 0)) for run in old), *(((0, 0), run) for run in new)]


def _only_close(side: Side, rows: Sequence[int]) -> bool:
    return not any(side.parsed.lines[row].translate(None, _CLOSING) for row in rows)


def is_untouched(old: Side, was: Found, new: Side, became: Found) -> bool:
    """Whether an entity that holds no other says on both sides the same, to the byte."""
    if was.members or became.members:
        return False
    if was.owns_lines and became.owns_lines:
        texts = old.parsed.text(was.first, was.end), new.parsed.text(became.first, became.end)
        return texts[0].rstrip(SPACE) == texts[1].rstrip(SPACE)
    return old.parsed.data[was.start : was.stop] == new.parsed.data[became.start : became.stop]


def has_same_body(old: Side, was: Found, new: Side, became: Found) -> bool:
    """Whether what an entity says below its signature, and outside of what it holds, is the same."""
    return _body(old, was) == _body(new, became)


def _body(side: Side, each: Found) -> list[bytes]:
    if not each.members:
        return [side.parsed.data[each.body_start : each.stop]]
    lines, at, own = side.parsed.lines, each.heads[1], list[bytes]()
    for member in (side.entities[index] for index in each.members):
        own += lines[at : member.first]
        at = max(at, member.end)
    return [line for line in [*own, *lines[at : each.end]] if not line.isspace()]
