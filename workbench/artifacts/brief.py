"""The brief: a versioned mission plan; it knows no mission, run or file system."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.artifacts.terms import Budget, Clause, Command, Escalation

Status = Literal["draft", "ready", "active", "superseded", "closed"]
Agency = Literal["H1", "H2", "H3", "H4", "H5"]  # H1: the agent alone ... H5: a human is essential
LevelType = Literal["lint", "unit", "integration", "acceptance", "property", "performance"]


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
