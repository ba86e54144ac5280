"""`request_consultation`: a structured question to a person. It raises nothing itself: it checks and describes.

The result's data has `consultation` (its id), `mode` and `document` (the CRP); who records calls makes events of it.
Where the run asked the same before there is no `document`, and a `resolution` in place of `mode` if it was answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from workbench.aee.tools.calls import first_of
from workbench.aee.tools.checked import Arguments, CheckedTool, plain, summary
from workbench.core.decide.asking import asked_before, require_room
from workbench.core.state import ConsultationState
from workbench.model.errors import Refused
from workbench.ports import ToolResult

Category = Literal["clarification", "trade-off", "scope", "technical", "permission", "budget", "risk"]
Mode = Literal["blocking", "advisory"]
Line = Annotated[str, Meta(max_length=2000)]
Text = Annotated[str, Meta(max_length=50_000)]
OptionId = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Matching = Callable[[str], Sequence[Mapping[str, Any]]]
Asked = Callable[[], Sequence[ConsultationState]]
STANDING_SHOWN = 10  # resolutions shown before a question may be raised


class Option(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One way to go on."""

    id: OptionId
    label: Line
    pros: tuple[Line, ...] = ()
    cons: tuple[Line, ...] = ()
    estimated_effort: Line = ""
    risk: Line = ""
    blast_radius: Line = ""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the agent would do."""

    preferred_option: OptionId
    reasoning: Text = ""
    confidence: Annotated[float, Meta(ge=0, le=1)] | None = None


class AskArguments(Arguments, frozen=True, kw_only=True, omit_defaults=True):
    """The question. `considered` names the standing resolutions that do not answer it."""

    summary: Annotated[str, Meta(min_length=1, max_length=300, description="The question in one line.")]
    category: Category = "clarification"
    mode: Annotated[Mode, Meta(description="blocking: your turn ends until the answer; advisory: you go on.")] = (
        "blocking"
    )
    details: Text = ""
    attempts: Annotated[tuple[Text, ...], Meta(max_length=50)] = ()
    options: Annotated[tuple[Option, ...], Meta(max_length=20)] = ()
    recommendation: Recommendation | None = None
    requested_decision: Text = ""
    assumption: Annotated[Text, Meta(description="Advisory: what you go on with meanwhile.")] = ""
    refs: Annotated[tuple[Line, ...], Meta(max_length=100, description="file:lines@blob, or ids of clauses.")] = ()
    cost_of_waiting: Line = ""
    deadline: Line = ""
    escalation_targets: Annotated[tuple[Line, ...], Meta(max_length=20)] = ()
    considered: Annotated[tuple[Line, ...], Meta(max_length=100)] = ()


class ConsultationTool(CheckedTool[AskArguments]):
    """Turns an agent's question into a CRP document, after it has seen what was decided before."""

    name = "request_consultation"
    description = (
        "Ask a person. You are first shown standing resolutions that match; if none answers, ask again with their ids "
        "in `considered`. A blocking question ends your turn."
    )
    arguments = AskArguments

    def __init__(
        self,
        *,
        about: Mapping[str, str],
        now: Callable[[], str],
        name_question: Callable[[str], str],
        matching: Matching,
        asked: Asked,
    ) -> None:
        """`about` are fields of the document that the agent does not say itself; empty ones are left out.

        `asked()` are the questions of the run so far.
        """
        self._about = {name: value for name, value in about.items() if value}
        self._now, self._name_question, self._matching, self._asked = now, name_question, matching, asked

    def act(self, arguments: AskArguments, call_id: str) -> ToolResult:
        """Refuse what cannot be answered, show what stands, else describe the question."""
        _check(arguments)
        standing = self._matching(f"{arguments.summary}\n{arguments.details}")
        unseen = [found for found in standing if str(found.get("id", "")) not in arguments.considered]
        if unseen:
            names = ", ".join(str(found.get("id", "")) for found in unseen[:STANDING_SHOWN])
            raise Refused(
                f"standing resolutions may answer this: {names}",
                hint="Go by one of them, or ask again with their ids in `considered`.",
                data={"resolutions": [dict(found) for found in unseen[:STANDING_SHOWN]]},
            )
        asked = self._asked()
        question = self._name_question(first_of(call_id))
        document = self._document(question, arguments, call=call_id)
        if (before := asked_before(asked, document, now=document["at"])) is not None:
            return _again(before)
        require_room(asked, arguments.mode)
        blocking = arguments.mode == "blocking"
        data = {"consultation": question, "mode": arguments.mode, "document": document}
        said = summary(f"{question} ({arguments.mode}): {arguments.summary}")
        return ToolResult(state="ok", summary=said, data=data, suspend=blocking)

    def _document(self, question: str, arguments: AskArguments, *, call: str) -> dict[str, Any]:
        asked: dict[str, Any] = plain(arguments)
        asked.setdefault("category", arguments.category)
        asked.setdefault("mode", arguments.mode)
        trigger = {"kind": "agent", "ref": first_of(call)}
        return {**asked, "id": question, **self._about, "at": self._now(), "trigger": trigger}


def _again(before: ConsultationState) -> ToolResult:
    """What an agent hears that asks for a second time: the question that waits, or its answer."""
    if before.state == "open":
        said = summary(f"{before.id} ({before.mode}) asks the same and waits for a person: {before.title}")
        data = {"consultation": before.id, "mode": before.mode}
        return ToolResult(state="ok", summary=said, data=data, suspend=before.mode == "blocking")
    chosen = before.answer.get("option") or before.answer.get("alternative") or before.decision
    said = summary(f"{before.id} asked the same and was answered by {before.decided_by}: {chosen}")
    return ToolResult(state="ok", summary=said, data={"consultation": before.id, "resolution": before.answer})


def _check(arguments: AskArguments) -> None:
    ids = [option.id for option in arguments.options]
    if len(set(ids)) != len(ids):
        raise Refused("two options have one id", hint="Give every option an id of its own.")
    preferred = arguments.recommendation.preferred_option if arguments.recommendation else None
    if preferred is not None and preferred not in ids:
        raise Refused(
            f"the recommendation names {preferred!r}, which is no option", hint=f"Name one of: {', '.join(ids)}."
        )
    if arguments.mode == "advisory" and not arguments.assumption.strip():
        raise Refused("an advisory question needs its assumption", hint="Say what you go on with meanwhile.")
