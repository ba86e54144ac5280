"""The tokens of chosen lines, in order, as numbers of a vocabulary. It compares nothing."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from workbench.code.languages import kinds, traits
from workbench.code.parsing import Parsed
from workbench.code.vocabulary import Vocabulary

Range = tuple[int, int]  # rows, half-open
MAX_KINDS = 1 << 16  # that a grammar can have
_GAP = 0  # the kind of text between leaves that the grammar has no node for
_OPAQUE, _VERBATIM, _SPACED, _BODY = 1, 2, 3, 4  # how the walk treats a node that is not ordinary


@dataclass(slots=True)
class Leaves:
    """Tokens in order, as columns of one length. Rows count from 0."""

    numbers: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)  # bytes
    ends: dict[int, int] = field(default_factory=dict)  # last rows of those that have more than one, by index


def leaves(parsed: Parsed, ranges: Iterable[Range], vocabulary: Vocabulary) -> Leaves:
    """The tokens that touch one of the ranges."""
    found = Leaves()
    wanted = [(parsed.starts[first], parsed.starts[end]) for first, end in joined_ranges(ranges)]
    if parsed.tree is not None and wanted:
        _walk(parsed, wanted, found, vocabulary)
    return found


def joined_ranges(ranges: Iterable[Range]) -> list[Range]:
    """The same rows as few ranges, in order."""
    joined: list[Range] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif first < end:
            joined.append((first, end))
    return joined


@cache
def _flags(language: str) -> bytes:
    own = traits(language)
    named = ((own.opaque, _OPAQUE), (own.verbatim, _VERBATIM), (own.spaced, _SPACED), (own.bodies, _BODY))
    flags = bytearray(MAX_KINDS)
    for names, flag in named:
        for number in kinds(language, names):
            flags[number] = flag
    return bytes(flags)


def _walk(parsed: Parsed, wanted: Sequence[tuple[int, int]], found: Leaves, vocabulary: Vocabulary) -> None:
    """Collect the leaves in `wanted` bytes; the rest is stepped over. One loop: it is all the cost."""
    if parsed.tree is None:
        return
    flags = _flags(parsed.language)
    data, starts = parsed.data, parsed.starts
    numbers, rows, ends, places = found.numbers, found.rows, found.ends, found.starts
    cursor = parsed.tree.walk()
    into, beside, out = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    ranges = iter(wanted)
    low, high = next(ranges)
    lead: list[int] = []
    depth = row = done = 0
    next_row = starts[1]
    quoted: list[int] = []  # depths of the nodes around us in which white space counts
    listed: list[int] = []  # and of those in which it parts signs
    while True:
        node = cursor.node
        if node is None:
            return
        start, end, kind = node.start_byte, node.end_byte, node.kind_id
        while start >= high:
            low, high = next(ranges, (-1, -1))
            if low < 0:
                return
        if end > low:
            if start > done and start > low:  # a gap: white space, unless the grammar left something out
                gap = data[done:start]
                if quoted or listed or (gap != b" " and not gap.isspace()):
                    text = _said(gap, data, done, bool(quoted), bool(listed))
                    if text:
                        ends[len(rows)] = bisect_right(starts, start - 1) - 1
                        numbers.append(vocabulary[text, depth, _GAP])
                        rows.append(bisect_right(starts, done) - 1)
                        places.append(done)
            flag = flags[kind]
            if (not flag or (flag != _OPAQUE and not (flag == _VERBATIM and _has_equals(node)))) and into():
                if not flag:
                    pass
                elif flag == _VERBATIM:
                    quoted.append(depth)
                elif flag == _SPACED:
                    listed.append(depth)
                elif flag == _BODY and data.find(b"\n", parsed.before(start), start) >= 0:
                    kind = -kind
                if start > done:
                    done = start
                lead.append(kind)
                depth += 1
                continue
            if start < end:
                text = data[start:end]
                if next_row <= start:
                    row = bisect_right(starts, start, row) - 1
                    next_row = starts[row + 1]
                if text[0] != 92 or text.strip(b"\r\n") != b"\\":
                    if end > next_row:
                        ends[len(rows)] = bisect_left(starts, end, row) - 1
                    if lead:
                        numbers.append(vocabulary[(text, depth - len(lead), *lead, kind)])
                    else:
                        numbers.append(vocabulary[text, depth, kind])
                    rows.append(row)
                    places.append(start)
        if end > done:
            done = end
        if lead:
            lead = []
        while not beside():
            if not out():
                return
            depth -= 1
            if quoted and quoted[-1] == depth:
                quoted.pop()
            if listed and listed[-1] == depth:
                listed.pop()


def _said(gap: bytes, data: bytes, at: int, quoted: bool, listed: bool) -> bytes:
    """What the text between two leaves says; white space says something in quotes, and between signs in lists."""
    if quoted:
        return gap
    if gap.isspace():
        beside = data[at - 1 : at] + data[at + len(gap) : at + len(gap) + 1]
        return b"" if not listed or any(byte > 127 or chr(byte).isalnum() or byte == 95 for byte in beside) else b" "
    return gap.strip() if gap.strip(b"\\\r\n \t\f") else b""


def _has_equals(node: object) -> bool:
    """Whether it is `{x=}` in a string, which prints the very text of its expression."""
    children = getattr(node, "children", ())
    return getattr(node, "type", "") == "interpolation" and any(child.type == "=" for child in children)
