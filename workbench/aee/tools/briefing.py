"""`get_brief`: the mission's brief, as it was pinned at the start."""

from __future__ import annotations

from workbench.aee.tools.checked import Arguments, CheckedTool
from workbench.ports import ToolResult


class BriefArguments(Arguments, frozen=True, kw_only=True):
    """Nothing is asked for."""


class BriefTool(CheckedTool[BriefArguments]):
    """Gives the brief again."""

    name = "get_brief"
    description = "The mission's brief: goal, success criteria with their ids, context, blueprint, validation."
    arguments = BriefArguments

    def __init__(self, brief: str) -> None:
        self._brief = brief

    def act(self, arguments: BriefArguments, call_id: str) -> ToolResult:  # noqa: ARG002 - the tool interface
        """The whole text."""
        return ToolResult(state="ok", summary="the brief", data={"brief": self._brief})
