"""Faults put into changed lines: exact edits, told by the tests that notice them, and by what was not tried."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from projects import Project, StillClock

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.mutation.collector import MutationCollector, Tally
from workbench.evidence.mutation.mutants import mutants_of
from workbench.evidence.selection import chosen
from workbench.model.evidence import Evidence
from workbench.ports import Collected

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
BASE = {
    "adder.py": "def add(a, b):\n    return b + a\n\n\ndef big(n):\n    return n > 1\n",
    "tests/test_adder.py": "from adder import add, big\n\n\ndef test_add():\n    assert add(1, 2) == 3\n\n\n"
    "def test_big():\n    assert big(7)\n",
}
EDITS = {
    "adder.py": "def add(a, b):\n    return a + b\n\n\ndef big(n):\n    return n > 5\n\n\ndef idle():\n    return 1\n"
}


class Ticking(StillClock):
    """A clock that goes on by `step` seconds each time that it is asked."""

    def __init__(self, step: float) -> None:
        self._step, self._now = step, 0.0

    def monotonic(self) -> float:
        self._now += self._step
        return self._now


def mutated(
    tmp_path: Path, edits: Mapping[str, str], *, plan: SuitePlan = PLAN, budget_s: float = 60, step: float = 0
) -> Collected:
    project = Project(tmp_path, BASE, edits)
    rig = replace(project.rig, clock=Ticking(step))
    return MutationCollector(rig, Behaviour(rig, plan), budget_s=budget_s).collect(project.change)


def only(collected: Collected) -> Evidence:
    (evidence,) = collected.evidence
    return evidence


def test_faults_that_no_test_notices_are_named(tmp_path: Path) -> None:
    """Unnoticed faults are findings at their line with the edit; those that the budget left out are named apart."""
    collected = mutated(tmp_path, EDITS, budget_s=300, step=100)
    evidence = only(collected)
    assert evidence.state == "failed", evidence.summary
    assert evidence.facts["survived"] == ["adder.py:6: `>` became `>=`"]
    assert (evidence.facts["noticed"], evidence.facts["percent"]) == (1, 50.0)
    assert [fault.partition(":")[2] for fault in evidence.facts["not_tried"]] == [
        "2: `a + b` became `None`",
        "6: `5` became `6`",
        "6: `n > 5` became `None`",
    ]
    assert evidence.summary.startswith("1 of 2 faults put into changed lines are noticed by the tests; 3 more")
    assert [(found.path, found.line, found.severity) for found in collected.findings] == [("adder.py", 6, "low")]


def test_only_what_was_tried_and_noticed_passes() -> None:
    """A fault that survived fails; one not tried, or not judged, leaves it open, and so does nothing at all."""
    (mutant, *_) = mutants_of("a.py", b"x = 1 + 2\n", [1])
    assert Tally(fates={"noticed": [mutant]}).state([]) == "passed"
    assert Tally(fates={"noticed": [mutant], "survived": [mutant]}, waiting=[mutant]).state([]) == "failed"
    open_ = (Tally(), Tally(fates={"noticed": [mutant]}, waiting=[mutant]), Tally(fates={"unjudged": [mutant]}))
    assert [tally.state([]) for tally in open_] == ["not-checked"] * 3
    assert Tally(fates={"timed-out": [mutant]}).state(["b.py: cannot be read"]) == "not-checked"


@pytest.mark.parametrize(
    ("edits", "plan", "budget_s", "said"),
    [
        (EDITS, PLAN, 0, "it is off"),
        ({"page.html": "<p>\n"}, PLAN, 60, "no line of Python"),
        ({"page.js": "let a\n", "b.ts": "let b\n"}, PLAN, 60, "the change is in JavaScript and TypeScript"),
        ({"adder.py": BASE["adder.py"].replace("b + a", "b - a")}, PLAN, 60, "no test that passes reaches"),
        (EDITS, SuitePlan(kind="command", argv=("true",), label="true"), 60, "not by true"),
    ],
)
def test_where_nothing_can_be_tried_nothing_is_checked(
    tmp_path: Path, edits: Mapping[str, str], plan: SuitePlan, budget_s: float, said: str
) -> None:
    """Without a budget, without Python, or with another runner: not checked, with the reason."""
    evidence = only(mutated(tmp_path, edits, plan=plan, budget_s=budget_s))
    assert evidence.state == "not-checked" and said in evidence.summary


SOURCE = '''"""Doc."""
LIMIT = 3


def f(a, b=2, *, c: int = 5):
    """More."""
    if a and not b:
        raise ValueError(f"{a} is odd")
    total = 0
    while total < LIMIT or c is None:
        total += (a) * (  # two
            b
        )
        if total == "ä" and a not in (b, "x"):
            break
        log.info("quiet")
        run(total)
    return "ö" + total if a else None
'''


def test_each_fault_is_one_exact_edit() -> None:
    """Every mutant parses, differs from the source in its span alone, and stands on a line that was asked for."""
    source = SOURCE.encode()
    lines = range(1, 20)
    made = mutants_of("f.py", source, lines)
    assert len({mutant.applied(source) for mutant in made}) == len(made) > 15
    for mutant in made:
        faulty = mutant.applied(source)
        assert ast.dump(ast.parse(faulty)) != ast.dump(ast.parse(source))
        assert source[mutant.start : mutant.end].decode() == mutant.before
        assert source[: mutant.start].count(b"\n") + 1 == mutant.line
    edits = {(mutant.before, mutant.after) for mutant in made}
    assert {("and", "or"), ("<", "<="), ("not in", "in"), ("==", "!="), ("break", "continue"), ("not ", "")} <= edits
    assert not [mutant for mutant in made if "quiet" in mutant.before or "Doc" in mutant.before]
    assert {mutant.line for mutant in mutants_of("f.py", source, [7])} == {7}


@pytest.mark.parametrize("source", [b"def (:\n", b"\xff\xfe", b"\xef\xbb\xbfx = 1\n", b"x = " + b"(" * 5000])
def test_what_cannot_be_read_is_said(source: bytes) -> None:
    """Source that is no Python, or not in UTF-8, raises a reason and never anything else."""
    with pytest.raises(ValueError, match=r"read|mark"):
        mutants_of("x.py", source, [1])


def test_tests_are_chosen_only_where_the_command_allows(tmp_path: Path) -> None:
    """Paths of the command give way to ids; an option with a value apart, or another runner, lets nothing be chosen."""
    (tmp_path / "tests").mkdir()
    ids = ("tests/test_a.py::test_b[x y]",)
    plan = chosen(SuitePlan(kind="pytest", argv=("-q", "--color=no", "tests")), ids, tmp_path)
    assert plan is not None and plan.argv == ("-q", "--color=no", *ids)
    assert chosen(SuitePlan(kind="pytest", argv=("-m", "fast")), ids, tmp_path) is None
    assert chosen(SuitePlan(kind="go", argv=("go", "test")), ids, tmp_path) is None
    assert chosen(SuitePlan(kind="pytest", argv=()), ("--co",), tmp_path) is None
