"""One changed file with both of its sides taken apart, and the tokens of its changed rows; it claims nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.code.entities import Found, Outline, outline
from workbench.code.languages import kinds, language_of, traits
from workbench.code.leaves import Leaves, Range, leaves
from workbench.code.lines import Gap, gaps
from workbench.code.parsing import Parsed, parse
from workbench.code.vocabulary import CONTINUED, Vocabulary

Key = tuple[int, ...]  # of one row: its tokens; rows with equal keys are the same piece of program
MAX_AT_ONCE = 64  # tokens among which the end of a row is looked for
_ASSIGNING = frozenset({"assignment"})
_MEMBER = frozenset({b".", b"?.", b"::", b"->"})


@dataclass(frozen=True, slots=True)
class Name:
    """What an identifier is called on the new side. `places` are where a member is defined, in bytes."""

    new: bytes
    is_local: bool = False  # never after a dot
    is_member: bool = False  # only after a dot, or where it is defined
    places: frozenset[int] = frozenset()


class Names(dict[bytes, Name]):
    """New names by the old ones."""

    def __init__(self, names: Mapping[bytes, Name], vocabulary: Vocabulary) -> None:
        super().__init__(names)
        self.numbers = vocabulary.numbers(names)
        self.new_numbers = vocabulary.numbers(name.new for name in names.values())


@dataclass(slots=True, eq=False)
class Side:
    """One side of a file. Tokens are there for the rows that were asked for."""

    parsed: Parsed
    outline: Outline
    vocabulary: Vocabulary
    tokens: Leaves = field(default_factory=Leaves)
    free: set[int] = field(default_factory=set)  # rows that the other side does not have
    keys: dict[int, Key] = field(default_factory=dict)
    around: list[int] = field(default_factory=list)  # of each row the innermost entity
    outside: set[bytes] = field(default_factory=set)  # names of the file itself, once somebody asked
    _indices: dict[int, int] = field(default_factory=dict)

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
        self.tokens = leaves(self.parsed, ranges, self.vocabulary)
        numbers, rows = self.tokens.numbers, self.tokens.rows
        at, count, keys = 0, len(rows), self.keys
        while at < count:
            row = rows[at]
            stop = bisect_right(rows, row, at, min(count, at + MAX_AT_ONCE))
            while stop < count and rows[stop] == row:
                stop += 1
            keys[row] = tuple(numbers[at:stop])
            self._indices[row] = at
            at = stop
        for index, last in self.tokens.ends.items():
            self._continued(index, rows[index], last)

    def _continued(self, index: int, row: int, last: int) -> None:
        text = self.vocabulary.texts[self.tokens.numbers[index]]
        for below in range(row + 1, last + 1):
            number = self.vocabulary[text, CONTINUED, below - row]
            self.keys[below] = (number, *self.keys.get(below, ()))
            self._indices[below] = self._indices.get(below, 0) - 1

    def key(self, row: int, *, depth: int = 0, names: Names | None = None) -> Key:
        """What the row says, as it would say it at the top with these new names."""
        key = self.keys.get(row, ())
        if names and key and not names.numbers.isdisjoint(key):
            key = self._renamed(row, key, names)
        if depth and key:
            relative = self.vocabulary.relative
            return tuple([relative(number, depth) for number in key])
        return key

    def _renamed(self, row: int, key: Key, names: Names) -> Key:
        first, vocabulary = self._indices[row], self.vocabulary
        renamed = list(key)
        for place, number in enumerate(key):
            if number in names.numbers and (name := names.get(vocabulary.texts[number])) is not None:
                index = first + place
                if index >= 0 and self.tokens.rows[index] == row and self.may_rename(index, name):
                    renamed[place] = vocabulary.renamed(number, name.new)
        return tuple(renamed)

    def text(self, index: int) -> bytes:
        """The text of a token; empty beyond the last."""
        numbers = self.tokens.numbers
        return self.vocabulary.texts[numbers[index]] if 0 <= index < len(numbers) else b""

    def may_rename(self, index: int, name: Name) -> bool:
        """Whether the token stands where the new name would."""
        language, token = self.parsed.language, self.vocabulary.tokens[self.tokens.numbers[index]]
        own, begun = traits(language), token[2:]
        if token[-1] not in kinds(language, own.names) or token[1] == CONTINUED:
            return False
        if not kinds(language, own.fixed).isdisjoint(begun):
            return False
        if language == "python" and self.text(index + 1) == b"=" and kinds(language, _ASSIGNING).isdisjoint(begun):
            return False
        member = index > 0 and self.text(index - 1) in _MEMBER
        if name.is_local:
            return not member
        return not name.is_member or member or self.tokens.starts[index] in name.places


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


def pair(path: str, old_path: str, old: bytes | None, new: bytes | None, vocabulary: Vocabulary) -> Pair:
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
    sides = Side(before, outline(before), vocabulary), Side(after, outline(after), vocabulary)
    for side, first, end in ((sides[0], 0, 1), (sides[1], 2, 3)):
        side.around = side.outline.innermost()
        side.free.update(row for gap in lines for row in range(gap[first], gap[end]))
    return Pair(path, old_path, language, *sides, lines, why, old is not None, new is not None)
