"""The gate: from evidence, findings and policy to a verdict with reasons. Pure, and deaf to every text.

Order of verdicts: `not-ready` when checks were lost or base's tests fail on the result; `needs-human` when something
required was not checked or a person has to answer for something; else `ready`. Evidence and findings can only add
concerns: nothing but passed evidence of a sufficient grade satisfies a requirement. A grave finding needs a person.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from workbench.artifacts.brief import Brief
from workbench.artifacts.globs import matches
from workbench.artifacts.mergepack import CriterionResult, RequirementResult, RequirementState, Verdict
from workbench.artifacts.policy import TOLERATED, FindingLimits, OnMissing, Policy, Requirement
from workbench.artifacts.terms import SANDBOX_LEVELS
from workbench.core.admission import Bindings, admit
from workbench.core.criteria import COVERAGE, MAX_SUMMARY, brief_clauses, criterion, not_checked, proven, told, unproven
from workbench.model.evidence import CRITERIA, GRADES, PASSED, Evidence, Finding, Grade
from workbench.model.text import one_line

BASE_ON_RESULT, TAMPERING = "tests.base-on-result", "tampering"
MAX_NAMED = 5  # ids or places that one reason names
BLOCK: Verdict = "not-ready"
ASK: Verdict = "needs-human"
_RANK: dict[Verdict, int] = {BLOCK: 0, ASK: 1, "ready": 2}
_HARDER: dict[OnMissing, Verdict] = {"block": BLOCK, "needs-human": ASK, "report": "ready"}


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A person lets one requirement go, and answers for it until `expiry` (an instant; empty: no end)."""

    requirement: str
    by: str
    reason: str
    expiry: str = ""


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
    open_questions: tuple[str, ...] = ()  # ids of open advisory questions
    overrides: tuple[Override, ...] = ()
    approvals: tuple[GivenApproval, ...] = ()
    concerns: tuple[str, ...] = ()  # further sentences for which a person is needed
    now: str = ""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict and everything it rests on. `evidence` is as it was counted: refused pieces have state `error`."""

    verdict: Verdict
    requirements: tuple[RequirementResult, ...]
    criteria: tuple[CriterionResult, ...]
    reasons: tuple[str, ...]
    not_checked: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    unproven: tuple[str, ...] = ()  # clause ids without evidence


class _Concern(msgspec.Struct, frozen=True, kw_only=True):
    verdict: Verdict  # the best that is still possible; `ready` is only said
    text: str
    evidence: tuple[str, ...] = ()


class _Case(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the rules read."""

    evidence: tuple[Evidence, ...]
    findings: tuple[Finding, ...]
    policy: Policy
    brief: Brief | None
    context: Context


def judge(
    *,
    evidence: Sequence[Evidence],
    findings: Sequence[Finding],
    policy: Policy,
    brief: Brief | None,
    context: Context,
) -> Judgement:
    """The verdict on a change."""
    admitted = admit(evidence, context.bindings)
    case = _Case(evidence=admitted.evidence, findings=tuple(findings), policy=policy, brief=brief, context=context)
    judged = [_requirement(requirement, case) for requirement in _all_requirements(policy)]
    wanted = [requirement.evidence for requirement in _all_requirements(policy) if requirement.evidence]
    concerns = [concern for rule in _RULES for concern in rule(case)]
    concerns += _unsaid([concern for _, concern in judged if concern is not None], concerns)
    concerns += [_refusal(piece, reason) for piece, reason in admitted.refusals]
    ranked = sorted(concerns, key=lambda concern: _RANK[concern.verdict])
    verdict = ranked[0].verdict if ranked else "ready"
    results = tuple(result for result, _ in judged)
    tolerated = _tolerated(case, verdict, wanted)
    reasons = _sentences([_all_passed(case, results), *ranked, *_only_reported(case, ranked)])
    return Judgement(
        verdict=verdict,
        requirements=results,
        criteria=tuple(criterion(name, case.evidence, brief=brief, tolerated=tolerated) for name in CRITERIA),
        reasons=reasons if verdict == "ready" else _sentences(ranked),
        not_checked=tuple(not_checked(case.evidence, brief=brief, wanted=wanted)),
        evidence=admitted.evidence,
        unproven=tuple(clause.id for clause in unproven(brief, case.evidence)),
    )


