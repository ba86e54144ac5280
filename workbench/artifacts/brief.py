"""The brief: a versioned mission plan; it knows no mission, run or file system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.checker import DERIVED
from workbench.artifacts.editing import edited
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.properties import MAX_LAWS, complaints
from workbench.artifacts.terms import Budget, Clause, Command, Escalation, budget_table, clause_list, escalation_list
from workbench.model.problems import Problem
from workbench.model.text import one_line

Status = Literal["draft", "ready", "active", "superseded", "closed"]
Agency = Literal["H1", "H2", "H3", "H4", "H5"]  # H1: the agent alone ... H5: a human is essential
LevelType = Literal["lint", "unit", "integration", "acceptance", "property", "performance"]


TITLE_CELLS = 80  # of a light brief's title


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What for."""

    objective: str
    business_value: str = ""


class SuccessCriteria(msgspec.Struct, frozen=True, kw_only=True):
    """What must hold in the end."""

    definition_of_done: tuple[Clause, ...] = ()
    invariants: tuple[Clause, ...] = ()
    preconditions: tuple[Clause, ...] = ()
    postconditions: tuple[Clause, ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What to know before the start."""

    relevant_files: tuple[str, ...] = ()
    architecture: tuple[str, ...] = ()
    documentation: tuple[str, ...] = ()
    known_gotchas: tuple[Clause, ...] = ()


class Blueprint(msgspec.Struct, frozen=True, kw_only=True):
    """How to go about it."""

    recommended_approach: str = ""
    constraints: tuple[Clause, ...] = ()
    patterns_to_use: tuple[str, ...] = ()
    avoid: tuple[Clause, ...] = ()


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """One level of validation."""

    type: LevelType
    command: Command = ""
    description: str = ""


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """How it is shown to work."""

    levels: tuple[Level, ...] = ()


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """A mission plan. `light` ones come from one sentence; `body` is the free text below the front matter."""

    id: str
    title: str
    goal: Goal
    version: str = "1"
    status: Status = "draft"
    origin: Literal["person", "agent", "import"] = "person"
    light: bool = False
    behaviour: Literal["changes", "unchanged"] = "changes"
    base: str = ""
    success_criteria: SuccessCriteria = SuccessCriteria()
    context: Context = Context()
    blueprint: Blueprint = Blueprint()
    validation: Validation = Validation()
    consultation: tuple[Escalation, ...] = ()
    agency: Agency = "H3"
    budget: Budget = Budget()
    priority: int = 0  # larger goes first
    owner: str = ""
    derived_from: tuple[str, ...] = ()
    body: str = ""


def clauses(brief: Brief) -> tuple[Clause, ...]:
    """All clauses of a brief, in reading order."""
    criteria = brief.success_criteria
    return (
        *criteria.definition_of_done,
        *criteria.invariants,
        *criteria.preconditions,
        *criteria.postconditions,
        *brief.context.known_gotchas,
        *brief.blueprint.constraints,
        *brief.blueprint.avoid,
    )


def _table() -> f.Table:
    criteria = {
        "definition_of_done": "what is there when it is done (DOD-1 ...)",
        "invariants": "what holds before, during and after (INV-1 ...)",
        "preconditions": "what must hold at the start (PRE-1 ...)",
        "postconditions": "what must hold at the end (POST-1 ...)",
    }
    context = {
        "relevant_files": "paths or globs where the work is",
        "architecture": "how the parts fit",
        "documentation": "where to read more",
        "known_gotchas": "what has bitten before (GOT-1 ...)",
    }
    blueprint = {
        "recommended_approach": "how a senior colleague would start",
        "constraints": "what must not be touched or changed (CON-1 ...)",
        "patterns_to_use": "patterns of this code base to follow",
        "avoid": "what not to do (AVO-1 ...)",
    }
    level = {
        "type": "which kind of validation",
        "command": "a command line for the shell, or a list of words",
        "description": "what it shows",
    }
    clause_kinds = dict(zip(criteria, map(clause_list, ("DOD", "INV", "PRE", "POST")), strict=True))
    context_kinds: dict[str, f.Kind | f.Shape] = {"relevant_files": f.PATH, "known_gotchas": clause_list("GOT")}
    blueprint_kinds = {"constraints": clause_list("CON"), "avoid": clause_list("AVO")}
    goal = {"objective": "what is to be reached", "business_value": "why it is worth it"}
    levels = f.ListOf(f.table(Level, docs=level))
    docs = {
        "id": "the name of the brief, also its file name",
        "title": "what it is about, in one line",
        "goal": "what for",
        "version": "grows with each change of meaning",
        "status": "draft, ready, active, superseded or closed",
        "origin": "who wrote it: a person, an agent, or an import",
        "light": "made from one sentence; clauses may then be plain text",
        "behaviour": "unchanged: a refactoring, shown by base's tests and the same interface, or words and tests alone",
        "base": "the branch, tag or commit to start from; empty: where the checkout stands",
        "success_criteria": "what must hold in the end",
        "context": "what to know before the start",
        "blueprint": "how to go about it",
        "validation": "how it is shown to work",
        "consultation": "when to ask a person",
        "agency": "H1 agent alone .. H5 human essential",
        "budget": "what may be spent",
        "priority": "larger goes first",
        "owner": "who answers for it",
        "derived_from": "ids of the briefs, issues or documents it comes from",
    }
    kinds: dict[str, f.Kind | f.Shape] = {
        "id": f.ID,
        "title": f.LINE,
        "version": f.LINE,
        "base": f.REF,
        "owner": f.LINE,
        "derived_from": f.LINE,
        "goal": f.table(Goal, docs=goal, kinds={"objective": f.PROSE}),
        "success_criteria": f.table(SuccessCriteria, docs=criteria, kinds=clause_kinds),
        "context": f.table(Context, docs=context, kinds=context_kinds),
        "blueprint": f.table(Blueprint, docs=blueprint, kinds=blueprint_kinds),
        "validation": f.table(Validation, docs={"levels": "one entry per level"}, kinds={"levels": levels}),
        "consultation": escalation_list(),
        "budget": budget_table(),
        "priority": f.Integer(-1000, 1000),
    }
    return f.table(Brief, docs=docs, kinds=kinds, without=("body",))


_SECTIONS: tuple[tuple[str, str], ...] = (
    ("success_criteria", "definition_of_done"),
    ("success_criteria", "invariants"),
    ("success_criteria", "preconditions"),
    ("success_criteria", "postconditions"),
    ("context", "known_gotchas"),
    ("blueprint", "constraints"),
    ("blueprint", "avoid"),
)


def _clauses_have_ids(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    """An id that follows from the position moves when a clause is added: only a light brief may do without."""
    if data.get("light"):
        return
    for section, name in _SECTIONS:
        for number, clause in enumerate(data.get(section, {}).get(name, ())):
            if clause.get(DERIVED):
                yield f.Complaint(
                    where=(section, name, number),
                    text="this clause has no id",
                    remedy=f"write `id: {clause['id']}` and `text:`, so that evidence can cite it",
                )


def _ids_differ(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    """An id that follows from the position may be taken already by a clause that names its own."""
    for section, name in _SECTIONS:
        given = data.get(section, {}).get(name, ())
        named = {clause.get("id") for clause in given if DERIVED not in clause}
        for number, clause in enumerate(given):
            if data.get("light") and DERIVED in clause and clause["id"] in named:
                text = f"this clause would be {clause['id']}, which another one is"
                yield f.Complaint(where=(section, name, number), text=text, remedy="give it an id of its own")


def _properties_read(data: Mapping[str, Any]) -> Iterator[f.Complaint]:
    """A property that cannot be tried is said where it is written, not in the pack."""
    laws = 0
    for section, name in _SECTIONS:
        for number, clause in enumerate(data.get(section, {}).get(name, ())):
            if (law := clause.get("property")) is not None:
                where = (section, name, number)
                laws += 1
                if laws > MAX_LAWS:
                    text = f"a brief has at most {MAX_LAWS} properties, and this is one more"
                    yield f.Complaint(where=(*where, "property"), text=text, remedy="split the mission")
                    return
                yield from complaints(law, (*where, "property"))
                if clause.get("check") is not None:
                    text = "a clause has a check or a property, not both"
                    yield f.Complaint(
                        where=(*where, "property"), text=text, remedy="give one of them a clause of its own"
                    )


RULES = (_clauses_have_ids, _ids_differ, _properties_read)
FILE = ArtifactFile(Brief, _table, name="brief", form="markdown", rules=RULES)


def parse(text: str | bytes, path: str = "brief.md") -> Brief:
    """The brief in a text. Raises ArtifactInvalid with all problems."""
    return FILE.parse(text, path)


def check(text: str | bytes, path: str = "brief.md") -> list[Problem]:
    """All problems of a brief's text; never raises."""
    return FILE.check(text, path)


def render(brief: Brief, *, original: str = "") -> str:
    """The text of a brief; `original` changed as little as possible, if one is given."""
    return edited(FILE, brief, original) if original else FILE.render(brief)


def digest(brief: Brief) -> str:
    """What a brief says, as a digest: comments, key order and layout do not count."""
    return FILE.digest(brief)


def light(sentence: str, id: str) -> str:
    """The text of a light brief: one sentence as title, objective and the one thing to be done."""
    words = sentence.strip()
    title = one_line(words, TITLE_CELLS)
    done = SuccessCriteria(definition_of_done=(Clause(id="DOD-1", text=words),))
    goal = Goal(objective=words)
    return render(Brief(id=id, title=title, goal=goal, status="ready", light=True, success_criteria=done))
