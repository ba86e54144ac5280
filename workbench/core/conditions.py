"""How a policy's conditions stand on a case: yes, no or unknown, and what is wanting. Total, and it judges nothing.

Unknown is a value of its own (Kleene's): `unknown and no` is no, `unknown or yes` is yes, all else with an unknown is
unknown. A fact about several pieces of evidence holds if it holds of each, so that a failing one never helps.
"""

from __future__ import annotations

import fnmatch
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from workbench.artifacts.globs import matches
from workbench.artifacts.policy_facts import AGENCIES, FACTS, SEVERITIES, STATES
from workbench.artifacts.policy_language import (
    All,
    Any,
    Atom,
    Condition,
    ConditionInvalid,
    Not,
    Place,
    Truth,
    Value,
    parse,
    written,
)
from workbench.core.case import Case, rank
from workbench.core.criteria import brief_clauses, mended, proven
from workbench.model.evidence import GRADES, PASSED, Evidence

Answer = bool | None  # None: unknown
TESTS = "@tests"  # the policy's test paths, among globs
_WORST = ("failed", "error", "timed-out", "not-checked", "skipped", "no-tests", "passed")  # worst first

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(text: str, place: Place, case: Case, *, roles: Sequence[str] = ()) -> Answer:
    """Whether the condition holds; one that cannot be read is unknown. `roles` are those of who overrides."""
    condition = understood(text, place)
    return None if condition is None else _answer(condition, case, tuple(roles))


def wanting(text: str, place: Place, case: Case) -> tuple[str, ...]:
    """The fewest facts that would have to hold, as a person writes them, for the condition to hold."""
    condition = understood(text, place)
    if condition is None:
        return (f"{place} can be read",)
    return tuple(dict.fromkeys(_wanting(condition, case, wanted=True) or ()))


@lru_cache(maxsize=512)
def understood(text: str, place: Place) -> Condition | None:
    """The condition in a text; None where it cannot be read."""
    try:
        return parse(text, place)
    except ConditionInvalid:
        return None


def _answer(condition: Condition, case: Case, roles: tuple[str, ...]) -> Answer:
    if isinstance(condition, Truth):
        return condition.value
    if isinstance(condition, Atom):
        return _FACTS[condition.name](condition, case, roles)
    if isinstance(condition, Not):
        inner = _answer(condition.part, case, roles)
        return None if inner is None else not inner
    parts = (_answer(part, case, roles) for part in condition.parts)
    return _all(parts) if isinstance(condition, All) else _any(parts)


def _all(answers: Iterable[Answer]) -> Answer:
    known = list(answers)
    return False if False in known else None if None in known else True


def _any(answers: Iterable[Answer]) -> Answer:
    known = list(answers)
    return True if True in known else None if None in known else False


def _wanting(condition: Condition, case: Case, *, wanted: bool) -> tuple[str, ...] | None:
    """The fewest facts for the condition to be `wanted`; None where nothing can make it so."""
    if isinstance(condition, Truth):
        return () if condition.value == wanted else None
    if isinstance(condition, Atom):
        return () if _answer(condition, case, ()) is wanted else (written(condition, negated=not wanted),)
    if isinstance(condition, Not):
        return _wanting(condition.part, case, wanted=not wanted)
    parts = [_wanting(part, case, wanted=wanted) for part in condition.parts]
    possible = [part for part in parts if part is not None]
    if isinstance(condition, Any) == wanted:
        return min(possible, key=len, default=None)
    return tuple(fact for part in possible for fact in part) if len(possible) == len(parts) else None


# --- the facts --------------------------------------------------------------------------------------------


def _text(atom: Atom, number: int, otherwise: str = "") -> str:
    return str(atom.arguments[number]) if number < len(atom.arguments) else otherwise


def _of_kind(atom: Atom, case: Case) -> list[Evidence]:
    kind = _text(atom, 0)
    return [piece for piece in case.evidence if fnmatch.fnmatchcase(piece.kind, kind)]


def _compared(atom: Atom, number: float | None) -> Answer:
    if number is None or not math.isfinite(number) or not isinstance(atom.value, float):
        return None
    return _COMPARE[atom.operator](number, atom.value)


def _level(atom: Atom, found: str, words: Sequence[str]) -> Answer:
    if found not in words or atom.value not in words:
        return None
    return _COMPARE[atom.operator](words.index(found), words.index(str(atom.value)))