def _unsaid(concerns: Sequence[_Concern], said: Sequence[_Concern]) -> list[_Concern]:
    """Concerns about evidence that a graver or equal one does not already cite, so that nothing is said twice."""
    cited = {(concern.verdict, piece) for concern in said for piece in concern.evidence}
    return [c for c in concerns if not c.evidence or not all((c.verdict, piece) in cited for piece in c.evidence)]


def _tolerated(case: _Case, verdict: Verdict, wanted: Sequence[str]) -> frozenset[str]:
    """Failed evidence that is only reported: all of it under `ready`, else coverage that no requirement asks for."""
    asked = any(fnmatch.fnmatchcase(COVERAGE, kind) for kind in wanted)
    failed = (piece for piece in case.evidence if piece.state == "failed")
    return frozenset(piece.id for piece in failed if verdict == "ready" or (piece.kind == COVERAGE and not asked))


def _all_passed(case: _Case, results: Sequence[RequirementResult]) -> _Concern:
    """What `ready` says: neither more nor less than what holds."""
    open_ = [result for result in results if result.state in ("unsatisfied", "error")]
    reported = [f"{r.id} {'not checked' if ' is not checked: ' in r.reason else 'not satisfied'}" for r in open_]
    clauses = [clause.id for clause in unproven(case.brief, case.evidence)]
    text = "All required checks passed"
    text += f"; reported only: {_named(reported)}" if reported else ""
    text += f"; unproven: {_named(clauses)}" if clauses else ""
    passed = [piece.id for piece in case.evidence if piece.state == PASSED and _rank(piece.grade) >= _rank("executed")]
    return _Concern(verdict="ready", text=text, evidence=tuple(passed))


def _only_reported(case: _Case, said: Sequence[_Concern]) -> Iterator[_Concern]:
    """Failed evidence of which nothing was said yet."""
    cited = {piece for concern in said for piece in concern.evidence}
    for piece in case.evidence:
        if piece.state == "failed" and piece.id not in cited:
            text = f"Reported only: {one_line(piece.kind, 60)} {told(piece)}"
            yield _Concern(verdict="ready", text=text, evidence=(piece.id,))


def _sentences(concerns: Sequence[_Concern]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_sentence(concern) for concern in concerns))


def _sentence(concern: _Concern) -> str:
    text = concern.text if concern.text.endswith(".") else f"{concern.text}."
    cited = ", ".join(one_line(piece, 60) for piece in concern.evidence[:MAX_NAMED])
    return f"{text} [{cited}]" if cited else text


def _refusal(piece: str, reason: str) -> _Concern:
    return _Concern(verdict=ASK, text=f"Evidence was refused: {reason}", evidence=(piece,))


def _rank(grade: Grade) -> int:
    return GRADES.index(grade)


# --- requirements ---------------------------------------------------------------------------------------

_BUILT_IN = (
    Requirement(id="base-tests", evidence=BASE_ON_RESULT),
    Requirement(id="no-tampering", evidence=TAMPERING),
)


def _all_requirements(policy: Policy) -> tuple[Requirement, ...]:
    """The policy's, and those that no policy can leave out."""
    covered = {requirement.evidence for requirement in policy.requirements}
    coverage: tuple[Requirement, ...] = ()
    if policy.coverage_of_changed_lines and COVERAGE not in covered:
        coverage = (Requirement(id="coverage", evidence=COVERAGE),)
    return (*policy.requirements, *(r for r in _BUILT_IN if r.evidence not in covered), *coverage)


Judged = tuple[RequirementResult, _Concern | None]


