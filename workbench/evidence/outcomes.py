"""Evidence of tests on base, on the result, and of base's tests on the result; it tells of runs that others made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.evidence import trace
from workbench.evidence.behaviour import Behaviour, ThreeRuns
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.first import First
from workbench.evidence.novelty import changed_tests, narrowed, told_apart
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import Evidence, EvidenceState, Finding, Severity
from workbench.ports import Change, Collected

NEW_ON_BASE = "tests.new-on-base"
NOT_TRIED = "the change's own tests were not tried on base"
MAX_LISTED = 200  # ids named in facts; the whole list is in the outcomes blob


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Base's ids as they came out with base's tests on the result."""

    kept: tuple[str, ...] = ()  # passed on base, pass on the result
    broken: tuple[str, ...] = ()  # passed on base, fail on the result
    lost: tuple[str, ...] = ()  # passed on base, missing or skipped on the result
    failing: tuple[str, ...] = ()  # failed on base and still do not pass
    mended: tuple[str, ...] = ()  # failed on base, pass on the result
    flaky: tuple[str, ...] = ()  # passed on base, fail on the result and pass when run again


def compare(base: SuiteReport, result: SuiteReport) -> Comparison:
    """Hold the ids of `base` against their outcomes in `result`; ids that only `result` has do not matter here."""
    states = {outcome.id: outcome.state for outcome in result.outcomes}
    groups: dict[str, list[str]] = {name: [] for name in ("kept", "broken", "lost", "failing", "mended", "flaky")}
    for outcome in base.outcomes:
        now = states.get(outcome.id, "missing")
        if outcome.state == "passed":
            group = {"passed": "kept", "failed": "broken", "error": "broken", "flaky": "flaky"}.get(now, "lost")
            groups[group].append(outcome.id)
        elif outcome.state in ("failed", "error"):
            groups["mended" if now == "passed" else "failing"].append(outcome.id)
    return Comparison(**{name: tuple(sorted(ids)) for name, ids in groups.items()})


class TestsCollector:
    """Port Collector: three pieces of evidence and a finding for each test that broke or was lost.

    A fourth piece, which no policy has to ask for, tells of new and changed tests on base.
    """

    __test__ = False  # keeps pytest from collecting the class

    name = "tests"

    def __init__(self, rig: Rig, behaviour: Behaviour) -> None:
        self._rig = rig
        self._behaviour = behaviour

    def collect(self, change: Change) -> Collected:
        """Run what has to run, and say what came of it."""
        runs = self._behaviour.of(change)
        on_result = compare(runs.base, runs.base_on_result)
        evidence = (
            self._base(change, runs),
            self._result(change, runs),
            self._base_on_result(change, runs, on_result),
            *self._new_on_base(change, runs),
        )
        findings = (*_findings(runs, on_result), *_program_data(change, runs))
        return Collected(evidence=evidence, findings=findings)

    def _base(self, change: Change, runs: ThreeRuns) -> Evidence:
        state, summary = _told(runs.base)
        cached = {"cached": runs.base_cached}
        return self._evidence(change, "tests.base", runs.base, state=state, summary=summary, facts=cached)

    def _result(self, change: Change, runs: ThreeRuns) -> Evidence:
        state, summary = _told(runs.result)
        missing = _new_missing(runs.result, runs.base)
        bad_before = {*runs.base.ids("failed", "error")}
        bad = runs.result.ids("failed", "error")
        new_failures = [test for test in bad if test not in bad_before]
        facts = {
            "new_failures": new_failures[:MAX_LISTED],
            "known_failures": [t for t in bad if t in bad_before][:MAX_LISTED],
        }
        if missing:
            state, summary = "error", _environment(missing)
        elif state == "failed" and runs.base.believed and not new_failures and runs.result.ids("passed"):
            state, summary = "passed", f"{_counts(runs.result)}; every failure was there on base"
        if flaky := runs.result.ids("flaky"):
            state, summary = ("not-checked", _sometimes(flaky)) if state == "passed" or not bad else (state, summary)
        facts |= {"flaky": flaky[:MAX_LISTED]}
        repeated = {"repeated": runs.result.repeated}
        new = sorted({o.id for o in runs.result.outcomes} - {o.id for o in runs.base.outcomes})
        facts |= {"new_tests": new[:MAX_LISTED], "missing_modules": list(missing)}
        first = {"first": _first(runs.first)} if runs.first is not None else {}
        told = {**facts, **repeated, **first}
        return self._evidence(change, "tests.result", runs.result, state=state, summary=summary, facts=told)

    def _base_on_result(self, change: Change, runs: ThreeRuns, on_result: Comparison) -> Evidence:
        state, summary = _verdict(runs, on_result)
        facts = {
            **{
                name: list(ids)[:MAX_LISTED]
                for name, ids in msgspec.structs.asdict(on_result).items()
                if name != "kept"
            },
            "kept": len(on_result.kept),
            "repeated": runs.base_on_result.repeated,
            "restored": list(runs.material)[:MAX_LISTED],
            "same_run_as": "tests.result" if runs.shared else "",
        }
        report = runs.base_on_result
        return self._evidence(change, "tests.base-on-result", report, state=state, summary=summary, facts=facts)

    def _new_on_base(self, change: Change, runs: ThreeRuns) -> tuple[Evidence, ...]:
        """Nothing for a change without tests of its own: a refactoring is shown by base's tests."""
        files, plan = changed_tests(change), self._behaviour.plan
        names = () if plan.kind in trace.RUNNERS else _new_names(runs)  # tests that stand in the program's own files
        if not files and not names:
            return ()
        report = runs.new_on_base
        if report is None or not report.believed or not runs.result.believed:
            reason = _untried(plan, files) if report is None else report.problem or runs.result.problem
            facts = {"files": list(files)[:MAX_LISTED]}
            report = report or SuiteReport(state="not-checked")
            return (self._evidence(change, NEW_ON_BASE, report, state="not-checked", summary=reason, facts=facts),)
        found = told_apart(report, base=runs.base, result=runs.result, files=files)
        facts = {name: list(ids)[:MAX_LISTED] for name, ids in msgspec.structs.asdict(found).items()}
        return (self._evidence(change, NEW_ON_BASE, report, state=found.state, summary=found.summary, facts=facts),)

    def _evidence(
        self,
        change: Change,
        kind: str,
        report: SuiteReport,
        *,
        state: EvidenceState,
        summary: str,
        facts: Mapping[str, Any],
    ) -> Evidence:
        outcomes = self._rig.blobs.put(msgspec.json.encode(report.outcomes))
        return self._rig.evidence(
            change,
            kind,
            criterion="verification",
            state=state,
            summary=summary,
            command=report.command,
            outputs={**report.outputs, "outcomes": outcomes},
            facts={**_numbers(report), **facts, "suite": self._behaviour.plan.label},
            collector=self.name,
            duration_ms=report.duration_ms,
        )


