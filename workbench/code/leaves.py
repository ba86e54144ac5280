"""The tokens of chosen lines, each with its place in the tree, so that equal tokens mean equal structure, too.

A token's `shape` holds the depth at which it hangs and the kinds of all nodes that begin with it; the kind of a block
is negative where it begins below the line of its head. Two runs of tokens
with equal texts and shapes are the same piece of program, however it is laid out. It compares nothing itself.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from workbench.code.languages import kinds, traits
from workbench.code.parsing import Parsed

Shape = tuple[int, ...]  # depth, then kinds of nodes that begin here, outermost first, then the leaf's own
Range = tuple[int, int]  # rows, half-open
_GAP = 0  # the kind of text between leaves that the grammar has no node for


@dataclass(slots=True)
class Leaves:
    """Tokens in order, as columns of one length. Rows count from 0."""

    texts: list[bytes] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # last rows
    starts: list[int] = field(default_factory=list)  # bytes

    def within(self, first: int, end: int) -> range:
        """Indices of the tokens that touch the rows `first` to before `end`."""
        low = bisect_left(self.rows, first)
        while low > 0 and self.ends[low - 1] >= first:
            low -= 1
        return range(low, bisect_left(self.rows, end, low))


def leaves(parsed: Parsed, ranges: Iterable[Range]) -> Leaves:
    """The tokens that touch one of the ranges."""
    found = Leaves()
    if parsed.tree is not None:
        _walk(parsed, _bytes(parsed, ranges), found)
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


def _bytes(parsed: Parsed, ranges: Iterable[Range]) -> list[tuple[int, int]]:
    return [(parsed.starts[first], parsed.starts[end]) for first, end in joined_ranges(ranges)]


def _walk(parsed: Parsed, wanted: Sequence[tuple[int, int]], found: Leaves) -> None:  # one loop over all nodes: speed
    """Collect the leaves below `wanted` bytes; what lies between is stepped over, not into."""
    if parsed.tree is None or not wanted:
        return
    own = traits(parsed.language)
    opaque, verbatim = kinds(parsed.language, own.opaque), kinds(parsed.language, own.verbatim)
    blocks, spaced = kinds(parsed.language, own.bodies), kinds(parsed.language, own.spaced)
    data, starts = parsed.data, parsed.starts
    texts, shapes, rows, ends, places = found.texts, found.shapes, found.rows, found.ends, found.starts
    cursor = parsed.tree.walk()
    into, beside, out = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    ranges = iter(wanted)
    low, high = next(ranges)
    lead: list[int] = []
    depth = row = done = 0
    quoted: list[int] = []  # depths of the nodes around us in which white space counts
    listed: list[int] = []  # and of those in which it parts signs
    while True:
        node = cursor.node
        if node is None:
            return
        start, end, kind = node.start_byte, node.end_byte, node.kind_id
        while start >= high:
            try:
                low, high = next(ranges)
            except StopIteration:
                return
        if end > low or (start == end == low):
            if start > done and start > low:  # a gap: white space, unless the grammar left something out
                gap = data[done:start]
                if listed and not quoted and not (_is_word(data[done - 1]) or _is_word(data[start])):
                    _add(
                        found,
                        b" ",
                        (depth, _GAP),
                        bisect_right(starts, done) - 1,
                        bisect_right(starts, start - 1) - 1,
                        done,
                    )
                elif quoted or not gap.isspace():
                    text = gap if quoted else gap.strip()
                    if quoted or text.strip(b"\\\r\n \t\f"):
                        row = bisect_right(starts, done) - 1
                        _add(found, text, (depth, _GAP), row, bisect_right(starts, start - 1) - 1, done)
            if kind not in opaque and not (kind in verbatim and _has_equals(node)) and into():
                done = max(done, start)
                below = kind in blocks and data.find(b"\n", parsed.before(start), start) >= 0
                lead.append(-kind if below else kind)
                if kind in verbatim:
                    quoted.append(depth)
                elif kind in spaced:
                    listed.append(depth)
                depth += 1
                continue
            if end > start and data[start:end].strip(b"\r\n") != b"\\":
                while starts[row + 1] <= start:
                    row += 1
                texts.append(data[start:end])
                shapes.append((depth - len(lead), *lead, kind))
                rows.append(row)
                last = row
                while starts[last + 1] < end:
                    last += 1
                ends.append(last)
                places.append(start)
        done = max(done, end)
        lead = []
        while not beside():
            if not out():
                return
            depth -= 1
            if quoted and quoted[-1] == depth:
                quoted.pop()
            if listed and listed[-1] == depth:
                listed.pop()


def _add(found: Leaves, text: bytes, shape: Shape, row: int, last: int, start: int) -> None:
    found.texts.append(text)
    found.shapes.append(shape)
    found.rows.append(row)
    found.ends.append(last)
    found.starts.append(start)


def _is_word(byte: int) -> bool:
    return byte > 127 or chr(byte).isalnum() or byte == 95


def _has_equals(node: object) -> bool:
    """Whether it is `{x=}` in a string, which prints the very text of its expression."""
    children = getattr(node, "children", ())
    return getattr(node, "type", "") == "interpolation" and any(child.type == "=" for child in children)


def lines_of(found: Leaves, first: int, end: int) -> Iterator[list[int]]:
    """For each row the indices of tokens that begin there; of a token from above, on the first row."""
    indices = found.within(first, end)
    at = indices.start
    for row in range(first, end):
        begun = []
        while at < indices.stop and found.rows[at] <= row:
            begun.append(at)
            at += 1
        yield begun