def _requirement(requirement: Requirement, case: _Case) -> Judged:
    paths = case.context.changed_paths
    if requirement.when and not any(matches(path, requirement.when) for path in paths):
        return RequirementResult(id=requirement.id, state="not_applicable", reason="No changed path fits."), None
    if requirement.approval is not None:
        return _approval(requirement, case)
    state, concern = _evidence_state(requirement, case)
    override = _override(requirement.id, case)
    if state != "satisfied" and override is not None:
        return _overridden(requirement, override)
    reason = "" if concern is None else concern.text
    return RequirementResult(id=requirement.id, state=state, reason=reason), concern


def _evidence_state(requirement: Requirement, case: _Case) -> tuple[RequirementState, _Concern | None]:
    pieces = [piece for piece in case.evidence if fnmatch.fnmatchcase(piece.kind, requirement.evidence)]
    failed = [piece for piece in pieces if _fails(piece, case.policy)]
    if failed:
        text = f"{requirement.id}: {told(failed[0])}"
        return "unsatisfied", _Concern(
            verdict=_HARDER[requirement.on_missing], text=text, evidence=tuple(piece.id for piece in failed)
        )
    able = [piece for piece in pieces if _rank(piece.grade) >= _rank(requirement.min_grade)]
    open_ = [piece for piece in able if piece.state not in (PASSED, "failed")]
    if able and not open_:
        return "satisfied", None
    why = told(open_[0]) if open_ else _why_missing(requirement, pieces)
    broken = any(piece.state in ("error", "timed-out") for piece in open_)
    return "error" if broken else "unsatisfied", _Concern(
        verdict=_of_missing(requirement.on_missing, case.policy),
        text=f"{requirement.id} is not checked: {why}",
        evidence=tuple(piece.id for piece in (open_ or pieces)),
    )


def _of_missing(on_missing: OnMissing, policy: Policy) -> Verdict:
    """What was not checked needs a person; under strict rigor a blocking requirement blocks at once."""
    if on_missing == "report":
        return "ready"
    return BLOCK if on_missing == "block" and policy.rigor == "strict" else ASK


def _why_missing(requirement: Requirement, pieces: Sequence[Evidence]) -> str:
    if pieces:
        return f"it is only {pieces[0].grade}, and at least {requirement.min_grade} is required"
    return f"there is no evidence of kind {requirement.evidence}"


def _fails(piece: Evidence, policy: Policy) -> bool:
    """Whether a piece fails its requirement: coverage by the minimum that the policy sets, not by being incomplete."""
    if piece.kind != COVERAGE or not policy.coverage_of_changed_lines or piece.state not in (PASSED, "failed"):
        return piece.state == "failed"
    percent = piece.facts.get("percent")
    return not isinstance(percent, int | float) or percent < policy.coverage_of_changed_lines


def _approval(requirement: Requirement, case: _Case) -> Judged:
    wanted = requirement.approval
    assert wanted is not None
    if wanted.paths and not any(matches(path, wanted.paths) for path in case.context.changed_paths):
        return RequirementResult(id=requirement.id, state="not_applicable", reason="No changed path fits."), None
    people = {given.who for given in case.context.approvals if wanted.role in given.roles}
    if len(people) >= wanted.count:
        return RequirementResult(id=requirement.id, state="satisfied", by=", ".join(sorted(people))), None
    override = _override(requirement.id, case)
    if override is not None:
        return _overridden(requirement, override)
    text = f"{requirement.id}: {wanted.count - len(people)} more approval by {wanted.role} is required"
    return RequirementResult(id=requirement.id, state="unsatisfied", reason=text), _Concern(verdict=ASK, text=text)


def _override(requirement: str, case: _Case) -> Override | None:
    """An override that names who and why, and whose time is not over."""
    now = case.context.now
    for override in case.context.overrides:
        in_time = not override.expiry or override.expiry > now
        if override.requirement == requirement and override.by and override.reason and in_time:
            return override
    return None


