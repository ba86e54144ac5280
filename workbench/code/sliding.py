"""Where lines that only one side has may be cut in two ways, they are cut around what moved. It folds nothing.

A run of lines that came, or went, may as well begin later where what follows it is what it begins with: such as the
closing bracket of what stands above it, and then its own.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from workbench.code.entities import Found
from workbench.code.lines import Gap
from workbench.code.pairing import Known, Matches
from workbench.code.sides import Pair


def slide(files: Sequence[Pair], matches: Matches, moved: Set[Known]) -> None:
    """Cut the files' gaps around each entity that moved within its file and is the same there, to the byte."""
    for known in sorted(moved):
        match, file = matches.of_old[known], files[known[0]]
        if match.new[0] != known[0]:
            continue
        old, new = file.old.entities[known[1]], file.new.entities[match.new[1]]
        texts = file.old.parsed.lines[old.first : old.end], file.new.parsed.lines[new.first : new.end]
        if old.owns_lines and new.owns_lines and texts[0] == texts[1]:
            _around(file, old, is_new=False)
            _around(file, new, is_new=True)


def _around(file: Pair, each: Found, *, is_new: bool) -> None:
    at, own = file.gap_of(each.row, is_new=is_new), 2 if is_new else 0
    gap = file.gaps[at]
    first, end = gap[own : own + 2]
    by = max(0, each.end - end) or min(0, each.first - first)
    if at < 0 or not by or gap[2 - own] != gap[3 - own] or first + by > each.first or end + by < each.end:
        return
    side = file.new if is_new else file.old
    lines = side.parsed.lines
    ahead, behind = ((first, first + by), (end, end + by)) if by > 0 else ((end + by, end), (first + by, first))
    if lines[slice(*ahead)] == lines[slice(*behind)] and _has_room(file, at, by):
        file.gaps[at] = (gap[0] + by, gap[1] + by, gap[2] + by, gap[3] + by)
        side.free.difference_update(range(*ahead))
        side.free.update(range(*behind))
        file.recut()


def _has_room(file: Pair, at: int, by: int) -> bool:
    """Whether both sides are equal all the way that a gap is to go, and one line more, so that no two gaps meet."""
    gap = file.gaps[at]
    if by > 0:
        sizes = len(file.old.parsed.lines) + 1, len(file.new.parsed.lines) + 1
        after: Gap = file.gaps[at + 1] if at + 1 < len(file.gaps) else (sizes[0], sizes[0], sizes[1], sizes[1])
        return gap[1] + by < after[0] and gap[3] + by < after[2]
    before: Gap = file.gaps[at - 1] if at else (-1, -1, -1, -1)
    return gap[0] + by > before[1] and gap[2] + by > before[3]
