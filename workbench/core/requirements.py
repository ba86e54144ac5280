"""How each requirement of a policy stands, and what it brings forward when it does not hold."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Sequence

import msgspec

from workbench.artifacts.globs import matches
from workbench.artifacts.mergepack import RequirementResult, RequirementState, Verdict
from workbench.artifacts.policy import Approval, OnMissing, Policy, Requirement
from workbench.artifacts.policy_language import Place
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
from workbench.core.conditions import holds, wanting
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
    binding = {requirement.evidence for requirement in policy.requirements if _binds(requirement, policy)}
    taken = {requirement.id for requirement in policy.requirements}
    coverage: tuple[Requirement, ...] = ()
    if policy.coverage_of_changed_lines and COVERAGE not in covered:
        coverage = (Requirement(id=_free("coverage", taken), evidence=COVERAGE),)
    built_in = (msgspec.structs.replace(r, id=_free(r.id, taken)) for r in _BUILT_IN if r.evidence not in binding)
    return (*policy.requirements, *built_in, *coverage)


def _free(name: str, taken: Collection[str]) -> str:
    """The name, or another where a policy uses it for something of its own."""
    while name in taken:
        name = f"always-{name}"
    return name


def _binds(requirement: Requirement, policy: Policy) -> bool:
    """Whether a requirement asks at least for what a built-in one asks: always, and of what the AEE ran itself."""
    solid = rank(requirement.min_grade) >= rank("executed")
    grave = requirement.on_missing == "block" or (requirement.on_missing == "needs-human" and policy.rigor != "strict")
    return solid and grave and not requirement.when and not requirement.applicable_if


Judged = tuple[RequirementResult, Concern | None]


def requirement_result(requirement: Requirement, case: Case) -> Judged:
    """How the requirement stands, and the concern that it raises if it does not hold."""
    paths = case.context.changed_paths
    if requirement.when and not any(matches(path, requirement.when) for path in paths):
        return RequirementResult(id=requirement.id, state="not_applicable", reason="No changed path fits."), None
    applies = holds(requirement.applicable_if, "applicable_if", case) if requirement.applicable_if else True
    if applies is False:
        reason = f"This does not hold: {requirement.applicable_if}"
        return RequirementResult(id=requirement.id, state="not_applicable", reason=reason), None
    state, concern = _unknown(requirement, "applicable_if", case) if applies is None else _stands(requirement, case)
    if state == "not_applicable":
        return RequirementResult(id=requirement.id, state=state, reason="No changed path fits."), None
    override = override_of(requirement.id, case)
    if state != "satisfied" and override is not None:
        return _overridden(requirement, override)
    if concern is None:
        return RequirementResult(id=requirement.id, state=state, by=_givers(requirement, case)), None
    caused = msgspec.structs.replace(concern, cause=requirement.id)
    return RequirementResult(id=requirement.id, state=state, reason=concern.text), caused


Stands = tuple[RequirementState, Concern | None]


def _stands(requirement: Requirement, case: Case) -> Stands:
    if requirement.approval is not None:
        return _approval(requirement, case)
    return _condition_state(requirement, case) if requirement.satisfied_if else _evidence_state(requirement, case)


def _condition_state(requirement: Requirement, case: Case) -> Stands:
    answer = holds(requirement.satisfied_if, "satisfied_if", case)
    if answer:
        return "satisfied", None
    if answer is None:
        return _unknown(requirement, "satisfied_if", case)
    wanted = _wanted(requirement.satisfied_if, "satisfied_if", case)
    text = f"{requirement.id}: this does not hold: {wanted}"
    return "unsatisfied", Concern(verdict=HARDER[requirement.on_missing], text=text, wanted=wanted)


def _unknown(requirement: Requirement, place: Place, case: Case) -> Stands:
    """A condition that cannot be answered: an error, which satisfies nothing and lets nothing off."""
    wanted = _wanted(getattr(requirement, place), place, case)
    text = f"{requirement.id} is not checked: it is unknown whether {wanted}"
    return "error", Concern(verdict=_of_missing(requirement.on_missing, case.policy), text=text, wanted=wanted)


def _wanted(text: str, place: Place, case: Case) -> str:
    return one_line(" and ".join(wanting(text, place, case)) or text, MAX_SUMMARY)


def _evidence_state(requirement: Requirement, case: Case) -> tuple[RequirementState, Concern | None]:
    pieces = [piece for piece in case.evidence if fnmatch.fnmatchcase(piece.kind, requirement.evidence)]
    failed = [piece for piece in pieces if _fails(piece, case.policy)]
    if failed:
        text = f"{requirement.id}: {told(failed[0])}"
        return "unsatisfied", Concern(
            verdict=HARDER[requirement.on_missing],
            text=text,
            evidence=tuple(piece.id for piece in failed),
            wanted=_passing(requirement),
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
        wanted=_passing(requirement),
    )


def _passing(requirement: Requirement) -> str:
    grade = f', "{requirement.min_grade}"' if requirement.min_grade != "executed" else ""
    return f'passed("{requirement.evidence}"{grade})'


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


def _approval(requirement: Requirement, case: Case) -> Stands:
    wanted = requirement.approval
    assert wanted is not None
    if wanted.paths and not any(matches(path, wanted.paths) for path in case.context.changed_paths):
        return "not_applicable", None
    people = _approvers(wanted, case.context.approvals)
    if len(people) >= wanted.count:
        return "satisfied", None
    more = f"{wanted.count - len(people)} more approval by {wanted.role}"
    return "unsatisfied", Concern(verdict=ASK, text=_lacking(requirement, len(people)), wanted=more)


def _givers(requirement: Requirement, case: Case) -> str:
    wanted = requirement.approval
    return "" if wanted is None else ", ".join(sorted(_approvers(wanted, case.context.approvals)))


def missing_approvals(
    policy: Policy, *, changed_paths: Sequence[str], approvals: Sequence[GivenApproval], case: Case | None = None
) -> list[str]:
    """A sentence for each approval that the policy asks for on such a change and that was not given.

    Without a `case` every `applicable_if` is taken to hold.
    """
    lacking = []
    for requirement in policy.requirements:
        wanted = requirement.approval
        if wanted is None or not all(_touches(changed_paths, globs) for globs in (requirement.when, wanted.paths)):
            continue
        applies = (
            case is None or not requirement.applicable_if or holds(requirement.applicable_if, "applicable_if", case)
        )
        if applies is False:
            continue
        if case is not None and override_of(requirement.id, case) is not None:
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
    """An override that names who and why, whose time is not over, and that the policy lets count."""
    if case.policy.rigor == "strict" or not case.policy.allow_override:
        return None
    given = [each for each in case.context.overrides if each.requirement == requirement and each.by and each.reason]
    in_time = [each for each in given if not each.expiry or each.expiry > case.context.now]
    known = next((each for each in case.policy.requirements if each.id == requirement), None)
    text = known.override_if if known is not None else ""
    counting = [each for each in in_time if not text or holds(text, "override_if", case, roles=each.roles)]
    return counting[0] if counting else None


def _overridden(requirement: Requirement, override: Override) -> Judged:
    text = f"{requirement.id} was overridden by {one_line(override.by, 60)}: {one_line(override.reason, MAX_SUMMARY)}"
    result = RequirementResult(
        id=requirement.id, state="overridden", reason=override.reason, by=override.by, expiry=override.expiry
    )
    return result, Concern(verdict=ASK, text=text, cause=requirement.id, wanted=f"{requirement.id} without an override")
