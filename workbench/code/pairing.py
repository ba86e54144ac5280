"""Which entity of the old side became which of the new one: by name, by equal words, by shared lines. By hash, so that
no two entities are compared that share nothing. It folds nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import msgspec

from workbench.code.entities import Found
from workbench.code.sides import Pair, Side, words

Known = tuple[int, int]  # number of the file, index of the entity in its side
MIN_WORDS = 8  # and signs, of something that is recognised by them alone, under another name
MIN_LINES = 3  # of a constant that is recognised by its lines
MIN_SHARED = 4  # characters of a line that counts as shared
MAX_HOLDERS = 8  # entities that share a line which still tells something
_SIGNATURE = re.compile(rb"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|\w+|\S")
_WORDS = re.compile(rb"[\w$\x80-\xff]+|[^\w\s$\x80-\xff]")
_NO_SIGNS = bytes(byte for byte in range(256) if re.match(rb"[\w$\x80-\xff\s]", bytes([byte])))
_CALLED = {"function", "method"}  # each of which becomes the other where it moves
LIKE_ITSELF = 0.4  # share of lines by which the same name elsewhere is the same thing
LIKE_ANOTHER = 0.6  # share of lines by which another name in the same place is the same thing


KEYWORDS = frozenset(
    b"and as async await break case catch class const continue def defer del do elif else enum except export extends "
    b"finally fn for from func function go if impl import in interface is lambda let loop match mod mut new not or "
    b"pass pub raise range return select self static struct super switch this throw trait try type use var while with "
    b"yield None True False null true false nil".split()
)  # by which code is told from other code that has other names


@dataclass(slots=True)
class Match:
    """An entity of both sides. `is_exact`: its words are equal but for its own name."""

    old: Known
    new: Known
    is_exact: bool = False


@dataclass(slots=True)
class Matches:
    """Who became who; `gone` and `made` have no partner."""

    pairs: list[Match] = field(default_factory=list)
    of_old: dict[Known, Match] = field(default_factory=dict)
    of_new: dict[Known, Match] = field(default_factory=dict)
    gone: list[Known] = field(default_factory=list)
    made: list[Known] = field(default_factory=list)

    def add(self, old: Known, new: Known, *, is_exact: bool = False) -> None:
        """Keep a pair."""
        match = Match(old, new, is_exact)
        self.pairs.append(match)
        self.of_old[old] = match
        self.of_new[new] = match


def match_entities(files: Sequence[Pair]) -> Matches:
    """All pairs. Reads the words of what has no partner by name, and no tokens."""
    found = Matches()
    for number, file in enumerate(files):
        _by_name(number, file, found)
    _collect(files, found)
    _by_words(files, found, found.gone, found.made, _ROUNDS)
    _by_lines(files, found, found.gone, found.made)
    _within(files, found)
    _collect(files, found)
    found.gone = [known for known in found.gone if not _may_stand(files, known, is_new=False)]
    found.made = [known for known in found.made if not _may_stand(files, known, is_new=True)]
    return found


def _may_stand(files: Sequence[Pair], known: Known, *, is_new: bool) -> bool:
    """Whether the other side of the file says the name where it does not parse."""
    file = files[known[0]]
    side = file.old if is_new else file.new
    each = entity_of(files, known, is_new=is_new)
    named = words(each.last_name.encode())
    return each.kind != "import" and any(
        set(words(side.parsed.text(*rows))).issuperset(named) for rows in side.outline.damaged
    )


def _by_name(number: int, file: Pair, found: Matches) -> None:
    ours, theirs = _keyed(file.old.entities), _keyed(file.new.entities)
    for key, old in ours.items():
        if (new := theirs.get(key)) is not None:
            found.add((number, old), (number, new))


def _keyed(entities: Sequence[Found]) -> dict[tuple[str, bool, int], int]:
    keyed: dict[tuple[str, bool, int], int] = {}
    seen: Counter[tuple[str, bool]] = Counter()
    for index, each in enumerate(entities):
        key = each.name, each.kind == "import"
        keyed[(*key, seen[key])] = index
        seen[key] += 1
    return keyed


def _collect(files: Sequence[Pair], found: Matches) -> None:
    found.gone = [
        (number, index)
        for number, file in enumerate(files)
        for index in range(len(file.old.entities))
        if (number, index) not in found.of_old
    ]
    found.made = [
        (number, index)
        for number, file in enumerate(files)
        for index in range(len(file.new.entities))
        if (number, index) not in found.of_new
    ]


# --- by equal words -----------------------------------------------------------------------------------------------


class Print(msgspec.Struct, frozen=True):
    """The words and signs of an entity, without the comment above it, wherever it stands and whatever its name is."""

    count: int
    words: bytes
    is_class: bool


def fingerprint(side: Side, each: Found, *, is_loose: bool = False) -> Print:
    """What an entity says; of its names, if loosely, only where they stand."""
    own = each.last_name.encode()
    words = _WORDS.findall(side.parsed.data, each.start, each.stop)
    if is_loose:
        said = [word if word in KEYWORDS or not word[:1].isalpha() else b"" for word in words]
    else:
        said = [b"" if word == own else word for word in words]
    return Print(len(words), b"\0".join(said), each.kind == "class")


def _by_words(
    files: Sequence[Pair], found: Matches, gone: Sequence[Known], made: Sequence[Known], rounds: Sequence[_Round]
) -> None:
    for is_loose, groups in rounds:
        left = _by_signs(files, [each for each in gone if each not in found.of_old], False, is_loose)
        came = _by_signs(files, [each for each in made if each not in found.of_new], True, is_loose)
        ours, theirs = _printed(files, left, came, False, is_loose), _printed(files, came, left, True, is_loose)
        for same in groups:
            for print_, olds in ours.items():
                if news := theirs.get(print_):
                    _unique(files, found, olds, news, same, print_.count, is_exact=not is_loose)


def _by_signs(files: Sequence[Pair], known: Iterable[Known], is_new: bool, is_loose: bool) -> dict[Known, bytes]:
    """All that stands between the words of each; where that differs, so do the fingerprints."""
    signs = {}
    for number, index in known:
        side = files[number].new if is_new else files[number].old
        each = side.entities[index]
        if not each.is_damaged and each.kind != "import" and (each.signature or not is_loose):
            signs[number, index] = side.parsed.data[each.start : each.stop].translate(None, _NO_SIGNS)
    return signs


def _printed(
    files: Sequence[Pair], known: dict[Known, bytes], others: dict[Known, bytes], is_new: bool, is_loose: bool
) -> dict[Print, list[Known]]:
    """Those whose signs some of the other side have by their fingerprints."""
    printed: dict[Print, list[Known]] = defaultdict(list)
    shared = frozenset(others.values())
    for (number, index), signs in known.items():
        if signs in shared:
            side = files[number].new if is_new else files[number].old
            printed[fingerprint(side, side.entities[index], is_loose=is_loose)].append((number, index))
    return printed


Key = tuple[object, ...]
_Grouping = Callable[[Sequence[Pair], Known, Found, int], Key | None]


def _same_name(_files: Sequence[Pair], _known: Known, each: Found, _size: int) -> Key | None:
    return (each.last_name,)


def _same_place(_files: Sequence[Pair], known: Known, each: Found, size: int) -> Key | None:
    return (known[0], each.container) if size > MIN_WORDS else None


def _same_signature(_files: Sequence[Pair], known: Known, each: Found, size: int) -> Key | None:
    return (known[0], each.container, nameless(each)) if size > 2 * MIN_WORDS and each.signature else None


def _anywhere(_files: Sequence[Pair], _known: Known, _each: Found, size: int) -> Key | None:
    return () if size > 3 * MIN_WORDS else None


def _within_place(_files: Sequence[Pair], _known: Known, _each: Found, size: int) -> Key | None:
    return () if size > MIN_WORDS else None


def _within_signature(_files: Sequence[Pair], _known: Known, each: Found, size: int) -> Key | None:
    return (nameless(each),) if size > 2 * MIN_WORDS and each.signature else None


_Round = tuple[bool, tuple[_Grouping, ...]]  # whether names count, and among which those of equal words are alone
_ROUNDS: tuple[_Round, ...] = ((False, (_same_name, _same_place, _anywhere)), (True, (_same_signature,)))
_ROUNDS_WITHIN: tuple[_Round, ...] = ((False, (_within_place,)), (True, (_within_signature,)))


def _unique(
    files: Sequence[Pair],
    found: Matches,
    olds: list[Known],
    news: list[Known],
    group: _Grouping,
    size: int,
    *,
    is_exact: bool,
) -> None:
    """Pair those that are alone on both sides of a group."""
    ours = _grouped(files, [each for each in olds if each not in found.of_old], group, size, is_new=False)
    theirs = _grouped(files, [each for each in news if each not in found.of_new], group, size, is_new=True)
    for key, left in ours.items():
        right = theirs.get(key, [])
        if len(left) == len(right) == 1:
            _pair(files, found, left[0], right[0], is_exact=is_exact)


def _grouped(
    files: Sequence[Pair], known: Iterable[Known], group: _Grouping, size: int, *, is_new: bool
) -> dict[Key, list[Known]]:
    grouped: dict[Key, list[Known]] = defaultdict(list)
    for each in known:
        key = group(files, each, entity_of(files, each, is_new=is_new), size)
        if key is not None:
            grouped[key].append(each)
    return grouped


def entity_of(files: Sequence[Pair], known: Known, *, is_new: bool) -> Found:
    """The entity itself."""
    file = files[known[0]]
    return (file.new if is_new else file.old).entities[known[1]]


def _pair(files: Sequence[Pair], found: Matches, old: Known, new: Known, *, is_exact: bool) -> None:
    """Keep a pair, and with a container's what both hold under the same name."""
    if old in found.of_old or new in found.of_new:
        return
    found.add(old, new, is_exact=is_exact)
    theirs: dict[str, list[int]] = defaultdict(list)
    for index in entity_of(files, new, is_new=True).members:
        theirs[files[new[0]].new.entities[index].last_name].append(index)
    for index in entity_of(files, old, is_new=False).members:
        named = theirs.get(files[old[0]].old.entities[index].last_name, [])
        if len(named) == 1:
            _pair(files, found, (old[0], index), (new[0], named[0]), is_exact=is_exact)


