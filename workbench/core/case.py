"""What the gate looks at, and what its rules bring forward; it judges nothing."""

from __future__ import annotations

import msgspec

from workbench.artifacts.brief import Brief
from workbench.artifacts.mergepack import Verdict
from workbench.artifacts.policy import OnMissing, Policy
from workbench.core.admission import Bindings
from workbench.model.evidence import GRADES, Evidence, Finding, Grade

BASE_ON_RESULT, TAMPERING = "tests.base-on-result", "tampering"
BLOCK: Verdict = "not-ready"
ASK: Verdict = "needs-human"
RANK: dict[Verdict, int] = {BLOCK: 0, ASK: 1, "ready": 2}
HARDER: dict[OnMissing, Verdict] = {"block": BLOCK, "needs-human": ASK, "report": "ready"}


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person lets one requirement go, and answers for it until `expiry` (an instant; empty: no end)."""

    requirement: str
    by: str
    reason: str
    expiry: str = ""
    roles: tuple[str, ...] = ()  # of `by`, as people.yaml of the base says


class GivenApproval(msgspec.Struct, frozen=True, kw_only=True):
    """A person approved this very change."""

    who: str
    roles: tuple[str, ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate has to know beside the evidence; only the AEE and people write it."""

    bindings: Bindings
    changed_paths: tuple[str, ...] = ()
    changed_lines: int = 0  # added and removed, generated and lock files not counted
    changed_files: int = 0  # the same; 0: as many as `changed_paths`
    removed_or_changed_resolutions: tuple[str, ...] = ()  # paths of people's answers that base has otherwise
    open_questions: tuple[str, ...] = ()  # ids of open advisory questions
    overrides: tuple[Override, ...] = ()
    approvals: tuple[GivenApproval, ...] = ()
    concerns: tuple[str, ...] = ()  # further sentences for which a person is needed
    now: str = ""


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that a rule brings forward, and the best verdict that it still lets through."""

    verdict: Verdict  # the best that is still possible; `ready` is only said
    text: str
    evidence: tuple[str, ...] = ()
    cause: str = ""  # the requirement, or the rule of every policy, that speaks
    wanted: str = ""  # what would have to hold; empty: the cause


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the rules read."""

    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    policy: Policy
    brief: Brief | None
    context: Context


def rank(grade: Grade) -> int:
    """How strong a grade is; larger is stronger."""
    return GRADES.index(grade)
