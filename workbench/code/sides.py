"""One changed file with both of its sides taken apart, and the tokens of its changed rows; it claims nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.code.entities import Found, Outline, outline
from workbench.code.languages import kinds, language_of, traits
from workbench.code.leaves import Leaves, Range, Shape, leaves
from workbench.code.lines import Gap, gaps
from workbench.code.parsing import Parsed, parse

Token = tuple[bytes, Shape]
Key = tuple[Token, ...]  # of one row: its tokens; rows with equal keys are the same piece of program
_MEMBER = frozenset({b".", b"?.", b"::", b"->"})
_INSIDE: Shape = (-1,)  # the shape of a row that continues a token which began above


@dataclass(frozen=True, slots=True)
class Name:
    """What an identifier is called on the new side. `places` are where a member is defined, in bytes."""

    new: bytes
    is_local: bool = False  # never after a dot
    is_member: bool = False  # only after a dot, or where it is defined
    places: frozenset[int] = frozenset()


Names = Mapping[bytes, Name]
NO_NAMES: Names = {}


@dataclass(slots=True, eq=False)
class Side:
    """One side of a file. Tokens are there for the rows that were asked for."""

    parsed: Parsed
    outline: Outline
    tokens: Leaves = field(default_factory=Leaves)
    free: set[int] = field(default_factory=set)  # rows that the other side does not have
    keys: dict[int, Key] = field(default_factory=dict)
    around: list[int] = field(default_factory=list)  # of each row the innermost entity
    outside: set[bytes] = field(default_factory=set)  # names of the file itself, once somebody asked
    _indices: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def entities(self) -> list[Found]:
        """Its entities."""
        return self.outline.entities

    def entity_at(self, row: int) -> int:
        """The innermost entity around a row; -1 outside of all."""
        return self.around[row] if 0 <= row < len(self.around) else -1

    def is_damaged(self, first: int, end: int) -> bool:
        """Whether any of the rows does not parse."""
        damaged = self.outline.damaged
        return bool(damaged) and any(begin < end and first < stop for begin, stop in damaged)

    def read(self, ranges: Sequence[Range]) -> None:
        """Get the tokens of these rows."""
        self.tokens = leaves(self.parsed, ranges)
        texts, shapes, rows, ends = self.tokens.texts, self.tokens.shapes, self.tokens.rows, self.tokens.ends
        both = list(zip(texts, shapes, strict=True))
        at, count = 0, len(rows)
        while at < count:
            row, stop = rows[at], at + 1
            while stop < count and rows[stop] == row:
                stop += 1
            self._indices[row] = (at, stop)
            self.keys[row] = (*self.keys.get(row, ()), *both[at:stop])
            for index in range(at, stop):
                if ends[index] > row:
                    self._continued(index, row, ends[index])
            at = stop

    def _continued(self, index: int, row: int, last: int) -> None:
        text = self.tokens.texts[index]
        for below in range(row + 1, last + 1):
            self.keys[below] = (*self.keys.get(below, ()), (text, (*_INSIDE, below - row)))

    def key(self, row: int, *, depth: int = 0, names: Names = NO_NAMES) -> Key:
        """What the row says, as it would say it at the top with these new names."""
        key = self.keys.get(row, ())
        if not key or (not depth and not names):
            return key
        if names and not names.keys().isdisjoint(text for text, _ in key):
            key = self._renamed(row, key, names)
        return tuple((text, relative(shape, depth)) for text, shape in key) if depth else key

    def _renamed(self, row: int, key: Key, names: Names) -> Key:
        first, stop = self._indices.get(row, (0, 0))
        before = len(key) - (stop - first)  # what continues from above
        renamed = list(key)
        for index in range(first, stop):
            name = names.get(self.tokens.texts[index])
            if name is not None and self.may_rename(index, name):
                place = before + index - first
                renamed[place] = (name.new, renamed[place][1])
        return tuple(renamed)

    def may_rename(self, index: int, name: Name) -> bool:
        """Whether the token stands where the new name would."""
        language = self.parsed.language
        own = traits(language)
        texts, shape = self.tokens.texts, self.tokens.shapes[index]
        if shape[-1] not in kinds(language, own.names) or shape[0] < 0:
            return False
        if not kinds(language, own.fixed).isdisjoint(shape[1:]):
            return False
        if language == "python" and texts[index + 1 : index + 2] == [b"="] and not _assigns(language, shape):
            return False
        member = index > 0 and texts[index - 1] in _MEMBER
        if name.is_local:
            return not member
        return not name.is_member or member or self.tokens.starts[index] in name.places


def _assigns(language: str, shape: Shape) -> bool:
    return not kinds(language, frozenset({"assignment"})).isdisjoint(shape[1:])


def relative(shape: Shape, depth: int) -> Shape:
    """The shape as it would be if what stands at `depth` stood at the top."""
    if shape[0] < 0:
        return shape
    above = depth - shape[0]
    return (0, *shape[1 + above :]) if above > 0 else (-above, *shape[1:])


@dataclass(slots=True, eq=False)
class Pair:
    """One file, before and after."""

    path: str
    old_path: str
    language: str
    old: Side
    new: Side
    gaps: list[Gap]
    why: str = ""  # it is only lines
    is_old: bool = True  # whether the file was there
    is_new: bool = True  # whether it is
    _starts: list[tuple[list[int], list[int]]] = field(default_factory=list)

    def gap_of(self, row: int, *, is_new: bool) -> int:
        """Which gap a row is in; -1 where both sides have it."""
        if not self._starts:
            self._starts.append(([gap[0] for gap in self.gaps], [gap[2] for gap in self.gaps]))
        at = bisect_right(self._starts[0][is_new], row) - 1
        while at >= 0:
            gap = self.gaps[at]
            first, end = (gap[2], gap[3]) if is_new else (gap[0], gap[1])
            if first <= row < end:
                return at
            if first < end:
                return -1
            at -= 1
        return -1


def pair(path: str, old_path: str, old: bytes | None, new: bytes | None) -> Pair:
    """Both sides parsed and compared line by line."""
    language = language_of(path) if new is not None else language_of(old_path)
    if language != language_of(old_path) and old is not None:
        language = ""
    before, after = parse(old, language), parse(new, language)
    why = (before.why if old is not None else "") or (after.why if new is not None else "")
    if why and language:
        before, after = parse(old, ""), parse(new, "")
        language = ""
    lines = [] if why == "binary" else gaps(before.lines(), after.lines())
    sides = Side(before, outline(before)), Side(after, outline(after))
    for side, first, end in ((sides[0], 0, 1), (sides[1], 2, 3)):
        side.around = side.outline.innermost()
        side.free.update(row for gap in lines for row in range(gap[first], gap[end]))
    return Pair(path, old_path, language, *sides, lines, why, old is not None, new is not None)
