"""Which items of two sequences stay in place: patience matching, near linear; it knows neither text nor tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher

Gap = tuple[int, int, int, int]  # old from, old to, new from, new to: half-open; all between two gaps is equal

MAX_PAIRS = 4_000  # items of one side times those of the other that are compared one by one
MAX_ROUNDS = 24  # of looking for items that are unique within ever smaller gaps


def gaps(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Gap]:
    """Where the two differ, in order, none empty on both sides."""
    found: list[Gap] = []
    todo: list[tuple[Gap, int]] = [((0, len(old), 0, len(new)), 0)]
    while todo:
        gap, rounds = todo.pop()
        a0, a1, b0, b1 = _trimmed(old, new, gap)
        if a0 == a1 and b0 == b1:
            continue
        anchors = _anchors(old, new, (a0, a1, b0, b1)) if a0 < a1 and b0 < b1 and rounds < MAX_ROUNDS else []
        if anchors:
            inner = [(-1, -1)]
            for at, to in [*anchors, (a1 - a0, b1 - b0)]:
                before = inner[-1]
                todo.append(((a0 + before[0] + 1, a0 + at, b0 + before[1] + 1, b0 + to), rounds + 1))
                inner.append((at, to))
        else:
            found += _one_by_one(old, new, (a0, a1, b0, b1))
    return _joined(sorted(found))


def pairs(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[int, int, int]]:
    """What stays: (old index, new index, length), in order."""
    found, at, to = [], 0, 0
    for a0, a1, _, b1 in [*gaps(old, new), (len(old), len(old), len(new), len(new))]:
        if a0 > at:
            found.append((at, to, a0 - at))
        at, to = a1, b1
    return found


def _trimmed(old: Sequence[Hashable], new: Sequence[Hashable], gap: Gap) -> Gap:
    a0, a1, b0, b1 = gap
    while a0 < a1 and b0 < b1 and old[a0] == new[b0]:
        a0, b0 = a0 + 1, b0 + 1
    while a0 < a1 and b0 < b1 and old[a1 - 1] == new[b1 - 1]:
        a1, b1 = a1 - 1, b1 - 1
    return a0, a1, b0, b1


def _anchors(old: Sequence[Hashable], new: Sequence[Hashable], gap: Gap) -> list[tuple[int, int]]:
    """Items that both sides have once, in the longest order that both share, as offsets into the gap."""
    a0, a1, b0, b1 = gap
    ours = _once(old[a0:a1])
    theirs = _once(new[b0:b1])
    shared = [(at, theirs[item]) for item, at in ours.items() if item in theirs]
    return _rising(shared)


def _once(items: Sequence[Hashable]) -> dict[Hashable, int]:
    seen: dict[Hashable, int] = {}
    twice: set[Hashable] = set()
    for at, item in enumerate(items):
        if item in seen:
            twice.add(item)
        else:
            seen[item] = at
    for item in twice:
        del seen[item]
    return seen


def _rising(shared: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs, sorted by the first, whose second rises, too."""
    tops: list[int] = []
    ends: list[int] = []  # of each length, the pair that ends it lowest
    before: list[int] = []
    for index, (_, to) in enumerate(shared):
        place = bisect_left(tops, to)
        before.append(ends[place - 1] if place else -1)
        tops[place : place + 1] = [to]
        ends[place : place + 1] = [index]
    chain, at = [], ends[-1] if ends else -1
    while at >= 0:
        chain.append(shared[at])
        at = before[at]
    return chain[::-1]


def _one_by_one(old: Sequence[Hashable], new: Sequence[Hashable], gap: Gap) -> list[Gap]:
    a0, a1, b0, b1 = gap
    if a0 == a1 or b0 == b1 or (a1 - a0) * (b1 - b0) > MAX_PAIRS:
        return [gap]
    blocks = SequenceMatcher(None, old[a0:a1], new[b0:b1], autojunk=False).get_matching_blocks()
    found, at, to = [], a0, b0
    for block in blocks:
        if a0 + block.a > at or b0 + block.b > to:
            found.append((at, a0 + block.a, to, b0 + block.b))
        at, to = a0 + block.a + block.size, b0 + block.b + block.size
    return found


def _joined(found: list[Gap]) -> list[Gap]:
    joined: list[Gap] = []
    for gap in found:
        if joined and joined[-1][1] == gap[0] and joined[-1][3] == gap[2]:
            joined[-1] = (joined[-1][0], gap[1], joined[-1][2], gap[3])
        else:
            joined.append(gap)
    return joined
