"""`list`: what is in a directory of the workspace, and below it."""

from __future__ import annotations

import itertools
import os
from typing import Annotated

from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool
from workbench.aee.tools.place import Place
from workbench.ports import ToolResult

ENTRIES = 1000  # named at once


class ListArguments(Arguments, frozen=True, kw_only=True):
    """Which directory, and how deep."""

    path: Annotated[str, Meta(description="Directory relative to the workspace; empty is the workspace itself.")] = ""
    depth: Annotated[int, Meta(ge=1, le=32, description="How many levels to show.")] = 1


class ListTool(CheckedTool[ListArguments]):
    """Lists directories of the workspace."""

    name = "list"
    description = "List a directory of the workspace. Directories end in `/`, links in `@`; links are not followed."
    arguments = ListArguments

    def __init__(self, place: Place) -> None:
        self._place = place

    def act(self, arguments: ListArguments, call_id: str) -> ToolResult:  # noqa: ARG002 - the tool interface
        """The first ENTRIES names, and whether there are more."""
        path = self._place.relative(arguments.path)
        found = list(itertools.islice(self._place.files.walk(path, depth=arguments.depth), ENTRIES + 1))
        marks = {"directory": "/", "link": "@", "other": "?"}
        names = [_shown(entry.path) + marks.get(entry.kind, "") for entry in found[:ENTRIES]]
        more = len(found) > ENTRIES
        said = f"{path or '.'}: {len(names)} entries" + (", and more" if more else "")
        return ToolResult(state="ok", summary=said, data={"path": path, "entries": names, "cut": more})


def _shown(path: str) -> str:
    """A name that is no Unicode, with its bytes escaped: results are JSON."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
