"""Text for panes: headings, paragraphs, lists and lines of facts, wrapped at whatever width a pane has."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from workbench.ace.tui.text import EMPTY, Line, Piece, Role, blanks, cut, line, piece, safe_lines, wrapped


class Block(NamedTuple):
    """Something that can be laid out: a function from a width to lines."""

    lay: Callable[[int], Iterable[Line]]


class Prose:
    """A `Source` of blocks."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks

    def laid(self, cells: int) -> list[Line]:
        """All lines at this width."""
        return [words for block in self._blocks for words in block.lay(cells)]


def heading(text: str) -> Block:
    """A head above what follows."""
    return Block(lambda cells: (cut(line(piece(text, "title")), cells),))


def paragraph(text: str, role: Role = "plain", *, indent: int = 0) -> Block:
    """Words that are wrapped; line breaks in them are kept."""

    def lay(cells: int) -> Iterable[Line]:
        for words in safe_lines(text.strip("\n")):
            for wrapped_line in wrapped(Piece(words, role), cells - indent):
                yield line(" " * indent, *wrapped_line) if indent else wrapped_line

    return Block(lay)


def bullet(text: str, role: Role = "plain", *, sign: str = "-", sign_role: Role = "dim", indent: int = 2) -> Block:
    """One item of a list."""

    def lay(cells: int) -> Iterable[Line]:
        room = cells - indent - len(sign) - 1
        for number, words in enumerate(wrapped(Piece(piece(text).text, role), room)):
            lead = piece(sign, sign_role) if not number else blanks(len(sign))
            yield line(" " * indent, lead, " ", *words)

    return Block(lay)


def facts(*parts: Piece | str) -> Block:
    """One line, cut where it is too long."""
    return Block(lambda cells: (cut(line(*parts), cells),))


def blank() -> Block:
    """An empty line."""
    return Block(lambda _cells: (EMPTY,))
