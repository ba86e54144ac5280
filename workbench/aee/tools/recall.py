"""`recall_resolutions`: what people decided before, as far as it still stands."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool
from workbench.aee.tools.consultation import Matching
from workbench.ports import ToolResult

RESOLUTIONS = 20  # told at once


class RecallArguments(Arguments, frozen=True, kw_only=True):
    """What about."""

    query: Annotated[str, Meta(max_length=2000, description="Words of the matter; empty gives all.")] = ""


class RecallTool(CheckedTool[RecallArguments]):
    """Looks standing resolutions up."""

    name = "recall_resolutions"
    description = "Resolutions of people that stand and match your words. Look here before you ask."
    arguments = RecallArguments

    def __init__(self, matching: Matching) -> None:
        self._matching = matching

    def act(self, arguments: RecallArguments, call_id: str) -> ToolResult:  # noqa: ARG002 - the tool interface
        """The first RESOLUTIONS that match, and whether there are more."""
        found = list(self._matching(arguments.query))
        data = {"resolutions": [dict(one) for one in found[:RESOLUTIONS]], "cut": len(found) > RESOLUTIONS}
        return ToolResult(state="ok", summary=f"{len(found)} standing resolutions", data=data)
