"""The facts that a policy's conditions may ask for: names, what each takes and gives; it looks none of them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from workbench.artifacts.brief import Agency
from workbench.model.evidence import GRADES, EvidenceState, Severity

Lean = Literal["none", "good", "bad", "mixed"]  # what a failing check does: nothing, makes it false, or true, or either

SEVERITIES: tuple[str, ...] = get_args(Severity)
AGENCIES: tuple[str, ...] = get_args(Agency)
STATES: tuple[str, ...] = get_args(EvidenceState)


class Parameter(msgspec.Struct, frozen=True):
    """One thing that a fact takes, always a text."""

    name: str
    example: str
    words: tuple[str, ...] = ()
    optional: bool = False


class FactKind(msgspec.Struct, frozen=True, kw_only=True):
    """One fact. `words` are the values that it may be compared with, lowest first where it has an order."""

    doc: str
    gives: Literal["truth", "number", "level", "word"] = "truth"
    takes: tuple[Parameter, ...] = ()
    many: bool = False  # the last parameter may be repeated
    words: tuple[str, ...] = ()
    example: str = ""  # a comparison
    lean: Literal["none", "good", "bad", "either", "state"] = "none"  # of more, or of `true`
    always_known: bool = True
    only: tuple[str, ...] = ()  # the places where it may stand; empty: in all

    def usage(self, name: str) -> str:
        """How it is written."""
        told = ", ".join(f'"{parameter.example}"' for parameter in self.takes)
        return f"{name}{f'({told})' if told else ''}{f' {self.example}' if self.example else ''}"

    def leaning(self, operator: str, value: str | float) -> Lean:
        """What a failing check can do to the comparison."""
        return _LEANING[self.lean](operator, value)


def _of_more(good: Lean, bad: Lean) -> Callable[[str, str | float], Lean]:
    """For a number of which more is `good`; equality with zero of something that only grows is a bound, too."""

    def leaning(operator: str, value: str | float) -> Lean:
        if operator in ("", ">", ">=") or (operator == "!=" and value == 0):
            return good
        return bad if operator in ("<", "<=") or (operator == "==" and value == 0) else "mixed"

    return leaning


def _of_state(operator: str, value: str | float) -> Lean:
    return "bad" if (value == "failed") == (operator == "==") else "good"


_LEANING: dict[str, Callable[[str, str | float], Lean]] = {
    "none": lambda _operator, _value: "none",
    "good": _of_more("good", "bad"),
    "bad": _of_more("bad", "good"),
    "either": lambda _operator, _value: "good",
    "state": _of_state,
}

_KIND = Parameter("a kind of evidence", "tests.result")
_GRADE = Parameter("a grade", "verified", words=GRADES, optional=True)
_GLOB = Parameter("a glob", "src/**")
_CLAUSE = Parameter("a clause", "DOD-*")

FACTS: dict[str, FactKind] = {
    "passed": FactKind(
        doc="all evidence of a kind passed, at least one of the grade (`executed` if none is named); unknown where "
        "it was not checked",
        takes=(_KIND, _GRADE),
        lean="good",
        always_known=False,
    ),
    "state": FactKind(
        doc="the worst state of a kind's evidence; unknown where there is none",
        gives="word",
        takes=(_KIND,),
        words=STATES,
        example='== "no-tests"',
        lean="state",
        always_known=False,
    ),
    "grade": FactKind(
        doc="the lowest grade of a kind's evidence, if all of it passed; unknown where it was not checked",
        gives="level",
        takes=(_KIND,),
        words=GRADES,
        example='>= "verified"',
        lean="good",
        always_known=False,
    ),
    "count": FactKind(
        doc="how many pieces of a kind passed, of the grade or a higher one",
        gives="number",
        takes=(_KIND, _GRADE),
        example=">= 2",
        lean="good",
    ),
    "measure": FactKind(
        doc="a number that a kind's evidence gives, each piece by itself; unknown where it was not measured",
        gives="number",
        takes=(Parameter("a kind of evidence", "coverage.changed"), Parameter("the name of a number", "percent")),
        example=">= 80",
        lean="either",
        always_known=False,
    ),
    "findings": FactKind(
        doc="how many findings of a kind, of the severity or a graver one",
        gives="number",
        takes=(
            Parameter("a kind of finding", "lint.*"),
            Parameter("a severity", "high", words=SEVERITIES, optional=True),
        ),
        example="<= 0",
        lean="bad",
    ),
    "mended": FactKind(
        doc="how many checks and tests failed on base and pass on the result; unknown where none did and some were "
        "not tried on base",
        gives="number",
        example=">= 1",
        lean="good",
        always_known=False,
    ),
    "proven": FactKind(
        doc="all clauses that fit are shown by evidence of grade `executed` or higher; unknown where none fits",
        takes=(_CLAUSE,),
        lean="good",
        always_known=False,
    ),
    "touches": FactKind(
        doc="a changed path fits one of the globs; `@tests` is the test paths", takes=(_GLOB,), many=True
    ),
    "only": FactKind(
        doc="every changed path fits one of the globs; `@tests` is the test paths", takes=(_GLOB,), many=True
    ),
    "files": FactKind(doc="changed files, generated and lock files not counted", gives="number", example="<= 20"),
    "lines": FactKind(doc="lines added and removed, the same not counted", gives="number", example="<= 400"),
    "brief": FactKind(doc="there is a brief"),
    "refactoring": FactKind(doc="the brief says `behaviour: unchanged`"),
    "agency": FactKind(
        doc="the brief's agency, H1 agent alone to H5 human essential; unknown without a brief",
        gives="level",
        words=AGENCIES,
        example='>= "H4"',
    ),
    "clauses": FactKind(
        doc="how many clauses the brief has that fit; unknown without a brief",
        gives="number",
        takes=(_CLAUSE,),
        example=">= 1",
    ),
    "role": FactKind(
        doc="whoever overrides has that role, as people.yaml of the base says",
        takes=(Parameter("a role", "maintainer"),),
        only=("override_if",),
    ),
}
