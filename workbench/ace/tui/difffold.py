"""What of a diff is folded to one line: edits that are mechanical by proof, as the structural change has them.

It knows line numbers and claims, and paints nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from workbench.ace.tui.words import count
from workbench.code.githunks import GitHunk
from workbench.code.model import Hunk, Span
from workbench.code.unified import FileDiff

ADDED, REMOVED = ord("+"), ord("-")
FOLD_WORDS = 60  # characters of a hunk that was read


class Fold(NamedTuple):
    """Lines of a diff, both ends included, that stand as one; `words` say what they are, as text of anywhere."""

    first: int
    last: int
    words: str
    sign: str = ""  # of a hunk that was read; empty for what is mechanical


def folds_of(diff: FileDiff, hunks: Iterable[Hunk]) -> tuple[Fold, ...]:
    """The folds of a file's diff, in order, none within another.

    Where all changes of one of git's hunks fold, they fold with the lines around them, and with such neighbours.
    """
    mechanical = [hunk for hunk in hunks if hunk.is_mechanical]
    if not mechanical:
        return ()
    claimed = _claimed(diff, mechanical)
    found: list[Fold] = []
    for first, last in _git_hunks(diff):
        runs = _runs(claimed, first, last)
        changed = sum(diff.kind(at) in (ADDED, REMOVED) for at in range(first, last + 1))
        whole = changed and changed == sum(len(lines) for _, lines in runs)
        found += [Fold(first, last, _told(diff, runs))] if whole else _single(diff, runs)
    return tuple(_joined(found))


def _claimed(diff: FileDiff, hunks: Sequence[Hunk]) -> list[Hunk | None]:
    """Of each line of the diff, the mechanical hunk that it belongs to."""
    sides = {REMOVED: _Spans([(hunk.old, hunk) for hunk in hunks]), ADDED: _Spans([(hunk.new, hunk) for hunk in hunks])}
    claimed: list[Hunk | None] = []
    for at in range(len(diff)):
        kind = diff.kind(at)
        numbers = diff.numbers(at)
        claimed.append(sides[kind].at(numbers[kind == ADDED]) if kind in sides else None)
    return claimed


class _Spans:
    def __init__(self, spans: Iterable[tuple[Span, Hunk]]) -> None:
        kept = sorted(((span.first, span.last, hunk) for span, hunk in spans if span.count > 0), key=lambda one: one[0])
        self._firsts = [first for first, _, _ in kept]
        self._kept = kept

    def at(self, number: int) -> Hunk | None:
        place = bisect_right(self._firsts, number) - 1
        return self._kept[place][2] if place >= 0 and number <= self._kept[place][1] else None


def _git_hunks(diff: FileDiff) -> list[tuple[int, int]]:
    heads = [*diff.hunks, len(diff)]
    return [(first, following - 1) for first, following in pairwise(heads)]


def _runs(claimed: Sequence[Hunk | None], first: int, last: int) -> list[tuple[Hunk, list[int]]]:
    """Neighbouring lines of one claim, with their places."""
    runs: list[tuple[Hunk, list[int]]] = []
    for at in range(first, last + 1):
        hunk = claimed[at]
        if hunk is None:
            continue
        if runs and runs[-1][1][-1] == at - 1 and (runs[-1][0] is hunk or _same(runs[-1][0], hunk)):
            runs[-1][1].append(at)
        else:
            runs.append((hunk, [at]))
    return runs


def _same(one: Hunk, other: Hunk) -> bool:
    return one.kind == other.kind != "moved" and one.renames == other.renames


def _single(diff: FileDiff, runs: Sequence[tuple[Hunk, list[int]]]) -> list[Fold]:
    return [Fold(lines[0], lines[-1], _told(diff, [(hunk, lines)])) for hunk, lines in runs]


def _told(diff: FileDiff, runs: Sequence[tuple[Hunk, list[int]]]) -> str:
    """What became of how many lines: `moved from shop.py:10, 31 lines`."""
    lines: Counter[str] = Counter()
    for hunk, places in runs:
        lines[_claim(hunk, diff, places[0])] += len(places)
    return "; ".join(f"{claim}, {count(number, 'line')}" for claim, number in lines.items())


def _claim(hunk: Hunk, diff: FileDiff, at: int) -> str:
    if hunk.kind == "moved":
        if diff.kind(at) == ADDED and hunk.moved_from is not None:
            return f"moved from {hunk.moved_from.path}:{hunk.moved_from.line}"
        if hunk.moved_to is not None:
            return f"moved to {hunk.moved_to.path}:{hunk.moved_to.line}"
    if hunk.renames:
        return "renamed " + ", ".join(f"{rename.old} to {rename.new}" for rename in hunk.renames)
    return hunk.claim or hunk.kind


def _joined(folds: Iterable[Fold]) -> list[Fold]:
    """Folds that touch and say the same, or that are both of whole hunks, as one."""
    joined: list[Fold] = []
    for fold in folds:
        if joined and joined[-1].last == fold.first - 1:
            before = joined[-1]
            joined[-1] = Fold(before.first, fold.last, _together(before.words, fold.words))
        else:
            joined.append(fold)
    return joined


def _together(one: str, other: str) -> str:
    found: Counter[str] = Counter()
    for part in (*one.split("; "), *other.split("; ")):
        claim, _, lines = part.rpartition(", ")
        found[claim] += int(lines.split()[0])
    return "; ".join(f"{claim}, {count(number, 'line')}" for claim, number in found.items())


def with_read(
    folds: Iterable[Fold], diff: FileDiff, hunks: Sequence[GitHunk], read: Collection[int], *, sign: str
) -> tuple[Fold, ...]:
    """The folds, and one for each hunk that was read, unless all of it folds already.

    `read` are numbers of blocks: of a hunk that has others, too, those fold that were read.
    """
    kept = list(folds)
    firsts = [fold.first for fold in kept]
    made: list[Fold] = []
    gone: set[int] = set()
    for first, last in _read_ranges(diff, hunks, read):
        near = range(max(0, bisect_right(firsts, first) - 1), bisect_right(firsts, last))
        if not any(kept[at].first <= first and last <= kept[at].last for at in near):
            gone.update(at for at in near if kept[at].last >= first)
            made.append(Fold(first, last, _read_words(diff, first, last), sign))
    return tuple(sorted([*(fold for at, fold in enumerate(kept) if at not in gone), *made]))


def _read_ranges(diff: FileDiff, hunks: Sequence[GitHunk], read: Collection[int]) -> Iterator[tuple[int, int]]:
    for at, hunk in enumerate(hunks):
        if hunk.numbers.issubset(read):
            yield _extent(diff, hunks, at)
        else:
            yield from ((block.first, block.last) for block in hunk.blocks if block.at in read)


def _extent(diff: FileDiff, hunks: Sequence[GitHunk], at: int) -> tuple[int, int]:
    """The lines that a hunk takes: with its head and what is around it where no other hunk is there, too."""
    hunk, head = hunks[at], diff.head_of(hunks[at].first)
    first, last = diff.hunks[head], _end_of(diff, head)
    is_alone = (at == 0 or hunks[at - 1].last < first) and (at + 1 == len(hunks) or hunks[at + 1].first > last)
    return (first, last) if is_alone else (hunk.first, hunk.last)


def _end_of(diff: FileDiff, head: int) -> int:
    return (diff.hunks[head + 1] if head + 1 < len(diff.hunks) else len(diff)) - 1


def _read_words(diff: FileDiff, first: int, last: int) -> str:
    """Which lines these are: their number, how much they change, and their first words."""
    lines = [at for at in range(first, last + 1) if diff.kind(at) in (ADDED, REMOVED)]
    added = [at for at in lines if diff.kind(at) == ADDED]
    shown = added or lines
    words = next((text for at in shown if (text := diff.text(at).strip())), "")
    number = max(diff.numbers(shown[0]))
    return f"read, line {number}, +{len(added)} -{len(lines) - len(added)}: {words[:FOLD_WORDS]}"
