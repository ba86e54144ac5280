"""What the review of one pack shows: the pack as it stands, and its files in the order to read them. No widget."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from workbench.ace.tui.assumed import Overtaken, Rows
from workbench.ace.tui.bridge import Moment
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Role, blanks, line, padded, piece, safe
from workbench.ace.wiring.differing import ChangedFile
from workbench.ace.wiring.reading import Progress
from workbench.ace.wiring.tips import tips
from workbench.artifacts.pack_parts import MergePack, ReadingItem
from workbench.core.decide.pack import is_open
from workbench.core.forecast import in_short
from workbench.core.stack import Footing
from workbench.core.state import PackState, RunState
from workbench.model.errors import WorkbenchError
from workbench.model.text import cell_width

MECHANICAL = ("generated", "lock", "binary", "vendored")
FIRST, CHANGED, TESTS, MADE = "READ FIRST", "CHANGED", "TESTS", "MECHANICAL"
_GROUPS = {"first": FIRST, "changed": CHANGED, "tests": TESTS, "mechanical": MADE}
_ORDER = (FIRST, CHANGED, TESTS, MADE)
_STATUS: dict[str, Role] = {"A": "added", "D": "removed", "M": "dim", "R": "accent", "T": "needs-you"}
COUNT_CELLS = 13


class ReviewData(msgspec.Struct, frozen=True):
    """The pack, what it says of itself once it is assembled, and what has happened around it."""

    pack: PackState | None
    document: MergePack | None = None
    run: RunState | None = None
    tip: str = ""  # where the branch stands into which it goes; empty where that is not known
    newer: str = ""  # a pack of a later revision of the same run
    newer_revision: int = 0
    ahead: tuple[str, ...] = ()  # what other branches that may be merged do to it, the conflicts first
    below: Footing | None = None  # what it stands on
    overtaken: Rows = ()  # what was done under assumptions that later answers do not share
    problem: str = ""  # why the document cannot be read

    @property
    def has_moved(self) -> bool:
        """Whether the evidence is of a base that is no longer the branch's."""
        pack = self.pack
        undecided = pack is not None and pack.state in ("submitted", "approved")
        return undecided and bool(self.tip) and pack is not None and self.tip != pack.base_commit

    @property
    def is_examined_again(self) -> bool:
        """Whether newer evidence is being made."""
        run, pack = self.run, self.pack
        return run is not None and pack is not None and bool(run.submission) and run.pack == pack.id and not run.outcome


class ReviewView:
    """The view of one pack. What a pack says never changes, so it is read once."""

    def __init__(self, pack: str) -> None:
        self._pack = pack
        self._documents: dict[str, MergePack] = {}
        self._overtaken = Overtaken()

    def __call__(self, moment: Moment, /) -> ReviewData:
        """The review of this moment."""
        pack = moment.mirror.packs.get(self._pack)
        if pack is None:
            return ReviewData(None)
        newest = max(
            (other for other in moment.mirror.packs.values() if other.run == pack.run and other.state != "assembling"),
            key=lambda other: other.revision,
            default=pack,
        )
        run = moment.mirror.runs.get(pack.run)
        asked = [question for question in moment.mirror.consultations.values() if question.run == pack.run]
        is_newer = newest.revision > pack.revision
        document, problem = self._document(moment, pack.blob) if pack.blob else (None, "")
        return ReviewData(
            pack=pack,
            document=document,
            problem=problem,
            run=run,
            tip=tips(moment.place, [pack], moment.mirror.below).get(pack.on or pack.into, ""),
            below=moment.mirror.below(pack.on) if pack.on else None,
            newer=newest.id if is_newer else "",
            newer_revision=newest.revision if is_newer else 0,
            ahead=tuple(_ahead(moment, pack)),
            overtaken=self._overtaken(moment.place, asked, run),
        )

    def _document(self, moment: Moment, blob: str) -> tuple[MergePack | None, str]:
        from workbench.artifacts import mergepack

        if blob not in self._documents:
            try:
                self._documents[blob] = mergepack.parse(moment.ledger.blobs.get(blob))
            except WorkbenchError as problem:
                return None, unreadable(problem)
        return self._documents[blob], ""


