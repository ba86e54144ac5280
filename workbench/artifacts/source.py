"""The raw text of an artifact: decoded, measured and split into front matter and body; it knows no YAML."""

from __future__ import annotations

import re

import msgspec

from workbench.artifacts.problem_list import ProblemList
from workbench.model.text import hidden_at, visible

MAX_BYTES = 1 << 20  # of one artifact
MAX_LINE = 1 << 16  # characters; the YAML reader takes quadratic time on some endless lines
FENCE = "---"
_BOM = "\ufeff"
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Text with LF line ends: `head` before the front matter, `data` (the YAML), `tail` from its end on, `body`."""

    data: str
    head: str = ""
    tail: str = ""
    body: str = ""

    @property
    def first_line(self) -> int:
        """The line of the file on which `data` starts."""
        return self.head.count("\n") + 1


def decode(raw: str | bytes, problems: ProblemList, *, limit: int = MAX_BYTES) -> str | None:
    """`raw` as text with LF line ends and without a byte order mark; None when it cannot be read at all."""
    if len(raw) > limit:
        problems.add(0, 0, f"the file is larger than {limit} bytes", "split it or move bulky text elsewhere")
        return None
    text = raw if isinstance(raw, str) else _decoded(raw, problems)
    if text is None:
        return None
    if text.startswith(_BOM):
        problems.add(1, 1, "the file starts with a byte order mark", "save it as UTF-8 without one", severity="warning")
    text = text.removeprefix(_BOM).replace("\r\n", "\n")
    return text if is_clean(text, problems) and _has_sane_lines(text, problems) else None


def split(text: str, problems: ProblemList) -> Source | None:
    """The front matter between two `---` lines, and the body below."""
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != FENCE:
        problems.add(1, 1, "the front matter is missing", f"start the file with a line `{FENCE}`")
        return None
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), 0)
    if not end:
        problems.add(1, 1, "the front matter has no end", f"close it with a line `{FENCE}`")
        return None
    tail = "".join(lines[end:])
    body = "".join(lines[end + 1 :])
    return Source(head=lines[0], data="".join(lines[1:end]), tail=tail, body=trimmed(body))


def trimmed(body: str) -> str:
    """A body without the blank lines around it, as it is kept and digested."""
    lines = body.replace("\r\n", "\n").split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines).rstrip()


def position(text: str, index: int) -> tuple[int, int]:
    """Line and column of an index, both from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def _decoded(raw: bytes, problems: ProblemList) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        problems.add(line, column, f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8")
        return None


def is_clean(text: str, problems: ProblemList) -> bool:
    """Whether no control character is in it; hidden ones (bidirectional, zero-width ...) are warnings, one a line."""
    clean = True
    index = hidden_at(text)
    while index >= 0 and not problems.full:
        line, column = position(text, index)
        char = visible(text[index])
        if _FORBIDDEN.match(text[index]):
            clean = False
            problems.add(line, column, f"control character {char}", "remove it, or write it as an escape in quotes")
        else:
            problems.add(
                line, column, f"hidden character {char}", "remove it: it is not what it looks like", severity="warning"
            )
        next_line = text.find("\n", index)
        index = hidden_at(text, next_line) if next_line >= 0 else -1
    return clean and not _FORBIDDEN.search(text)


def _has_sane_lines(text: str, problems: ProblemList) -> bool:
    if len(text) <= MAX_LINE:
        return True
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > MAX_LINE:
            problems.add(number, MAX_LINE + 1, f"the line is longer than {MAX_LINE} characters", "break it up")
            return False
    return True
