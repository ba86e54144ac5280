"""The hunks of a file's change, each known by its content: what git shows under one `@@`, however much is around it.

A hunk is made of blocks: neighbouring lines that were removed and added. What is kept of a block finds it again in a
later diff of the file, wherever it stands there, or not at all. Pure; it reads no repository.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from workbench.code.unified import FileDiff

AROUND = 3  # lines that git shows around a change: changes that are no more than twice that apart are one hunk
TELLING = 24  # characters, blanks not counted, from which on lines may stand by themselves: shorter ones are everywhere
NAME = 12  # hexadecimal digits of a hunk's name
SHORTEST = 6  # of them that do where they are enough
_ADDED, _REMOVED, _HUNK, _REMARK = b"+-@\\"


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """Neighbouring changed lines. Line numbers are from 1; of a side without lines it stands before the number."""

    at: int  # which one of the file's, from 0, however much is around them
    first: int  # lines of the diff, both included
    last: int
    old: tuple[int, int]  # numbers, half-open
    new: tuple[int, int]
    content: str  # digest of its lines, with their signs
    before: str  # digests of the lines of the result around it
    after: str
    telling: int  # characters


class GitHunk(msgspec.Struct, frozen=True, kw_only=True):
    """Blocks that are shown together."""

    name: str  # what it is called: a digest of its content, and of what is around it where others have the same
    blocks: tuple[Block, ...]
    added: int
    removed: int

    @property
    def first(self) -> int:
        """Its first changed line in the diff."""
        return self.blocks[0].first

    @property
    def last(self) -> int:
        """Its last changed line in the diff."""
        return self.blocks[-1].last

    @property
    def line(self) -> int:
        """The number in the result at which it begins."""
        return self.blocks[0].new[0]

    @property
    def numbers(self) -> frozenset[int]:
        """Of its blocks."""
        return frozenset(block.at for block in self.blocks)

    @property
    def content(self) -> str:
        """A digest of its changed lines alone."""
        return _digest(block.content for block in self.blocks)


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """What finds a block again: its content, what was around it, and which of those that were quite like it."""

    content: str
    before: str
    after: str
    alike: int  # blocks of that diff with the same content
    same: int  # of them, with the same lines around them
    at: int  # which of these it was, from 0


def hunks_of(diff: FileDiff) -> tuple[GitHunk, ...]:
    """The hunks of a file's diff, in order: the same ones however many lines around changes the diff shows."""
    groups: list[list[Block]] = []
    for block in _blocks(diff):
        if groups and block.old[0] - groups[-1][-1].old[1] <= 2 * AROUND:
            groups[-1].append(block)
        else:
            groups.append([block])
    contents = Counter(_digest(block.content for block in group) for group in groups)
    return tuple(_hunk(group, is_alone=contents[_digest(one.content for one in group)] == 1) for group in groups)


def hunk_at(diff: FileDiff, hunks: Sequence[GitHunk], line: int) -> int:
    """The number of the hunk that a line of the diff is in, or is nearest to; -1 where there is none."""
    heads = [*diff.hunks, len(diff)]
    head = diff.head_of(max(line, heads[0]))
    if not hunks or head < 0:
        return -1
    first = bisect_left(hunks, heads[head], key=lambda one: one.first)
    end = bisect_left(hunks, heads[head + 1], key=lambda one: one.first)
    return min(range(first, end), key=lambda at: max(hunks[at].first - line, line - hunks[at].last, 0), default=-1)


def named(hunks: Iterable[GitHunk], name: str) -> list[GitHunk]:
    """The hunks that somebody means by a name, or by its beginning; also by that of their content alone."""
    if len(name) < SHORTEST:
        return []
    known = list(hunks)
    return [one for one in known if one.name.startswith(name)] or [
        one for one in known if one.content[:NAME].startswith(name)
    ]


