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


def paired(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Which old line is which new one, in order, where both sides of a hunk have as many lines; else by likeness.

    A line without a partner is in no pair.
    """
    if len(old) == len(new):
        return [(at, at) for at in range(len(old))]
    found, to = [], 0
    bags = [set(_WORD.findall(line)) for line in new]
    for at, line in enumerate(old):
        bag = set(_WORD.findall(line))
        ahead = range(to, min(len(new), to + 8))
        best = max(ahead, key=lambda index: len(bag & bags[index]) / (len(bag | bags[index]) or 1), default=-1)
        if best >= 0 and 2 * len(bag & bags[best]) >= len(bag | bags[best]) > 0:
            found.append((at, best))
            to = best + 1
    return found


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
