"""`test`: the project's own test command in the sandbox, told test by test; what it tells is `observed` at most."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workbench.aee.confined import Confined
from workbench.aee.tools.checked import Arguments, CheckedTool, plain
from workbench.aee.tools.command import outcome, whole
from workbench.aee.tools.place import Place
from workbench.evidence.junit import ReportInvalid, outcomes_of, parse_junit
from workbench.model.errors import NotFound, Refused
from workbench.model.evidence import TestOutcome
from workbench.ports import Completed, Mount, ToolResult

REPORT_BYTES = 64 << 20
TOLD = 200  # tests told at once, those that did not pass first
TEXT_LENGTH = 4000  # characters of one field of one test
REPORT = "{report}"  # stands in an argument for the path of the JUnit XML report


class TestCommand(msgspec.Struct, frozen=True, kw_only=True):
    """How the project's tests are run. `{report}` in an argument is where the JUnit XML report goes."""

    __test__ = False  # keeps pytest from collecting the class

    argv: tuple[str, ...]
    wall_s: float = 600.0


PYTEST = TestCommand(argv=("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={REPORT}"))


class TestArguments(Arguments, frozen=True, kw_only=True):
    """Which tests; none given is all of them."""

    __test__ = False

    select: Annotated[
        tuple[Annotated[str, Meta(max_length=1000)], ...],
        Meta(max_length=200, description="Test ids or paths, handed to the test command."),
    ] = ()


class TestTool(CheckedTool[TestArguments]):
    """Runs the configured test command."""

    __test__ = False

    name = "test"
    description = "Run the project's tests, all or selected ones. Gives id, state, expected, actual, frame, file:line."
    arguments = TestArguments

    def __init__(self, place: Place, command: TestCommand | None) -> None:
        self._place, self._command = place, command

    def act(self, arguments: TestArguments, call_id: str) -> ToolResult:
        """Run, read the report, tell what did not pass first."""
        if self._command is None:
            raise Refused("no test command is configured", hint="Use `run`, and say in the rationale what you ran.")
        if any(name.startswith("-") for name in arguments.select):
            raise Refused("a selected test starts with `-`", hint="Name tests or paths only.")
        scratch = tempfile.mkdtemp(prefix="workbench-report-")
        try:
            done = self._run(self._command, arguments.select, scratch, call_id)
            outcomes, problem = _report(Path(scratch), root=self._place.workspace.cwd)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        return _told(done, outcomes, problem)

    def _run(self, command: TestCommand, select: tuple[str, ...], scratch: str, call: str) -> Completed:
        report = f"{scratch}/report.xml"
        argv = tuple(argument.replace(REPORT, report) for argument in command.argv)
        mounts = (Mount(source=scratch, writable=True),)
        return self._place.run((*argv, *select), call=call, mounts=mounts, wall_s=command.wall_s)


def _report(scratch: Path, *, root: str) -> tuple[tuple[TestOutcome, ...], str]:
    """The outcomes, and why there are none; the report is hostile like everything else the sandbox wrote."""
    try:
        with Confined(scratch) as files:
            content = files.read("report.xml", limit=REPORT_BYTES)
    except NotFound:
        return (), "the test command wrote no report"
    if content.cut:
        return (), f"the report has {content.size} bytes, more than {REPORT_BYTES}"
    try:
        return outcomes_of(parse_junit(content.data), root=root), ""
    except ReportInvalid as error:
        return (), f"the report is damaged: {error}"


def _told(done: Completed, outcomes: tuple[TestOutcome, ...], problem: str) -> ToolResult:
    counts: dict[str, int] = {}
    for test in outcomes:
        counts[test.state] = counts.get(test.state, 0) + 1
    first = sorted(outcomes, key=lambda test: (test.state == "passed", test.state == "skipped"))
    said = ", ".join(f"{count} {state}" for state, count in sorted(counts.items())) or problem or "no tests"
    data = {
        **outcome(done),
        "counts": counts,
        "tests": [_test(test) for test in first[:TOLD]],
        "cut": len(outcomes) > TOLD,
        "problem": problem,
    }
    state: Any = "ok" if done.state == "exited" and not problem else "error"
    return ToolResult(state=state, summary=said, data=data, output=whole(done))


def _test(test: TestOutcome) -> dict[str, Any]:
    data: dict[str, Any] = plain(test)
    return {key: value[:TEXT_LENGTH] if isinstance(value, str) else value for key, value in data.items()}