def kept(hunks: Iterable[GitHunk], wanted: Iterable[Block]) -> tuple[Kept, ...]:
    """What finds these blocks of a file again in a later diff of it."""
    blocks = [block for hunk in hunks for block in hunk.blocks]
    alike = Counter(block.content for block in blocks)
    places: dict[tuple[str, str, str], list[int]] = {}
    for block in blocks:
        places.setdefault(_place(block), []).append(block.first)
    return tuple(
        Kept(*_place(block), alike[block.content], len(same := places[_place(block)]), same.index(block.first))
        for block in wanted
    )


def found(hunks: Iterable[GitHunk], marks: Iterable[Kept]) -> frozenset[int]:
    """Which blocks of the file were kept, by their numbers. Where several may be meant, none is."""
    by_content: dict[str, list[Block]] = {}
    for hunk in hunks:
        for block in hunk.blocks:
            by_content.setdefault(block.content, []).append(block)
    meant = (_meant(by_content.get(mark.content, ()), mark) for mark in marks)
    return frozenset(block.at for block in meant if block is not None)


def _meant(alike: Sequence[Block], mark: Kept) -> Block | None:
    if len(alike) == 1 == mark.alike and alike[0].telling >= TELLING:
        return alike[0]
    same = [block for block in alike if (block.before, block.after) == (mark.before, mark.after)]
    if same:
        return same[mark.at] if len(same) == mark.same else None
    if len(alike) != mark.alike:  # copied or taken away: one side may be the copy's
        return None
    near = [block for block in alike if block.before == mark.before or block.after == mark.after]
    return near[0] if len(near) == 1 == mark.same else None


def _hunk(group: Sequence[Block], *, is_alone: bool) -> GitHunk:
    told = [block.content for block in group]
    name = _digest(told if is_alone else [*told, group[0].before, group[-1].after])[:NAME]
    return GitHunk(
        name=name,
        blocks=tuple(group),
        added=sum(block.new[1] - block.new[0] for block in group),
        removed=sum(block.old[1] - block.old[0] for block in group),
    )


def _blocks(diff: FileDiff) -> list[Block]:
    blocks: list[Block] = []
    at = 0
    while at < len(diff):
        if diff.kind(at) not in (_ADDED, _REMOVED):
            at += 1
            continue
        end = at
        while end < len(diff) and diff.kind(end) in (_ADDED, _REMOVED, _REMARK):
            end += 1
        blocks.append(_block(diff, at, end, number=len(blocks)))
        at = end
    return blocks


def _block(diff: FileDiff, first: int, end: int, *, number: int) -> Block:
    lines = [diff.raw(at) for at in range(first, end)]
    old_first, new_first = _next_numbers(diff, first)
    removed = sum(line[:1] == b"-" for line in lines)
    added = sum(line[:1] == b"+" for line in lines)
    return Block(
        at=number,
        first=first,
        last=end - 1,
        old=(old_first, old_first + removed),
        new=(new_first, new_first + added),
        content=_digest(lines),
        before=_digest(_around(diff, first - 1, -1)),
        after=_digest(_around(diff, end, 1)),
        telling=sum(len(b"".join(line[1:].split())) for line in lines),
    )


def _next_numbers(diff: FileDiff, first: int) -> tuple[int, int]:
    """The numbers, before and after, at which a block begins: those after the line above it, or its hunk's."""
    above = first - 1
    while above >= 0 and diff.kind(above) == _REMARK:
        above -= 1
    if above >= 0 and diff.kind(above) != _HUNK:
        old, new = diff.numbers(above)
        return old + 1, new + 1
    return diff.beginning(diff.head_of(first))


def _around(diff: FileDiff, at: int, step: int) -> list[bytes]:
    """The nearest lines of the result on one side, at most three, within what the diff shows."""
    lines: list[bytes] = []
    while 0 <= at < len(diff) and diff.kind(at) != _HUNK and len(lines) < AROUND:
        if diff.kind(at) not in (_REMOVED, _REMARK):
            lines.append(diff.raw(at)[1:])
        at += step
    return lines


def _place(block: Block) -> tuple[str, str, str]:
    return block.content, block.before, block.after


def _digest(parts: Iterable[bytes | str]) -> str:
    made = sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        made.update(b"%d:" % len(data))
        made.update(data)
    return made.hexdigest()[:32]
