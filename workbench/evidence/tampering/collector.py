"""The collector that names tampering: it reads the change once, sorts files by role and asks every detector.

It runs nothing of the change, and whatever it cannot read it says was not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from workbench.evidence.tampering import commands, other_languages, product_code, roles, rote, rows, surroundings
from workbench.evidence.tampering.interference import interference_findings
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.modules import Module, Unreadable, parse, read_module
from workbench.evidence.tampering.program import program_findings
from workbench.evidence.tampering.runner_code import file_findings, runner_findings
from workbench.evidence.tampering.settings import deselected_marks, search_places, settings_findings
from workbench.evidence.tampering.source import Source
from workbench.evidence.tampering.suites import Suites, lost_tests
from workbench.evidence.tampering.tables import table_findings
from workbench.model.evidence import Evidence, EvidenceState, Finding
from workbench.ports import Change, Collected

MAX_TEXT_BYTES = 2_000_000  # larger files are read by no pattern
MAX_DATA = 200_000  # characters of a file of data that is held against the literals of tests
MAX_FINDINGS = 500  # beyond it a reviewer reads the count


class Tampering:
    """Evidence of kind `tampering`: passed when no check was lost, failed when one was."""

    name = "tampering"

    def collect(self, change: Change) -> Collected:
        """Compare base and result file by file."""
        reading = _Reading(change)
        findings: list[Finding] = []
        for step in (_paths, _tests, _python, _lines, _settings, _other, _snapshots, _data):
            findings += reading.guarded(step)
        named = sorted(set(findings), key=lambda f: (not f.blocking, f.path, f.line, f.kind, f.text))
        kept = tuple(named[:MAX_FINDINGS])
        return Collected(evidence=(_evidence(change, kept, reading, total=len(named)),), findings=kept)


def _evidence(change: Change, findings: Sequence[Finding], reading: _Reading, *, total: int) -> Evidence:
    lost = [finding for finding in findings if finding.blocking]
    state: EvidenceState
    if lost:
        state, summary = "failed", f"checks were lost in {len(lost)} places: {lost[0].text}"
    elif reading.unread:
        state, summary = "not-checked", f"could not be read: {', '.join(sorted(reading.unread))[:300]}"
    else:
        state, summary = "passed", f"no check was lost; {len(findings)} changes to look at"
    return Evidence(
        id="tampering",
        kind="tampering",
        criterion="verification",
        grade="executed",
        state=state,
        summary=summary,
        inputs={"base": change.base, "head": change.head, "result": change.result, "tree": change.tree},
        facts={"blocking": len(lost), "findings": total, "unread": dict(sorted(reading.unread.items()))},
        collector="tampering",
    )


class _Reading:
    """The change's files, read and parsed at most once."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.changed = change.changed_paths()
        self.added = change.added_lines()
        self.unread: dict[str, str] = {}
        self._sources: dict[tuple[str, str], Source | None] = {}

    def guarded(self, step: Callable[[_Reading], Iterator[Finding]]) -> list[Finding]:
        """What a step finds; source that exhausts it is noted as unread, never raised."""
        findings: list[Finding] = []
        try:
            for finding in step(self):
                findings.append(finding)
        except (RecursionError, MemoryError, ValueError, SyntaxError) as problem:
            self.unread[step.__name__.strip("_")] = type(problem).__name__
        return findings

    def guarded_file(self, path: str, findings: Iterator[Finding]) -> Iterator[Finding]:
        """The same for one file, so that it hides nothing of the others."""
        try:
            yield from findings
        except (RecursionError, MemoryError, ValueError) as problem:
            self.unread[path] = type(problem).__name__

    def base_text(self, path: str) -> str:
        return _decoded(self.change.base_file(path))

    def result_text(self, path: str) -> str:
        return _decoded(self.change.result_file(path))

    def source(self, side: str, path: str) -> Source | None:
        """A Python file of `base` or `result`; None when it is not there or cannot be read."""
        key = (side, path)
        if key not in self._sources:
            data = self.change.base_file(path) if side == "base" else self.change.result_file(path)
            self._sources[key] = None if data is None else self._parsed(path, data, side)
        return self._sources[key]

    def _parsed(self, path: str, data: bytes, side: str) -> Source | None:
        try:
            return Source(path, parse(data), data.decode("utf-8", "replace"))
        except Unreadable as problem:
            self.unread[path] = f"{side}: {problem}"
            return None

    def module(self, side: str, path: str) -> Module | None:
        source = self.source(side, path)
        if source is None:
            return None
        try:
            return read_module(path, source.tree)
        except (RecursionError, MemoryError, ValueError) as problem:
            self.unread[path] = f"{side}: {type(problem).__name__}"
            return None

    def added_text(self, path: str) -> list[tuple[int, str]]:
        """Added lines as (number, text)."""
        lines = self.result_text(path).split("\n")
        return [(n, lines[n - 1]) for n in self.added.get(path, ()) if n <= len(lines)]

    def removed_text(self, path: str) -> list[str]:
        kept = set(self.result_text(path).split("\n"))
        return [line for line in self.base_text(path).split("\n") if line not in kept]


