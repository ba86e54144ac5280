"""What plays which role in a line of code, and which words of a changed line differ: as pieces of that line.

Roles come from the room of languages; it knows no colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

from workbench.ace.tui.difffold import ADDED, REMOVED
from workbench.ace.tui.diffrows import NONE
from workbench.ace.tui.text import MAX_CELLS, TAB_CELLS, Ground, Piece, Role, safe_line, shifted
from workbench.code.model import Role as Token
from workbench.code.model import Words
from workbench.code.unified import FileDiff
from workbench.model.text import cell_width, visible

MOST_WORDS = 500  # characters of a line up to which its words are compared with those of another
_ROLES: dict[Token, Role] = {
    "keyword": "code-keyword", "builtin": "code-keyword", "string": "code-string", "escape": "code-string",
    "comment": "code-comment", "number": "code-number", "constant": "code-number", "function": "code-function",
    "decorator": "code-function", "type": "code-type",
}  # fmt: skip

Spans = tuple[tuple[int, int, Token], ...]  # characters of one line, half-open, in order
Compare = Callable[[str, str], Words]


class Tones(NamedTuple):
    """Of the characters of one line: what they are, and which of them differ from the line beside it."""

    roles: Spans = ()
    words: tuple[tuple[int, int], ...] = ()


class Shade:
    """What is known of the lines of one file, by their numbers on either side."""

    def __init__(self, old: Mapping[int, Spans], new: Mapping[int, Spans], compare: Compare | None) -> None:
        self._old, self._new, self._compare = old, new, compare

    def tones(self, line: int, partner: int, diff: FileDiff) -> Tones:
        """Of a line of the diff; `partner` is the line beside it, NONE where there is none."""
        before, after = diff.numbers(line)
        roles = self._new.get(after, ()) if after else self._old.get(before, ())
        return Tones(roles, self._differing(line, partner, diff))

    def _differing(self, line: int, partner: int, diff: FileDiff) -> tuple[tuple[int, int], ...]:
        kind = diff.kind(line)
        if self._compare is None or partner == NONE or {kind, diff.kind(partner)} != {ADDED, REMOVED}:
            return ()
        mine, others = diff.text(line), diff.text(partner)
        if max(len(mine), len(others)) > MOST_WORDS:
            return ()
        found = self._compare(others, mine) if kind == ADDED else self._compare(mine, others)
        return found.new if kind == ADDED else found.old


SHADELESS = Shade({}, {}, None)


def toned(text: str, tones: Tones, *, role: Role, ground: Ground, colored: bool, left: int = 0) -> Iterator[Piece]:
    """A line as pieces. `colored`: with the roles of its tokens; `left`: from that cell on."""
    if len(text) > MAX_CELLS or not (tones.roles or tones.words):
        yield Piece(shifted(safe_line(text), left), role, ground)
        return
    line = text.rstrip("\r\n")
    shown, at = _shown(line)
    gone = left
    for start, end in pairwise(sorted(_bounds(tones, len(line), colored=colored))):
        words = safe_line(shown[at[start] : at[end]])
        width = cell_width(words)
        if width > gone:
            own = _role_at(tones.roles, start) if colored else None
            yield Piece(shifted(words, gone), own or role, _ground_at(tones.words, start, ground))
        gone = max(0, gone - width)


def _bounds(tones: Tones, length: int, *, colored: bool) -> set[int]:
    spans: Iterable[tuple[int, int]] = [(start, end) for start, end, _ in tones.roles] if colored else ()
    return {0, length} | {min(max(bound, 0), length) for span in (*spans, *tones.words) for bound in span}


def _shown(line: str) -> tuple[str, list[int]]:
    """The line as it is shown, and where each of its characters, and its end, stands in that."""
    if line.isascii() and line.isprintable():
        return line, list(range(len(line) + 1))
    parts: list[str] = []
    at = [0]
    for char in line:
        part = " " * (TAB_CELLS - at[-1] % TAB_CELLS) if char == "\t" else visible(char).replace("\n", "\\n")
        parts.append(part)
        at.append(at[-1] + len(part))
    return "".join(parts), at


def _role_at(roles: Spans, start: int) -> Role | None:
    return next((_ROLES.get(token) for first, end, token in reversed(roles) if first <= start < end), None)


def _ground_at(words: tuple[tuple[int, int], ...], start: int, ground: Ground) -> Ground:
    if any(first <= start < end for first, end in words):
        return "added-word" if ground == "added" else "removed-word"
    return ground
