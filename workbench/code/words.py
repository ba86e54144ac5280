"""Which words inside a changed line differ, for whoever paints both. It knows no language and no tree."""

from __future__ import annotations

import re

from workbench.code.lines import gaps
from workbench.code.model import Words

MAX_CHARACTERS = 4_000  # of a line in which words are looked for
UNLIKE = 0.3  # share of equal text below which a line counts as another one: nothing is marked
_WORD = re.compile(r"\w+|\s+|[^\w\s]")


def words(old: str, new: str) -> Words:
    """The characters of either line that the other one has not; none where the lines have too little in common."""
    if old == new or max(len(old), len(new)) > MAX_CHARACTERS:
        return Words()
    ours, theirs = _WORD.findall(old), _WORD.findall(new)
    differing = gaps(ours, theirs)
    before = _spans(ours, [(gap[0], gap[1]) for gap in differing])
    after = _spans(theirs, [(gap[2], gap[3]) for gap in differing])
    changed = sum(end - start for start, end in (*before, *after))
    if changed > (1 - UNLIKE) * (len(old.strip()) + len(new.strip())):
        return Words()
    return Words(old=before, new=after)


def _spans(pieces: list[str], differing: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    starts, at = [], 0
    for piece in pieces:
        starts.append(at)
        at += len(piece)
    starts.append(at)
    spans = [(starts[first], starts[end]) for first, end in differing if first < end]
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