def _decoded(data: bytes | None) -> str:
    if data is None or len(data) > MAX_TEXT_BYTES or b"\0" in data[:8000]:
        return ""
    return data.decode("utf-8", "replace")


# --- steps ----------------------------------------------------------------------------------------------


def _paths(reading: _Reading) -> Iterator[Finding]:
    for status, path in reading.changed:
        yield from file_findings(status, path)
        result = reading.change.result_file(path) if status == "A" else None
        yield from surroundings.path_findings(status, path, reading.change.base_file, result)
        name = PurePosixPath(path).name
        if path.startswith(".workbench/resolutions/"):
            yield found("workbench-resolution", path)
        elif path.startswith(".workbench/"):
            yield found("workbench-changed", path)
        elif name == ".gitattributes":
            yield found("gitattributes-changed", path)
        elif name == ".gitmodules":
            yield found("gitmodules-changed", path)


def _tests(reading: _Reading) -> Iterator[Finding]:
    base: dict[str, Module] = {}
    aside: dict[str, Module] = {}
    result: dict[str, Module] = {}
    loose: dict[str, Module] = {}
    gone = set()
    places = search_places(reading.change.base_file)
    for status, path in reading.changed:
        if not roles.is_python(path):
            continue
        before = reading.module("base", path) if status != "A" and roles.is_test(path) else None
        after = reading.module("result", path) if status != "D" else None
        if before is not None:
            (base if before.cases and _holds_tests(path) else aside)[path] = before
        if status == "D":
            gone.add(path)
        if after is not None:
            collected = (roles.is_collected(path) and roles.is_searched(path, places)) or path in base
            (result if collected else loose)[path] = after
    left_out = deselected_marks(reading.change.base_file) | deselected_marks(reading.change.result_file)
    yield from lost_tests(Suites(base, result, frozenset(gone), loose, aside, left_out))


def _holds_tests(path: str) -> bool:
    return roles.is_collected(path) or (roles.is_test(path) and not roles.is_conftest(path))


def _python(reading: _Reading) -> Iterator[Finding]:
    tested = _literals_of_tests(reading)
    for status, path in reading.changed:
        source = reading.source("result", path) if status != "D" and roles.is_python(path) else None
        if source is None:
            continue
        before = reading.source("base", path)
        yield from reading.guarded_file(path, runner_findings(before, source))
        yield from reading.guarded_file(path, program_findings(before, source))
        if roles.is_test(path):
            yield from reading.guarded_file(path, interference_findings(before, source))
            yield from reading.guarded_file(path, table_findings(before, source))
        else:
            literals = tested | _tests_beside(reading, path)
            yield from reading.guarded_file(path, rote.rote_findings(before, source, literals))


def _literals_of_tests(reading: _Reading) -> frozenset[str]:
    """The literals of the changed tests, on both sides."""
    tested: frozenset[str] = frozenset()
    for status, path in reading.changed:
        if roles.is_python(path) and roles.is_test(path):
            for side in ("base", "result"):
                source = reading.source(side, path) if (side, status) not in (("base", "A"), ("result", "D")) else None
                tested |= frozenset() if source is None else rote.literals_of(source.tree)
    return tested


def _tests_beside(reading: _Reading, path: str) -> frozenset[str]:
    """The literals of the unchanged tests that, by convention, belong to a product file."""
    pure = PurePosixPath(path)
    places = [f"tests/test_{pure.stem}.py", f"test_{pure.stem}.py", f"tests/{pure.stem}_test.py"]
    places += [str(pure.parent / f"test_{pure.stem}.py"), str(pure.parent / "tests" / f"test_{pure.stem}.py")]
    sources = [reading.source("base", place) for place in places]
    return frozenset[str]().union(*(rote.literals_of(source.tree) for source in sources if source is not None))


