"""What was checked and what came of it: evidence, findings and test outcomes; it knows no policy and no verdict."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Grade = Literal["claimed", "observed", "executed", "verified"]
GRADES: tuple[Grade, ...] = ("claimed", "observed", "executed", "verified")  # lowest first

EvidenceState = Literal["passed", "failed", "skipped", "no-tests", "timed-out", "error", "not-checked"]
PASSED: EvidenceState = "passed"  # every other state is no pass
UNRUN: tuple[EvidenceState, ...] = ("no-tests", "not-checked")  # nothing was done, so that no grade was reached

Criterion = Literal["completeness", "verification", "hygiene", "rationale", "auditability"]
CRITERIA: tuple[Criterion, ...] = ("completeness", "verification", "hygiene", "rationale", "auditability")

Severity = Literal["info", "low", "medium", "high", "critical"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One checked fact. `digest` covers every other field but `id`; `outputs` are blob digests.

    Kinds in use: `tests.base`, `tests.result`, `tests.base-on-result`, `coverage.changed`, `lint.new`,
    `types.new`, `secrets`, `size`, `tampering`, `clause.<ID>`, `rationale`, `audit`.
    """

    id: str
    kind: str
    criterion: Criterion
    grade: Grade
    state: EvidenceState
    summary: str
    command: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    inputs: dict[str, str] = {}  # what it was made from: base, head, tree, environment ... to digest
    outputs: dict[str, str] = {}  # logs, reports: name to blob digest
    facts: dict[str, Any] = {}  # numbers and lists particular to the kind
    sandbox: str = ""
    environment: str = ""  # digest of the environment in which it ran
    collector: str = ""
    times: int = 1
    started_at: str = ""
    duration_ms: int = 0
    digest: str = ""

    @property
    def reached(self) -> str:
        """The grade, as people are told it: nobody executed what was not checked."""
        return reached(self.grade, self.state)


def reached(grade: str, state: str) -> str:
    """The grade of evidence in that state; empty where it was never reached. What is claimed stays so."""
    return "" if state in UNRUN and grade != "claimed" else grade


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a reviewer should see. `line` counts from 1, 0 is the whole file; `path` may be empty."""

    kind: str  # e.g. tampering.deleted-test, secrets.aws, lint.F401, focus.artifacts
    severity: Severity
    text: str
    path: str = ""
    line: int = 0
    evidence: str = ""
    blocking: bool = False  # counts as lost checks or another reason for not-ready


TestState = Literal["passed", "failed", "error", "skipped", "missing", "flaky"]  # flaky: passes only sometimes


class TestOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one test. `id` is stable between commits (`tests/test_a.py::test_b[x]`)."""

    __test__ = False  # keeps pytest from collecting the class

    id: str
    state: TestState
    seconds: float = 0.0
    message: str = ""
    expected: str = ""
    actual: str = ""
    frame: str = ""
    path: str = ""
    line: int = 0
