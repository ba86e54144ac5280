"""Evidence of mutants: faults in changed lines, each run against the tests that reach its line, within a budget.

What was not tried in time, or could not be judged, is told as not checked; it never counts as noticed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import msgspec

from workbench.evidence.behaviour import Behaviour, covered_lines
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import is_material
from workbench.evidence.mutation.mutants import Mutant, mutants_of
from workbench.evidence.other_languages import unread
from workbench.evidence.rig import Rig
from workbench.evidence.selection import chosen
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.model.evidence import EvidenceState, Finding
from workbench.ports import Change, Collected

KIND = "mutation.changed"
MAX_TESTS = 60  # run against one mutant, the quickest of those that reach its line
MAX_BASELINE = 400  # tests that are tried alone and unchanged, before any mutant
MAX_LISTED = 100  # mutants named in facts
MAX_FINDINGS = 20
LEAST_LIMIT_S, FACTOR = 5.0, 3.0  # of one mutant: at least this long, and so many times what its tests take unchanged

Fate = Literal["noticed", "survived", "timed-out", "unjudged"]


@dataclass
class Tally:
    """What came of the mutants."""

    fates: dict[Fate, list[Mutant]] = field(default_factory=dict)
    tests: dict[Mutant, int] = field(default_factory=dict)  # how many were run against it
    waiting: list[Mutant] = field(default_factory=list)  # not tried in time
    seconds: float = 0.0

    def of(self, fate: Fate) -> list[Mutant]:
        """The mutants that came to this."""
        return self.fates.get(fate, [])

    @property
    def judged(self) -> int:
        """How many of them tell something."""
        return sum(len(self.of(fate)) for fate in ("noticed", "survived", "timed-out"))

    def state(self, unread: Sequence[str]) -> EvidenceState:
        """A pass only where every fault was tried, and noticed."""
        if self.of("survived"):
            return "failed"
        return "not-checked" if self.waiting or unread or self.of("unjudged") or not self.judged else "passed"


class MutationCollector:
    """Port Collector: one piece of evidence, and a finding for each fault that no test notices."""

    name = "mutation"

    def __init__(self, rig: Rig, behaviour: Behaviour, *, budget_s: float, off: str = "") -> None:
        """`off` says why nothing is to be tried; a budget of 0 says so, too."""
        self._rig = rig
        self._behaviour = behaviour
        self._budget_s = budget_s
        self._off = off or ("" if budget_s > 0 else "it is off: `tests.mutation_s` is 0")

    def collect(self, change: Change) -> Collected:
        """Try as many mutants as fit into the budget, one of each line first."""
        if self._off:
            return self._unchecked(change, self._off)
        lines = covered_lines(change)
        if not lines:
            code = [path for path in change.added_lines() if not is_material(path)]
            nothing = "no line of Python was added outside of tests"
            return self._unchecked(change, unread(code, "faults are put into lines", nothing=nothing))
        report = self._behaviour.of(change).result
        reason = _reason(self._behaviour.plan, report)
        if reason:
            return self._unchecked(change, reason)
        return self._tried(change, report, lines)

    def _tried(self, change: Change, report: SuiteReport, lines: Mapping[str, Sequence[int]]) -> Collected:
        reaching = {path: _tests_of(report, path, numbers) for path, numbers in lines.items()}
        mutants, unread = _mutants(change, reaching)
        if not mutants:
            return self._unchecked(change, "no changed line that tests run can be mutated", unread=unread)
        passed = {outcome.id: outcome.seconds for outcome in report.outcomes if outcome.state == "passed"}
        wanted = {mutant: _quickest(reaching[mutant.path][mutant.line], passed) for mutant in mutants}
        alone = self._alone(change, wanted)
        if isinstance(alone, str):
            return self._unchecked(change, alone)
        tally = self._run(change, {mutant: [t for t in tests if t in alone] for mutant, tests in wanted.items()}, alone)
        return self._told(change, tally, unread)

    def _alone(self, change: Change, wanted: Mapping[Mutant, Sequence[str]]) -> dict[str, float] | str:
        """The tests that pass when they are chosen alone, with their seconds, or why none can be used."""
        tests = list(dict.fromkeys(test for each in wanted.values() for test in each))[:MAX_BASELINE]
        if not tests:
            return "no test that passes reaches a changed line"
        with self._rig.workspace(change.result) as workspace:
            plan = chosen(self._behaviour.plan, tests, Path(workspace.path))
            if plan is None:
                return "the command that runs the tests does not let single ones be chosen"
            report = run_suite(self._rig, plan, workspace)
        if not report.believed:
            return f"the tests cannot be run by themselves: {report.problem}"
        passed = {outcome.id: outcome.seconds for outcome in report.outcomes if outcome.state == "passed"}
        return passed or "no test that reaches a changed line passes by itself"

    def _run(self, change: Change, wanted: Mapping[Mutant, Sequence[str]], alone: Mapping[str, float]) -> Tally:
        tally, clock = Tally(), self._rig.clock
        begun = clock.monotonic()
        for mutant, tests in wanted.items():
            spent = max(clock.monotonic() - begun, tally.seconds)
            left = self._budget_s - spent
            if not tests:
                tally.fates.setdefault("unjudged", []).append(mutant)
            elif left <= 0 or self._rig.stop():
                tally.waiting.append(mutant)
            else:
                limit_s = min(max(LEAST_LIMIT_S, FACTOR * sum(alone[test] for test in tests)), max(left, LEAST_LIMIT_S))
                fate, seconds = self._fate(change, mutant, tests, limit_s=limit_s)
                tally.seconds += seconds
                tally.tests[mutant] = len(tests)
                tally.fates.setdefault(fate, []).append(mutant)
        return tally

    def _fate(self, change: Change, mutant: Mutant, tests: Sequence[str], *, limit_s: float) -> tuple[Fate, float]:
        limits = msgspec.structs.replace(self._rig.limits, wall_s=min(limit_s, self._rig.limits.wall_s))
        rig = replace(self._rig, limits=limits)
        with rig.workspace(change.result) as workspace:
            place = Path(workspace.path) / mutant.path
            if place.is_symlink() or not place.is_file():
                return "unjudged", 0.0
            place.write_bytes(mutant.applied(place.read_bytes()))
            plan = chosen(self._behaviour.plan, tests, Path(workspace.path))
            report = SuiteReport(state="error") if plan is None else run_suite(rig, plan, workspace)
        fates: dict[str, Fate] = {"failed": "noticed", "passed": "survived", "timed-out": "timed-out"}
        return fates.get(report.state, "unjudged"), report.duration_ms / 1000

    # --- telling -------------------------------------------------------------------------------------

    def _told(self, change: Change, tally: Tally, unread: Sequence[str]) -> Collected:
        survived, waiting = tally.of("survived"), tally.waiting
        unjudged = len(tally.of("unjudged"))
        noticed = tally.judged - len(survived)
        summary = f"{noticed} of {tally.judged} faults put into changed lines are noticed by the tests"
        summary += f"; {len(waiting)} more were not tried in {self._budget_s:.0f} s" if waiting else ""
        summary += f"; {unjudged} could not be judged" if unjudged else ""
        facts = {
            "budget_s": self._budget_s,
            "seconds": round(tally.seconds, 1),
            "noticed": len(tally.of("noticed")),
            "percent": round(100 * noticed / tally.judged, 1) if tally.judged else None,
            "timed_out": [str(mutant) for mutant in tally.of("timed-out")][:MAX_LISTED],
            "survived": [str(mutant) for mutant in survived][:MAX_LISTED],
            "unjudged": unjudged,
            "not_tried": [str(mutant) for mutant in waiting][:MAX_LISTED],
            "unread": list(unread),
        }
        findings = tuple(_finding(mutant, tally.tests[mutant]) for mutant in survived[:MAX_FINDINGS])
        return self._collected(change, tally.state(unread), summary, findings=findings, **facts)

    def _unchecked(self, change: Change, reason: str, **facts: Any) -> Collected:
        return self._collected(change, "not-checked", reason, budget_s=self._budget_s, **facts)

    def _collected(
        self, change: Change, state: EvidenceState, summary: str, *, findings: tuple[Finding, ...] = (), **facts: Any
    ) -> Collected:
        evidence = self._rig.evidence(
            change, KIND, criterion="verification", state=state, summary=summary, facts=facts, collector=self.name
        )
        return Collected(evidence=(evidence,), findings=findings)


def _reason(plan: SuitePlan, report: SuiteReport) -> str:
    if plan.kind not in ("pytest", "unittest"):
        return f"mutants are run by pytest and unittest, not by {plan.label or plan.kind}"
    if not report.believed:
        return f"the run of the tests is no evidence: {report.problem}"
    if report.coverage_problem:
        return f"which tests reach the changed lines is not known: {report.coverage_problem}"
    return "" if any(report.contexts.values()) else "no test reaches a changed line"


def _tests_of(report: SuiteReport, path: str, lines: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """By line the tests that run it; a line that runs while it is imported is for all that reach the file."""
    contexts = report.contexts.get(path, {})
    everyone = tuple(dict.fromkeys(test for tests in contexts.values() for test in tests))
    measured = report.coverage.get(path)
    hits = measured.get("hits") if isinstance(measured, dict) else None
    hit = frozenset(hits) if isinstance(hits, list) else frozenset()
    reached = {line: contexts.get(line) or everyone for line in lines if line in contexts or line in hit}
    return {line: tests for line, tests in reached.items() if tests}


def _mutants(change: Change, reaching: Mapping[str, Mapping[int, Sequence[str]]]) -> tuple[list[Mutant], list[str]]:
    """All mutants of lines that tests reach, one of each file in turn, and the files that could not be read."""
    by_file, unread = [], []
    for path, lines in reaching.items():
        try:
            by_file.append(iter(mutants_of(path, change.result_file(path) or b"", lines.keys())))
        except ValueError as problem:
            unread.append(f"{path}: {problem}")
    return list(_in_turn(by_file)), unread


def _in_turn(sources: list[Iterator[Mutant]]) -> Iterator[Mutant]:
    while sources:
        for source in list(sources):
            mutant = next(source, None)
            if mutant is None:
                sources.remove(source)
            else:
                yield mutant


def _quickest(tests: Sequence[str], seconds: Mapping[str, float]) -> list[str]:
    able = [test for test in tests if test in seconds]
    return sorted(able, key=lambda test: seconds[test])[:MAX_TESTS]


def _finding(mutant: Mutant, tests: int) -> Finding:
    ran = "the one test that runs it passes all the same" if tests == 1 else f"all {tests} tests that were run pass"
    text = f"A fault in this line goes unnoticed, `{mutant.after}` for `{mutant.before}`: {ran}"
    kind, path, line = "mutation.survived", mutant.path, mutant.line
    return Finding(kind=kind, severity="low", text=text, path=path, line=line, evidence=KIND)
