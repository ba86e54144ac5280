"""Text in files that no diff shows as lines: UTF-16 and UTF-32, and readable runs of other bytes; it judges nothing."""

from __future__ import annotations

import codecs
import re

from workbench.evidence.static import MAX_TEXT_BYTES

PROBE = 8000  # bytes at the start of a file that tell its encoding, as many as git looks at for NUL
MIN_RUN = 16  # characters; shorter than any secret of a well-known shape
_MARKS = (  # the longer first: a UTF-32 mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OFTEN, _SELDOM = 0.4, 0.1  # of every second byte being NUL, where the text is mostly ASCII
_RUN = re.compile(rb"[\x20-\x7e]{%d,}" % MIN_RUN)
_WIDE_RUN = re.compile(rb"(?:[\x20-\x7e]\x00){%d,}" % MIN_RUN)


def is_binary(data: bytes | None) -> bool:
    """Whether git takes the file for binary, and shows no lines of it."""
    return data is not None and b"\0" in data[:PROBE]


def wide_text(data: bytes | None) -> str | None:
    """The text of a file in UTF-16 or UTF-32, with or without a mark; None where it is none, or too large."""
    if data is None or len(data) > MAX_TEXT_BYTES or not is_binary(data):
        return None
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "") or _unmarked(data)
    try:
        return data.decode(encoding) if encoding else None
    except UnicodeDecodeError:
        return None


def _unmarked(data: bytes) -> str:
    even, odd = data[:PROBE:2], data[1:PROBE:2]
    low, high = even.count(0) / len(even), odd.count(0) / max(1, len(odd))
    if high > _OFTEN and low < _SELDOM:
        return "utf-16-le"
    return "utf-16-be" if low > _OFTEN and high < _SELDOM else ""


def runs(data: bytes | None) -> list[str]:
    """The readable runs of a file, of one byte or two bytes a character; of one that is too large none."""
    if data is None or len(data) > MAX_TEXT_BYTES:
        return []
    plain = [found[0].decode("ascii") for found in _RUN.finditer(data)]
    return plain + [found[0][::2].decode("ascii") for found in _WIDE_RUN.finditer(data)]


def new_of(after: list[str], before: list[str]) -> list[tuple[int, str]]:
    """(number from 1, text) of each of `after` that `before` has not."""
    known = set(before)
    return [(number, text) for number, text in enumerate(after, start=1) if text not in known]
