"""Untrusted text made safe to look at: the one choke point before a terminal, markup or a report; it knows no widget.

What a character may do to a screen decides, not what it means: C0 except newline and tab, ESC, DEL, C1, bidirectional,
zero-width, filler, variation and tag characters, line and paragraph separators, noncharacters and lone surrogates
become visible escapes. Escapes are plain ASCII, so `visible` of `visible` text changes nothing.
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
_HIDDEN_RANGES = (
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F),  # C0 without tab and newline, DEL, C1
    (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C),  # soft hyphen, grapheme joiner, Arabic letter mark
    (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFFA0, 0xFFA0),  # fillers
    (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F),  # zero width, separators, bidirectional, invisible operators
    (0xD800, 0xDFFF),  # lone surrogates
    (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),  # shorthand and music controls, tags, variation
)  # fmt: skip
_HIDDEN = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in _HIDDEN_RANGES) + "]")
_BLANKS = re.compile(r"\s+")


def visible(text: str) -> str:
    """`text` with every character that could hide or steer shown as an escape such as `\\x1b` or `\\u202e`."""
    return _HIDDEN.sub(lambda match: _escape(match.group()), text)


def hidden_at(text: str, start: int = 0) -> int:
    """The index of the first character from `start` on that `visible` would change; -1 when there is none."""
    found = _HIDDEN.search(text, start)
    return -1 if found is None else found.start()


def one_line(text: str, width: int = 0) -> str:
    """`text` made visible on one line, runs of blanks as one space; cut to `width` cells unless that is 0."""
    line = _BLANKS.sub(" ", visible(text)).strip()
    return clip(line, width) if width else line


def clip(text: str, cells: int) -> str:
    """The longest start of `text` that fits into `cells` terminal cells, with an ellipsis if something was cut."""
    if cell_width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    used, end = 0, 0
    for end, char in enumerate(text):  # noqa: B007 - the index of the first character that no longer fits
        used += _cells(char)
        if used > cells - 1:
            break
    return text[:end] + ELLIPSIS


def cell_width(text: str) -> int:
    """How many terminal cells `text` takes: wide characters two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
