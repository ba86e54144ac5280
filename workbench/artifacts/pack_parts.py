"""What a merge-readiness pack consists of, as frozen values; it reads, checks and renders nothing."""

from __future__ import annotations

from typing import Literal

import msgspec

from workbench.model.evidence import Criterion, Evidence, Finding

Verdict = Literal["ready", "needs-human", "not-ready"]
VERDICTS: tuple[Verdict, ...] = ("not-ready", "needs-human", "ready")  # worst first
CriterionState = Literal["passed", "failed", "unproven"]
RequirementState = Literal["not_applicable", "satisfied", "unsatisfied", "overridden", "error"]


class CriterionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one of the five criteria stands, and on which evidence (ids)."""

    name: Criterion
    state: CriterionState
    evidence: tuple[str, ...] = ()
    summary: str = ""


class RequirementResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one requirement of the policy stands. An override names `by` and `expiry`."""

    id: str
    state: RequirementState
    reason: str = ""
    by: str = ""
    expiry: str = ""


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that holds the verdict down to `verdict`: a requirement, or a rule of every policy (`cause`)."""

    verdict: Verdict
    cause: str
    text: str
    wanted: str = ""  # what would have to hold
    evidence: tuple[str, ...] = ()


class WouldBe(msgspec.Struct, frozen=True, kw_only=True):
    """A better verdict, and the fewest causes that would all have to go for it."""

    verdict: Verdict
    without: tuple[str, ...]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file, in lines and, where the language is known, in entities."""

    path: str
    status: str = "M"  # A, M or D
    added: int = 0
    removed: int = 0
    kind: str = ""  # source, test, generated, lock, binary, configuration ...
    entities: tuple[str, ...] = ()  # those that may do something else now
    public: tuple[str, ...] = ()  # of these, those that others may use
    api: tuple[str, ...] = ()  # public names that came, went, or are called otherwise
    structure: tuple[str, ...] = ()  # what became of its entities, a line each
    mechanical: int = 0  # lines of both sides that are the same but for a rename, a move or the layout
    is_mechanical: bool = False  # whether all of its changed lines are


class ReadingItem(msgspec.Struct, frozen=True, kw_only=True):
    """What to read, best first, and why."""

    path: str
    why: str  # the gravest reason first
    line: int = 0
    group: Literal["", "first", "changed", "tests", "mechanical"] = ""  # empty in packs of before groups were told


class SplitPart(msgspec.Struct, frozen=True, kw_only=True):
    """What of a change that is over its size budget could land by itself, in its place in the order."""

    title: str
    files: tuple[str, ...]
    lines: int = 0  # added and removed
    on: tuple[int, ...] = ()  # numbers of earlier parts on which it stands, from 1


class PlanItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the agent's test plan; `test` is a test id, empty when the test is missing."""

    item: str
    test: str = ""
    state: Literal["passed", "failed", "missing", "unknown"] = "missing"


class Rationale(msgspec.Struct, frozen=True, kw_only=True):
    """Why it was done this way, in the agent's words: claimed."""

    approach: str = ""
    trade_offs: tuple[str, ...] = ()
    notes: str = ""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's remark."""

    text: str
    who: str = ""
    at: str = ""
    path: str = ""
    line: int = 0


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said to the agent at work, as it was given."""

    id: str
    who: str
    at: str
    mode: str  # queue | steer | interrupt
    text: str


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the change came from, so that it can be retraced."""

    loop: str = ""
    rulebook_digest: str = ""
    resolutions: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()  # in the order in which the agent was given them
    driver: str = ""
    driver_version: str = ""
    model: str = ""
    tools: dict[str, str] = {}  # name to version
    environment_digest: str = ""
    sandbox: str = ""
    sandbox_limits: tuple[str, ...] = ()  # what the sandbox could not limit
    trajectory: str = ""
    cost_usd: float = 0.0
    tokens: int = 0
    artifacts: tuple[str, ...] = ()


class MergePack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack. It holds for (base, head, tree, policy digest, brief digest) and is stale when one of them changes."""

    id: str
    verdict: Verdict
    base: str
    head: str
    tree: str
    policy_digest: str
    brief_digest: str = ""
    mission: str = ""
    run: str = ""
    agent: str = ""
    revision: int = 1
    submitted_at: str = ""
    title: str = ""
    brief: str = ""
    brief_version: str = ""
    criteria: tuple[CriterionResult, ...] = ()
    reasons: tuple[str, ...] = ()
    requirements: tuple[RequirementResult, ...] = ()
    because: tuple[Because, ...] = ()
    would_be: tuple[WouldBe, ...] = ()
    changes: tuple[Change, ...] = ()
    surface: tuple[str, ...] = ()  # what the change does to others: public names, callers, needs of modules
    reading_list: tuple[ReadingItem, ...] = ()
    split: tuple[SplitPart, ...] = ()  # proposed for a change that is over its size budget
    test_plan: tuple[PlanItem, ...] = ()
    new_tests: tuple[str, ...] = ()
    rationale: Rationale = Rationale()
    not_checked: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    audit: Audit = Audit()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()
    on: str = ""  # the run on whose head the base is, which must be merged first; empty: none
    authority: str = ""  # then the commit of people's own whose policy and settings bind it
