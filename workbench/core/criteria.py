"""How the five criteria and a brief's clauses stand on the evidence, and what was not checked; it gives no verdict."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from workbench.artifacts.brief import Brief, clauses
from workbench.artifacts.mergepack import CriterionResult, CriterionState, PlanItem
from workbench.artifacts.terms import Clause
from workbench.model.evidence import GRADES, PASSED, Criterion, Evidence
from workbench.model.text import one_line

ADVISORY = frozenset({"mutation.changed", "structure"})  # kinds that tell how good tests are, and hold up no criterion
MAX_SUMMARY = 200  # cells of a summary that is quoted
_SOLID = GRADES[GRADES.index("executed") :]  # grades of what the AEE ran itself


def told(piece: Evidence) -> str:
    """The state of a piece of evidence and what it says of itself, on one line."""
    return f"{piece.state}: {one_line(piece.summary, MAX_SUMMARY)}" if piece.summary else piece.state


def brief_clauses(brief: Brief | None) -> tuple[Clause, ...]:
    """The clauses of a brief, none without one."""
    return () if brief is None else clauses(brief)


def proven(clause: Clause, evidence: Sequence[Evidence]) -> bool:
    """Whether evidence that the AEE made itself, all of it, shows the clause."""
    able = [piece for piece in _about(clause, evidence) if piece.grade in _SOLID]
    return bool(able) and all(piece.state == PASSED for piece in able)


def _about(clause: Clause, evidence: Sequence[Evidence]) -> list[Evidence]:
    return [piece for piece in evidence if clause.id in piece.clauses or piece.kind == f"clause.{clause.id}"]


def unproven(brief: Brief | None, evidence: Sequence[Evidence]) -> list[Clause]:
    """The clauses that no evidence shows."""
    return [clause for clause in brief_clauses(brief) if not proven(clause, evidence)]


def criterion(
    name: Criterion, evidence: Sequence[Evidence], *, brief: Brief | None, tolerated: Collection[str] = ()
) -> CriterionResult:
    """How one criterion stands. What the agent claims, and what failed and is `tolerated` (ids), leave it unproven."""
    pieces = [piece for piece in evidence if piece.criterion == name]
    weighed = [piece for piece in pieces if piece.kind not in ADVISORY]
    state: CriterionState = "unproven"
    if any(piece.state == "failed" and piece.id not in tolerated for piece in weighed):
        state = "failed"
    elif weighed and all(piece.state == PASSED and piece.grade in _SOLID for piece in weighed):
        state = "passed"
    if name == "completeness" and state == "passed" and (brief is None or unproven(brief, evidence)):
        state = "unproven"
    ids = tuple(piece.id for piece in pieces)
    reported = [f"{one_line(p.kind, 60)} {told(p)}" for p in pieces if p.state == "failed" and p.id in tolerated]
    summary = "; only reported: ".join(filter(None, (_summary(pieces), "; ".join(reported))))
    return CriterionResult(name=name, state=state, evidence=ids, summary=summary)


def _summary(pieces: Sequence[Evidence]) -> str:
    if not pieces:
        return "no evidence"
    claimed = sum(piece.grade == "claimed" for piece in pieces)
    passed = sum(piece.state == PASSED and piece.grade != "claimed" for piece in pieces)
    said = f"{passed} of {len(pieces)} passed" + (f", {claimed} only claimed" if claimed else "")
    return said + _mended(pieces)


def _mended(pieces: Sequence[Evidence]) -> str:
    """How many clauses hold on the result and not on base, as their own checks say."""
    clauses = mended_clauses(pieces)
    many = "clause" if len(clauses) == 1 else "clauses"
    return f"; {len(clauses)} {many} changed from failing to passing" if clauses else ""


# --- what the change made hold --------------------------------------------------------------------------

NEW_ON_BASE, BASE_ON_RESULT = "tests.new-on-base", "tests.base-on-result"


def mended_clauses(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """Clauses whose own check failed on base and passes on the result."""
    solid = [piece for piece in evidence if piece.state == PASSED and piece.grade in _SOLID]
    return tuple(
        {clause: None for piece in solid if piece.facts.get("base_state") == "failed" for clause in piece.clauses}
    )


def mended(evidence: Sequence[Evidence]) -> tuple[int, bool]:
    """How many checks and tests failed on base and pass on the result, and whether some were not tried on base."""
    solid = [piece for piece in evidence if piece.grade in _SOLID]
    passed = [piece for piece in solid if piece.state == PASSED]
    own = sum(_many(piece, "failing", "erroring") for piece in passed if piece.kind == NEW_ON_BASE)
    old = sum(_many(piece, "mended") for piece in passed if piece.kind == BASE_ON_RESULT)
    untried = any(piece.kind == NEW_ON_BASE and piece.state not in (PASSED, "failed") for piece in solid)
    return len(mended_clauses(evidence)) + own + old, untried


def _many(piece: Evidence, *names: str) -> int:
    lists = (piece.facts.get(name) for name in names)
    return sum(len(found) for found in lists if isinstance(found, list | tuple))


def not_checked(evidence: Sequence[Evidence], *, brief: Brief | None, wanted: Sequence[str]) -> Iterator[str]:
    """One line for everything that no check stands behind; `wanted` are kinds of evidence that a policy asks for."""
    for piece in evidence:
        kind = one_line(piece.kind, 60)
        if piece.grade == "claimed":
            yield f"{kind}: only claimed by the agent"
        elif piece.state not in (PASSED, "failed"):
            yield f"{kind}: {told(piece)}"
    yield from _unexecuted(evidence)
    kinds = {piece.kind for piece in evidence}
    for kind in dict.fromkeys(wanted):
        if not fnmatch.filter(kinds, kind):
            yield f"{kind}: no evidence"
    for clause in unproven(brief, evidence):
        yield f"{clause.id}: unproven: {one_line(clause.text, MAX_SUMMARY)}"
    if brief is None:
        yield "functional completeness: there is no brief"


MAX_ITEMS = 20  # of a test plan, in lines of their own


def untested(plan: Sequence[PlanItem]) -> Iterator[str]:
    """One line for each item of the agent's test plan that no test shows to pass or to fail."""
    absent = [item for item in plan if item.state in ("missing", "unknown")]
    for item in absent[:MAX_ITEMS]:
        yield f"test plan: {_untested(item)}: {one_line(item.item, MAX_SUMMARY)}"
    if len(absent) > MAX_ITEMS:
        yield f"test plan: {len(absent) - MAX_ITEMS} more items without a test"


