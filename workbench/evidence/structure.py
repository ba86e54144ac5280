"""What a change means in the terms of its languages, kept for the pack: entities, moves, renames, mechanical lines.

It judges nothing: what it says tells a person what to read, and holds up no criterion.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from workbench.artifacts.mergepack import Change as FileChange
from workbench.code import telling
from workbench.code.compare import structural_diff
from workbench.code.model import FileChange as Structured
from workbench.code.model import FileSides, StructuralDiff
from workbench.code.parsing import together
from workbench.evidence.static import bound
from workbench.ports import Change, Collected

MAX_BYTES = 64_000_000  # of both sides of all files
MAX_LINES = 60  # of one file, and of what the change does to others, that a pack tells
_QUIET = frozenset({"names", "format", "comment"})  # what of an entity may differ while it does the same


class Structure:
    """Port Collector: passed once the change was compared; `told` then adds to a pack what came out."""

    name = "structure"

    def __init__(self) -> None:
        self.diff: StructuralDiff | None = None

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
        return Collected(evidence=(bound(change, "structure", criterion="hygiene", state="passed", summary=summary),))

    def told(self, changes: Sequence[FileChange]) -> tuple[FileChange, ...]:
        """The same files with what became of their entities, and how much of them is mechanical."""
        if self.diff is None:
            return tuple(changes)
        by_path = {file.path: file for file in self.diff.files}
        to = {file.old_path: file.path for file in self.diff.files if file.status == "R"}
        return tuple(_with(each, by_path.get(each.path), to.get(each.path, "")) for each in changes)

    def surface(self) -> tuple[str, ...]:
        """One line for each thing that the change does to others."""
        return () if self.diff is None else _bounded(list(telling.surface_lines(self.diff)))


def _with(change: FileChange, file: Structured | None, new_path: str) -> FileChange:
    if file is None:
        return change if not new_path else msgspec.structs.replace(change, structure=(f"renamed to {new_path}",))
    renamed = [f"renamed from {file.old_path}"] if file.status == "R" else []
    folded = file.folded_added + file.folded_removed
    meant = [
        each.name
        for each in file.entities
        if each.kind != "import" and (each.change in ("added", "removed") or not _QUIET.issuperset(each.aspects))
    ]
    return msgspec.structs.replace(
        change,
        entities=tuple(meant[:MAX_LINES]),
        structure=_bounded([*renamed, *telling.file_lines(file)]),
        mechanical=folded,
        is_mechanical=folded > 0 and folded == file.added + file.removed,
    )


def _bounded(lines: Sequence[str]) -> tuple[str, ...]:
    left = len(lines) - MAX_LINES
    return (*islice(lines, MAX_LINES), *([f"and {left} more"] if left > 0 else []))