def _lines(reading: _Reading) -> Iterator[Finding]:
    for status, path in reading.changed:
        before, after = reading.base_text(path).split("\n"), reading.result_text(path).split("\n")
        if roles.is_ci(path):
            yield from commands.ci_findings(path, before, after)
        elif roles.is_script(path) and status != "A":
            yield from commands.script_findings(path, before, after)
        if status == "D":
            continue
        added = reading.added_text(path)
        yield from surroundings.line_findings(path, added)
        yield from surroundings.packaging_findings(path, added)
        yield from surroundings.ignored_files(path, added)
        yield from surroundings.package_findings(path, "\n".join(before), "\n".join(after))
        if roles.is_ci(path) or roles.is_script(path):
            yield from surroundings.command_findings(path, "\n".join(before), "\n".join(after))
        if roles.is_ci(path) or roles.is_script(path) or roles.is_config(path):
            yield from commands.asserts_disabled(path, added)
        elif PurePosixPath(path).suffix in (".py", ".js", ".ts", ".tsx", ".jsx", ".mjs", ".go", ".rs"):
            yield from product_code.sniffing(path, added, in_tests=roles.is_test(path))
            yield from product_code.silenced(path, added, reading.removed_text(path))


def _settings(reading: _Reading) -> Iterator[Finding]:
    if any(roles.is_config(path) for _, path in reading.changed):
        for finding in settings_findings(reading.change.base_file, reading.change.result_file):
            if finding.kind == "tampering.config-unreadable":
                reading.unread[finding.path] = "cannot be read"
            yield finding


def _other(reading: _Reading) -> Iterator[Finding]:
    paths = [(status, path) for status, path in reading.changed if _may_test(path)]
    base = {path: reading.base_text(path) for status, path in paths if status != "A"}
    result = {path: reading.result_text(path) for status, path in paths if status != "D"}
    gone = frozenset(path for status, path in paths if status == "D")
    yield from other_languages.other_tests(base, result, gone)
    yield from _rote_elsewhere(reading, "\n".join((*base.values(), *result.values())))


def _rote_elsewhere(reading: _Reading, tests: str) -> Iterator[Finding]:
    for status, path in reading.changed:
        if status == "D" or roles.is_test(path) or other_languages.language_of(path) is None:
            continue
        beside = "\n".join(_decoded(reading.change.base_file(place)) for place in rows.tests_beside(path))
        tested = rows.literals_in(tests + beside)
        yield from rows.rote_answers(path, reading.base_text(path), reading.result_text(path), tested)


def _may_test(path: str) -> bool:
    """Rust keeps its tests beside the code, so every file of it may hold some."""
    return other_languages.language_of(path) is not None and (roles.is_test(path) or path.endswith(".rs"))


def _snapshots(reading: _Reading) -> Iterator[Finding]:
    added = {reading.change.result_file(path) for status, path in reading.changed if status == "A"}
    for status, path in reading.changed:
        if roles.is_snapshot(path) and status == "M":
            yield found("snapshot-updated", path)
        if roles.is_snapshot(path) and status == "D" and reading.change.base_file(path) not in added:
            yield found("snapshot-deleted", path)


def _data(reading: _Reading) -> Iterator[Finding]:
    """Data of the tests that changed, and data of the program that consists of what tests ask."""
    tested: frozenset[str] | None = None
    for status, path in reading.changed:
        if roles.is_python(path) or status == "D":
            continue
        after = reading.result_text(path)
        if status == "M":
            yield from surroundings.data_findings(path, reading.base_text(path), after)
        elif status == "A" and after and not _of_tests(path):
            tested = _all_literals(reading) if tested is None else tested
            yield from rote.canned_data(path, after[:MAX_DATA], tested)


def _of_tests(path: str) -> bool:
    return roles.is_snapshot(path) or any(part in roles.TEST_DIRECTORIES for part in PurePosixPath(path).parts)


def _all_literals(reading: _Reading) -> frozenset[str]:
    """The literals of the changed tests and of those beside the changed program."""
    paths = [path for _, path in reading.changed if roles.is_python(path) and not roles.is_test(path)]
    return _literals_of_tests(reading).union(*(_tests_beside(reading, path) for path in paths))