def nameless(each: Found) -> tuple[bytes, ...]:
    """The signature in words, without the name."""
    if each.words is None:
        own = each.last_name.encode()
        each.words = tuple(word for word in _SIGNATURE.findall(each.signature.encode()) if word != own)
    return each.words


# --- by what they stand in ----------------------------------------------------------------------------------------


def _within(files: Sequence[Pair], found: Matches) -> None:
    """What is left in a container that is called otherwise, or stands elsewhere: its members may be, too."""
    for match in found.pairs:  # which grows by containers that stand in containers
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        if old.name == new.name and match.old[0] == match.new[0]:
            continue
        gone = [known for index in old.members if (known := (match.old[0], index)) not in found.of_old]
        made = [known for index in new.members if (known := (match.new[0], index)) not in found.of_new]
        if gone and made:
            _by_words(files, found, gone, made, _ROUNDS_WITHIN)
            _by_lines(files, found, gone, made, is_within=True)


# --- by shared lines ----------------------------------------------------------------------------------------------


def _by_lines(
    files: Sequence[Pair], found: Matches, gone: Sequence[Known], made: Sequence[Known], *, is_within: bool = False
) -> None:
    """Pair by shared lines; `is_within`: all stand in one container, so that another name is no other place."""
    holders: dict[bytes, list[Known]] = defaultdict(list)
    sizes: dict[Known, int] = {}
    for known in gone:
        if known not in found.of_old:
            for line in _lines(files[known[0]].old, entity_of(files, known, is_new=False), known, sizes):
                holders[line].append(known)
    wanted = [known for known in made if known not in found.of_new]
    ranked = [ranked for known in wanted for ranked in _alike(files, known, holders, sizes, found)]
    for share, named, near, old, new in sorted(ranked, key=lambda each: (-each[0], each[3], each[4])):
        if named or ((near or is_within) and share >= LIKE_ANOTHER):
            _pair(files, found, old, new, is_exact=False)


