"""Coverage of the changed lines, from the result's own run of its tests; it starts no run of its own."""

from __future__ import annotations

from typing import Any

from workbench.evidence.behaviour import Behaviour, covered_paths
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import Evidence, EvidenceState
from workbench.ports import Change, Collected

KIND = "coverage.changed"
MAX_LINES = 500  # line numbers listed for one file


class CoverageCollector:
    """Port Collector: which added lines of Python the result's tests execute, file by file."""

    name = "coverage"

    def __init__(self, rig: Rig, behaviour: Behaviour) -> None:
        self._rig = rig
        self._behaviour = behaviour

    def collect(self, change: Change) -> Collected:
        """`passed` when every executable added line was executed; nothing to execute is a pass, too, and says so."""
        paths = covered_paths(change)
        unmeasured = sorted(path for path in change.added_lines() if not path.endswith(".py"))
        if not paths:
            return self._collected(change, "not-checked", "no line of Python was added outside of tests", unmeasured)
        report = self._behaviour.of(change).result
        reason = _reason(self._behaviour.plan, report)
        if reason:
            return self._collected(change, "not-checked", reason, unmeasured)
        return self._measured(change, report, paths, unmeasured)

    def _measured(
        self, change: Change, report: SuiteReport, paths: tuple[str, ...], unmeasured: list[str]
    ) -> Collected:
        files = {path: _lines(report.coverage.get(path), change.added_lines()[path]) for path in paths}
        covered = sum(len(file["covered"]) for file in files.values())
        total = covered + sum(len(file["uncovered"]) for file in files.values())
        state: EvidenceState = "passed" if covered == total else "failed"
        summary = f"{covered} of {total} executable added lines are executed by the tests"
        return self._collected(
            change, state, summary, unmeasured, files=files, covered=covered, executable=total,
            percent=round(100 * covered / total, 1) if total else 100.0,
        )  # fmt: skip

    def _collected(
        self, change: Change, state: EvidenceState, summary: str, unmeasured: list[str], **facts: Any
    ) -> Collected:
        report: Evidence = self._rig.evidence(
            change,
            KIND,
            criterion="verification",
            state=state,
            summary=summary,
            facts={**facts, "not_measured": unmeasured, "subprocesses": "not measured"},
            collector=self.name,
        )
        return Collected(evidence=(report,))


def _reason(plan: SuitePlan, report: SuiteReport) -> str:
    if plan.kind not in ("pytest", "unittest"):
        return f"coverage is measured in pytest and unittest, not in {plan.label or plan.kind}"
    if report.coverage_problem:
        return f"coverage could not be measured: {report.coverage_problem}"
    if not report.believed:
        return f"the run of the tests is no evidence: {report.problem}"
    return "" if report.coverage else "the run of the tests left no coverage"


def _lines(measured: Any, added: tuple[int, ...]) -> dict[str, list[int]]:
    statements, missing = _numbers(measured, "statements"), _numbers(measured, "missing")
    wanted = statements & set(added)
    return {"covered": sorted(wanted - missing)[:MAX_LINES], "uncovered": sorted(wanted & missing)[:MAX_LINES]}


def _numbers(measured: Any, key: str) -> set[int]:
    """Line numbers from a record that test code could have written: everything else is dropped."""
    values = measured.get(key) if isinstance(measured, dict) else None
    return {value for value in values if isinstance(value, int)} if isinstance(values, list) else set()
