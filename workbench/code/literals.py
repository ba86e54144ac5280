"""Long texts in quotes that stand elsewhere now, word for word: a literal means the same wherever it stands.

Only the lines within the quotes are taken; what the text is given to stands on others, which stay to be read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from workbench.code.languages import kinds
from workbench.code.moves import Moved
from workbench.code.sides import Pair, Side

if TYPE_CHECKING:
    from tree_sitter import Node

FEWEST_ROWS = 4  # within the quotes; shorter texts are read as quickly as what would be said of them
_LITERALS = frozenset(
    {"string", "raw_string_literal", "string_literal", "template_string", "interpreted_string_literal"}
)
_FILLED_IN = b"${"  # where a value is put in, which depends on the place
_OPENING = re.compile(rb"[bBrRuU]*(?:\"\"\"|'''|#*\"|`)")  # of text that is taken as it stands: no f-strings
_LONG = re.compile(rb"\"\"\"|'''|`|\\\r?\n")  # without which no text in quotes goes on below its line
_LONG_RUST = re.compile(rb"\"")
_Literal = tuple[int, int, int]  # file, first row within the quotes, and the row after the last


def moved_literals(files: Sequence[Pair]) -> Iterator[Moved]:
    """All of them, of rows that nothing was claimed of; a text that stands twice on a side is left alone."""
    before, after = _by_text(files, is_new=False), _by_text(files, is_new=True)
    for text, ours in before.items():
        theirs = after.get(text, ())
        if len(ours) == len(theirs) == 1:
            (old_file, old, old_end), (new_file, new, new_end) = ours[0], theirs[0]
            gaps = files[old_file].gap_of(old, is_new=False), files[new_file].gap_of(new, is_new=True)
            if old_file == new_file and gaps[0] == gaps[1]:
                continue
            files[old_file].old.free.difference_update(range(old, old_end))
            files[new_file].new.free.difference_update(range(new, new_end))
            yield Moved(old_file, old, old_end, new_file, new, new_end, None)


def _by_text(files: Sequence[Pair], *, is_new: bool) -> dict[tuple[str, bytes], list[_Literal]]:
    found: dict[tuple[str, bytes], list[_Literal]] = defaultdict(list)
    for number, file in enumerate(files):
        side = file.new if is_new else file.old
        for node in _literals(side) if side.parsed.tree is not None else ():
            rows = node.start_point.row + 1, node.end_point.row
            text = side.parsed.data[node.start_byte : node.end_byte]
            if _stands_alone(text) and not side.is_damaged(*rows):
                found[file.language, text].append((number, *rows))
    return found


def _stands_alone(text: bytes) -> bool:
    """Whether the text means the same everywhere: nothing is put into it, and no letters before it say so."""
    opening = _OPENING.match(text)
    return opening is not None and not (opening[0] == b"`" and _FILLED_IN in text)


def _literals(side: Side) -> Iterator[Node]:
    """The literals whose rows within the quotes are all free; looked for where enough free rows stand together."""
    wanted = kinds(side.parsed.language, _LITERALS)
    assert side.parsed.tree is not None  # the caller looked
    root = side.parsed.tree.root_node
    starts, opening = side.parsed.starts, _LONG_RUST if side.parsed.language == "rust" else _LONG
    for first, end in _runs(sorted(side.free)):
        if end - first < FEWEST_ROWS or not opening.search(side.parsed.data, starts[max(0, first - 1)], starts[end]):
            continue
        row = first
        while row + FEWEST_ROWS <= end:
            row += FEWEST_ROWS
            start = starts[row - 1]
            node = root.descendant_for_byte_range(start, start)
            while node is not None and node.kind_id not in wanted:
                node = node.parent
            if node is None:
                continue
            within = range(node.start_point.row + 1, node.end_point.row)
            if len(within) >= FEWEST_ROWS and side.free.issuperset(within):
                yield node
            row = max(row, node.end_point.row)


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbouring rows, half-open."""
    cuts = [0, *(at for at, (one, two) in enumerate(pairwise(rows), 1) if two != one + 1), len(rows)]
    return ((rows[one], rows[two - 1] + 1) for one, two in pairwise(cuts) if one < two)
