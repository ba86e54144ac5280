"""The tool set of a run: one object that knows every tool by name and never raises for what an agent asks.

It must not know who asks (a driver, an MCP client) nor who records the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.aee.tools.briefing import BriefTool
from workbench.aee.tools.calls import Ready
from workbench.aee.tools.checked import CheckedTool, refusal
from workbench.aee.tools.command import RunTool
from workbench.aee.tools.consultation import Asked, ConsultationTool, Matching
from workbench.aee.tools.edit import EditTool
from workbench.aee.tools.listing import ListTool
from workbench.aee.tools.patch import PatchTool
from workbench.aee.tools.place import Place
from workbench.aee.tools.read import ReadTool
from workbench.aee.tools.recall import RecallTool
from workbench.aee.tools.search import SearchTool
from workbench.aee.tools.submission import SubmitTool
from workbench.aee.tools.suite import FindSuite, TestTool
from workbench.core.state import ConsultationState
from workbench.ports import Blobs, Tool, ToolResult


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Who works on what: the run, its branch (without `refs/heads/`), its brief, and the commit it stood on last."""

    run: str
    mission: str
    agent: str
    branch: str
    brief: str = ""
    brief_id: str = ""
    brief_version: str = ""
    head: str = ""


def _nothing_stands(_query: str) -> list[Mapping[str, Any]]:
    return []


def _nothing_asked() -> tuple[ConsultationState, ...]:
    return ()


def _no_suite() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What tools ask the AEE. They must give the same answer when a call is repeated.

    `name_question(call)` names the question that a call raises. `matching(query)` finds standing resolutions (VCR
    documents with `id`); an empty query finds all of them. `asked()` are the questions of the run so far.
    `find_suite()` gives the project's tests, or None. `comments()` are the ids of people's comments that the run was
    sent and did not yet speak of in a delivery.
    `blobs` keep what a call is about to write, until it is written; `now()` is the instant of a question.
    """

    name_question: Callable[[str], str]
    blobs: Blobs
    now: Callable[[], str]
    matching: Matching = field(default=_nothing_stands)
    asked: Asked = field(default=_nothing_asked)
    find_suite: FindSuite = field(default=_no_suite)
    comments: Callable[[], Collection[str]] = tuple


def _about(assignment: Assignment) -> dict[str, str]:
    """What a question says of where it comes from."""
    return {
        "mission": assignment.mission,
        "run": assignment.run,
        "source_agent": assignment.agent,
        "brief": assignment.brief_id,
        "brief_version": assignment.brief_version,
        "head": assignment.head,
    }


class ToolBox:
    """Every tool of one run, by name."""

    def __init__(self, place: Place, *, assignment: Assignment, callbacks: Callbacks) -> None:
        whose = {"run": assignment.run, "agent": assignment.agent}
        ask = ConsultationTool(
            about=_about(assignment),
            now=callbacks.now,
            name_question=callbacks.name_question,
            matching=callbacks.matching,
            asked=callbacks.asked,
        )
        tools: tuple[CheckedTool[Any], ...] = (
            ReadTool(place),
            ListTool(place),
            SearchTool(place),
            EditTool(place),
            PatchTool(place, callbacks.blobs),
            RunTool(place),
            TestTool(place, callbacks.find_suite),
            ask,
            SubmitTool(place, branch=assignment.branch, comments=callbacks.comments, **whose),
            RecallTool(callbacks.matching),
            BriefTool(assignment.brief),
        )
        self._tools = {tool.name: tool for tool in tools}
        self._more: dict[str, Tool] = {}
        self.place = place  # where they act

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools, in the order in which agents are told of them."""
        return (*self._tools.values(), *self._more.values())

    def add(self, tools: Sequence[Tool]) -> None:
        """More tools, e.g. of plugins; none takes the place of one that is there."""
        self._more |= {tool.name: tool for tool in tools if tool.name not in self._tools}

    def call(self, tool: str, arguments: Mapping[str, Any], call_id: str) -> ToolResult:
        """Call a tool by name; an unknown name or a broken sandbox is an error result, too."""
        return self.ready(tool, arguments, call_id, {}).act()

    def ready(self, tool: str, arguments: Mapping[str, Any], call_id: str, recorded: Mapping[str, Any]) -> Ready:
        """A call that is about to act, for who records its intent first; `recorded` is an earlier attempt's intent."""
        known = self._tools.get(tool)
        if known is None and (other := self._more.get(tool)) is not None:
            return Ready(act=lambda: other.call(arguments, call_id))
        if known is None:
            unknown = refusal(
                f"there is no tool {tool[:80]!r}", hint=f"Tools: {', '.join(t.name for t in self.tools)}."
            )
            return Ready(act=lambda: unknown)
        return known.ready(arguments, call_id, recorded)
