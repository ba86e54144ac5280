"""One changed file with both of its sides taken apart, and the tokens of its changed rows; it claims nothing."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from workbench.code.entities import Found, Outline, outline
from workbench.code.languages import family_of, kinds, language_of, traits
from workbench.code.leaves import Leaves, leaves
from workbench.code.lines import Gap, gaps
from workbench.code.parsing import Parsed, parse
from workbench.code.vocabulary import CONTINUED, Vocabulary

Key = tuple[int, ...]  # of one row: its tokens; rows with equal keys are the same piece of program
MAX_AT_ONCE = 64  # tokens among which the end of a row is looked for
MAX_BLANKS = 400  # bytes after a name in which a sign is looked for
_ASSIGNING = frozenset({"assignment"})
_WORDS_ALONE = bytes(byte if re.match(rb"[\w$\x80-\xff]", bytes([byte])) else 32 for byte in range(256))
SPACE = b" \t\r\n\f\v"
_FEW = 4  # rows, that are bared at once one by one
_INLINE = SPACE.replace(b"\n", b"")


@dataclass(frozen=True, slots=True)
class Name:
    """What an identifier is called on the new side. `places` are where a member is defined, in bytes."""

    new: bytes
    is_local: bool = False  # never after a dot
    is_member: bool = False  # only after a dot, or where it is defined
    places: frozenset[int] = frozenset()


class Names(dict[bytes, Name]):
    """New names by the old ones."""

    def __init__(self, names: Mapping[bytes, Name]) -> None:
        super().__init__(names)
        self.news = frozenset(name.new for name in names.values())

    def said(self, text: bytes) -> bytes:
        """`text` with the new name wherever an old one stands, whatever it means there: it only finds candidates."""
        present = [name for name in self if name in text]
        return _any_of(frozenset(present)).sub(lambda found: self[found[0]].new, text) if present else text

    def within(self, words: Set[bytes]) -> Names | None:
        """Those whose old name is among `words`; None where there is none."""
        present = self.keys() & words
        return Names({name: self[name] for name in present}) if present else None


def words(text: bytes) -> list[bytes]:
    """Names, keywords and numbers, in order."""
    return text.translate(_WORDS_ALONE).split()


@lru_cache(maxsize=1024)
def _any_of(names: frozenset[bytes]) -> re.Pattern[bytes]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return re.compile(rb"(?<![\w$\x80-\xff])(?:" + b"|".join(map(re.escape, longest_first)) + rb")(?![\w$\x80-\xff])")


@dataclass(slots=True, eq=False)
class Side:
    """One side of a file. Tokens are there for the rows that were asked for."""

    parsed: Parsed
    outline: Outline
    vocabulary: Vocabulary
    entities: list[Found] = field(init=False)
    free: set[int] = field(default_factory=set)  # rows that the other side does not have
    keys: dict[int, Key] = field(default_factory=dict)
    around: list[int] = field(init=False)  # of each row the innermost entity
    outside: set[bytes] = field(default_factory=set)  # names of the file itself, once somebody asked
    _where: dict[int, tuple[Leaves, int]] = field(default_factory=dict)  # of each row its tokens and the first of them

    def __post_init__(self) -> None:
        self.entities = self.outline.entities
        self.around = self.outline.innermost()

    def entity_at(self, row: int) -> int:
        """The innermost entity around a row; -1 outside of all."""
        return self.around[row] if 0 <= row < len(self.around) else -1

    def words(self) -> set[bytes]:
        """All words of the text."""
        return set(words(self.parsed.data))

    def has_read(self, rows: tuple[int, int]) -> bool:
        """Whether the tokens of all these rows are there."""
        return all(map(self.keys.__contains__, range(*rows)))

    def free_within(self, first: int, end: int) -> list[int]:
        """The free ones among some rows."""
        return sorted(self.free.intersection(range(first, end)))

    def is_damaged(self, first: int, end: int) -> bool:
        """Whether any of the rows does not parse."""
        damaged = self.outline.damaged
        return bool(damaged) and any(begin < end and first < stop for begin, stop in damaged)

    def bare(self, rows: Sequence[int], names: Names | None = None) -> list[bytes]:
        """Each of these rows without white space: rows that differ in it differ in their tokens."""
        lines = self.parsed.lines
        if not names and len(rows) <= _FEW:
            return [lines[row].translate(None, SPACE).rstrip(b"\\") for row in rows]
        text = b"".join([lines[row] for row in rows])
        bare = (names.said(text) if names else text).translate(None, _INLINE).split(b"\n")[: len(rows)]
        return [line.rstrip(b"\\") for line in bare] if b"\\" in text else bare

    def read(self, rows: Iterable[int]) -> None:
        """Get the tokens of these rows, unless they are there."""
        wanted = {row for row in rows if row not in self.keys}
        if not wanted:
            return
        found = leaves(self.parsed, [(row, row + 1) for row in wanted], self.vocabulary)
        self.keys.update(dict.fromkeys(wanted, ()))
        numbers, at, count = found.numbers, 0, len(found.rows)
        while at < count:
            row = found.rows[at]
            stop = bisect_right(found.rows, row, at, min(count, at + MAX_AT_ONCE))
            while stop < count and found.rows[stop] == row:
                stop += 1
            if row in wanted:
                self.keys[row] = tuple(numbers[at:stop])
                self._where[row] = found, at
            at = stop
        for index, last in found.ends.items():
            self._continued(found, index, last, wanted)

    def _continued(self, found: Leaves, index: int, last: int, wanted: Set[int]) -> None:
        text, first = self.vocabulary.texts[found.numbers[index]], found.rows[index]
        for below in wanted & set(range(first + 1, last + 1)):
            self.keys[below] = (self.vocabulary[text, CONTINUED, below - first], *self.keys[below])
            self._where[below] = found, self._where.get(below, (found, 0))[1] - 1

    def key(self, row: int, *, depth: int = 0, names: Names | None = None) -> Key:
        """What the row says, as it would say it at the top with these new names."""
        key = self.keys.get(row, ())
        if names and key:
            key = self._renamed(row, key, names)
        if depth and key:
            relative = self.vocabulary.relative
            return tuple([relative(number, depth) for number in key])
        return key

    def _renamed(self, row: int, key: Key, names: Names) -> Key:
        texts = self.vocabulary.texts
        places = [place for place, number in enumerate(key) if texts[number] in names]
        if not places:
            return key
        found, first = self._where[row]
        renamed = list(key)
        for place in places:
            index, name = first + place, names[texts[key[place]]]
            if index >= 0 and found.rows[index] == row and self._may_rename(found, index, name):
                renamed[place] = self.vocabulary.renamed(key[place], name.new)
        return tuple(renamed)

    def _may_rename(self, found: Leaves, index: int, name: Name) -> bool:
        """Whether the token stands where the new name would."""
        language, token = self.parsed.language, self.vocabulary.tokens[found.numbers[index]]
        own, begun = traits(language), token[2:]
        if token[-1] not in kinds(language, own.names) or token[1] == CONTINUED:
            return False
        if not kinds(language, own.fixed).isdisjoint(begun):
            return False
        start = found.starts[index]
        if language == "python" and kinds(language, _ASSIGNING).isdisjoint(begun):
            after = self.parsed.data[start + len(self.vocabulary.texts[found.numbers[index]]) :][:MAX_BLANKS].lstrip()
            if after[:1] == b"=" and after[:2] != b"==":
                return False
        member = self._is_member(start)
        if name.is_local:
            return not member
        return not name.is_member or member or start in name.places

    def _is_member(self, start: int) -> bool:
        """Whether a dot, or what means as much, stands before a byte."""
        end = self.parsed.before(start)
        before = self.parsed.data[max(0, end - 2) : end]
        return before in (b"::", b"->") or (before[-1:] == b"." and before != b"..")


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

    def recut(self) -> None:
        """Somebody has changed the gaps."""
        self._starts.clear()

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
    if old is not None and family_of(language) != family_of(language_of(old_path)):
        language = ""
    before, after = parse(old, language), parse(new, language)
    why = (before.why if old is not None else "") or (after.why if new is not None else "")
    if why and language:
        before, after = parse(old, ""), parse(new, "")
        language = ""
    lines = [] if why == "binary" else gaps(before.lines, after.lines)
    sides = Side(before, outline(before), vocabulary), Side(after, outline(after), vocabulary)
    for side, first, end in ((sides[0], 0, 1), (sides[1], 2, 3)):
        for gap in lines:
            side.free.update(range(gap[first], gap[end]))
    return Pair(path, old_path, language, *sides, lines, why, old is not None, new is not None)
