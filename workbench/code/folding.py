"""Cuts a file's changed rows into hunks about which one thing can be said, and says it. Folds only what is proven.

`free` rows of a side are those that nothing was claimed of yet: neither unchanged nor moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

import msgspec

from workbench.code.alignment import Piece, align, proven
from workbench.code.comments import DIRECTIVE, Rows, beside_comment, comments, differs_in_comments, may_be_comment
from workbench.code.entities import Found
from workbench.code.lines import Gap
from workbench.code.model import Hunk, HunkKind, Place, Rename, Span
from workbench.code.moves import Moved
from workbench.code.sides import Key, Name, Names, Pair, Side

_ODD_SPACE = re.compile(
    rb"\v|\xe2\x80\x8b|\xe2\x81\xa0|\xef\xbb\xbf"
)  # the grammar takes it for space, Python does not


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What is claimed of one file: rows that moved out of it or into it, and new names by the row they apply to."""

    out: tuple[Moved, ...] = ()
    into: tuple[Moved, ...] = ()
    names: Names | None = None
    local: dict[int, Names] = {}  # by entity of the old side
    local_new: dict[int, Names] = {}  # the same by entity of the new one
    paths: tuple[str, ...] = ()  # of all files, by number
    old_paths: tuple[str, ...] = ()

    def at(self, side: Side, row: int, *, is_new: bool = False) -> Names | None:
        """The names that apply to a row of the old side, or stand for it in one of the new side."""
        local = self.local_new if is_new else self.local
        return local.get(side.entity_at(row), self.names) if local else self.names


class Left(msgspec.Struct, frozen=True):
    """Rows of which nothing is claimed yet, and what of their text could be equal."""

    old: Rows
    new: Rows
    pieces: list[Piece]


def hunks(file: Pair, claims: Claims) -> list[Hunk]:
    """All hunks of the file, in order; together they are its changed lines."""
    if not file.language:
        return [_lines_only(gap) for gap in file.gaps]
    out = {moved.old: moved for moved in claims.out}
    into = {moved.new: moved for moved in claims.into}
    parts = [part for gap in file.gaps for part in _in_gap(file, gap, claims, out, into)]
    _read(file, [part for part in parts if isinstance(part, Left)])
    found: list[Hunk] = []
    for part in parts:
        found += _told_apart(file, part, claims) if isinstance(part, Left) else (part,)
    return found


def _read(file: Pair, parts: Iterable[Left]) -> None:
    """Get the tokens of rows that may be equal, and of those that may have only other comments."""
    ours: list[int] = []
    theirs: list[int] = []
    for part in parts:
        for piece in part.pieces:
            old, new = _rows(part, piece)
            if piece.is_equal or may_be_comment(file, old, new):
                ours += range(*old)
                theirs += range(*new)
    file.old.read(ours)
    file.new.read(theirs)


def _rows(part: Left, piece: Piece) -> tuple[Rows, Rows]:
    old, new = part.old[0], part.new[0]
    return (old + piece.old, old + piece.old_end), (new + piece.new, new + piece.new_end)


def _lines_only(gap: Gap) -> Hunk:
    return Hunk(old=_span((gap[0], gap[1])), new=_span((gap[2], gap[3])), kind="text")


def _span(rows: Rows) -> Span:
    return Span(rows[0] + 1, rows[1])


# --- cutting ------------------------------------------------------------------------------------------------------


def _in_gap(
    file: Pair, gap: Gap, claims: Claims, out: dict[int, Moved], into: dict[int, Moved]
) -> Iterator[Hunk | Left]:
    """Moved rows apart from the others; what is left of both sides is taken together, in order."""
    if not out and not into:
        yield _left(file, (gap[0], gap[1]), (gap[2], gap[3]), claims)
        return
    ours = list(_runs(gap[0], gap[1], _within(out, gap[0], gap[1], is_new=False)))
    theirs = list(_runs(gap[2], gap[3], _within(into, gap[2], gap[3], is_new=True)))
    at, to = gap[0], gap[2]
    for old_group, new_group in zip_longest(_grouped(ours), _grouped(theirs), fillvalue=((), None)):
        for start, end in old_group[0]:
            yield _moved_out(file, out[start], claims, (to, to))
            at = end
        for start, end in new_group[0]:
            yield _moved_in(file, into[start], claims, (at, at))
            to = end
        old, new = old_group[1] or (at, at), new_group[1] or (to, to)
        if old[0] < old[1] or new[0] < new[1]:
            yield _left(file, old, new, claims)
        at, to = old[1], new[1]


