"""Which file that came is one that went: the same bytes, or most of its lines. It parses nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import chain

from workbench.code.languages import family_of, language_of
from workbench.code.model import FileSides

MIN_LINE = 4  # characters of a line that counts
MAX_HOLDERS = 4  # files that share a line which still tells something
ENOUGH = 0.5  # share of lines that two names of one file have in common
MAX_BYTES = 4_000_000  # of a file whose lines are looked at


def renamed_paths(files: Sequence[FileSides]) -> dict[str, str]:
    """New path to old path, each at most once."""
    gone = [each for each in files if each.old is not None and each.new is None]
    made = [each for each in files if each.new is not None and each.old is None]
    if not gone or not made:
        return {}
    found = _same_bytes(gone, made)
    taken = set(found.values())
    left = [each for each in gone if each.path not in taken]
    found |= _same_lines(left, [each for each in made if each.path not in found])
    return found


def _same_bytes(gone: Iterable[FileSides], made: Iterable[FileSides]) -> dict[str, str]:
    olds: dict[bytes, list[str]] = defaultdict(list)
    for each in gone:
        if each.old:
            olds[blake2b(each.old).digest()].append(each.path)
    found = {}
    for each in made:
        paths = olds.get(blake2b(each.new).digest(), []) if each.new else []
        if paths:
            best = max(paths, key=lambda path: (_name(path) == _name(each.path), path))
            paths.remove(best)
            found[each.path] = best
    return found


def _same_lines(gone: Sequence[FileSides], made: Sequence[FileSides]) -> dict[str, str]:
    holders: dict[tuple[str, bytes], list[str]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for each in gone:
        lines, family = _lines(each.old), family_of(language_of(each.path))
        sizes[each.path] = len(lines)
        for line in lines:
            holders[family, line].append(each.path)
    ranked = []
    for each in made:
        lines, family = _lines(each.new), family_of(language_of(each.path))
        owners = (holders.get((family, line), ()) for line in lines)
        shared = Counter(chain.from_iterable(some for some in owners if len(some) <= MAX_HOLDERS))
        ranked += [
            (2 * count / (sizes[path] + len(lines)), _name(path) == _name(each.path), path, each.path)
            for path, count in shared.most_common(3)
        ]
    found: dict[str, str] = {}
    for share, _, old, new in sorted(ranked, reverse=True):
        if share >= ENOUGH and new not in found and old not in found.values():
            found[new] = old
    return found


def _lines(data: bytes | None) -> dict[bytes, None]:
    """Those that count, each once, in order: so that of equally good partners always the same one is taken."""
    if data is None or len(data) > MAX_BYTES or b"\0" in data:
        return {}
    return dict.fromkeys(line for line in map(bytes.strip, data.split(b"\n")) if len(line) >= MIN_LINE)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
