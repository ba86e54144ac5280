"""`test`: the project's suite in the run's workspace, run as evidence runs it; what it tells is `observed` at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from workbench.aee.tools.checked import Arguments, CheckedTool, summary
from workbench.aee.tools.command import outcome, whole
from workbench.aee.tools.failures import located
from workbench.aee.tools.place import Place
from workbench.aee.tools.selection import narrowed
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.model.errors import Refused
from workbench.model.evidence import TestOutcome
from workbench.ports import Completed, Job, Sandbox, SandboxLevel, ToolResult, Workspace

TOLD = 200  # tests told at once, those that did not pass first
TEXT_LENGTH = 4000  # characters of one field of one test
NAMES_TOLD = 50  # of modules and of tests that were left out


@dataclass(frozen=True, kw_only=True)
class ProjectSuite:
    """How the base commit says that its tests are run, and the rig to run them with in the run's own workspace."""

    rig: Rig
    plan: SuitePlan
    workspace: Workspace

    def run(
        self, plan: SuitePlan, *, on_output: Callable[[str, bytes], None] | None = None
    ) -> tuple[SuiteReport, Completed | None]:
        """What the suite showed, and how its command ended if it was started."""
        overheard = Overheard(self.rig.sandbox, on_output)
        try:
            report = run_suite(replace(self.rig, sandbox=overheard), plan, self.workspace)
        except (OSError, ValueError) as error:  # a report that cannot even be opened
            report = SuiteReport(state="error", problem=f"the run cannot be believed: {error}")
        return report, overheard.completed


class Overheard:
    """Port Sandbox: another one, with its output passed on as it comes, and the last job's end kept."""

    def __init__(self, sandbox: Sandbox, on_output: Callable[[str, bytes], None] | None) -> None:
        self._sandbox, self._on_output = sandbox, on_output
        self.completed: Completed | None = None

    @property
    def level(self) -> SandboxLevel:
        """The level of the sandbox behind."""
        return self._sandbox.level

    def run(
        self,
        job: Job,
        *,
        on_output: Callable[[str, bytes], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        """Run the job there."""
        self.completed = self._sandbox.run(job, on_output=on_output or self._on_output, stop=stop)
        return self.completed


FindSuite = Callable[[], ProjectSuite | None]


class TestArguments(Arguments, frozen=True, kw_only=True):
    """Which tests; none given is all of them."""

    __test__ = False  # keeps pytest from collecting the class

    select: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=1000)], ...],
        Meta(max_length=200, description="Ids or paths of tests; pytest and unittest only."),
    ] = ()


class TestTool(CheckedTool[TestArguments]):
    """Runs the project's suite. Tests that fail are what it tells; a suite that cannot be run is an error."""

    __test__ = False

    name = "test"
    description = "Run the project's tests, all or selected ones. Gives id, state, expected, actual, frame, file:line."
    arguments = TestArguments

    def __init__(self, place: Place, find_suite: FindSuite) -> None:
        self._place, self._find_suite = place, find_suite

    def act(self, arguments: TestArguments, call_id: str) -> ToolResult:
        """Run, and tell what did not pass first."""
        suite = self._find_suite()
        if suite is None:
            raise Refused("no test command is configured", hint="Use `run`, and say in the rationale what you ran.")
        plan = narrowed(suite.plan, arguments.select, files=self._place.files)

        def heard(stream: str, chunk: bytes) -> None:
            self._place.on_output(call_id, stream, chunk)

        report, done = suite.run(plan, on_output=heard)
        return _told(report, done, root=suite.workspace.cwd)


def _told(report: SuiteReport, done: Completed | None, *, root: str) -> ToolResult:
    counts: dict[str, int] = {}
    for test in report.outcomes if report.names_tests else ():
        counts[test.state] = counts.get(test.state, 0) + 1
    said = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    said = said if report.names_tests else f"command exited {report.exit_code}; it names no tests"
    problem = report.problem if report.believed else f"{report.state}: {report.problem}"
    data = {
        **(outcome(done) if done is not None else {}),
        **_facts(report),
        "state": report.state,
        "counts": counts,
        "tests": [_test(located(test, root=root)) for test in _worst_first(report.outcomes)[:TOLD]],
        "cut": len(report.outcomes) > TOLD,
        "problem": report.problem,
    }
    stopped = done is not None and done.state == "stopped"
    return ToolResult(
        state="interrupted" if stopped else "ok" if report.believed else "error",
        summary=_unicode(summary(said if report.believed and said else problem)),
        data=_unicode(data),
        output=whole(done) if done is not None else b"",
    )


def _worst_first(outcomes: Sequence[TestOutcome]) -> list[TestOutcome]:
    return sorted(outcomes, key=lambda test: (test.state == "passed", test.state == "skipped"))


def _facts(report: SuiteReport) -> dict[str, Any]:
    """What explains a run that came out otherwise than expected."""
    return {
        "command": [word[:TEXT_LENGTH] for word in report.command[:NAMES_TOLD]],
        "missing_modules": list(report.missing_modules[:NAMES_TOLD]),
        "deselected": list(report.deselected[:NAMES_TOLD]),
        "foreign": dict(list(report.foreign.items())[:NAMES_TOLD]),
    }


def _test(test: TestOutcome) -> dict[str, Any]:
    data: dict[str, Any] = msgspec.to_builtins(test)
    return {key: value[:TEXT_LENGTH] if isinstance(value, str) else value for key, value in data.items()}


def _unicode(value: Any) -> Any:
    """`value` with every text as JSON can carry it: test code can make names of half a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_unicode(item) for item in value]
    if isinstance(value, dict):
        return {_unicode(key): _unicode(item) for key, item in value.items()}
    return value