def _overridden(requirement: Requirement, override: Override) -> Judged:
    text = f"{requirement.id} was overridden by {one_line(override.by, 60)}: {one_line(override.reason, MAX_SUMMARY)}"
    result = RequirementResult(
        id=requirement.id, state="overridden", reason=override.reason, by=override.by, expiry=override.expiry
    )
    return result, _Concern(verdict=ASK, text=text)


# --- rules that hold under every policy -----------------------------------------------------------------


def _overridden_kind(kind: str, case: _Case) -> bool:
    requirements = [
        r.id for r in _all_requirements(case.policy) if r.evidence and fnmatch.fnmatchcase(kind, r.evidence)
    ]
    return any(_override(requirement, case) is not None for requirement in requirements)


def _base_tests(case: _Case) -> Iterator[_Concern]:
    for piece in case.evidence:
        if piece.kind == BASE_ON_RESULT and piece.state == "failed" and not _overridden_kind(piece.kind, case):
            yield _Concern(verdict=BLOCK, text=f"Base's tests fail on the result: {told(piece)}", evidence=(piece.id,))


def _lost_checks(case: _Case) -> Iterator[_Concern]:
    for piece in case.evidence:
        if piece.kind == TAMPERING and piece.state == "failed" and not _overridden_kind(TAMPERING, case):
            yield _Concern(verdict=BLOCK, text=f"Checks were lost: {told(piece)}", evidence=(piece.id,))
    blocking = [finding for finding in case.findings if finding.blocking]
    for finding in blocking:
        family = finding.kind.partition(".")[0]
        verdict = ASK if _overridden_kind(family, case) else BLOCK
        text = one_line(f"{finding.text.rstrip('.')}{_place(finding)}", MAX_SUMMARY)
        yield _Concern(verdict=verdict, text=text, evidence=(finding.evidence,) if finding.evidence else ())


def _clause_checks(case: _Case) -> Iterator[_Concern]:
    executable = {clause.id for clause in brief_clauses(case.brief) if clause.check is not None}
    for clause in brief_clauses(case.brief):
        pieces = [piece for piece in case.evidence if clause.id in piece.clauses or piece.kind == f"clause.{clause.id}"]
        failed = [piece for piece in pieces if piece.state == "failed"]
        ids = tuple(piece.id for piece in (failed or pieces))
        if failed:
            yield _Concern(verdict=BLOCK, text=f"{clause.id} does not hold: {told(failed[0])}", evidence=ids)
        elif clause.id in executable and not proven(clause, case.evidence):
            why = told(pieces[0]) if pieces else "its check was not run"
            yield _Concern(verdict=ASK, text=f"{clause.id} has a check that did not pass: {why}", evidence=ids)
        elif case.policy.rigor == "strict" and not proven(clause, case.evidence):
            yield _Concern(verdict=ASK, text=f"{clause.id} is unproven", evidence=ids)


def _people(case: _Case) -> Iterator[_Concern]:
    if case.brief is None and case.policy.require_brief and case.policy.rigor != "lenient":
        yield _Concern(verdict=ASK, text="There is no brief that says what the change is for")
    for question in case.context.open_questions:
        yield _Concern(verdict=ASK, text=f"The advisory question {one_line(question, 60)} is still open")
    for concern in case.context.concerns:
        yield _Concern(verdict=ASK, text=one_line(concern, MAX_SUMMARY))


def _sandboxes(case: _Case) -> Iterator[_Concern]:
    """Evidence made at a lower level than the policy asks; a level nobody knows is the lowest."""
    levels = {piece.sandbox: piece.id for piece in reversed(case.evidence) if piece.sandbox or piece.command}
    known = {level: number for number, level in enumerate(SANDBOX_LEVELS)}
    minimum = known[case.policy.sandbox.minimum]
    for level, piece in sorted(levels.items()):
        rank = known.get(level, 0)  # type: ignore[call-overload]  # a stored level may be any text
        if rank == 0 and not case.policy.sandbox.allow_none:
            yield _Concern(
                verdict=BLOCK, text="Evidence was made without a sandbox, which the policy forbids", evidence=(piece,)
            )
        elif rank < minimum:
            made = one_line(level, 20) or "unknown"
            text = f"Evidence was made in sandbox {made}; the policy asks for {case.policy.sandbox.minimum}"
            yield _Concern(verdict=ASK, text=text, evidence=(piece,))


