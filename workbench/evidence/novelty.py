"""The change's own tests on base: whether they would have failed without the change; it judges nothing as required."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path, PurePosixPath

import msgspec

from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import carry, is_material, is_shared, is_test_file
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.evidence.testdata import is_source
from workbench.model.evidence import EvidenceState, TestOutcome
from workbench.ports import Change

MAX_FILES = 200  # test files that are asked for by name
_READS = {  # what files a runner takes by name
    "pytest": (".py",),
    "unittest": (".py",),
    "node": (".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx"),
}
_NODE_VALUED = frozenset(  # options whose value is a word of its own
    {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file"}
    | {"--test-reporter", "--test-reporter-destination", "--test-name-pattern", "--test-concurrency", "--test-timeout"}
)


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
    """Test files that the change adds or edits, of any language; of Python only those that runners find by name."""
    changed = (path for status, path in change.changed_paths() if status != "D")
    return tuple(sorted(path for path in changed if _holds_tests(path)))


def _holds_tests(path: str) -> bool:
    if is_test_file(path):
        return True
    return is_source(path) and not path.endswith((".py", ".pyi")) and is_material(path)


def narrowed(plan: SuitePlan, files: Sequence[str]) -> SuitePlan | None:
    """The plan for these test files alone; None where the runner, or the plan's arguments, do not let us choose."""
    files = [path for path in files if path.endswith(_READS.get(plan.kind, ()))]
    if not files or len(files) > MAX_FILES:
        return None
    if plan.kind == "pytest" and all(word.startswith("-") for word in plan.argv):
        return msgspec.structs.replace(plan, argv=(*plan.argv, *files))
    if plan.kind == "unittest" and len(plan.argv) <= 1:
        names = dict.fromkeys(PurePosixPath(path).name for path in files)
        return msgspec.structs.replace(plan, argv=(*(plan.argv or (".",)), *names))
    if plan.kind == "node":
        return msgspec.structs.replace(plan, argv=(*_node_options(plan.argv), *(f"./{path}" for path in files)))
    return None


def _node_options(argv: Sequence[str]) -> list[str]:
    """The command without the places that it names."""
    kept = list(argv[:1])
    for before, word in pairwise(argv):
        if word.startswith("-") or before in _NODE_VALUED:
            kept.append(word)
    return kept


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
    for outcome in _sure(result.outcomes):
        mine = _of(outcome, files)
        if (
            outcome.state != "passed"
            or known.get(outcome.id) in ("failed", "error")
            or not (mine or _nameless(outcome))
        ):
            continue
        state = here.get(outcome.id) or _module_state(outcome, report)
        if not state and outcome.id not in known:
            state = _file_state(report, [outcome.id.partition("::")[0]] if mine else files)
        if state in groups and not (state == "passed" and outcome.id in known):
            groups[state].append(outcome.id)
    return OnBase(
        failing=tuple(sorted(groups["failed"])),
        erroring=tuple(sorted(groups["error"])),
        passing=tuple(sorted(groups["passed"])),
    )


def _sure(outcomes: Sequence[TestOutcome]) -> Iterator[TestOutcome]:
    """All but tests that share a name, which a run of other files numbers otherwise."""
    again = {name for outcome in outcomes if (name := _numbered(outcome.id))}
    return (outcome for outcome in outcomes if outcome.id not in again and _numbered(outcome.id) not in again)


def _numbered(test: str) -> str:
    """`a::b` of `a::b#2`, and nothing of a test whose name was not used before."""
    name, mark, number = test.rpartition("#")
    return name if mark and number.isdigit() else ""


def _nameless(outcome: TestOutcome) -> bool:
    """Whether its runner does not say in which file it is: older ones of node call every test's place `test`."""
    return not outcome.path and outcome.id.startswith("test::")


def _file_state(report: SuiteReport, files: Sequence[str]) -> str:
    """`error` when one of the files could not even be loaded, which node tells as a failed test of its path."""
    bad = [test.rpartition("::")[2] for test in report.ids("failed", "error")]
    unloaded = [place for place in bad if place.startswith("/")]
    return "error" if any(place.endswith(f"/{path}") for place in unloaded for path in files) else ""


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
