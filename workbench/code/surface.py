"""What others may use and the change altered, and who among the given files calls what is called otherwise now."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from workbench.code.entities import Found
from workbench.code.languages import family_of
from workbench.code.model import ApiChange, CallSites, Place
from workbench.code.pairing import Matches, entity_of
from workbench.code.renames import signature_differs
from workbench.code.sides import Pair, Side

MAX_SITES = 200  # of one entity that are listed
_CALLED = re.compile(rb"[ \t]*+(?:::<[^>()]*+>)?\(")  # what follows the name
_WORD = re.compile(rb"[\w$]")
_DOTTED = (b".", b"::", b"->")
_HEADS = (b"def ", b"fn ", b"func ", b"function ", b"class ")


def api_changes(files: Sequence[Pair], matches: Matches) -> tuple[ApiChange, ...]:
    """Public names that came, went or are called otherwise."""
    found = list(_of_pairs(files, matches))
    for number, index in matches.made:
        each, file = files[number].new.entities[index], files[number]
        if each.kind != "import" or not _offers(file.old, each):
            found += _alone(file.path, each, is_new=True)
    for number, index in matches.gone:
        each, file = files[number].old.entities[index], files[number]
        if each.kind != "import" or not _offers(file.new, each):
            found += _alone(file.old_path, each, is_new=False)
    return tuple(sorted(found, key=lambda change: (change.path, change.line, change.name, change.change)))


def _offers(side: Side, passed: Found) -> bool:
    """Whether a side offers the name, too, under which something is passed on."""
    return passed.is_public and any(
        each.is_public and passed.signature == (each.signature if each.kind == "import" else each.name)
        for each in side.entities
    )


def _of_pairs(files: Sequence[Pair], matches: Matches) -> Iterator[ApiChange]:
    for match in matches.pairs:
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        old_path, path = files[match.old[0]].old_path, files[match.new[0]].path
        if old.name == new.name and old_path == path and old.is_public == new.is_public:
            if old.is_public and signature_differs(old, new):
                yield ApiChange(
                    change="signature",
                    kind=new.kind,
                    name=new.name,
                    path=path,
                    line=new.row + 1,
                    before=old.signature,
                    after=new.signature,
                )
        else:
            yield from _alone(old_path, old, is_new=False)
            yield from _alone(path, new, is_new=True)


def _alone(path: str, each: Found, *, is_new: bool) -> list[ApiChange]:
    if not each.is_public or (each.kind == "import" and not each.signature):
        return []
    return [
        ApiChange(
            change="added" if is_new else "removed",
            kind=each.kind,
            name=each.signature if each.kind == "import" else each.name,
            path=path,
            line=each.row + 1,
            before="" if is_new else each.signature,
            after=each.signature if is_new else "",
        )
    ]


def call_sites(files: Sequence[Pair], matches: Matches) -> tuple[CallSites, ...]:
    """For each function whose signature changed, the calls of its name in the new files."""
    wanted: dict[tuple[str, bytes], list[tuple[str, Found]]] = defaultdict(list)
    for match in matches.pairs:
        old, new = entity_of(files, match.old, is_new=False), entity_of(files, match.new, is_new=True)
        if new.kind in ("function", "method", "class") and signature_differs(old, new):
            file = files[match.new[0]]
            wanted[family_of(file.language), new.last_name.encode()].append((file.path, new))
    calls = _calls(files, set(wanted)) if wanted else {}
    holders = _holders(files) if wanted else {}
    return tuple(
        _sites(path, each, calls.get(key, []), doubled=len(named) > 1 or holders[key] > 1)
        for key, named in wanted.items()
        for path, each in named
    )


Call = tuple[Place, bool, bool]  # where, whether the change has that line, whether after a dot


def _calls(files: Sequence[Pair], wanted: set[tuple[str, bytes]]) -> dict[tuple[str, bytes], list[Call]]:
    found: dict[tuple[str, bytes], list[Call]] = {}
    names: dict[str, set[bytes]] = defaultdict(set)
    for family, name in wanted:
        names[family].add(name)
    for file in files:
        family = family_of(file.language)
        for name in names[family] & file.new.words() if file.language else ():
            found.setdefault((family, name), []).extend(_of_name(file, name))
    return found


def _of_name(file: Pair, name: bytes) -> Iterator[Call]:
    """The calls of one name in the new side of a file, in order."""
    data, starts = file.new.parsed.data, file.new.parsed.starts
    at = data.find(name)
    while at >= 0:
        end = at + len(name)
        if _CALLED.match(data, end) and not (at and _WORD.match(data, at - 1)):
            row = bisect_right(starts, at) - 1
            before = data[starts[row] : at]
            if not before.endswith(_HEADS):
                changed = file.gap_of(row, is_new=True) >= 0
                yield Place(file.path, row + 1), changed, before.rstrip().endswith(_DOTTED)
        at = data.find(name, end)


def _holders(files: Sequence[Pair]) -> Counter[tuple[str, bytes]]:
    """How many things of the new files have each name."""
    return Counter((family_of(file.language), each.last_name.encode()) for file in files for each in file.new.entities)


def _sites(path: str, each: Found, calls: Sequence[Call], *, doubled: bool) -> CallSites:
    """A name that only one thing has is that thing; after a dot nobody knows, unless it is a method's only holder."""
    touched: list[Place] = []
    untouched: list[Place] = []
    unresolved: list[Place] = []
    for place, changed, is_dotted in calls:
        is_sure = not doubled and (not is_dotted or bool(each.container))
        (unresolved if not is_sure else touched if changed else untouched).append(place)
    return CallSites(
        name=each.name,
        path=path,
        touched=tuple(touched[:MAX_SITES]),
        untouched=tuple(untouched[:MAX_SITES]),
        unresolved=tuple(unresolved[:MAX_SITES]),
        left_out=sum(max(0, len(places) - MAX_SITES) for places in (touched, untouched, unresolved)),
    )
