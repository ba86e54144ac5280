"""A file's diff as lines: where each begins, what it is and its numbers, found once; painted only when looked at.

It knows git's unified format and no widget.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right

from workbench.ace.tui.text import BLANK, Line, Piece, line, piece
from workbench.ace.wiring.differing import ChangedFile

COLLAPSED_BYTES = 2 << 20  # of both sides of a file; a larger one is shown when asked for
_HEAD = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_CONTEXT, _ADDED, _REMOVED, _HUNK, _REMARK = b" +-@\\"
_MODES = {"100644": "a file", "100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}


class FileDiff:
    """The hunks of one file. Of each line: where it begins, its kind, and its numbers before and after (0: none)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = array("q")
        self._kinds = bytearray()
        self._olds = array("l")
        self._news = array("l")
        self.hunks: list[int] = []  # lines that are heads of hunks
        self._firsts: list[int] = []  # of each hunk, the number in the result at which it begins
        self._read()
        self.widest_number = len(str(max(max(self._olds, default=0), max(self._news, default=0))))  # cells it takes

    def __len__(self) -> int:
        """Lines, without git's headers."""
        return len(self._kinds)

    def kind(self, index: int) -> int:
        """Which sign the line has."""
        return self._kinds[index]

    def numbers(self, index: int) -> tuple[int, int]:
        """The line's number before and after; 0 where it has none."""
        return self._olds[index], self._news[index]

    def text(self, index: int) -> str:
        """The line without its sign and line end."""
        start = self._starts[index]
        end = self._data.find(b"\n", start)
        first = start if self._kinds[index] == _HUNK else start + 1
        return self._data[first : end if end >= 0 else None].decode("utf-8", "replace")

    def place_of(self, number: int) -> int:
        """The line that stands at, or next after, a line number of the result; the last one where there is none."""
        at = bisect_right(self._firsts, number)
        start = self.hunks[at - 1] if at else 0
        for index in range(start, len(self)):
            if self._news[index] >= number:
                return index
        return max(0, len(self) - 1)

    def line_of(self, number: int, *, side: str = "new") -> int:
        """The line that has exactly this number on a side; -1 where the diff does not show it."""
        if side == "new":
            at = self.place_of(number) if len(self) else -1
            return at if at >= 0 and self._news[at] == number else -1
        return next((at for at, old in enumerate(self._olds) if old == number), -1)

    def _read(self) -> None:
        """Count through the hunks as their heads say, so that no line of content can pose as a header."""
        data, at, end = self._data, 0, len(self._data)
        old = new = old_left = new_left = 0
        while at < end:
            following = data.find(b"\n", at) + 1 or end
            kind = data[at]
            if old_left > 0 or new_left > 0 or (kind == _REMARK and self._kinds):
                self._add(
                    at, kind, old if kind in (_CONTEXT, _REMOVED) else 0, new if kind in (_CONTEXT, _ADDED) else 0
                )
                if kind in (_CONTEXT, _REMOVED):
                    old, old_left = old + 1, old_left - 1
                if kind in (_CONTEXT, _ADDED):
                    new, new_left = new + 1, new_left - 1
            elif kind == _HUNK and (head := _HEAD.match(data, at)):
                old, new = int(head[1]), int(head[3])
                old_left, new_left = int(head[2] or 1), int(head[4] or 1)
                self.hunks.append(len(self._kinds))
                self._firsts.append(new)
                self._add(at, _HUNK, 0, 0)
            at = following

    def _add(self, start: int, kind: int, old: int, new: int) -> None:
        self._starts.append(start)
        self._kinds.append(kind)
        self._olds.append(old)
        self._news.append(new)


def is_collapsed(file: ChangedFile) -> bool:
    """Whether the file is only shown when asked for."""
    return file.old_size + file.new_size > COLLAPSED_BYTES and not file.is_binary


def remarks(file: ChangedFile, why: str = "", *, collapsed: bool = False) -> tuple[Line, ...]:
    """What is to be said of a file above its lines."""
    return tuple(line(words, BLANK) for words in _remarks(file, why, collapsed=collapsed))


def _remarks(file: ChangedFile, why: str, *, collapsed: bool) -> list[Piece]:
    found = [piece(file.path, "strong")]
    if why:
        found.append(piece(why, "dim"))
    if file.old_path != file.path:
        found.append(piece(f"renamed from {file.old_path}", "accent"))
    found += _of_modes(file)
    if file.is_binary:
        found.append(piece(f"binary: {_bytes(file.old_size)} before, {_bytes(file.new_size)} after", "needs-you"))
    elif collapsed:
        size = _bytes(file.old_size + file.new_size)
        found.append(piece(f"not shown yet: {size}, more than {_bytes(COLLAPSED_BYTES)}. Enter shows it.", "needs-you"))
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


def _bytes(size: int) -> str:
    return f"{size:,} bytes" if size < 10_000 else f"{size / 1_000_000:,.2f} MB"


def next_hunk(hunks: list[int], line_at: int) -> int:
    """The number of the first hunk below a line; as many as there are where there is none."""
    return bisect_right(hunks, line_at)


def hunk_before(hunks: list[int], line_at: int) -> int:
    """The number of the last hunk above a line; -1 where there is none."""
    return bisect_left(hunks, line_at) - 1
