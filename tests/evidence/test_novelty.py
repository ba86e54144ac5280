"""What a change's own tests show is told of new tests and of changed ones that needed the change."""

from __future__ import annotations

from workbench.evidence.novelty import told_apart
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import TestOutcome, TestState


def report(**states: TestState) -> SuiteReport:
    outcomes = tuple(TestOutcome(id=f"test_a.py::{name}", state=state) for name, state in states.items())
    return SuiteReport(state="passed", outcomes=outcomes)


def test_only_tests_that_base_lacks_count_as_new() -> None:
    """One test added to a file of ten is one new test; a known test that fails without the change still shows it."""
    base = report(old="passed", edited="passed")
    result = report(old="passed", edited="passed", idle="passed", needed="passed")
    there = report(old="passed", edited="failed", idle="passed", needed="failed")
    told = told_apart(there, base=base, result=result, files=("test_a.py",))
    assert told.passing == ("test_a.py::idle",)
    assert told.failing == ("test_a.py::edited", "test_a.py::needed")
    only = told_apart(report(old="passed", idle="passed"), base=base, result=report(old="passed", idle="passed"),
                      files=("test_a.py",))  # fmt: skip
    assert only.summary == "1 new test passes on base, too"
