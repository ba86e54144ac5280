"""A file's text as a tree, with where its lines begin and where it does not parse; it knows nothing of changes."""

from __future__ import annotations

import re
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from workbench.code.languages import parser

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

MAX_BYTES = 2_000_000  # of one side of a file; a larger one is compared as plain lines
MAX_LINE = 20_000  # bytes; longer lines are made by programs
NO_GRAMMAR = "no grammar for this kind of file"
MAX_DEPTH = 200  # of damage that is looked for; below, the whole node counts as damaged
MAX_UNWATCHED = 50_000  # bytes that can take no more than a moment
MAX_S = 5.0  # of the processor, for one side of a file
MAX_TOGETHER_S = 60.0  # of the processor, for all of them that are read for one purpose
_CHUNK = 1 << 16  # bytes that the parser is handed at once
_CR_ALONE = re.compile(rb"\r(?!\n)")
_BLANK = b" \t\r\n\f"
_AT_ONCE = 64  # bytes in which the last one that is no white space is looked for
_left: ContextVar[list[float] | None] = ContextVar("left", default=None)  # seconds


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """One side of a file. `tree` is None where it is only lines; then `why` says so."""

    data: bytes
    language: str
    tree: Tree | None
    lines: list[bytes]  # with their ends
    starts: list[int]  # of each line, and the end of the text twice
    why: str = ""

    @property
    def rows(self) -> int:
        """How many lines there are."""
        return len(self.lines)

    def row(self, byte: int) -> int:
        """The row, from 0, in which a byte stands."""
        return bisect_right(self.starts, byte, 0, len(self.lines) or 1) - 1

    def text(self, first: int, end: int) -> bytes:
        """These rows, as far as they are there."""
        starts, last = self.starts, len(self.lines)
        return self.data[starts[min(first, last)] : starts[min(end, last)]]

    def before(self, byte: int) -> int:
        """The byte after the last one before `byte` that is no white space."""
        at = byte
        while at > 0:
            first = max(0, at - _AT_ONCE)
            kept = self.data[first:at].rstrip(_BLANK)
            if kept:
                return first + len(kept)
            at = first
        return at


@contextmanager
def together(seconds: float = MAX_TOGETHER_S) -> Iterator[None]:
    """All that is parsed within has no more than this much of the processor; what comes too late is lines alone.

    Within another one, what is parsed counts for that.
    """
    if _left.get() is not None:
        yield
        return
    token = _left.set([seconds])
    try:
        yield
    finally:
        _left.reset(token)


def parse(data: bytes | None, language: str) -> Parsed:
    """`data` as a tree; as lines alone where there is no grammar, or it is too big, or no text."""
    text = data or b""
    lines = _lines(text)
    why = _reason(text, lines, language)
    tree = None if why else _tree(text, language)
    if tree is None and not why:
        left = _left.get()
        is_late = left is not None and left[0] <= 0
        why = "the whole change takes too long to read" if is_late else f"takes more than {MAX_S:.0f} s to read"
    return Parsed(text, language, tree, lines, [0, *accumulate(map(len, lines)), len(text)], why)


def _tree(text: bytes, language: str) -> Tree | None:
    """None where it takes too long: grammars that look ahead over comments take the square of how many there are."""
    if len(text) <= MAX_UNWATCHED:
        return parser(language).parse(text)
    left = _left.get() or [MAX_S]
    begun, most = time.thread_time(), min(MAX_S, left[0])
    soonest = time.perf_counter() + most  # a clock that is read at once; no thread works longer than time passes

    def is_over(_offset: int, _has_error: bool) -> bool:
        return time.perf_counter() > soonest and time.thread_time() > begun + most

    try:
        return parser(language).parse(lambda at, _: text[at : at + _CHUNK], progress_callback=is_over)
    except ValueError:
        return None
    finally:
        left[0] -= time.thread_time() - begun


def _reason(data: bytes, lines: list[bytes], language: str) -> str:
    if not language:
        return NO_GRAMMAR
    if len(data) > MAX_BYTES:
        return f"larger than {MAX_BYTES // 1_000_000} MB"
    if b"\0" in data:
        return "binary"
    if language == "python" and b"\r" in data and _CR_ALONE.search(data):
        return "has line ends that Python knows and git does not"
    if len(data) > MAX_LINE and max(map(len, lines)) > MAX_LINE and max(map(len, data.split(b"\n"))) > MAX_LINE:
        return f"has lines of more than {MAX_LINE:,} bytes"
    return ""


def _lines(data: bytes) -> list[bytes]:
    """Only a line feed ends a line."""
    if b"\r" not in data:
        return data.splitlines(keepends=True)
    *ended, last = data.split(b"\n")
    lines = [line + b"\n" for line in ended]
    return [*lines, last] if last else lines


def damaged_nodes(node: Node, depth: int = 0) -> list[Node]:
    """The outermost nodes below `node` that the grammar could not make sense of."""
    if not node.has_error:
        return []
    if node.is_error or node.is_missing or depth > MAX_DEPTH:
        return [node]
    return [found for child in node.children for found in damaged_nodes(child, depth + 1)]