def _untested(item: PlanItem) -> str:
    if item.test:
        return f"{one_line(item.test, MAX_SUMMARY)} neither passed nor failed"
    return "there is no such test" if item.state == "missing" else "no test could be matched by name"


# --- lines that no test runs ----------------------------------------------------------------------------

COVERAGE = "coverage.changed"
MAX_PATHS = 20  # files whose lines are listed


def uncovered(evidence: Sequence[Evidence]) -> dict[str, tuple[int, ...]]:
    """Path to changed lines that no test runs, as coverage counted them; nothing where it is only claimed."""
    lines: dict[str, tuple[int, ...]] = {}
    for piece in evidence:
        files = piece.facts.get("files") if piece.kind == COVERAGE and piece.grade in _SOLID else None
        for path, file in (files if isinstance(files, dict) else {}).items():
            missed = file.get("uncovered") if isinstance(file, dict) else None
            numbers = sorted(n for n in missed if isinstance(n, int)) if isinstance(missed, list | tuple) else []
            if numbers:
                lines[str(path)] = tuple(numbers)
    return lines


def _unexecuted(evidence: Sequence[Evidence]) -> Iterator[str]:
    lines = uncovered(evidence)
    if not lines:
        return
    places = [f"{one_line(path, 120)}:{_spans(numbers)}" for path, numbers in sorted(lines.items())[:MAX_PATHS]]
    more = f" and {len(lines) - MAX_PATHS} more files" if len(lines) > MAX_PATHS else ""
    count = sum(map(len, lines.values()))
    yield f"{count} changed {'line' if count == 1 else 'lines'} that no test runs: {', '.join(places)}{more}"


def _spans(numbers: Sequence[int]) -> str:
    """3-5,9 for 3, 4, 5 and 9."""
    runs = (list(run) for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ends)
