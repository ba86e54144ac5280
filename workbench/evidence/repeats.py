"""Runs tests that fail only on the result again: one that then passes is flaky, which is neither; no judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from workbench.evidence.conventions import SuitePlan
from workbench.evidence.selection import chosen
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import TestOutcome
from workbench.ports import Clock

ROUNDS = 2  # further runs of a test that failed
MAX_TESTS = 20  # beyond it something broke, and repeating would only cost time
BUDGET_S = 120.0  # no further round begins after it

Again = Callable[[SuitePlan], SuiteReport]


def repeated(
    report: SuiteReport, base: SuiteReport, *, plan: SuitePlan, root: Path, again: Again, clock: Clock
) -> SuiteReport:
    """The report with tests that failed here, not on base, and passed in a further run, as `flaky`.

    `again` runs a plan under the same conditions. Where tests cannot be chosen the report stays as it is.
    """
    failed = _new_failures(report, base)
    if not failed or len(failed) > MAX_TESTS:
        return report
    passed: set[str] = set()
    begun, rounds = clock.monotonic(), 0
    while rounds < ROUNDS and len(passed) < len(failed) and clock.monotonic() - begun < BUDGET_S:
        alone = chosen(plan, [test for test in failed if test not in passed], root)
        once = None if alone is None else again(alone)
        if once is None or not once.believed:
            break
        passed.update(test for test in once.ids("passed") if test in failed)
        rounds += 1
    outcomes = tuple(_flaky(outcome) if outcome.id in passed else outcome for outcome in report.outcomes)
    return msgspec.structs.replace(report, outcomes=outcomes, repeated=rounds)


def _new_failures(report: SuiteReport, base: SuiteReport) -> Sequence[str]:
    if not report.believed or not base.believed:
        return ()
    known = {*base.ids("failed", "error")}
    return [test for test in report.ids("failed", "error") if test not in known and not _is_no_test(test)]


def _is_no_test(name: str) -> bool:
    """Whether an outcome is that of a whole file, or of a fixture of a class or a module."""
    return name.endswith(".py") or " (" in name.partition("[")[0]


def _flaky(outcome: TestOutcome) -> TestOutcome:
    message = f"failed once and passed when it was run again: {outcome.message}"
    return msgspec.structs.replace(outcome, state="flaky", message=message)
