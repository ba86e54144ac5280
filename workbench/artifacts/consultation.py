"""The consultation request pack (CRP): an agent's structured question to a person; it knows no answer."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.artifacts.terms import Mode

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
