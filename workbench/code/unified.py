"""A file's unified diff, as git writes it: where each line begins, what it is and its numbers, found once.

It knows git's format, and neither screen nor repository.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right

_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")
_HEAD = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_CONTEXT, _ADDED, _REMOVED, _HUNK, _REMARK = b" +-@\\"


class FileDiff:
    """The hunks of a file, or of several. Of each line: where it begins, its kind, its numbers before, after, or 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = array("q")
        self._kinds = bytearray()
        self._olds = array("l")
        self._news = array("l")
        self.hunks: list[int] = []  # lines that are heads of hunks
        self.files: list[tuple[int, str, str]] = []  # of each file, hunks before it, and what git calls its contents
        self._firsts: list[int] = []  # of each hunk, the number in the result at which it begins
        self._old_firsts: list[int] = []
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

    def raw(self, index: int) -> bytes:
        """The line as it is, with its sign and without its line end."""
        start = self._starts[index]
        end = self._data.find(b"\n", start)
        return self._data[start : end if end >= 0 else None]

    def text(self, index: int) -> str:
        """The line without its sign and line end."""
        return self.raw(index)[int(self._kinds[index] != _HUNK) :].decode("utf-8", "replace")

    def head_of(self, index: int) -> int:
        """The number of the hunk, as git cut them, that a line is in."""
        return bisect_right(self.hunks, index) - 1

    def beginning(self, head: int) -> tuple[int, int]:
        """The numbers, before and after, of the first lines that a hunk has, or would have, on its sides."""
        return self._old_firsts[head], self._firsts[head]

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
                self._firsts.append(new if new_left else new + 1)
                self._old_firsts.append(old if old_left else old + 1)
                self._add(at, _HUNK, 0, 0)
            elif named := _INDEX.match(data, at):
                self.files.append((len(self.hunks), named[1].decode(), named[2].decode()))
            at = following

    def _add(self, start: int, kind: int, old: int, new: int) -> None:
        self._starts.append(start)
        self._kinds.append(kind)
        self._olds.append(old)
        self._news.append(new)
