"""The rules that hold under every policy: lost checks, clauses, people, sandboxes, size, paths and findings."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from typing import Literal

from workbench.artifacts.globs import matches
from workbench.artifacts.mergepack import Verdict
from workbench.artifacts.policy import TOLERATED, FindingLimits, Policy
from workbench.artifacts.terms import SANDBOX_LEVELS
from workbench.core.case import (
    ASK,
    BASE_ON_RESULT,
    BLOCK,
    HARDER,
    TAMPERING,
    Case,
    Concern,
)
from workbench.core.criteria import MAX_SUMMARY, brief_clauses, proven, told
from workbench.core.requirements import all_requirements, override_of
from workbench.model.evidence import PASSED, Finding
from workbench.model.text import one_line

MAX_NAMED = 5  # things that one reason names
_RESOLUTIONS = ".workbench/resolutions/"  # a change may add to it, nothing else


def _overridden_kind(kind: str, case: Case) -> bool:
    requirements = [r.id for r in all_requirements(case.policy) if r.evidence and fnmatch.fnmatchcase(kind, r.evidence)]
    return any(override_of(requirement, case) is not None for requirement in requirements)


def _cause(kind: str, case: Case) -> str:
    """The requirement that asks for evidence of that kind; the kind itself where none does."""
    asking = (r.id for r in all_requirements(case.policy) if r.evidence and fnmatch.fnmatchcase(kind, r.evidence))
    return next(asking, kind)


def _base_tests(case: Case) -> Iterator[Concern]:
    for piece in case.evidence:
        if piece.kind == BASE_ON_RESULT and piece.state == "failed" and not _overridden_kind(piece.kind, case):
            text = f"Base's tests fail on the result: {told(piece)}"
            yield Concern(verdict=BLOCK, text=text, evidence=(piece.id,), cause=_cause(piece.kind, case))


def _lost_checks(case: Case) -> Iterator[Concern]:
    for piece in case.evidence:
        if piece.kind == TAMPERING and piece.state == "failed" and not _overridden_kind(TAMPERING, case):
            text = f"Checks were lost: {told(piece)}"
            yield Concern(verdict=BLOCK, text=text, evidence=(piece.id,), cause=_cause(TAMPERING, case))
    blocking = [finding for finding in case.findings if finding.blocking]
    for finding in blocking:
        kind = finding.evidence or finding.kind.partition(".")[0]
        verdict = ASK if _overridden_kind(kind, case) else BLOCK
        text = one_line(f"{finding.text.rstrip('.')}{_place(finding)}", MAX_SUMMARY)
        evidence = (finding.evidence,) if finding.evidence else ()
        yield Concern(verdict=verdict, text=text, evidence=evidence, cause=_cause(kind, case))


def _clause_checks(case: Case) -> Iterator[Concern]:
    executable = {clause.id for clause in brief_clauses(case.brief) if clause.is_executable}
    for clause in brief_clauses(case.brief):
        pieces = [piece for piece in case.evidence if clause.id in piece.clauses or piece.kind == f"clause.{clause.id}"]
        failed = [piece for piece in pieces if piece.state == "failed"]
        ids = tuple(piece.id for piece in (failed or pieces))
        if failed:
            verdict, text = BLOCK, f"{clause.id} does not hold: {told(failed[0])}"
        elif clause.id in executable and not proven(clause, case.evidence):
            why = told(pieces[0]) if pieces else "its check was not run"
            verdict, text = ASK, f"{clause.id} has a check that did not pass: {why}"
        elif case.policy.rigor == "strict" and not proven(clause, case.evidence):
            verdict, text = ASK, f"{clause.id} is unproven"
        else:
            continue
        wanted = f'proven("{clause.id}")'
        yield Concern(verdict=verdict, text=text, evidence=ids, cause=clause.id, wanted=wanted)


def _people(case: Case) -> Iterator[Concern]:
    if case.brief is None and case.policy.require_brief and case.policy.rigor != "lenient":
        text = "There is no brief that says what the change is for"
        yield Concern(verdict=ASK, text=text, cause="brief", wanted="a brief")
    for question in case.context.open_questions:
        name = one_line(question, 60)
        text = f"The advisory question {name} is still open"
        yield Concern(verdict=ASK, text=text, cause=f"question {name}", wanted=f"an answer to {name}")
    for concern in case.context.concerns:
        yield Concern(verdict=ASK, text=one_line(concern, MAX_SUMMARY), cause="a person's look")


def _sandboxes(case: Case) -> Iterator[Concern]:
    """Evidence made at a lower level than the policy asks; a level nobody knows is the lowest."""
    levels = {piece.sandbox: piece.id for piece in reversed(case.evidence) if piece.sandbox or piece.command}
    known = {level: number for number, level in enumerate(SANDBOX_LEVELS)}
    minimum = known[case.policy.sandbox.minimum]
    for level, piece in sorted(levels.items()):
        rank = known.get(level, 0)  # type: ignore[call-overload]  # a stored level may be any text
        if rank == 0 and not case.policy.sandbox.allow_none:
            text = "Evidence was made without a sandbox, which the policy forbids"
            yield Concern(verdict=BLOCK, text=text, evidence=(piece,), cause="sandbox", wanted="a sandbox")
        elif rank < minimum:
            made = one_line(level, 20) or "unknown"
            text = f"Evidence was made in sandbox {made}; the policy asks for {case.policy.sandbox.minimum}"
            wanted = f"sandbox {case.policy.sandbox.minimum} or better"
            yield Concern(verdict=ASK, text=text, evidence=(piece,), cause="sandbox", wanted=wanted)


def _size(case: Case) -> Iterator[Concern]:
    limits, context = case.policy.size, case.context
    files = context.changed_files or len(context.changed_paths)
    for count, limit, what in ((files, limits.files, "files"), (context.changed_lines, limits.lines, "lines")):
        if limit and count > limit:
            verdict = HARDER[limits.on_exceeded]
            text = f"The change has {count} {what}; the policy allows {limit} in one review"
            yield Concern(verdict=verdict, text=text, cause=f"size.{what}", wanted=f"{what} <= {limit}")


def _paths_and_findings(case: Case) -> Iterator[Concern]:
    protected = [path for path in case.context.changed_paths if matches(path, case.policy.protected_paths)]
    protected = [path for path in protected if not path.startswith(_RESOLUTIONS)]
    if protected:
        yield Concern(verdict=ASK, text=f"Protected files were changed: {named(protected)}", cause="protected_paths")
    answers = case.context.removed_or_changed_resolutions
    if answers:
        yield Concern(
            verdict=ASK, text=f"Answers that people gave were changed or removed: {named(answers)}", cause="answers"
        )
    added = [finding.text for finding in case.findings if finding.kind.startswith("dependencies.")]
    if added and not case.policy.allow_new_dependencies:
        yield Concern(verdict=ASK, text=f"Dependencies were added or changed: {named(added)}", cause="dependencies")
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
            yield Concern(
                verdict=verdict,
                text=f"Findings of {family} beyond the policy's limit: {named([f.text for f in beyond])}",
                cause=_cause(family, case) if verdict == BLOCK else f"findings.{family}",
            )
    hidden = [finding.path or finding.text for finding in case.findings if finding.kind.startswith("text.")]
    if hidden:
        yield Concern(verdict=ASK, text=f"Characters that deceive the eye were added: {named(hidden)}", cause="text")


def _unlooked(case: Case) -> Iterator[Concern]:
    """Kinds that are judged by their findings alone: none found is no pass where the look came to nothing."""
    kinds = ("text",) if case.policy.allow_new_dependencies else ("dependencies", "text")
    for piece in case.evidence:
        if piece.kind in kinds and piece.state not in (PASSED, "failed"):
            yield Concern(
                verdict=ASK, text=f"{piece.kind} is not checked: {told(piece)}", evidence=(piece.id,), cause=piece.kind
            )


def _grave_findings(case: Case) -> Iterator[Concern]:
    """What is high or critical, and neither blocks nor has a limit of its own, is a person's to weigh.

    Within a limit that the policy sets for its family `high` is let through; `critical` never is.
    """
    grave = [f for f in case.findings if f.severity in ("high", "critical") and not f.blocking]
    unsaid = [finding for finding in grave if not _has_rule(finding, case.policy)]
    if unsaid:
        texts = [f"{finding.text.rstrip('.')}{_place(finding)}" for finding in unsaid]
        yield Concern(verdict=ASK, text=f"Grave findings: {named(texts)}", cause="grave findings")


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


def named(things: Sequence[str]) -> str:
    """The first few of `things`, each once, and how many more there are."""
    shown = ", ".join(one_line(thing, 80) for thing in dict.fromkeys(things[:MAX_NAMED]))
    return shown if len(things) <= MAX_NAMED else f"{shown} and {len(things) - MAX_NAMED} more"


RULES = (
    _lost_checks,
    _base_tests,
    _clause_checks,
    _people,
    _sandboxes,
    _size,
    _paths_and_findings,
    _unlooked,
    _grave_findings,
)
