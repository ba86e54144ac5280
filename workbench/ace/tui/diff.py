"""What is said of a changed file above its lines, and where its hunks lie. It knows no widget."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from workbench.ace.tui.text import BLANK, Line, Piece, line, piece
from workbench.ace.wiring.collapsing import lfs_words, size_of
from workbench.ace.wiring.differing import ChangedFile

_MODES = {"100644": "a file", "100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}


def remarks(file: ChangedFile, why: str = "", *, collapsed: str = "") -> tuple[Line, ...]:
    """What is to be said of a file above its lines; `collapsed` says why these are not shown."""
    return tuple(line(words, BLANK) for words in _remarks(file, why, collapsed=collapsed))


def _remarks(file: ChangedFile, why: str, *, collapsed: str) -> list[Piece]:
    found = [piece(file.path, "strong")]
    if why:
        found.append(piece(why, "dim"))
    if file.old_path != file.path:
        found.append(piece(f"renamed from {file.old_path}", "accent"))
    found += _of_modes(file)
    if words := lfs_words(file):
        found.append(piece(words, "accent"))
    if file.is_binary:
        found.append(piece(f"binary: {size_of(file.old_size)} before, {size_of(file.new_size)} after", "needs-you"))
    elif collapsed:
        found.append(piece(f"not shown yet: {collapsed}. Enter shows it.", "needs-you"))
    elif not file.added and not file.removed:
        found.append(piece("no line was changed", "dim"))
    return found


def _of_modes(file: ChangedFile) -> list[Piece]:
    before, after = (_MODES.get(mode, mode) for mode in (file.old_mode, file.new_mode))
    if not file.old_mode:
        return [piece("new" + ("" if file.new_mode == "100644" else f": {after}"), "added")]
    if not file.new_mode:
        return [piece("deleted", "removed")]
    return [piece(f"was {before}, is now {after}", "needs-you")] if before != after else []


def next_hunk(hunks: list[int], line_at: int) -> int:
    """The number of the first hunk below a line; as many as there are where there is none."""
    return bisect_right(hunks, line_at)


def hunk_before(hunks: list[int], line_at: int) -> int:
    """The number of the last hunk above a line; -1 where there is none."""
    return bisect_left(hunks, line_at) - 1