def _within(moved: dict[int, Moved], first: int, end: int, *, is_new: bool) -> dict[int, int]:
    rows = range(first, end)
    if len(moved) > len(rows):
        return {row: (moved[row].new_end if is_new else moved[row].old_end) for row in rows if row in moved}
    return {row: (each.new_end if is_new else each.old_end) for row, each in moved.items() if first <= row < end}


def _runs(first: int, end: int, moved: dict[int, int]) -> Iterator[tuple[Rows, bool]]:
    """The rows as (run, whether it moved)."""
    at = first
    for start in sorted(start for start in moved if first <= start < end):
        if start > at:
            yield (at, start), False
        yield (start, moved[start]), True
        at = moved[start]
    if at < end:
        yield (at, end), False


def _grouped(runs: Iterable[tuple[Rows, bool]]) -> Iterator[tuple[list[Rows], Rows | None]]:
    """Moved runs with the run after them that did not move."""
    moved: list[Rows] = []
    for run, has_moved in runs:
        if has_moved:
            moved.append(run)
        else:
            yield moved, run
            moved = []
    if moved:
        yield moved, None


def _moved_out(file: Pair, moved: Moved, claims: Claims, place: Rows) -> Hunk:
    rows = (moved.old, moved.old_end)
    to = Place(claims.paths[moved.new_file], moved.new + 1)
    renames = tuple(sorted({each for row in range(*rows) for each in _in_row(file, row, moved.names)}))
    claim = f"moved to {to.path}:{to.line}" + _also(renames)
    return _made(file, rows, place, "moved", claim=claim, renames=renames, moved_to=to)


def _moved_in(file: Pair, moved: Moved, claims: Claims, place: Rows) -> Hunk:
    rows = (moved.new, moved.new_end)
    source = Place(claims.old_paths[moved.old_file], moved.old + 1)
    said = {name.new for name in (moved.names or {}).values() if _says(file.new, rows, name.new)}
    renames = tuple(sorted(_rename(one, name) for one, name in (moved.names or {}).items() if name.new in said))
    claim = f"moved from {source.path}:{source.line}" + _also(renames)
    return _made(file, place, rows, "moved", claim=claim, renames=renames, moved_from=source)


def _says(side: Side, rows: Rows, word: bytes) -> bool:
    texts = side.vocabulary.texts
    return any(texts[number] == word for row in range(*rows) for number in side.keys.get(row, ()))


def _rename(old: bytes, name: Name, scope: str = "") -> Rename:
    return Rename(old.decode("utf-8", "replace"), name.new.decode("utf-8", "replace"), scope)


def _also(renames: Sequence[Rename]) -> str:
    return f", {_told(renames)}" if renames else ""


def _told(renames: Sequence[Rename]) -> str:
    return "renamed " + ", ".join(f"{each.old} to {each.new}" for each in renames)


# --- what is left -------------------------------------------------------------------------------------------------


def _left(file: Pair, old: Rows, new: Rows, claims: Claims) -> Hunk | Left:
    if file.old.is_damaged(*old) or file.new.is_damaged(*new):
        return _made(file, old, new, "text")
    return Left(old, new, align(_bare(file.old, old, claims), _bare(file.new, new, claims, is_new=True)))


def _bare(side: Side, rows: Rows, claims: Claims, *, is_new: bool = False) -> list[bytes]:
    """The rows without white space, with the names that are claimed of each."""
    if not (claims.local_new if is_new else claims.local):
        return side.bare(range(*rows), claims.names)
    bare: list[bytes] = []
    for names, run in groupby(range(*rows), lambda row: claims.at(side, row, is_new=is_new)):
        bare += side.bare(list(run), names)
    return bare


def _told_apart(file: Pair, part: Left, claims: Claims) -> Iterator[Hunk]:
    if not any(piece.is_equal for piece in part.pieces):
        for piece in part.pieces:
            rows = _rows(part, piece)
            yield _made(file, *rows, kind_of_rows(file, *rows))
        return
    ours = [file.old.key(row, names=claims.at(file.old, row)) for row in range(*part.old)]
    theirs = [file.new.key(row) for row in range(*part.new)]
    for piece in proven(part.pieces, ours, theirs):
        rows = _rows(part, piece)
        keys = ours[piece.old : piece.old_end], theirs[piece.new : piece.new_end]
        if piece.is_equal:
            yield from _equal(file, rows, piece, keys, claims)
        else:
            yield _made(file, *rows, kind_of_rows(file, *rows))