def _size(case: _Case) -> Iterator[_Concern]:
    limits, context = case.policy.size, case.context
    files = context.changed_files or len(context.changed_paths)
    for count, limit, what in ((files, limits.files, "files"), (context.changed_lines, limits.lines, "lines")):
        if limit and count > limit:
            verdict = _HARDER[limits.on_exceeded]
            yield _Concern(
                verdict=verdict, text=f"The change has {count} {what}; the policy allows {limit} in one review"
            )


def _paths_and_findings(case: _Case) -> Iterator[_Concern]:
    protected = [path for path in case.context.changed_paths if matches(path, case.policy.protected_paths)]
    protected = [path for path in protected if not path.startswith(".workbench/resolutions/")]
    if protected:
        yield _Concern(verdict=ASK, text=f"Protected files were changed: {_named(protected)}")
    added = [finding.text for finding in case.findings if finding.kind.startswith("dependencies.")]
    if added and not case.policy.allow_new_dependencies:
        yield _Concern(verdict=ASK, text=f"Dependencies were added or changed: {_named(added)}")
    limits = case.policy.findings
    families: tuple[tuple[Literal["lint", "types", "secrets"], Verdict], ...] = (
        ("lint", ASK),
        ("types", ASK),
        ("secrets", BLOCK),
    )
    for family, verdict in families:
        worst = TOLERATED.index(getattr(limits, family))
        beyond = [
            f for f in case.findings if f.kind.partition(".")[0] == family and TOLERATED.index(f.severity) > worst
        ]
        if beyond and not (verdict == BLOCK and _overridden_kind(family, case)):
            yield _Concern(
                verdict=verdict,
                text=f"Findings of {family} beyond the policy's limit: {_named([f.text for f in beyond])}",
            )
    hidden = [finding.path or finding.text for finding in case.findings if finding.kind.startswith("text.")]
    if hidden:
        yield _Concern(verdict=ASK, text=f"Characters that deceive the eye were added: {_named(hidden)}")


def _grave_findings(case: _Case) -> Iterator[_Concern]:
    """What is high or critical, and neither blocks nor has a limit of its own, is a person's to weigh.

    Within a limit that the policy sets for its family `high` is let through; `critical` never is.
    """
    grave = [f for f in case.findings if f.severity in ("high", "critical") and not f.blocking]
    unsaid = [finding for finding in grave if not _has_rule(finding, case.policy)]
    if unsaid:
        texts = [f"{finding.text.rstrip('.')}{_place(finding)}" for finding in unsaid]
        yield _Concern(verdict=ASK, text=f"Grave findings: {_named(texts)}")


def _has_rule(finding: Finding, policy: Policy) -> bool:
    """Whether another rule speaks of the finding, or the policy lets it through."""
    family = finding.kind.partition(".")[0]
    limit = getattr(policy.findings, family, None) if family in FindingLimits.__struct_fields__ else None
    if limit is not None:
        return finding.severity != "critical" or TOLERATED.index(limit) < TOLERATED.index("critical")
    return family == "text" or (family == "dependencies" and not policy.allow_new_dependencies)


def _place(finding: Finding) -> str:
    line = f":{finding.line}" if finding.line else ""
    return f" ({finding.path}{line})" if finding.path else ""


def _named(things: Sequence[str]) -> str:
    shown = ", ".join(one_line(thing, 80) for thing in dict.fromkeys(things[:MAX_NAMED]))
    return shown if len(things) <= MAX_NAMED else f"{shown} and {len(things) - MAX_NAMED} more"


_RULES = (_lost_checks, _base_tests, _clause_checks, _people, _sandboxes, _size, _paths_and_findings, _grave_findings)
