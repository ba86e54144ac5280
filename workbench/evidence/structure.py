"""What a change means in the terms of its languages, kept for the pack: entities, moves, renames, mechanical lines.

It judges nothing: what it says tells a person what to read, and holds up no criterion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from workbench.artifacts.mergepack import Change as FileChange
from workbench.code import telling
from workbench.code.compare import structural_diff
from workbench.code.filekinds import special_files
from workbench.code.languages import family_of, language_of
from workbench.code.mentions import reading
from workbench.code.model import FileChange as Structured
from workbench.code.model import FileSides, StructuralDiff
from workbench.code.module_graph import needs_of
from workbench.code.module_index import Modules
from workbench.code.parsing import together
from workbench.evidence.signs import Sign, signs_of
from workbench.evidence.sizes import kind_of
from workbench.evidence.static import bound
from workbench.model.errors import WorkbenchError
from workbench.ports import Change, Collected

MAX_BYTES = 64_000_000  # of both sides of all files
MAX_LINES = 60  # of one file, and of what the change does to others, that a pack tells
MAX_NEEDS = 50  # other changed files that one is told to import
MAX_SIGNED = 16_000_000  # bytes of both sides of all files in which signs are looked for
MANY_FILES, MANY_LINES = 10, 300  # from which on it is told what of a change needs what
MAX_FILES = 2_000  # of which signs and history are told
OftenMended = Callable[[Sequence[str]], Mapping[str, tuple[int, int]]]
_QUIET = frozenset({"names", "format", "comment"})  # what of an entity may differ while it does the same


class Structure:
    """Port Collector: passed once the change was compared; `told` then adds to a pack what came out."""

    name = "structure"

    def __init__(self, often_mended: OftenMended | None = None) -> None:
        """`often_mended` tells of paths how many late commits touched them, and how many of these mended something."""
        self.diff: StructuralDiff | None = None
        self._often_mended = often_mended

    def collect(self, change: Change) -> Collected:
        """Compare both sides of every changed file."""
        paths = [path for _, path in change.changed_paths()]
        sides = [FileSides(path=path, old=change.base_file(path), new=change.result_file(path)) for path in paths]
        size = sum(len(data) for each in sides for data in (each.old, each.new) if data)
        if size > MAX_BYTES:
            summary = f"not compared: {size // 1_000_000} MB of changed files"
            evidence = bound(change, "structure", criterion="hygiene", state="not-checked", summary=summary)
            return Collected(evidence=(evidence,))
        with together():
            self.diff = structural_diff(sides)
        summary = telling.summary_line(self.diff.summary)
        facts = {
            "signs": dict(_signs(self.diff, sides)),
            "history": self._history(paths),
            "needs": _needs(self.diff, sides),
        }
        evidence = bound(change, "structure", criterion="hygiene", state="passed", summary=summary, facts=facts)
        return Collected(evidence=(evidence,))

    def _history(self, paths: Sequence[str]) -> dict[str, dict[str, int]]:
        """What is known of how often files change; nothing where the base's history is not here."""
        if self._often_mended is None:
            return {}
        try:
            found = self._often_mended(paths)
        except WorkbenchError:
            return {}
        return {path: {"commits": found[path][0], "mends": found[path][1]} for path in sorted(found)[:MAX_FILES]}

    def told(self, changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
        """The same files with what became of their entities, and how much of them is mechanical."""
        if self.diff is None:
            return tuple(changes)
        by_path = {file.path: file for file in self.diff.files}
        to = {file.old_path: file.path for file in self.diff.files if file.status == "R"}
        api: dict[str, list[str]] = {}
        for name in self.diff.api:
            api.setdefault(name.path, []).append(name.name)
        return tuple(
            _with(each, by_path.get(each.path), to.get(each.path, ""), api.get(each.path, ())) for each in changes
        )

    def surface(self) -> tuple[str, ...]:
        """One line for each thing that the change does to others."""
        return () if self.diff is None else _bounded(list(telling.surface_lines(self.diff)))


def _needs(diff: StructuralDiff, sides: Sequence[FileSides]) -> dict[str, list[str]]:
    """Of a change that is not small, by path which other changed files it imports."""
    if len(sides) > MAX_FILES or (len(sides) < MANY_FILES and diff.summary.added + diff.summary.removed < MANY_LINES):
        return {}
    there = [each for each in sides if each.new is not None and language_of(each.path)]
    modules = Modules(each.path for each in there)
    found: dict[str, set[str]] = {}
    for each in there:
        read = reading(each.path, each.new or b"", modules)
        for need in needs_of(read, modules)[0].values() if read is not None else ():
            family = family_of(language_of(each.path))
            found.setdefault(each.path, set()).update(modules.paths.get((family, need.needs), ()))
    return {path: sorted(paths - {path})[:MAX_NEEDS] for path, paths in found.items() if paths - {path}}


def _signs(diff: StructuralDiff, sides: Sequence[FileSides]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """By path what in its changed lines asks for care; of tests and of what nobody wrote nothing."""
    special = {each.path: each for each in special_files(diff.files, sides)}
    left = MAX_SIGNED
    for each in sides[:MAX_FILES]:
        found: list[Sign] = []
        if each.path in special:
            found.append(Sign(special[each.path].kind, detail=special[each.path].detail))
        left -= len(each.old or b"") + len(each.new or b"")
        if left >= 0 and kind_of(each.path, each.old if each.new is None else each.new) == "source":
            found += signs_of(each.path, each.old, each.new)
        if found:
            yield each.path, [sign._asdict() for sign in found]


def _with(change: FileChange, file: Structured | None, new_path: str, api: Sequence[str]) -> FileChange:
    if file is None:
        return change if not new_path else msgspec.structs.replace(change, structure=(f"renamed to {new_path}",))
    renamed = [f"renamed from {file.old_path}"] if file.status == "R" else []
    folded = file.folded_added + file.folded_removed
    meant = [
        each.name
        for each in file.entities
        if each.kind != "import" and (each.change in ("added", "removed") or not _QUIET.issuperset(each.aspects))
    ]
    public = {each.name for each in file.entities if each.is_public}
    return msgspec.structs.replace(
        change,
        entities=tuple(meant[:MAX_LINES]),
        public=tuple([name for name in meant if name in public][:MAX_LINES]),
        api=tuple(dict.fromkeys(api))[:MAX_LINES],
        structure=_bounded([*renamed, *telling.file_lines(file)]),
        mechanical=folded,
        is_mechanical=folded > 0 and folded == file.added + file.removed,
    )


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    left = len(lines) - MAX_LINES
    return (*islice(lines, MAX_LINES), *([f"and {left} more"] if left > 0 else []))
