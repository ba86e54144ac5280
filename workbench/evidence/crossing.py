"""A version run against the tests that other versions of the same work brought along; it judges none of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import carry, changed_material, is_shared
from workbench.evidence.novelty import changed_tests, narrowed
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.model.evidence import Evidence, EvidenceState
from workbench.ports import Change, Collected

CROSSED = "tests.crossed"
MAX_LISTED = 200  # ids named in facts; the whole list is in the outcomes blob


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """Another version: its pack, and its change, or why it cannot be had."""

    pack: str
    change: Change | None = None
    problem: str = ""


class Crossing:
    """Port Collector: one piece of evidence for each other version, from its own tests run on this one's result."""

    name = "crossing"

    def __init__(
        self, rig: Rig, plan: SuitePlan | None, others: Sequence[Other], *, test_paths: Sequence[str] = ()
    ) -> None:
        self._rig, self._plan, self._others, self._test_paths = rig, plan, tuple(others), tuple(test_paths)

    def collect(self, change: Change) -> Collected:
        """Run what each brought; what cannot be chosen or does not load is said."""
        return Collected(evidence=tuple(self._each(change)))

    def _each(self, change: Change) -> Iterator[Evidence]:
        for other in self._others:
            problem, plan, theirs = self._planned(other)
            if theirs is None or plan is None:
                yield self._evidence(change, other, SuiteReport(state="not-checked", problem=problem))
            else:
                yield self._evidence(change, other, self._run(change, plan, theirs))

    def _planned(self, other: Other) -> tuple[str, SuitePlan | None, Change | None]:
        if other.change is None:
            return other.problem, None, None
        if self._plan is None:
            return "base has no test suite", None, None
        files = changed_tests(other.change)
        plan = narrowed(self._plan, files)
        problem = "it brought no tests of its own" if not files else "its tests cannot be chosen alone"
        return problem, plan, other.change

    def _run(self, change: Change, plan: SuitePlan, theirs: Change) -> SuiteReport:
        carried = [path for path in changed_material(theirs, self._test_paths) if not is_shared(path)]
        with self._rig.workspace(change.result) as workspace:
            with self._rig.workspace(theirs.result) as source:
                carry(carried, source=Path(source.path), target=Path(workspace.path))
            return run_suite(self._rig, plan, workspace)

    def _evidence(self, change: Change, other: Other, report: SuiteReport) -> Evidence:
        groups = {state: report.ids(state) for state in ("passed", "failed", "error", "skipped")}
        state, summary = _told(report, groups)
        outcomes = {"outcomes": self._rig.blobs.put(msgspec.json.encode(report.outcomes))} if report.outcomes else {}
        lists = {name: ids[:MAX_LISTED] for name, ids in groups.items()}
        return self._rig.evidence(
            change,
            CROSSED,
            criterion="verification",
            state=state,
            summary=f"the tests of {other.pack}: {summary}",
            command=report.command,
            outputs={**report.outputs, **outcomes},
            facts={
                "pack": other.pack,
                "head": other.change.head if other.change is not None else "",
                "counts": {name: len(ids) for name, ids in groups.items()},
                **lists,
            },
            collector=self.name,
            duration_ms=report.duration_ms,
        )


def _told(report: SuiteReport, groups: dict[str, list[str]]) -> tuple[EvidenceState, str]:
    if not report.believed:
        return report.state, report.problem or report.state
    counted = ", ".join(f"{len(ids)} {state}" for state, ids in groups.items() if ids)
    if not counted:
        return "no-tests", "none of them ran"
    state: EvidenceState = "failed" if groups["failed"] or groups["error"] else "passed"
    return ("not-checked", counted) if not groups["passed"] and state == "passed" else (state, counted)