def passes(pieces: Sequence[Evidence], grade: str) -> Answer:
    """Whether all evidence passed, some of it of the grade at least."""
    if any(piece.state == "failed" for piece in pieces):
        return False
    able = [piece for piece in pieces if rank(piece.grade) >= GRADES.index(grade)]
    return True if able and all(piece.state == PASSED for piece in able) else None


def _passed(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return passes(_of_kind(atom, case), _text(atom, 1, "executed"))


def _state(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    states = {piece.state for piece in _of_kind(atom, case) if piece.grade != "claimed" or piece.state == "failed"}
    worst = next((state for state in _WORST if state in states), "")
    return _level(atom, worst, STATES)


def _grade(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    pieces = _of_kind(atom, case)
    if any(piece.state == "failed" for piece in pieces):
        return atom.operator in ("<", "<=", "!=")  # lower than every grade
    if not pieces or any(piece.state != PASSED for piece in pieces):
        return None
    return _level(atom, min((piece.grade for piece in pieces), key=rank), GRADES)


def _count(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    least = GRADES.index(_text(atom, 1, "executed"))
    passed = [piece for piece in _of_kind(atom, case) if piece.state == PASSED and rank(piece.grade) >= least]
    return _compared(atom, float(len(passed)))


def _measure(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    pieces = _of_kind(atom, case)
    return _all(_measured(atom, piece) for piece in pieces) if pieces else None


def _measured(atom: Atom, piece: Evidence) -> Answer:
    number = piece.facts.get(_text(atom, 1))
    known = isinstance(number, int | float) and not isinstance(number, bool)
    if known and piece.state in (PASSED, "failed") and rank(piece.grade) >= rank("executed"):
        return _compared(atom, float(number))  # type: ignore[arg-type]
    return False if piece.state == "failed" else None


def _findings(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    kind, least = _text(atom, 0), SEVERITIES.index(_text(atom, 1, "info"))
    grave = [found for found in case.findings if SEVERITIES.index(found.severity) >= least]
    return _compared(atom, float(sum(fnmatch.fnmatchcase(found.kind, kind) for found in grave)))


def _mended(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    found, untried = mended(case.evidence)
    sure = _compared(atom, float(found))
    return None if untried and not sure else sure


def _proven(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    fitting = [clause for clause in brief_clauses(case.brief) if fnmatch.fnmatchcase(clause.id, _text(atom, 0))]
    return all(proven(clause, case.evidence) for clause in fitting) if fitting else None


def _globs(atom: Atom, case: Case) -> list[str]:
    given = [str(argument) for argument in atom.arguments]
    return [glob for each in given for glob in (case.policy.test_paths if each == TESTS else (each,))]


def _touches(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return any(matches(path, _globs(atom, case)) for path in case.context.changed_paths)


def _only(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    paths = case.context.changed_paths
    return bool(paths) and all(matches(path, _globs(atom, case)) for path in paths)


def _files(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return _compared(atom, float(case.context.changed_files or len(case.context.changed_paths)))


def _lines(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return _compared(atom, float(case.context.changed_lines))


def _brief(_atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return case.brief is not None


def _refactoring(_atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return case.brief is not None and case.brief.behaviour == "unchanged"


def _agency(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    return None if case.brief is None else _level(atom, case.brief.agency, AGENCIES)


def _clauses(atom: Atom, case: Case, _: tuple[str, ...]) -> Answer:
    if case.brief is None:
        return None
    return _compared(atom, float(len(fnmatch.filter((c.id for c in brief_clauses(case.brief)), _text(atom, 0)))))


def _role(atom: Atom, _: Case, roles: tuple[str, ...]) -> Answer:
    return _text(atom, 0) in roles


_FACTS: dict[str, Callable[[Atom, Case, tuple[str, ...]], Answer]] = {
    "passed": _passed,
    "state": _state,
    "grade": _grade,
    "count": _count,
    "measure": _measure,
    "findings": _findings,
    "mended": _mended,
    "proven": _proven,
    "touches": _touches,
    "only": _only,
    "files": _files,
    "lines": _lines,
    "brief": _brief,
    "refactoring": _refactoring,
    "agency": _agency,
    "clauses": _clauses,
    "role": _role,
}
assert _FACTS.keys() == FACTS.keys()

__all__ = ["TESTS", "Answer", "Value", "holds", "passes", "understood", "wanting"]
