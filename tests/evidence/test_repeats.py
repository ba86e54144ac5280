"""Tests that fail are run again: what then passes is flaky, neither passed nor broken; what fails again is broken."""

from __future__ import annotations

from pathlib import Path

from projects import Project

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.repeats import MAX_TESTS, repeated
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import TestOutcome, TestState

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
TEST = (
    "import adder\n\ndef test_add():\n    assert adder.add(1, 2) == 3\n\n"
    "def test_more():\n    assert adder.add(2, 2) == 4\n"
)
BASE = {"adder.py": "def add(a, b):\n    return a + b\n", "test_adder.py": TEST}
# Wrong in every first process that asks, as the file at PLACE shows; and for good where both are 2.
ODD = """from pathlib import Path
PLACE = Path({place!r})
first = not PLACE.exists()
PLACE.write_text("x")

def add(a, b):
    return 0 if first or (a == b == {bad}) else a + b
"""


def collected(tmp_path: Path, bad: int) -> tuple[dict[str, tuple[str, str]], set[str], Project]:
    edits = {"adder.py": ODD.format(place=str(tmp_path / "asked"), bad=bad)}
    project = Project(tmp_path, BASE, edits)
    found = TestsCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change)
    kinds = {finding.kind for finding in found.findings}
    return {piece.kind: (piece.state, piece.summary) for piece in found.evidence}, kinds, project


def test_what_passes_when_run_again_is_flaky(tmp_path: Path) -> None:
    """It is neither a pass nor a broken test: not checked, with a finding that a person has to weigh."""
    pieces, kinds, project = collected(tmp_path, bad=9)
    assert pieces["tests.base-on-result"][0] == pieces["tests.result"][0] == "not-checked"
    assert pieces["tests.result"][1] == "2 tests pass only sometimes, e.g. test_adder.py::test_add"
    assert kinds == {"tests.flaky"}
    assert len(project.sandbox.jobs) == 3  # base, result, and the two tests once more


def test_what_fails_again_is_broken(tmp_path: Path) -> None:
    """One flaky test hides no broken one beside it."""
    pieces, kinds, _ = collected(tmp_path, bad=2)
    assert pieces["tests.base-on-result"][0] == pieces["tests.result"][0] == "failed"
    assert kinds == {"tests.flaky", "tests.broken"}


def report(states: dict[str, TestState]) -> SuiteReport:
    bad = any(state == "failed" for state in states.values())
    outcomes = tuple(TestOutcome(id=test, state=state) for test, state in states.items())
    return SuiteReport(state="failed" if bad else "passed", outcomes=outcomes)


def test_only_new_failures_of_a_few_tests_are_repeated(tmp_path: Path) -> None:
    """What failed on base, whole files, many failures, and runs that cannot be believed are left as they are."""
    asked: list[tuple[str, ...]] = []

    def again(plan: SuitePlan) -> SuiteReport:
        asked.append(plan.argv)
        return report(dict.fromkeys(plan.argv, "passed"))

    def run(states: dict[str, TestState], base: dict[str, TestState]) -> list[str]:
        clock = Project(tmp_path, BASE, {}).rig.clock
        return repeated(report(states), report(base), plan=PLAN, root=tmp_path, again=again, clock=clock).ids("flaky")

    assert run({"t.py::a": "failed", "t.py": "error"}, {"t.py::a": "failed"}) == []
    assert run({f"t.py::t{n}": "failed" for n in range(MAX_TESTS + 1)}, {}) == []
    assert asked == []
    assert run({"t.py::a": "failed", "t.py::b": "passed"}, {"t.py::a": "passed"}) == ["t.py::a"]
    assert asked == [("t.py::a",)]
