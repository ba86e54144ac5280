"""The one way by which words reach a screen: everything painted is a `Safe`, and only this module makes one.

Whatever comes from an agent, a repository, a plugin or a model passes `safe`, which shows every control and hidden
character as an escape; nothing that is painted is ever read as markup. It knows no widget.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple, NewType

from workbench.model.text import cell_width, clip, one_line, visible

Safe = NewType("Safe", str)  # printable, on one line, no hidden characters

Role = Literal[
    "plain", "dim", "strong", "title", "accent", "needs-you", "proven", "failed", "claimed", "stale", "mechanical",
    "agent-1", "agent-2", "agent-3", "agent-4", "agent-5", "agent-6", "added", "removed", "hunk", "match",
    "code-keyword", "code-string", "code-comment", "code-number", "code-function", "code-type",
]  # fmt: skip
Ground = Literal["", "added", "removed", "added-word", "removed-word"]  # what lies beneath words of a change

TAB_CELLS = 4
MOST_BLANKS = 8  # kept at the ends of words
MAX_CELLS = 2_000  # of one line that is laid out; a longer one is cut, with its full length said


class Piece(NamedTuple):
    """Words with what they mean; the theme decides how that looks."""

    text: Safe
    role: Role = "plain"
    ground: Ground = ""


Line = tuple[Piece, ...]
EMPTY: Line = ()
BLANK = Safe(" ")
NOTHING = Safe("")


def safe(text: str, cells: int = 0) -> Safe:
    """`text` on one line with hidden characters shown, runs of blanks as one; cut to `cells` unless that is 0."""
    return Safe(one_line(text, cells))


def safe_line(text: str) -> Safe:
    """One line of a file or an output, its indentation kept: tabs as blanks, hidden characters shown, bounded."""
    shown = visible(text.rstrip("\r\n")).expandtabs(TAB_CELLS).replace("\n", "\\n")
    if len(shown) <= MAX_CELLS:
        return Safe(shown)
    return Safe(f"{shown[:MAX_CELLS]} [… {len(shown)} characters]")


def safe_lines(text: str) -> Iterator[Safe]:
    """The lines of a longer text."""
    return (safe_line(line) for line in text.split("\n"))


def piece(text: str, role: Role = "plain", cells: int = 0) -> Piece:
    """Words from anywhere with what they mean; a few blanks at their ends are kept."""
    words = _spaced(text)
    return Piece(Safe(clip(words, cells)) if cells else words, role)


def line(*parts: Piece | str) -> Line:
    """A line of pieces; plain words may be given as they are."""
    return tuple(part if isinstance(part, Piece) else Piece(_spaced(part)) for part in parts)


def width_of(words: Iterable[Piece]) -> int:
    """The cells that a line takes."""
    return sum(cell_width(part.text) for part in words)


def cut(words: Line, cells: int) -> Line:
    """The line in at most so many cells, with an ellipsis if something was cut."""
    if width_of(words) <= cells:
        return words
    kept: list[Piece] = []
    left = cells
    for part in words:
        width = cell_width(part.text)
        if width < left or (width == left and part is words[-1]):
            kept.append(part)
            left -= width
            continue
        kept.append(part._replace(text=Safe(clip(part.text + " ", left))))
        break
    return tuple(kept)


def padded(words: Piece, cells: int, *, right: bool = False) -> Piece:
    """Words in exactly so many cells."""
    text = clip(words.text, cells)
    blanks = " " * (cells - cell_width(text))
    return Piece(Safe(blanks + text if right else text + blanks), words.role)


def blanks(cells: int) -> Piece:
    """So many blank cells."""
    return Piece(Safe(" " * max(0, cells)))


def shifted(words: Safe, cells: int) -> Safe:
    """Words from that cell on, as when a pane is moved to the right; half a wide character is a blank."""
    if words.isascii() or not cells:
        return Safe(words[cells:])
    gone = 0
    for index, char in enumerate(words):
        if gone >= cells:
            return Safe(" " * (gone - cells) + words[index:])
        gone += cell_width(char)
    return Safe(" " * (gone - cells))


def wrapped(words: Piece, cells: int, *, indent: int = 0) -> Iterator[Line]:
    """Words over as many lines as they need, broken between words, and within one only where it is longer than a line.

    All lines but the first stand `indent` cells deeper.
    """
    room = max(cells, 8)
    margin = ""
    taken: list[str] = []
    used = 0
    for word in _bounded(words.text.split(" "), room - indent):
        width = cell_width(word)
        if taken and used + 1 + width > room - len(margin):
            yield (Piece(Safe(margin + " ".join(taken)), words.role),)
            margin, taken, used = " " * indent, [], 0
        used += width + bool(taken)
        taken.append(word)
    yield (Piece(Safe(margin + " ".join(taken)), words.role),)


def _bounded(words: Sequence[str], room: int) -> Iterator[str]:
    for word in words:
        rest = word
        while cell_width(rest) > room:
            end = len(clip(rest, room)) - 1
            yield rest[: max(end, 1)]
            rest = rest[max(end, 1) :]
        yield rest


def _spaced(text: str) -> Safe:
    inner = one_line(text)
    if not inner:
        return Safe(" " * min(len(text), MOST_BLANKS))
    lead, trail = len(text) - len(text.lstrip()), len(text) - len(text.rstrip())
    return Safe(" " * min(lead, MOST_BLANKS) + inner + " " * min(trail, MOST_BLANKS))