def unreadable(problem: WorkbenchError) -> str:
    """What stands where something was to be read."""
    return f"It cannot be read: {problem.in_line}"


def _ahead(moment: Moment, pack: PackState) -> Iterator[str]:
    """Who gets into its way, as the AEE last saw it, of those that are not over by now."""
    if pack.state not in ("submitted", "approved"):
        return
    clashes = sorted(moment.mirror.forecast.of((pack.run,)), key=lambda clash: clash.kind == "symbol")
    for clash in clashes:
        other = moment.mirror.runs.get(clash.first if clash.second == pack.run else clash.second)
        if not clash.second or (other is not None and is_open(other)):
            yield in_short(clash, pack.run)


class FileRow(NamedTuple):
    """One file to read, and why."""

    file: ChangedFile
    group: str
    why: str = ""
    kind: str = ""


def file_rows(files: Iterable[ChangedFile], document: MergePack | None) -> list[FileRow]:
    """The files in the order to read them: the reading list, then the rest, then tests, then what was made."""
    kinds = {change.path: change.kind for change in document.changes} if document else {}
    items = {item.path: (at, item) for at, item in enumerate(document.reading_list)} if document else {}
    found = {finding.path for finding in document.findings} if document else set()
    rows = [_row(file, kinds, items, found) for file in files]
    last = len(items)
    return sorted(rows, key=lambda row: (_ORDER.index(row.group), items.get(row.file.path, (last,))[0], row.file.path))


def _row(
    file: ChangedFile, kinds: Mapping[str, str], items: Mapping[str, tuple[int, ReadingItem]], found: Collection[str]
) -> FileRow:
    kind = kinds.get(file.path, "")
    item = items[file.path][1] if file.path in items else None
    why = item.why if item is not None else ""
    if item is not None and item.group:
        return FileRow(file, _GROUPS[item.group], why, kind)
    if file.path not in found and kind in MECHANICAL:
        return FileRow(file, MADE, why, kind)
    if file.path not in found and kind == "test":
        return FileRow(file, TESTS, why, kind)
    return FileRow(file, FIRST if why else CHANGED, why, kind)


def files_sheet(rows: list[FileRow]) -> Sheet[FileRow]:
    """The list of files."""
    return Sheet(rows, key=lambda row: row.file.path, group=lambda row: safe(row.group))


def paint_file(
    row: FileRow,
    cells: int,
    *,
    read: bool,
    glyphs: Glyphset,
    changed: bool = False,
    progress: Progress | None = None,
) -> Line:
    """A file: whether it was read, or changed since, what happened to it, its name before its directory, its lines.

    Where some of its hunks were read, how many.
    """
    directory, _, name = row.file.path.rpartition("/")
    dim = row.group == MADE
    sign = glyphs.sign("passed") if read else glyphs.sign("stale") if changed else blanks(1)
    counts = line_counts(row.file)
    parts = f" {progress.read}/{progress.of}" if progress is not None and progress.read and not read else ""
    room = max(1, cells - COUNT_CELLS - 5 - len(parts))
    words = padded(piece(name, "dim" if dim or read else "strong"), min(room - 1, cell_width(safe(name))))
    rest = room - cell_width(words.text) - 1
    behind = padded(piece(directory, "dim"), rest) if rest > 0 else blanks(rest)
    used = sum(cell_width(part.text) for part in counts)
    letter = piece(row.file.status[:1], _STATUS.get(row.file.status, "dim"))
    return line(sign, " ", letter, " ", words, " ", behind, piece(parts, "accent"), blanks(COUNT_CELLS - used), *counts)


def line_counts(file: ChangedFile) -> Line:
    """Lines added and removed."""
    if file.added is None or file.removed is None:
        return (piece("binary", "dim"),)
    added = [piece(f"+{file.added}", "added")] if file.added else []
    removed = [piece(f"-{file.removed}", "removed")] if file.removed else []
    between = [piece(" ")] if added and removed else []
    return (*added, *between, *removed) or (piece("0", "dim"),)


def unread(rows: Iterable[FileRow], read: Collection[str]) -> list[FileRow]:
    """The files that nobody marked as read here."""
    return [row for row in rows if row.file.path not in read]
