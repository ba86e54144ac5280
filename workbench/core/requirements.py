"""How each requirement of a policy stands, and what it brings forward when it does not hold."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from workbench.artifacts.globs import matches
from workbench.artifacts.mergepack import RequirementResult, RequirementState, Verdict
from workbench.artifacts.policy import Approval, OnMissing, Policy, Requirement
from workbench.core.case import (
    ASK,
    BASE_ON_RESULT,
    BLOCK,
    HARDER,
    TAMPERING,
    Case,
    Concern,
    GivenApproval,
    Override,
    rank,
)
from workbench.core.criteria import COVERAGE, MAX_SUMMARY, told
from workbench.model.evidence import PASSED, Evidence
from workbench.model.text import one_line

_BUILT_IN = (
    Requirement(id="base-tests", evidence=BASE_ON_RESULT),
    Requirement(id="no-tampering", evidence=TAMPERING),
)


def all_requirements(policy: Policy) -> tuple[Requirement, ...]:
    """The policy's, and those that no policy can leave out, narrow to some paths, only report or take on trust."""
    covered = {requirement.evidence for requirement in policy.requirements}
    binding = {requirement.evidence for requirement in policy.requirements if _binds(requirement)}
    coverage: tuple[Requirement, ...] = ()
    if policy.coverage_of_changed_lines and COVERAGE not in covered:
        coverage = (Requirement(id="coverage", evidence=COVERAGE),)
    return (*policy.requirements, *(r for r in _BUILT_IN if r.evidence not in binding), *coverage)


def _binds(requirement: Requirement) -> bool:
    """Whether a requirement asks at least for what a built-in one asks: always, and of what the AEE ran itself."""
    solid = rank(requirement.min_grade) >= rank("executed")
    return solid and not requirement.when and requirement.on_missing != "report"


Judged = tuple[RequirementResult, Concern | None]


def requirement_result(requirement: Requirement, case: Case) -> Judged:
    """How the requirement stands, and the concern that it raises if it does not hold."""
    paths = case.context.changed_paths
    if requirement.when and not any(matches(path, requirement.when) for path in paths):
        return RequirementResult(id=requirement.id, state="not_applicable", reason="No changed path fits."), None
    if requirement.approval is not None:
        return _approval(requirement, case)
    state, concern = _evidence_state(requirement, case)
    override = override_of(requirement.id, case)
    if state != "satisfied" and override is not None:
        return _overridden(requirement, override)
    reason = "" if concern is None else concern.text
    return RequirementResult(id=requirement.id, state=state, reason=reason), concern


def _evidence_state(requirement: Requirement, case: Case) -> tuple[RequirementState, Concern | None]:
    pieces = [piece for piece in case.evidence if fnmatch.fnmatchcase(piece.kind, requirement.evidence)]
    failed = [piece for piece in pieces if _fails(piece, case.policy)]
    if failed:
        text = f"{requirement.id}: {told(failed[0])}"
        return "unsatisfied", Concern(
            verdict=HARDER[requirement.on_missing], text=text, evidence=tuple(piece.id for piece in failed)
        )
    able = [piece for piece in pieces if rank(piece.grade) >= rank(requirement.min_grade)]
    open_ = [piece for piece in able if piece.state not in (PASSED, "failed")]
    if able and not open_:
        return "satisfied", None
    why = told(open_[0]) if open_ else _why_missing(requirement, pieces)
    broken = any(piece.state in ("error", "timed-out") for piece in open_)
    return "error" if broken else "unsatisfied", Concern(
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


def _approval(requirement: Requirement, case: Case) -> Judged:
    wanted = requirement.approval
    assert wanted is not None
    if wanted.paths and not any(matches(path, wanted.paths) for path in case.context.changed_paths):
        return RequirementResult(id=requirement.id, state="not_applicable", reason="No changed path fits."), None
    people = _approvers(wanted, case.context.approvals)
    if len(people) >= wanted.count:
        return RequirementResult(id=requirement.id, state="satisfied", by=", ".join(sorted(people))), None
    override = override_of(requirement.id, case)
    if override is not None:
        return _overridden(requirement, override)
    text = _lacking(requirement, len(people))
    return RequirementResult(id=requirement.id, state="unsatisfied", reason=text), Concern(verdict=ASK, text=text)


def missing_approvals(policy: Policy, *, changed_paths: Sequence[str], approvals: Sequence[GivenApproval]) -> list[str]:
    """A sentence for each approval that the policy asks for on such a change and that was not given."""
    lacking = []
    for requirement in policy.requirements:
        wanted = requirement.approval
        if wanted is None or not all(_touches(changed_paths, globs) for globs in (requirement.when, wanted.paths)):
            continue
        people = _approvers(wanted, approvals)
        if len(people) < wanted.count:
            lacking.append(_lacking(requirement, len(people)))
    return lacking


def _touches(paths: Sequence[str], globs: Sequence[str]) -> bool:
    return not globs or any(matches(path, globs) for path in paths)


def _approvers(wanted: Approval, approvals: Sequence[GivenApproval]) -> set[str]:
    return {given.who for given in approvals if wanted.role in given.roles}


def _lacking(requirement: Requirement, given: int) -> str:
    assert requirement.approval is not None
    more = requirement.approval.count - given
    plural, verb = ("", "is") if more == 1 else ("s", "are")
    return f"{requirement.id}: {more} more approval{plural} by {requirement.approval.role} {verb} required"


def override_of(requirement: str, case: Case) -> Override | None:
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
    return result, Concern(verdict=ASK, text=text)
