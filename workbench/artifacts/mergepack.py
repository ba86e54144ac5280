"""The merge-readiness pack (MRP): the evidence that a change may be merged, bound to what it was made from.

It is a value to keep and to show; which verdict follows from the evidence is not decided here.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import msgspec

from workbench.artifacts import fields as f
from workbench.artifacts.files import ArtifactFile
from workbench.artifacts.problem_list import has_errors, quoted
from workbench.artifacts.source import MAX_BYTES as MAX_CHECKED_BYTES
from workbench.model.digests import canonical, digest_of
from workbench.model.errors import ArtifactInvalid
from workbench.model.evidence import Criterion, Evidence, Finding
from workbench.model.problems import Problem

MAX_BYTES = 64 << 20  # of a pack; logs and reports are blobs beside it

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


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file, in lines and, where the language is known, in entities."""

    path: str
    status: str = "M"  # A, M or D
    added: int = 0
    removed: int = 0
    kind: str = ""  # source, test, generated, lock, binary, configuration ...
    entities: tuple[str, ...] = ()


class ReadingItem(msgspec.Struct, frozen=True, kw_only=True):
    """What to read, best first, and why."""

    path: str
    why: str
    line: int = 0


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


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What the change came from, so that it can be retraced."""

    loop: str = ""
    rulebook_digest: str = ""
    resolutions: tuple[str, ...] = ()
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
    changes: tuple[Change, ...] = ()
    reading_list: tuple[ReadingItem, ...] = ()
    test_plan: tuple[PlanItem, ...] = ()
    new_tests: tuple[str, ...] = ()
    rationale: Rationale = Rationale()
    not_checked: tuple[str, ...] = ()
    comments: tuple[Comment, ...] = ()
    audit: Audit = Audit()
    evidence: tuple[Evidence, ...] = ()
    findings: tuple[Finding, ...] = ()


FILE = ArtifactFile(MergePack, partial(f.table, MergePack), name="merge-readiness pack")


def parse(text: str | bytes, path: str = "pack.json") -> MergePack:
    """The pack in a JSON text. Raises ArtifactInvalid with all problems."""
    try:
        return _decoded(text)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        problems = check(text, path)
        first = problems[0] if problems else path
        raise ArtifactInvalid(f"{first}", problems, hint="build the pack again: workbench mrp build") from None


def check(text: str | bytes, path: str = "pack.json") -> list[Problem]:
    """All problems of a pack's text; never raises."""
    try:
        _decoded(text)
    except (ValueError, RecursionError) as error:
        found = _checked(text, path)
        if has_errors(found):
            return found
        words = quoted(str(error))
        return [Problem(path=path, line=0, column=0, text=f"not a pack: {words}", remedy="build it again")]
    return []


def render(pack: MergePack) -> str:
    """The pack as Markdown for people: the verdict, then what was not checked, then why, then the evidence."""
    from workbench.artifacts.pack_report import report

    return report(pack)


def digest(pack: MergePack) -> str:
    """The digest of the whole pack."""
    return digest_of(pack)


def to_json(pack: MergePack) -> bytes:
    """The pack as canonical JSON, as it is kept and digested."""
    return canonical(pack)


def document(pack: MergePack) -> dict[str, Any]:
    """The pack as plain data."""
    data: dict[str, Any] = msgspec.to_builtins(pack)
    return data


def _decoded(text: str | bytes) -> MergePack:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    return msgspec.json.decode(data, type=MergePack)


def _checked(text: str | bytes, path: str) -> list[Problem]:
    """Problems with lines where the pack was written over many lines, else with the names of the fields only."""
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if len(data) <= MAX_CHECKED_BYTES and data.strip().count(b"\n"):
        return FILE.check(text, path)
    try:
        return FILE.read_data(msgspec.json.decode(data), path).problems
    except (msgspec.DecodeError, RecursionError):
        return []
