"""`read`: a text file, or a range of its lines."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool, refusal
from workbench.aee.tools.lines import lines_of
from workbench.aee.tools.place import Place
from workbench.ports import ToolResult

LINES = 2000  # given at once; more would drown what matters in a model's context
LINE_LENGTH = 2000  # characters of one line
TEXT_BYTES = 256 << 10  # given at once


class ReadArguments(Arguments, frozen=True, kw_only=True):
    """Which file, and which of its lines."""

    path: Annotated[str, Meta(description="Path relative to the workspace.")]
    first_line: Annotated[int, Meta(ge=1, description="First line wanted, counted from 1.")] = 1
    lines: Annotated[int, Meta(ge=1, le=LINES, description="How many lines.")] = LINES


class ReadTool(CheckedTool[ReadArguments]):
    """Reads files of the workspace."""

    name = "read"
    description = "Read a text file of the workspace, whole or by a range of lines. Says what was cut."
    arguments = ReadArguments

    def __init__(self, place: Place) -> None:
        self._place = place

    def act(self, arguments: ReadArguments, call_id: str) -> ToolResult:  # noqa: ARG002 - the tool interface
        """The lines that were asked for, each cut to LINE_LENGTH."""
        path = self._place.relative(arguments.path)
        content = self._place.files.read(path)
        if content.binary:
            text = f"read: {path} is binary, {content.size} bytes"
            return refusal(text, hint="Use `run` with a program for its format.")
        lines = lines_of(content.data)
        wanted = lines[arguments.first_line - 1 : arguments.first_line - 1 + arguments.lines]
        kept, cut_lines = _fit(wanted)
        last = arguments.first_line - 1 + len(kept)
        data = {
            "path": path,
            "text": "\n".join(kept),
            "first_line": arguments.first_line,
            "last_line": last,
            "total_lines": len(lines),
            "bytes": content.size,
            "cut": {"lines_after": max(0, len(lines) - last), "long_lines": cut_lines, "file": content.cut},
        }
        return ToolResult(state="ok", summary=f"{path}: lines {arguments.first_line}-{last} of {len(lines)}", data=data)


def _fit(lines: list[str]) -> tuple[list[str], int]:
    """As many lines as fit into TEXT_BYTES, long ones cut; and how many were cut."""
    kept: list[str] = []
    cut = room = 0
    for line in lines:
        short = line[:LINE_LENGTH]
        room += len(short.encode()) + 1
        if room > TEXT_BYTES:
            break
        cut += len(short) < len(line)
        kept.append(short)
    return kept, cut
