"""How the command line speaks: data on stdout, talk on stderr, errors in one shape. It knows no verb and no state.

All outside text passes `workbench.model.text`. JSON keeps every character, the hidden ones as JSON escapes, so that
what a script reads is exact and what a terminal is shown is harmless.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import msgspec

from workbench.ace.cli.table import Column, Row, reading_width, table, terminal_width, wrapped
from workbench.model import text
from workbench.model.errors import WorkbenchError

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35"}


class Output:
    """Where one command writes. `as_json`: NDJSON rows and single objects; `quiet`: no talk but errors."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def rows(self, rows: Sequence[Row], columns: Sequence[Column[Row]], *, empty: str) -> None:
        """A list: one JSON object a line, or a table; `empty` is said on stderr when there is nothing to list."""
        if self.as_json:
            self.lines(json_line(row) for row in rows)
        elif rows:
            self.lines(table(rows, columns, width=terminal_width(), paint=self.paint))
        else:
            self.say(empty)

    def one(self, value: Mapping[str, Any] | msgspec.Struct, human: Iterable[str]) -> None:
        """A single thing: one JSON object, or the lines for people, whatever they hold."""
        if self.as_json:
            self.lines([json_line(value)])
            return
        self.prose(text.visible(line).replace("\n", " ") for line in human)

    def prose(self, lines: Iterable[str], *, indent: int = 2) -> None:
        """Safe lines for people, wrapped at words where somebody reads them; in a file each stays whole."""
        width = reading_width(sys.stdout)
        for line in lines:
            self.lines(wrapped(line, width, indent=indent) if width else [line])

    def lines(self, lines: Iterable[str]) -> None:
        """Data, line by line. The lines are safe already, and may be painted."""
        for line in lines:
            sys.stdout.write(line + "\n")

    def flush(self) -> None:
        """What was written so far reaches its reader now."""
        sys.stdout.flush()

    def cut(self, line: str) -> str:
        """A safe line for people, cut to the terminal; one that goes into a file stays whole."""
        return text.clip(line, terminal_width()) if sys.stdout.isatty() and "\x1b" not in line else line

    def raw(self, data: str) -> None:
        """Data that is safe and whole as it is."""
        sys.stdout.write(data)

    def say(self, talk: str) -> None:
        """Talk for people, on stderr; several lines are kept as lines, each wrapped at words where somebody reads."""
        if not self.quiet and talk:
            print("\n".join(_for_reading(text.visible(talk))), file=sys.stderr)  # noqa: T201 - the one place that talks

    def warn(self, talk: str) -> None:
        """A warning: said even when quiet."""
        lines = _for_reading(f"warning: {text.visible(talk)}")
        lines[0] = lines[0].replace("warning:", styled("warning:", "yellow", sys.stderr), 1)
        print("\n".join(lines), file=sys.stderr)  # noqa: T201

    def paint(self, words: str, style: str) -> str:
        """`words` in a style, where stdout takes colour."""
        return styled(words, style, sys.stdout)


def json_line(value: Any) -> str:
    """`value` as JSON on one line, hidden and steering characters as `\\uXXXX`."""
    return json_text(msgspec.json.encode(value).decode())


def json_text(encoded: str) -> str:
    """JSON that was encoded elsewhere, made safe for a terminal in the same way."""
    at = text.hidden_at(encoded)
    if at < 0:
        return encoded
    parts, start = [], 0
    while at >= 0:
        parts += [encoded[start:at], _json_escape(encoded[at])]
        start = at + 1
        at = text.hidden_at(encoded, start)
    return "".join(parts) + encoded[start:]


def show_error(error: WorkbenchError, *, as_json: bool) -> None:
    """An error on stderr: one JSON object, or what happened and what to do."""
    if as_json:
        print(json_line(error.as_dict()), file=sys.stderr)  # noqa: T201
        return
    told = [f"error: {text.visible(error.message)}"]
    told += [f"  {text.one_line(str(problem))}" for problem in getattr(error, "problems", ())]
    told += [f"  what to do: {text.visible(error.hint)}"] if error.hint else []
    lines = _for_reading("\n".join(told))
    lines[0] = lines[0].replace("error:", styled("error:", "red", sys.stderr), 1)
    print("\n".join(lines), file=sys.stderr)  # noqa: T201


def _for_reading(talk: str) -> list[str]:
    """Lines for stderr, wrapped at words where somebody reads them."""
    width = reading_width(sys.stderr)
    return [part for line in talk.split("\n") for part in (wrapped(line, width) if width else [line])]


def styled(words: str, style: str, stream: TextIO) -> str:
    """`words` in a style if `stream` is a terminal that wants colour (https://no-color.org)."""
    if not style or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return words
    return f"\x1b[{_STYLES[style]}m{words}\x1b[0m"


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
