"""The structural change of some files: who became who, what was renamed or moved, and what of it may be folded.

Pure: text in, values out. It reads no repository; whoever calls it chooses the files.
"""

from __future__ import annotations

import gc
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from threading import Lock

from workbench.code.changes import entity_changes
from workbench.code.folding import Claims, hunks
from workbench.code.imports import dependencies
from workbench.code.languages import family_of
from workbench.code.literals import moved_literals
from workbench.code.model import EntityChange, FileChange, FileSides, FileStatus, Hunk, Span, StructuralDiff, Summary
from workbench.code.moves import Moved, all_moved, moved_rows, told_as_moved
from workbench.code.pairing import Match, Matches, entity_of, match_entities
from workbench.code.parsing import together
from workbench.code.paths import renamed_paths
from workbench.code.renames import global_names, local_names
from workbench.code.sides import Names, Pair, pair
from workbench.code.sliding import slide
from workbench.code.surface import api_changes, call_sites
from workbench.code.vocabulary import Vocabulary


def structural_diff(files: Sequence[FileSides]) -> StructuralDiff:
    """What the change means. `files` are all that changed, renames as one absent on either side."""
    with _UNCOLLECTED, together():
        return _compared(files)


class _Uncollected:
    """Holds off the cyclic collector while anybody compares: next to nothing of what is made then is garbage before the
    end, and each of its passes would look at all of it again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._was_on:
                gc.enable()


_UNCOLLECTED = _Uncollected()


def _compared(files: Sequence[FileSides]) -> StructuralDiff:
    renames = renamed_paths(files)
    taken = set(renames.values())
    sides = {each.path: each for each in files}
    vocabulary = Vocabulary()
    pairs = [
        pair(
            each.path,
            renames.get(each.path, each.path),
            sides[renames.get(each.path, each.path)].old,
            each.new,
            vocabulary,
        )
        for each in files
        if each.path not in taken
    ]
    matches = match_entities(pairs)
    elsewhere = all_moved(pairs, matches)
    slide(pairs, matches, elsewhere)
    named = _Names(pairs, matches)
    moved = [*moved_rows(pairs, matches, elsewhere, named.of)]
    moved += moved_literals(pairs)
    cut = [tuple(hunks(file, claims)) for file, claims in zip(pairs, _claims(pairs, moved, named), strict=True)]
    changes = entity_changes(pairs, matches, set(told_as_moved(pairs, matches, elsewhere)), cut)
    found = tuple(_change(file, cut[at], changes.get(at, ())) for at, file in enumerate(pairs))
    return StructuralDiff(
        files=found,
        summary=summary(found),
        api=api_changes(pairs, matches),
        calls=call_sites(pairs, matches),
        dependencies=dependencies(pairs),
        unknown=tuple(_unknown(found)),
    )


def _unknown(files: Sequence[FileChange]) -> Iterator[str]:
    for file in files:
        if file.fallback:
            yield f"{file.path}: compared line by line, {file.fallback}"
        for span in file.damaged:
            yield f"{file.path}: lines {span.first} to {span.last} do not parse"


class _Names:
    """The new names that may be claimed, by file and by function."""

    def __init__(self, pairs: Sequence[Pair], matches: Matches) -> None:
        self._pairs = pairs
        self._global = {family: Names(names) for family, names in global_names(pairs, matches).items() if names}
        self._of_file: dict[int, Names | None] = {}
        self.local: dict[int, dict[int, Names]] = defaultdict(dict)
        self.local_new: dict[int, dict[int, Names]] = defaultdict(dict)
        self._of_match: dict[tuple[int, int], Names] = {}
        for match in matches.pairs:
            self._add(match)

    def everywhere(self, number: int) -> Names | None:
        """Those that apply to a whole file, and are said there."""
        if number not in self._of_file:
            file = self._pairs[number]
            names = self._global.get(family_of(file.language))
            self._of_file[number] = names.within(file.old.words()) if names else None
        return self._of_file[number]

    def of(self, match: Match) -> Names | None:
        """Those that apply to an entity."""
        return self._of_match.get(match.old, self.everywhere(match.old[0]))

    def _add(self, match: Match) -> None:
        old, new = entity_of(self._pairs, match.old, is_new=False), entity_of(self._pairs, match.new, is_new=True)
        file, other = self._pairs[match.old[0]], self._pairs[match.new[0]]
        if old.kind not in ("function", "method") or not file.old.free or not other.new.free:
            return
        names = self.everywhere(match.old[0])
        own = local_names(file, other, old, new, names)
        if own:
            made = self._of_match[match.old] = Names({**(names or {}), **own})
            self.local[match.old[0]][match.old[1]] = self.local_new[match.new[0]][match.new[1]] = made


def _claims(pairs: Sequence[Pair], moved: Sequence[Moved], named: _Names) -> Iterator[Claims]:
    out: dict[int, list[Moved]] = defaultdict(list)
    into: dict[int, list[Moved]] = defaultdict(list)
    for each in moved:
        out[each.old_file].append(each)
        into[each.new_file].append(each)
    paths, old_paths = tuple(each.path for each in pairs), tuple(each.old_path for each in pairs)
    for number in range(len(pairs)):
        yield Claims(
            out=tuple(out[number]),
            into=tuple(into[number]),
            names=named.everywhere(number),
            local=named.local.get(number, {}),
            local_new=named.local_new.get(number, {}),
            paths=paths,
            old_paths=old_paths,
        )


def _change(file: Pair, found: tuple[Hunk, ...], entities: tuple[EntityChange, ...]) -> FileChange:
    return FileChange(
        path=file.path,
        old_path=file.old_path,
        status=_status(file),
        language=file.language,
        fallback=file.why,
        hunks=found,
        entities=entities,
        damaged=tuple(Span(first + 1, end) for first, end in file.new.outline.damaged),
        added=sum(hunk.new.count for hunk in found),
        removed=sum(hunk.old.count for hunk in found),
        folded_added=sum(hunk.new.count for hunk in found if hunk.is_mechanical),
        folded_removed=sum(hunk.old.count for hunk in found if hunk.is_mechanical),
    )


def _status(file: Pair) -> FileStatus:
    if not file.is_old:
        return "A"
    if not file.is_new:
        return "D"
    return "M" if file.path == file.old_path else "R"


def summary(files: Sequence[FileChange]) -> Summary:
    """The change in numbers."""
    found: Counter[str] = Counter(hunk.kind for file in files for hunk in file.hunks)
    return Summary(
        files=len(files),
        added=sum(file.added for file in files),
        removed=sum(file.removed for file in files),
        folded=sum(file.folded_added + file.folded_removed for file in files),
        entities=dict(Counter(change.change for file in files for change in file.entities)),
        hunks=dict(found),
        as_text=sum(not file.language for file in files),
    )