def _lines(side: Side, each: Found, known: Known, sizes: dict[Known, int]) -> Iterable[bytes]:
    """Those that count, each once, in order: so that of equally good partners always the same one is taken."""
    if each.kind == "import" or (each.kind == "constant" and each.end - each.first < MIN_LINES):
        return ()
    stripped = map(bytes.strip, side.parsed.lines[each.first : each.end])
    lines = dict.fromkeys(line for line in stripped if len(line) >= MIN_SHARED)
    sizes[known] = len(lines)
    return lines


def _alike(
    files: Sequence[Pair], new: Known, holders: dict[bytes, list[Known]], sizes: dict[Known, int], found: Matches
) -> Iterator[tuple[float, bool, bool, Known, Known]]:
    each = entity_of(files, new, is_new=True)
    own: dict[Known, int] = {}
    holding = (holders.get(line, ()) for line in _lines(files[new[0]].new, each, new, own))
    counts = Counter(chain.from_iterable(some for some in holding if len(some) <= MAX_HOLDERS))
    for old, shared in counts.most_common(3):
        was = entity_of(files, old, is_new=False)
        share = 2 * shared / (sizes[old] + own[new])
        named = was.last_name == each.last_name and share >= LIKE_ITSELF
        near = old[0] == new[0] and was.container == each.container
        alike = was.kind == each.kind or {was.kind, each.kind} <= _CALLED
        if old not in found.of_old and alike:
            yield share, named, near, old, new
