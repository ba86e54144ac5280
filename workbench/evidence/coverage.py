"""Coverage of the changed lines, from the result's own run of its tests; it starts no run of its own.

The run tells which lines were executed. Which lines are statements says coverage.py, here, from the result's commit:
what the tests did to the files, or to their process, changes nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from workbench.evidence.behaviour import Behaviour, covered_paths
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.coverage_report import of_path
from workbench.evidence.material import is_material
from workbench.evidence.other_languages import unread
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
        if self._behaviour.plan.coverage:
            return self._as_reported(change)
        paths = covered_paths(change)
        unmeasured = sorted(path for path in change.added_lines() if not path.endswith(".py"))
        if not paths:
            code = [path for path in unmeasured if not is_material(path)]
            reason = unread(code, "coverage is measured", nothing="no line of Python was added outside of tests")
            return self._collected(change, "not-checked", reason, unmeasured)
        report = self._behaviour.of(change).result
        reason = _reason(self._behaviour.plan, report)
        if reason:
            return self._collected(change, "not-checked", reason, unmeasured)
        return self._measured(change, report, paths, unmeasured)

    def _measured(
        self, change: Change, report: SuiteReport, paths: tuple[str, ...], unmeasured: list[str]
    ) -> Collected:
        try:
            files = {path: self._lines(change, path, report.coverage.get(path)) for path in paths}
        except _NotMeasured as problem:
            return self._collected(change, "not-checked", f"coverage could not be measured: {problem}", unmeasured)
        covered = sum(len(file["covered"]) for file in files.values())
        total = covered + sum(len(file["uncovered"]) for file in files.values())
        state: EvidenceState = "passed" if covered == total else "failed"
        branches = [self._branches(change, path, report.coverage.get(path)) for path in paths]
        ways, taken = sum(each.ways for each in branches), sum(each.taken for each in branches)
        partial = {path: list(each.partial) for path, each in zip(paths, branches, strict=True) if each.partial}
        summary = f"{covered} of {total} executable added lines are executed by the tests"
        summary += f", {taken} of {ways} ways of their conditions are taken" if ways else ""
        return self._collected(
            change, state, summary, unmeasured, files=files, covered=covered, executable=total,
            percent=round(100 * covered / total, 1) if total else 100.0,
            ways=ways, ways_taken=taken, partial=partial,
        )  # fmt: skip

    def _as_reported(self, change: Change) -> Collected:
        """What the command's own report says of added lines, which is observed, not measured by us."""
        report = self._behaviour.of(change).result
        if report.coverage_problem or not report.believed:
            reason = report.coverage_problem or report.problem
            return self._collected(change, "not-checked", f"coverage could not be read: {reason}", [])
        files: dict[str, dict[str, list[int]]] = {}
        ways = taken = 0
        for path, added in sorted(change.added_lines().items()):
            known = of_path(report.reported, path)
            if known is not None and not is_material(path):
                hit = {line: known.hits[line] for line in added if line in known.hits}
                files[path] = {
                    "covered": [line for line in sorted(hit) if hit[line]][:MAX_LINES],
                    "uncovered": [line for line in sorted(hit) if not hit[line]][:MAX_LINES],
                }
                there = [known.ways[line] for line in added if line in known.ways]
                ways, taken = ways + sum(way[1] for way in there), taken + sum(way[0] for way in there)
        return self._summed(change, files, ways=ways, taken=taken)

    def _summed(self, change: Change, files: dict[str, dict[str, list[int]]], *, ways: int, taken: int) -> Collected:
        unmeasured = sorted(path for path in change.added_lines() if path not in files and not is_material(path))
        covered = sum(len(file["covered"]) for file in files.values())
        total = covered + sum(len(file["uncovered"]) for file in files.values())
        if not files:
            reason = f"{self._behaviour.plan.coverage} names none of the changed files"
            return self._collected(change, "not-checked", reason, unmeasured)
        state: EvidenceState = "passed" if covered == total else "failed"
        summary = f"{covered} of {total} executable added lines are executed, as the tests' own report says"
        summary += f", {taken} of {ways} ways of their conditions are taken" if ways else ""
        percent = round(100 * covered / total, 1) if total else 100.0
        collected = self._collected(
            change, state, summary, unmeasured, files=files, covered=covered, executable=total, percent=percent,
            ways=ways, ways_taken=taken,
        )  # fmt: skip
        return Collected(evidence=tuple(msgspec.structs.replace(e, grade="observed") for e in collected.evidence))

    def _lines(self, change: Change, path: str, measured: Any) -> dict[str, list[int]]:
        """Added statements of one file; those that our Python cannot tell are all that the project's could mark."""
        places, hits = _numbers(measured, "places"), _numbers(measured, "hits")
        try:
            statements = statements_of(change.result_file(path) or b"")
        except ValueError as error:
            if not places:
                raise _NotMeasured(f"{path}: {error}") from error
            statements = Statements(places)
        wanted = statements.lines & set(change.added_lines()[path])
        unmarked = sorted(wanted - statements.reached(places))
        if unmarked:
            raise _NotMeasured(f"{path}: line {unmarked[0]} cannot be marked")
        reached = statements.reached(hits)
        return {"covered": sorted(wanted & reached)[:MAX_LINES], "uncovered": sorted(wanted - reached)[:MAX_LINES]}

    def _branches(self, change: Change, path: str, measured: Any) -> Branches:
        """How the conditions on added lines went; of those in lines that nothing executes each way is untaken."""
        added = set(change.added_lines()[path])
        lines = sorted(_numbers(measured, "conditions") & added)
        went = _ways(measured)
        partial = [line for line in lines if len(went.get(line, ())) < 2]
        taken = sum(len(went.get(line, ())) for line in lines)
        return Branches(2 * len(lines), taken, tuple(_partial(line, went.get(line, frozenset())) for line in partial))

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


