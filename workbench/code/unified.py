"""A file's unified diff, as git writes it: where each line begins, what it is and its numbers, found once.

It knows git's format, and neither screen nor repository.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, islice
from operator import itemgetter, mul

_INDEX = re.compile(rb"index ([0-9a-f]+)\.\.([0-9a-f]+)")
_HEAD = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_ENDED = re.compile(rb"\n[^ +\-\\]")  # no line of a hunk begins so
_HUNK = ord("@")
_IS_OLD, _IS_NEW = (bytes(sign in signs for sign in range(256)) for signs in (b" -", b" +"))


class FileDiff:
    """The hunks of a file, or of several. Of each line: where it begins, its kind, its numbers before, after, or 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._starts = array("q")
        self.kinds = bytearray()  # the sign of each line
        self._olds = array("l")
        self._news = array("l")
        self.hunks: list[int] = []  # lines that are heads of hunks
        self.files: list[tuple[int, str, str]] = []  # of each file, hunks before it, and what git calls its contents
        self._firsts: list[int] = []  # of each hunk, the number in the result at which it begins
        self._old_firsts: list[int] = []
        self.widest_number = len(str(self._read()))  # cells it takes

    def __len__(self) -> int:
        """Lines, without git's headers."""
        return len(self.kinds)

    def kind(self, index: int) -> int:
        """Which sign the line has."""
        return self.kinds[index]

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
        return self.raw(index)[int(self.kinds[index] != _HUNK) :].decode("utf-8", "replace")

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

    def _read(self) -> int:
        """Hunk by hunk. Each line of one begins with a sign, so that no line of content can pose as a header.

        The largest number of a line is returned.
        """
        data, at, end, largest = self._data, 0, len(self._data), 0
        while at < end:
            following = data.find(b"\n", at) + 1 or end
            if data[at] == _HUNK and (head := _HEAD.match(data, at)):
                old, new = int(head[1]), int(head[3])
                self.hunks.append(len(self.kinds))
                self._old_firsts.append(old if head[2] != b"0" else old + 1)
                self._firsts.append(new if head[4] != b"0" else new + 1)
                self._starts.append(at)
                self.kinds.append(_HUNK)
                self._olds.append(0)
                self._news.append(0)
                following = self._body(following, old, new)
                largest = max(largest, old + int(head[2] or 1) - 1, new + int(head[4] or 1) - 1)
            elif named := _INDEX.match(data, at):
                self.files.append((len(self.hunks), named[1].decode(), named[2].decode()))
            at = following
        return largest

    def _body(self, start: int, old: int, new: int) -> int:
        """All lines of a hunk at once, for there may be 100,000; where it ends."""
        ended = _ENDED.search(self._data, start - 1)
        end = ended.end() - 1 if ended else len(self._data)
        lines = self._data[start:end].split(b"\n")
        if not lines[-1]:
            lines.pop()
        kinds = bytes(map(itemgetter(0), lines))
        lengths = map((1).__add__, map(len, lines))
        self.kinds += kinds
        self._starts.extend(islice(accumulate(lengths, initial=start), len(lines)))
        self._olds.extend(_numbered(kinds.translate(_IS_OLD), old))
        self._news.extend(_numbered(kinds.translate(_IS_NEW), new))
        return end


def _numbered(counted: bytes, first: int) -> Iterator[int]:
    """The number of each line that counts (1), from `first` on; 0 of the others (0)."""
    return map(mul, islice(accumulate(counted, initial=first - 1), 1, None), counted)