def _equal(
    file: Pair, rows: tuple[Rows, Rows], piece: Piece, keys: tuple[list[Key], list[Key]], claims: Claims
) -> Iterator[Hunk]:
    """Rows whose tokens are equal: a format or a rename, where nothing speaks against it."""
    names = _used(file, rows[0], claims)
    texts, taken = file.old.vocabulary.texts, {name for used in names.values() for name in used.news}
    captured = taken and any(texts[each] in taken for row in range(*rows[0]) for each in file.old.keys.get(row, ()))
    if captured or _matters(file, rows, piece):
        yield _made(file, *rows, "changed")
    elif names:
        renames = tuple(sorted({each for row, used in names.items() for each in _in_row(file, row, used)}))
        yield _made(file, *rows, "renamed", claim=_told(renames), renames=renames)
    else:
        blank = not any(keys[0]) and not any(keys[1])
        yield _made(file, *rows, "reformatted", claim="blank lines" if blank else "reformatted")


def _used(file: Pair, rows: Rows, claims: Claims) -> dict[int, Names]:
    """By row the names that made the old rows say what the new ones do."""
    used = {}
    for row in range(*rows):
        names, key = claims.at(file.old, row), file.old.keys.get(row, ())
        if names and file.old.key(row, names=names) != key:
            used[row] = names
    return used


def _in_row(file: Pair, row: int, names: Names | None) -> Iterator[Rename]:
    """What is renamed in one row of the old side."""
    if not names:
        return
    key, texts = file.old.keys.get(row, ()), file.old.vocabulary.texts
    for one, two in zip(key, file.old.key(row, names=names), strict=True):
        if one != two:
            name, index = names[texts[one]], file.old.entity_at(row)
            scope = file.old.entities[index].name if index >= 0 and name.is_local else ""
            yield _rename(texts[one], name, scope)


def _matters(file: Pair, rows: tuple[Rows, Rows], piece: Piece) -> bool:
    """Whether the layout itself may say something: to a tool, a compiler, or the next who reads tabs."""
    old, new = file.old.parsed.text(*rows[0]), file.new.parsed.text(*rows[1])
    if file.language == "python":
        if _tabs(old) != _tabs(new) or b"\f" in new or _ODD_SPACE.search(old + new):
            return True
        if min(rows[0][0], rows[1][0]) < 2 and any(
            DIRECTIVE.search(side.parsed.text(0, 2)) for side in (file.old, file.new)
        ):
            return True
    if not piece.is_reflow:
        return False
    if file.language == "go" and (b'import "C"' in file.old.parsed.data or beside_comment(file, rows)):
        return True
    return any(DIRECTIVE.search(text) for text in comments(file.old, rows[0]))


def _tabs(text: bytes) -> set[bytes]:
    """The beginnings of lines that are indented with tabs."""
    if b"\t" not in text:
        return set()
    indents = (line[: len(line) - len(line.lstrip(b" \t"))] for line in text.split(b"\n"))
    return {indent for indent in indents if b"\t" in indent}


def kind_of_rows(file: Pair, old: Rows, new: Rows) -> HunkKind:
    """What can be said of changed rows whose tokens are not equal."""
    if differs_in_comments(file, old, new):
        return "comment"
    if _documents(file.old, old) and _documents(file.new, new):
        return "docstring"
    if old[0] == old[1]:
        return "added"
    return "removed" if new[0] == new[1] else "changed"


def _documents(side: Side, rows: Rows) -> bool:
    """Whether the rows are part of a documentation string, or none."""
    if rows[0] == rows[1]:
        return True
    index = side.entity_at(rows[0])
    if index < 0:
        return False
    first, end = side.entities[index].document
    return first <= rows[0] and rows[1] <= end


def _made(
    file: Pair,
    old: Rows,
    new: Rows,
    kind: HunkKind,
    *,
    claim: str = "",
    renames: tuple[Rename, ...] = (),
    moved_from: Place | None = None,
    moved_to: Place | None = None,
) -> Hunk:
    around = _around(file, old, new)
    return Hunk(
        old=_span(old),
        new=_span(new),
        kind=kind,
        entity=around.name if around is not None else "",
        entity_kind=around.kind if around is not None else "",
        claim=claim,
        renames=renames,
        moved_from=moved_from,
        moved_to=moved_to,
    )


def _around(file: Pair, old: Rows, new: Rows) -> Found | None:
    side, rows = (file.new, new) if new[0] < new[1] else (file.old, old)
    for row in range(*rows):
        if not side.parsed.lines[row].isspace():
            index = side.entity_at(row)
            return side.entities[index] if index >= 0 else None
    return None