def _new_names(runs: ThreeRuns) -> tuple[str, ...]:
    if not (runs.base.believed and runs.result.believed and runs.result.names_tests):
        return ()
    return tuple(sorted({*runs.result.ids("passed")} - {outcome.id for outcome in runs.base.outcomes}))


def _untried(plan: SuitePlan, files: Sequence[str]) -> str:
    why = "that would cost too much" if narrowed(plan, files) else f"{plan.label or plan.kind} cannot run them alone"
    return f"{NOT_TRIED}: {why}"


def _verdict(runs: ThreeRuns, on_result: Comparison) -> tuple[EvidenceState, str]:
    base, report = runs.base, runs.base_on_result
    if not base.believed:
        state: EvidenceState = "timed-out" if base.state == "timed-out" else "error"
        return state, f"base's suite gave no test ids to hold against the result: {base.problem}"
    missing = _new_missing(report, base)
    if missing and _explains(missing, report, on_result):
        return "error", _environment(missing)
    if not report.believed:
        return report.state, report.problem
    if not report.names_tests:
        return _of_command(base, report)
    if not on_result.kept and not on_result.broken and not on_result.lost and not on_result.flaky:
        return "no-tests", "no test of base passes there, so none can show that behaviour was kept"
    if on_result.broken or on_result.lost:
        return "failed", _losses(on_result)
    if on_result.flaky:
        return "not-checked", _sometimes(on_result.flaky)
    return "passed", f"{len(on_result.kept)} tests that pass on base pass on the result"


def _of_command(base: SuiteReport, report: SuiteReport) -> tuple[EvidenceState, str]:
    """The same of a command that names no tests: what it exited with is all that is known."""
    if base.exit_code:
        return "no-tests", f"the command exited {base.exit_code} on base, so it cannot show that behaviour was kept"
    state: EvidenceState = "failed" if report.exit_code else "passed"
    return state, f"the command exited 0 on base and {report.exit_code} on the result; it names no tests"


