"""What a pack changes, hunk by hunk, with what this person has read of it; marked from a command. It prints nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from workbench.ace.wiring import reading, things
from workbench.ace.wiring.collapsing import lfs_words, why_collapsed
from workbench.ace.wiring.differing import ChangedFile, changed_files
from workbench.ace.wiring.hunking import HUNK_OF, Cut, cut, named_hunk
from workbench.ace.wiring.reading import Reading
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts import mergepack
from workbench.code.githunks import found, hunk_at
from workbench.core.state import PackState
from workbench.model.errors import NotFound, UsageError, WorkbenchError
from workbench.model.text import one_line

_LINE = re.compile(r"(?P<path>.+):(?P<line>\d{1,9})")
_HINT = "PATH, PATH#HUNK, or PATH:LINE of the result; workbench mrp diff MRP shows them"


class HunkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One hunk, or a file that has none: then `hunk` is empty, and `note` says what changes."""

    path: str
    old_path: str
    hunk: str
    line: int
    added: int | None
    removed: int | None
    read: bool
    note: str = ""
    collapsed: str = ""  # why a whole change shows the file in one line
    lines: tuple[str, ...] = ()  # as git writes them, with its head
    kind: str = "hunk"
    schema: int = 1


class MarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """A file after it was marked."""

    path: str
    read: bool
    hunks: int
    read_hunks: int
    kind: str = "mark"
    schema: int = 1


def listed(place: Workplace, name: str, paths: Sequence[str]) -> tuple[PackState, Iterator[HunkRow]]:
    """The hunks of a pack, file by file, of these files, directories or globs. Raises UsageError for what has none."""
    pack, files = _opened(place, name)
    known = reading.reading_of(place, pack, files, looks=False)
    chosen = dict.fromkeys(file for path in paths for file in _files(pack, files, path)) if paths else files
    kinds = _kinds(place, pack)
    return pack, (
        msgspec.structs.replace(row, collapsed=why_collapsed(file, kinds.get(file.path, "")))
        for file in chosen
        for row in _rows(place, pack, file, known)
    )


def _kinds(place: Workplace, pack: PackState) -> dict[str, str]:
    """By path what kind of file it is, as the pack says; nothing where that cannot be read."""
    try:
        with place.reading() as ledger:
            document = mergepack.parse(ledger.blobs.get(pack.blob)) if pack.blob else None
    except WorkbenchError:
        return {}
    return {} if document is None else {change.path: change.kind for change in document.changes}


def mark(place: Workplace, name: str, wheres: Sequence[str], *, read: bool) -> list[MarkRow]:
    """Mark files, or hunks of them, of a pack as read, or take that back. All places are looked up before one is."""
    pack, files = _opened(place, name)
    wanted: dict[str, set[int] | None] = {}
    for where in wheres:
        file, number = _place(place, pack, files, where)
        numbers = wanted.setdefault(file.path, set())
        if number is None:
            wanted[file.path] = None
        elif numbers is not None:
            numbers.add(number)
    return [_marked(place, pack, files, path, numbers, read=read) for path, numbers in wanted.items()]


def _opened(place: Workplace, name: str) -> tuple[PackState, tuple[ChangedFile, ...]]:
    with place.reading() as ledger:
        pack = things.pack(ledger, things.reviewed(ledger, name))
    if not pack.tree:
        raise NotFound(f"{pack.id} has no result yet.", hint="wait until its evidence is made, then ask again")
    return pack, changed_files(place, pack.base_commit, pack.tree)


def _file(pack: PackState, files: Sequence[ChangedFile], path: str) -> ChangedFile:
    found_file = next((file for file in files if file.path == path), None)
    if found_file is None:
        raise UsageError(f"{pack.id} does not change {one_line(path)!r}.", hint=_HINT)
    return found_file


def _files(pack: PackState, files: Sequence[ChangedFile], wanted: str) -> list[ChangedFile]:
    below = wanted.rstrip("/") + "/"
    under = [file for file in files if file.path.startswith(below) or fnmatchcase(file.path, wanted)]
    return under or [_file(pack, files, wanted)]


def _rows(place: Workplace, pack: PackState, file: ChangedFile, known: Reading) -> Iterator[HunkRow]:
    made = cut(place, pack, file)
    is_read = file.path in known.read
    marked = found(made.hunks, known.marks.get(file.path, ()))
    if not made.hunks:
        note = "binary" if file.is_binary else f"{file.old_mode or 'new'} to {file.new_mode or 'deleted'}, no lines"
        yield _row(file, added=file.added, removed=file.removed, read=is_read, note=note)
    for at, hunk in enumerate(made.hunks):
        row = _row(
            file, added=hunk.added, removed=hunk.removed, read=is_read or hunk.numbers <= marked, note=lfs_words(file)
        )
        yield msgspec.structs.replace(row, hunk=hunk.name, line=hunk.line, lines=tuple(_lines(made, at)))


def _row(file: ChangedFile, *, added: int | None, removed: int | None, read: bool, note: str = "") -> HunkRow:
    return HunkRow(
        path=file.path, old_path=file.old_path, hunk="", line=0, added=added, removed=removed, read=read, note=note
    )


def _lines(made: Cut, at: int) -> Iterator[str]:
    diff = made.diff
    head = diff.head_of(made.hunks[at].first)
    for line in range(diff.hunks[head], diff.hunks[head + 1] if head + 1 < len(diff.hunks) else len(diff)):
        yield diff.raw(line).decode("utf-8", "replace")


def _place(
    place: Workplace, pack: PackState, files: Sequence[ChangedFile], where: str
) -> tuple[ChangedFile, int | None]:
    """The file that a person names, and the number of the hunk of it, if they name one."""
    paths = {file.path for file in files}
    if where in paths:
        return _file(pack, files, where), None
    if named := HUNK_OF.fullmatch(where):
        file = _file(pack, files, named["path"])
        hunks = cut(place, pack, file).hunks
        return file, named_hunk(pack.id, file.path, hunks, named["name"], remedy="PATH:LINE names one, too.")
    if lined := _LINE.fullmatch(where):
        file = _file(pack, files, lined["path"])
        made, number = cut(place, pack, file), int(lined["line"])
        at = made.diff.line_of(number)
        if at >= 0:
            return file, hunk_at(made.diff, made.hunks, at)
        raise UsageError(f"Line {number} of {one_line(file.path)} is in no hunk of {pack.id}.", hint=_HINT)
    raise UsageError(f"{pack.id} does not change {one_line(where)!r}.", hint=_HINT)


def _marked(
    place: Workplace,
    pack: PackState,
    files: Sequence[ChangedFile],
    path: str,
    numbers: set[int] | None,
    *,
    read: bool,
) -> MarkRow:
    file = _file(pack, files, path)
    if numbers is None:
        reading.keep_read(place, pack, file, read=read)
        of = len(cut(place, pack, file).hunks)
        return MarkRow(path=path, read=read, hunks=of, read_hunks=of if read else 0)
    progress = reading.keep_hunks(place, pack, files, path, numbers=numbers, read=read)
    return MarkRow(path=path, read=progress.is_whole, hunks=progress.of, read_hunks=progress.read)
