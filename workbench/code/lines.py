"""Which items of two sequences stay in place: patience matching, near linear; it knows neither text nor tokens."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from itertools import compress, count
from operator import ne

Gap = tuple[int, int, int, int]  # old from, old to, new from, new to: half-open; all between two gaps is equal

MAX_PAIRS = 4_000  # items of one side times those of the other that are compared one by one
MAX_ROUNDS = 24  # of looking for items that are unique within ever smaller gaps


def gaps(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Gap]:
    """Where the two differ, in order, none empty on both sides."""
    found: list[Gap] = []
    todo: list[tuple[Gap, int]] = [((0, len(old), 0, len(new)), 0)]
    while todo:
        gap, rounds = todo.pop()
        a0, a1, b0, b1 = gap = _trimmed(old, new, gap)
        if a0 == a1 or b0 == b1:
            if a0 < a1 or b0 < b1:
                found.append(gap)
            continue
        shared = _shared(old, new, gap) if a1 - a0 > 1 or b1 - b0 > 1 else None
        if shared is None:
            found.append(gap)
        elif shared and rounds < MAX_ROUNDS:
            from_old, from_new = a0, b0
            for at, to in [*_rising(shared), (a1 - a0, b1 - b0)]:
                at, to = a0 + at, b0 + to
                if (from_old < at or from_new < to) and old[from_old:at] != new[from_new:to]:
                    todo.append(((from_old, at, from_new, to), rounds + 1))
                from_old, from_new = at + 1, to + 1
        else:
            found += _one_by_one(old, new, gap)
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
    if a0 < a1 and b0 < b1 and old[a0] == new[b0]:
        head = _alike(old[a0:a1], new[b0:b1])
        a0, b0 = a0 + head, b0 + head
    if a0 < a1 and b0 < b1 and old[a1 - 1] == new[b1 - 1]:
        tail = _alike(old[a0:a1][::-1], new[b0:b1][::-1])
        a1, b1 = a1 - tail, b1 - tail
    return a0, a1, b0, b1


def _alike(old: Sequence[Hashable], new: Sequence[Hashable]) -> int:
    """How many items both begin with."""
    return next(compress(count(), map(ne, old, new)), min(len(old), len(new)))


def _shared(old: Sequence[Hashable], new: Sequence[Hashable], gap: Gap) -> list[tuple[int, int]] | None:
    """Items that both sides have once, in the order of the old one, as offsets into the gap; None: they share none."""
    ours, theirs = old[gap[0] : gap[1]], new[gap[2] : gap[3]]
    last = dict(zip(theirs, count(), strict=False))
    if last.keys().isdisjoint(ours):
        return None
    first, own_first, own_last = _first(theirs), _first(ours), dict(zip(ours, count(), strict=False))
    return [
        (at, to)
        for item, at in own_last.items()
        if own_first[item] == at and (to := last.get(item)) is not None and first[item] == to
    ]


def _first(items: Sequence[Hashable]) -> dict[Hashable, int]:
    """Where each item stands first."""
    return dict(zip(reversed(items), range(len(items) - 1, -1, -1), strict=True))


def _rising(shared: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest run of pairs, sorted by the first, whose second rises, too."""
    seconds = [to for _, to in shared]
    if seconds == sorted(seconds):
        return shared
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
    if (a1 - a0) * (b1 - b0) > MAX_PAIRS:
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
