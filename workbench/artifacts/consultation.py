"""The consultation request pack (CRP): an agent's structured question to a person; it knows no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.problem_list import did_you_mean, quoted
from workbench.artifacts.terms import Mode
from workbench.model.problems import Problem

Category = Literal["clarification", "trade-off", "scope", "technical", "permission", "budget", "risk"]
TriggerKind = Literal["agent", "loop", "mentor", "budget", "permission", "stall"]


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """What made the agent ask."""

    kind: TriggerKind = "agent"
    ref: str = ""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One way to go."""

    id: str
    label: str
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    estimated_effort: str = ""
    risk: str = ""
    blast_radius: str = ""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent would do. `confidence` is its own word, from 0 to 1; None: it gave none."""

    preferred_option: str
    reasoning: str = ""
    confidence: float | None = None


class Consultation(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `refs` are `file:lines@blob` or clause ids; `deadline` only raises its place in the inbox."""

    id: str
    summary: str
    mission: str = ""
    run: str = ""
    source_agent: str = ""
    at: str = ""
    brief: str = ""
    brief_version: str = ""
    head: str = ""
    trigger: Trigger = Trigger()
    mode: Mode = "blocking"
    category: Category = "clarification"
    details: str = ""
    attempts: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    recommendation: Recommendation | None = None
    requested_decision: str = ""
    assumption: str = ""  # advisory: what the agent goes on with meanwhile
    refs: tuple[str, ...] = ()
    cost_of_waiting: str = ""
    deadline: str = ""
    escalation_targets: tuple[str, ...] = ()


def _table() -> f.Table:
    option = f.table(
        Option,
        docs={
            "id": "a short id to answer with, such as A",
            "label": "what it is, in one line",
            "pros": "what speaks for it",
            "cons": "what speaks against it",
            "estimated_effort": "e.g. 2 h",
            "risk": "what could go wrong",
            "blast_radius": "what else it touches",
        },
        kinds={"id": f.ID, "label": f.PROSE},
    )
    recommendation = f.table(
        Recommendation,
        docs={
            "preferred_option": "the id of an option",
            "reasoning": "why",
            "confidence": "the agent's own word, from 0 to 1",
        },
        kinds={"confidence": f.Number(0, 1)},
        shorthand="preferred_option",
    )
    docs = {
        "id": "the name of the question",
        "summary": "the question, in one line",
        "mission": "the mission it belongs to",
        "run": "the run that asks",
        "source_agent": "the agent that asks",
        "at": "when it was asked",
        "brief": "the brief at work",
        "brief_version": "its version",
        "head": "the commit on which the run stood",
        "trigger": "what made the agent ask",
        "mode": "blocking: work waits; advisory: it goes on with the assumption",
        "category": "what kind of question",
        "details": "what a person needs to know to decide",
        "attempts": "what was tried before",
        "options": "the ways to go, in the order to show",
        "recommendation": "what the agent would do",
        "requested_decision": "what is to be decided, in words",
        "assumption": "advisory: what the agent goes on with meanwhile",
        "refs": "file:lines@blob, or clause ids",
        "cost_of_waiting": "what waiting costs, in words",
        "deadline": "an instant; it only raises the place in the inbox",
        "escalation_targets": "roles that could answer",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "summary": f.PROSE,
        "at": f.INSTANT,
        "deadline": f.INSTANT,
        "trigger": f.table(Trigger, docs={"kind": "who or what asked", "ref": "its id"}, shorthand="kind"),
        "options": f.ListOf(option, unique="id"),
        "recommendation": recommendation,
    }
    return f.table(Consultation, docs=docs, kinds=kinds)


def _recommends_an_option(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    known = [option["id"] for option in data.get("options", ()) if "id" in option]
    preferred = data.get("recommendation", {}).get("preferred_option")
    if preferred is not None and preferred not in known:
        remedy = did_you_mean(preferred, known) if known else "list the options"
        where = ("recommendation", "preferred_option")
        yield f.Complaint(where=where, text=f"there is no option {quoted(preferred)}", remedy=remedy)


def _advice_assumes(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    if data.get("mode") == "advisory" and not data.get("assumption", "").strip():
        text = "an advisory question says what the agent goes on with meanwhile"
        yield f.Complaint(where=("mode",), text=text, remedy="add `assumption:`, or make it blocking")


FILE = ArtifactFile(Consultation, _table, name="question", rules=(_recommends_an_option, _advice_assumes))


def parse(text: str | bytes, path: str = "consultation.yaml") -> Consultation:
    """The question in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = "consultation.yaml") -> list[Problem]:
    """All problems of a question's text; never raises."""
    return FILE.check(text, path)


def render(consultation: Consultation, *, original: str = "") -> str:
    """The text of a question; `original` changed as little as possible, if one is given."""
    return edited(FILE, consultation, original) if original else FILE.render(consultation)


def digest(consultation: Consultation) -> str:
    """What a question says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(consultation)


def of_document(document: Any, path: str = "consultation") -> Consultation:
    """The question in an event's document or a tool's arguments. Raises ArtifactInvalid with all problems."""
    return FILE.of_data(document, path)


def document(consultation: Consultation) -> dict[str, Any]:
    """A question as an event keeps it."""
    data: dict[str, Any] = msgspec.to_builtins(consultation)
    return data