def _explains(missing: tuple[str, ...], report: SuiteReport, on_result: Comparison) -> bool:
    """Whether every test that broke or was lost did so for want of a module; one that did not makes it a failure."""
    told = {outcome.id: f"{outcome.message}\n{outcome.frame}" for outcome in report.outcomes}
    return all(
        any(name in told.get(test, "") or name in told.get(test.partition("::")[0], "") for name in missing)
        for test in (*on_result.broken, *on_result.lost)
    )


def _sometimes(tests: Sequence[str]) -> str:
    counted = "1 test passes" if len(tests) == 1 else f"{len(tests)} tests pass"
    return f"{counted} only sometimes, e.g. {tests[0]}"


def _losses(on_result: Comparison) -> str:
    parts = []
    if on_result.broken:
        parts.append(f"{len(on_result.broken)} of base's tests fail on the result, e.g. {on_result.broken[0]}")
    if on_result.lost:
        parts.append(f"{len(on_result.lost)} of base's tests do not run on the result, e.g. {on_result.lost[0]}")
    return "; ".join(parts)


def _first(first: First) -> dict[str, Any]:
    """What was run before all the others, which tells early and proves nothing."""
    return {**msgspec.structs.asdict(first), "failed": list(first.failed)}


def _told(report: SuiteReport) -> tuple[EvidenceState, str]:
    return report.state, report.problem or _counts(report)


def _counts(report: SuiteReport) -> str:
    if not report.names_tests:
        return f"command exited {report.exit_code}; it names no tests"
    words = (("passed",), ("failed", "error"), ("skipped",), ("flaky",))
    named = [(len(report.ids(*states)), states[0]) for states in words]
    return ", ".join(f"{count} {name}" for count, name in named if count) or "nothing ran"


def _numbers(report: SuiteReport) -> dict[str, Any]:
    states = ("passed", "failed", "error", "skipped") if report.names_tests else ()
    counts = {state: len(report.ids(state)) for state in states}
    return {
        "counts": counts,
        "failed": report.ids("failed", "error")[:MAX_LISTED],
        "deselected": len(report.deselected),
        "project_modules": report.modules,
        "foreign_modules": report.foreign,
        "exit_code": report.exit_code,
        "python": report.python,
    }


def _new_missing(report: SuiteReport, base: SuiteReport) -> tuple[str, ...]:
    return tuple(name for name in report.missing_modules if name not in base.missing_modules)


def _environment(missing: tuple[str, ...]) -> str:
    return f"environment: {', '.join(missing)} is not installed where the tests run; the change may add it"


def _findings(runs: ThreeRuns, on_result: Comparison) -> list[Finding]:
    if not runs.base.believed or not runs.base_on_result.believed:
        return []
    told = {outcome.id: outcome for outcome in runs.base_on_result.outcomes}
    made = [*_flaky(runs)]
    for kind, ids in (("tests.broken", on_result.broken), ("tests.lost", on_result.lost)):
        for test in ids[:MAX_LISTED]:
            outcome = told.get(test)
            text = f"{test} passes on base and {'fails on' if kind == 'tests.broken' else 'does not run on'} the result"
            made.append(
                Finding(
                    kind=kind,
                    severity="critical",
                    text=text + (f": {outcome.message[:300]}" if outcome and outcome.message else ""),
                    path=outcome.path if outcome else "",
                    line=outcome.line if outcome else 0,
                    evidence="tests.base-on-result",
                    blocking=True,
                )
            )
    return made


def _flaky(runs: ThreeRuns) -> Iterator[Finding]:
    """A test that failed and passed on the same code is a person's to weigh, whoever brought it."""
    found = {o.id: o for run in (runs.result, runs.base_on_result) for o in run.outcomes if o.state == "flaky"}
    for outcome in list(found.values())[:MAX_LISTED]:
        text = f"{outcome.id} {outcome.message[:300]}"
        kind, evidence, path, line = "tests.flaky", "tests.result", outcome.path, outcome.line
        yield Finding(kind=kind, severity="high", text=text, path=path, line=line, evidence=evidence)


def _program_data(change: Change, runs: ThreeRuns) -> Iterator[Finding]:
    """Data that the program reads, too, is the change's to change; on how much of it base's tests ran is said."""
    for path in runs.program_data[:MAX_LISTED]:
        before, after = len(change.base_file(path) or b""), len(change.result_file(path) or b"")
        emptied = after * 2 < before
        text = "Base's tests ran on the change's data: program and tests both read this file"
        text += f", which went from {before} to {after} bytes" if emptied else ""
        severity: Severity = "high" if emptied else "low"
        kind, evidence = "tests.program-data", "tests.base-on-result"
        yield Finding(kind=kind, severity=severity, text=text, path=path, evidence=evidence)
