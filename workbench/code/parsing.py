"""A file's text as a tree, with where its lines begin and where it does not parse; it knows nothing of changes."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.code.languages import parser

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_BYTES = 2_000_000  # of one side of a file; a larger one is compared as plain lines
MAX_LINE = 20_000  # bytes; longer lines are made by programs
NO_GRAMMAR = "no grammar for this kind of file"
MAX_DEPTH = 200  # of damage that is looked for; below, the whole node counts as damaged


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """One side of a file. `tree` is None where it is only lines; then `why` says so."""

    data: bytes
    language: str
    tree: Tree | None
    starts: list[int]  # of each line, and the end of the text twice
    why: str = ""

    @property
    def rows(self) -> int:
        """How many lines there are."""
        return len(self.starts) - 2

    def row(self, byte: int) -> int:
        """The row, from 0, in which a byte stands."""
        return min(bisect_right(self.starts, byte) - 1, max(0, self.rows - 1))

    def line(self, row: int) -> bytes:
        """A line with its end."""
        return self.data[self.starts[row] : self.starts[row + 1]]

    def lines(self) -> list[bytes]:
        """All lines with their ends."""
        return self.data.splitlines(keepends=True) if b"\r" not in self.data else self._split()

    def _split(self) -> list[bytes]:
        return [self.line(row) for row in range(self.rows)]

    def before(self, byte: int) -> int:
        """The byte after the last one before `byte` that is no white space."""
        at = byte
        while at > 0 and self.data[at - 1] in b" \t\r\n\f":
            at -= 1
        return at


def parse(data: bytes | None, language: str) -> Parsed:
    """`data` as a tree; as lines alone where there is no grammar, or it is too big, or no text."""
    text = data or b""
    why = _reason(text, language)
    tree = None if why else parser(language).parse(text)
    return Parsed(data=text, language=language, tree=tree, starts=_starts(text), why=why)


def _reason(data: bytes, language: str) -> str:
    if not language:
        return NO_GRAMMAR
    if len(data) > MAX_BYTES:
        return f"larger than {MAX_BYTES // 1_000_000} MB"
    if b"\0" in data:
        return "binary"
    if len(data) > MAX_LINE and max(map(len, data.split(b"\n"))) > MAX_LINE:
        return f"has lines of more than {MAX_LINE:,} bytes"
    return ""


def _starts(data: bytes) -> list[int]:
    starts, at = [0], 0
    for piece in data.split(b"\n")[:-1]:
        at += len(piece) + 1
        starts.append(at)
    if starts[-1] != len(data) or not data:
        starts.append(len(data))
    if not data:
        starts.pop()
    return [*starts, len(data)] if len(starts) > 1 else [0, 0]


def damaged_nodes(node: Node, depth: int = 0) -> list[Node]:
    """The outermost nodes below `node` that the grammar could not make sense of."""
    if not node.has_error:
        return []
    if node.is_error or node.is_missing or depth > MAX_DEPTH:
        return [node]
    return [found for child in node.children for found in damaged_nodes(child, depth + 1)]
