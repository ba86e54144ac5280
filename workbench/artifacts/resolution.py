"""The version controlled resolution (VCR): a person's answer to one question or pack; never edited, only superseded."""

from __future__ import annotations

from typing import Literal

import msgspec

Decision = Literal[
    "option", "alternative", "approve", "request-changes", "reject", "select", "compose", "allow", "deny", "withdraw"
]
AppliesTo = Literal["this", "mission", "repository"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided on."""

    kind: Literal["crp", "mrp"]
    id: str
    digest: str = ""


class DecidedBy(msgspec.Struct, frozen=True, kw_only=True):
    """Who decided. `resolver` is `human`, or `policy:<id>` for a policy that a person wrote."""

    who: str
    role: str = ""
    resolver: str = "human"
    verified: bool = False


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What followed from the decision."""

    brief_version: str = ""
    proposed_rule: str = ""
    branch: str = ""


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. `option` names the chosen option, `selected` the chosen versions; `cites` decides when it is stale."""

    id: str
    target: Target
    decision: Decision
    rationale: str
    decided_by: DecidedBy
    at: str
    option: str = ""
    alternative: str = ""
    selected: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    required_changes: tuple[str, ...] = ()
    applies_to: AppliesTo = "this"
    cites: tuple[str, ...] = ()  # file:lines@blob, entity digest or clause@version
    effects: Effects = Effects()
    supersedes: str = ""
    expires: str = ""
    body: str = ""
