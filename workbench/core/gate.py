"""The gate: from evidence, findings and policy to a verdict with reasons. Pure, and deaf to every text.

Order of verdicts: `not-ready` when checks were lost or base's tests fail on the result; `needs-human` when something
required was not checked or a person has to answer for something; else `ready`. Evidence and findings can only add
concerns: nothing but passed evidence of a sufficient grade satisfies a requirement. A grave finding needs a person.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence

import msgspec

from workbench.artifacts.brief import Brief
from workbench.artifacts.mergepack import (
    VERDICTS,
    Because,
    CriterionResult,
    RequirementResult,
    Verdict,
    WouldBe,
)
from workbench.artifacts.policy import Policy
from workbench.core.admission import admit
from workbench.core.case import (
    ASK,
    RANK,
    Case,
    Concern,
    Context,
    GivenApproval,
    Override,
    rank,
)
from workbench.core.criteria import COVERAGE, criterion, not_checked, told, unproven
from workbench.core.requirements import all_requirements, requirement_result
from workbench.core.rules import MAX_NAMED, RULES, named
from workbench.model.evidence import CRITERIA, PASSED, Evidence, Finding
from workbench.model.text import one_line


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict and everything it rests on. `evidence` is as it was counted: refused pieces have state `error`."""

    verdict: Verdict
    requirements: tuple[RequirementResult, ...]
    criteria: tuple[CriterionResult, ...]
    reasons: tuple[str, ...]
    not_checked: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()
    unproven: tuple[str, ...] = ()  # clause ids without evidence
    because: tuple[Because, ...] = ()  # everything that holds the verdict down, gravest first
    would_be: tuple[WouldBe, ...] = ()  # better verdicts, and the fewest causes that would have to go


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
    case = Case(evidence=admitted.evidence, findings=tuple(findings), policy=policy, brief=brief, context=context)
    judged = [requirement_result(requirement, case) for requirement in all_requirements(policy)]
    wanted = [requirement.evidence for requirement in all_requirements(policy) if requirement.evidence]
    general = [concern for rule in RULES for concern in rule(case)]
    asked = [concern for _, concern in judged if concern is not None]
    refused = [_refusal(piece, reason) for piece, reason in admitted.refusals]
    because = tuple(_because([*general, *asked, *refused]))
    ranked = sorted([*general, *_unsaid(asked, general), *refused], key=lambda concern: RANK[concern.verdict])
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
        because=because,
        would_be=tuple(_would_be(because)),
    )


def _because(concerns: Sequence[Concern]) -> Iterator[Because]:
    """Each cause that holds the verdict down, once, by the gravest thing that it says, gravest first."""
    held = sorted((c for c in concerns if c.verdict != "ready"), key=lambda concern: RANK[concern.verdict])
    gravest: dict[str, Concern] = {}
    for concern in held:
        gravest.setdefault(concern.cause, concern)
    for cause, concern in gravest.items():
        yield Because(
            verdict=concern.verdict,
            cause=cause,
            text=concern.text.removeprefix(f"{cause}: "),
            wanted=concern.wanted or cause,
            evidence=concern.evidence,
        )


def _would_be(because: Sequence[Because]) -> Iterator[WouldBe]:
    """For each better verdict the causes that stand below it: all of them, and no other, have to go.

    Every cause holds the verdict down by itself, so this is the smallest set, and there is no other one.
    """
    held = {each.verdict for each in because}
    worst = min(held, key=VERDICTS.index, default="ready")
    for verdict in VERDICTS[VERDICTS.index(worst) + 1 :]:
        below = tuple(each.cause for each in because if VERDICTS.index(each.verdict) < VERDICTS.index(verdict))
        if verdict == "ready" or any(each.verdict == verdict for each in because):
            yield WouldBe(verdict=verdict, without=below)


def _unsaid(concerns: Sequence[Concern], said: Sequence[Concern]) -> list[Concern]:
    """Concerns about evidence that a graver or equal one does not already cite, so that nothing is said twice."""
    cited = {(concern.verdict, piece) for concern in said for piece in concern.evidence}
    return [c for c in concerns if not c.evidence or not all((c.verdict, piece) in cited for piece in c.evidence)]


def _tolerated(case: Case, verdict: Verdict, wanted: Sequence[str]) -> frozenset[str]:
    """Failed evidence that is only reported: all of it under `ready`, else coverage that no requirement asks for."""
    asked = any(fnmatch.fnmatchcase(COVERAGE, kind) for kind in wanted)
    failed = (piece for piece in case.evidence if piece.state == "failed")
    return frozenset(piece.id for piece in failed if verdict == "ready" or (piece.kind == COVERAGE and not asked))


def _all_passed(case: Case, results: Sequence[RequirementResult]) -> Concern:
    """What `ready` says: neither more nor less than what holds."""
    open_ = [result for result in results if result.state in ("unsatisfied", "error")]
    reported = [f"{r.id} {'not checked' if ' is not checked: ' in r.reason else 'not satisfied'}" for r in open_]
    clauses = [clause.id for clause in unproven(case.brief, case.evidence)]
    text = "All required checks passed"
    text += f"; reported only: {named(reported)}" if reported else ""
    text += f"; unproven: {named(clauses)}" if clauses else ""
    passed = [piece.id for piece in case.evidence if piece.state == PASSED and rank(piece.grade) >= rank("executed")]
    return Concern(verdict="ready", text=text, evidence=tuple(passed))


def _only_reported(case: Case, said: Sequence[Concern]) -> Iterator[Concern]:
    """Failed evidence of which nothing was said yet."""
    cited = {piece for concern in said for piece in concern.evidence}
    for piece in case.evidence:
        if piece.state == "failed" and piece.id not in cited:
            text = f"Reported only: {one_line(piece.kind, 60)} {told(piece)}"
            yield Concern(verdict="ready", text=text, evidence=(piece.id,))


def _sentences(concerns: Sequence[Concern]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_sentence(concern) for concern in concerns))


def _sentence(concern: Concern) -> str:
    text = concern.text if concern.text.endswith(".") else f"{concern.text}."
    cited = ", ".join(one_line(piece, 60) for piece in concern.evidence[:MAX_NAMED])
    return f"{text} [{cited}]" if cited else text


def _refusal(piece: str, reason: str) -> Concern:
    text = f"Evidence was refused: {reason}"
    return Concern(verdict=ASK, text=text, evidence=(piece,), cause=f"evidence {one_line(piece, 60)}")


__all__ = ["Context", "GivenApproval", "Judgement", "Override", "judge"]