class Branches(NamedTuple):
    """Ways that conditions can go, and did; of those that did not go both, the line and which way is missing."""

    ways: int
    taken: int
    partial: tuple[str, ...]


def _ways(measured: Any) -> dict[int, frozenset[int]]:
    """Which ways the conditions of a line went, from a record that test code could have written."""
    values = measured.get("ways") if isinstance(measured, dict) else None
    went: dict[int, set[int]] = {}
    for value in values if isinstance(values, list) else ():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], int) and value[1] in (0, 1):
            went.setdefault(value[0], set()).add(value[1])
    return {line: frozenset(found) for line, found in went.items()}


def _partial(line: int, went: frozenset[int]) -> str:
    return f"{line}: never asked" if not went else f"{line}: never {'false' if 1 in went else 'true'}"


def _reason(plan: SuitePlan, report: SuiteReport) -> str:
    if plan.kind not in ("pytest", "unittest"):
        return f"coverage is measured in pytest and unittest, not in {plan.label or plan.kind}"
    if report.coverage_problem:
        return f"coverage could not be measured: {report.coverage_problem}"
    if not report.believed:
        return f"the run of the tests is no evidence: {report.problem}"
    return "" if report.coverage else "the run of the tests left no coverage"


class _NotMeasured(Exception):
    """A file of which nothing can be told; the text says which, and why."""


class Statements(msgspec.Struct, frozen=True):
    """The lines of a source that count, each the first of its statement, and the first line of each other line."""

    lines: frozenset[int]
    first: dict[int, int] = {}

    def reached(self, hits: Iterable[int]) -> frozenset[int]:
        """The statements of these lines."""
        return frozenset(self.first.get(line, line) for line in hits)


def statements_of(source: bytes) -> Statements:
    """What coverage.py counts as statements by its own defaults; raises ValueError where our Python cannot read it."""
    from coverage import Coverage  # loaded only where evidence is made
    from coverage.exceptions import NotPython
    from coverage.parser import PythonParser
    from coverage.phystokens import source_encoding

    rules = Coverage(data_file=None, config_file=False).get_option("report:exclude_lines")
    excluded = "|".join(f"(?:{rule})" for rule in rules) if isinstance(rules, list) else None
    try:
        text = source.replace(b"\f", b" ").decode(source_encoding(source), "replace")
        parser = PythonParser(text=text + "\n" * (not text.endswith("\n")), filename="<source>", exclude=excluded)
        parser.parse_source()
    except (NotPython, SyntaxError, LookupError) as error:
        raise ValueError(str(error)) from error
    return Statements(frozenset(parser.statements), dict(parser.multiline_map))


def _numbers(measured: Any, key: str) -> frozenset[int]:
    """Line numbers from a record that test code could have written: everything else is dropped."""
    values = measured.get(key) if isinstance(measured, dict) else None
    return frozenset(value for value in values if isinstance(value, int)) if isinstance(values, list) else frozenset()
