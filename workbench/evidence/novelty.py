"""The change's own tests on base: whether they would have failed without the change; it judges nothing as required."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import msgspec

from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import carry, is_shared, is_test_file
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.model.evidence import EvidenceState, TestOutcome
from workbench.ports import Change

MAX_FILES = 200  # test files that are asked for by name


class OnBase(msgspec.Struct, frozen=True, kw_only=True):
    """What a change's new and changed tests did on base, of those that pass on the result."""

    failing: tuple[str, ...] = ()
    erroring: tuple[str, ...] = ()  # could not be set up or imported there, which counts as failing
    passing: tuple[str, ...] = ()  # new ones that pass on base, too: they show nothing of this change

    @property
    def state(self) -> EvidenceState:
        """A pass where at least one test needed the change."""
        return "passed" if self.failing or self.erroring else "not-checked"

    @property
    def summary(self) -> str:
        """One line for a reader."""
        if self.state != "passed":
            return f"{_counted(len(self.passing))} on base, too" if self.passing else "nothing to tell"
        errors = f", {len(self.erroring)} by an error" if self.erroring else ""
        return f"{len(self.failing) + len(self.erroring)} new or changed tests fail on base{errors}, and pass now"


def _counted(count: int) -> str:
    return "1 new test passes" if count == 1 else f"{count} new tests pass"


def changed_tests(change: Change) -> tuple[str, ...]:
    """Python test files that the change adds or edits."""
    changed = (path for status, path in change.changed_paths() if status != "D")
    return tuple(sorted(path for path in changed if path.endswith(".py") and is_test_file(path)))


def narrowed(plan: SuitePlan, files: Sequence[str]) -> SuitePlan | None:
    """The plan for these test files alone; None where the runner, or the plan's arguments, do not let us choose."""
    if not files or len(files) > MAX_FILES:
        return None
    if plan.kind == "pytest" and all(word.startswith("-") for word in plan.argv):
        return msgspec.structs.replace(plan, argv=(*plan.argv, *files))
    if plan.kind == "unittest" and len(plan.argv) <= 1:
        names = dict.fromkeys(PurePosixPath(path).name for path in files)
        return msgspec.structs.replace(plan, argv=(*(plan.argv or (".",)), *names))
    return None


def run_on_base(rig: Rig, plan: SuitePlan, change: Change, material: Sequence[str]) -> SuiteReport:
    """Run `plan` on base with the result's test material, its configuration apart."""
    carried = [path for path in material if not is_shared(path)]
    with rig.workspace(change.base) as workspace:
        with rig.workspace(change.result) as result:
            carry(carried, source=Path(result.path), target=Path(workspace.path))
        return run_suite(rig, plan, workspace)


def told_apart(report: SuiteReport, *, base: SuiteReport, result: SuiteReport, files: Sequence[str]) -> OnBase:
    """Hold the run on base against the result: tests of `files` that pass there, and how they did here."""
    known = {outcome.id: outcome.state for outcome in base.outcomes}
    here = {outcome.id: outcome.state for outcome in report.outcomes}
    groups: dict[str, list[str]] = {"failed": [], "error": [], "passed": []}
    for outcome in result.outcomes:
        if outcome.state != "passed" or known.get(outcome.id) in ("failed", "error") or not _of(outcome, files):
            continue
        state = here.get(outcome.id) or _module_state(outcome, report)
        if state in groups and not (state == "passed" and outcome.id in known):
            groups[state].append(outcome.id)
    return OnBase(
        failing=tuple(sorted(groups["failed"])),
        erroring=tuple(sorted(groups["error"])),
        passing=tuple(sorted(groups["passed"])),
    )


def _module_state(outcome: TestOutcome, report: SuiteReport) -> str:
    """`error` when the module of a test could not even be imported."""
    broken = {test.removeprefix("unittest.loader._FailedTest.") for test in report.ids("error")}
    module, dotted = outcome.id.partition("::")[0], outcome.id.rpartition(".")[0].rpartition(".")[0]
    return "error" if {module, dotted} & broken else ""


def _of(outcome: TestOutcome, files: Sequence[str]) -> bool:
    """Whether a test is one of a file in `files`: by its node id, or by its dotted name."""
    if "::" in outcome.id:
        return outcome.id.partition("::")[0] in files
    dotted = [path.removesuffix(".py").replace("/", ".") for path in files]
    return any(f".{name}".endswith(f".{outcome.id.rsplit('.', 2)[0]}") for name in dotted)
