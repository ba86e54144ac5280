"""The suite on base, on the result, and base's tests on the result: run as seldom as is safe; it judges no policy.

The ids that base's suite reports are fixed before the result is looked at. Each that passed there must pass in the
result with base's tests: one that is missing or skipped is lost, and a lost test is a failed one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from workbench.evidence.cache import EvidenceCache, cache_key
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.first import First, FirstLook
from workbench.evidence.material import changed_material, is_material, is_shared, restore
from workbench.evidence.novelty import changed_tests, narrowed, run_on_base
from workbench.evidence.repeats import repeated
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.evidence.testdata import DataOfTests, data_of_tests, is_source
from workbench.model.errors import WorkbenchError
from workbench.ports import Change

MOST_COLD, MOST_CACHED = 1.6, 1.25  # what the runs may cost, in two runs of the suite
_WAY = 3  # grows when the way of running changes and cached base runs must not be reused


class ThreeRuns(msgspec.Struct, frozen=True, kw_only=True):
    """The reports of a change. `base_on_result` is the result's own when no test material changed."""

    base: SuiteReport
    result: SuiteReport
    base_on_result: SuiteReport
    material: tuple[str, ...] = ()  # changed paths that were restored from base
    program_data: tuple[str, ...] = ()  # changed data that tests and program both read; not restored
    base_cached: bool = False
    new_on_base: SuiteReport | None = None  # the change's own tests on base; None: it has none that can be chosen
    first: First | None = None  # what of the result's tests was run before all of them; None: nobody wanted it

    @property
    def shared(self) -> bool:
        """Whether base's tests on the result are the result's run, because no test material changed."""
        return not self.material


class Behaviour:
    """Runs the suites of one change, each at most once, for whoever asks first."""

    def __init__(
        self,
        rig: Rig,
        plan: SuitePlan,
        *,
        cache: EvidenceCache | None = None,
        parallel: bool | None = None,
        test_paths: Sequence[str] = (),
        first: FirstLook | None = None,
    ) -> None:
        self._rig = rig
        self.plan = plan
        self._cache = cache
        self._test_paths = tuple(test_paths)
        self._parallel = _safe_in_parallel(rig) if parallel is None else parallel
        self._first = first
        self._runs: dict[str, ThreeRuns] = {}

    def of(self, change: Change) -> ThreeRuns:
        """The three runs of `change`."""
        if change.result not in self._runs:
            self._runs[change.result] = self._run(change)
        return self._runs[change.result]

    def _run(self, change: Change) -> ThreeRuns:
        plain, data = self._material(change)
        material = tuple(sorted({*plain, *data.own}))
        known = self._cached(change)
        looked: list[First] = []
        wanted: dict[str, Callable[[], SuiteReport]] = {"result": partial(self._on_result, change, known, looked)}
        if material:
            wanted["base-on-result"] = partial(self._base_on_result, change, material)
        if known is None:
            wanted["base"] = partial(self._on_base, change)
        own = narrowed(self.plan, changed_tests(change))
        extra = partial(run_on_base, self._rig, own, change, material) if own else None
        if extra and self._parallel:
            wanted["new-on-base"] = extra
        reports = _all(wanted, workers=2 if self._parallel else 1)
        base = known or reports["base"]
        if extra and not self._parallel and _affordable(base, runs=len(wanted), cached=known is not None):
            reports |= _all({"new-on-base": extra}, workers=1)
        if known is None:
            self._keep(change, base)
        result = self._settled(change, undisturbed(reports["result"], base), base, material=())
        kept = undisturbed(reports["base-on-result"], base) if material else result
        return ThreeRuns(
            base=base,
            result=result,
            base_on_result=self._settled(change, kept, base, material=material) if material else result,
            material=material,
            program_data=tuple(sorted(data.shared)),
            base_cached=known is not None,
            new_on_base=reports.get("new-on-base"),
            first=looked[0] if looked else None,
        )

    def _settled(
        self, change: Change, report: SuiteReport, base: SuiteReport, *, material: Sequence[str]
    ) -> SuiteReport:
        """The report once the tests that failed were run again, as they were run before."""

        def again(plan: SuitePlan) -> SuiteReport:
            way = partial(self._base_on_result, change, material) if material else partial(self._alone, change)
            return undisturbed(_guarded(partial(way, plan)), base)

        if not report.believed or not report.ids("failed", "error"):
            return report
        with self._rig.workspace(change.result) as workspace:
            root = Path(workspace.path)
            return repeated(report, base, plan=self.plan, root=root, again=again, clock=self._rig.clock)

    def _alone(self, change: Change, plan: SuitePlan) -> SuiteReport:
        with self._rig.workspace(change.result) as workspace:
            return run_suite(self._rig, plan, workspace)

    def _material(self, change: Change) -> tuple[tuple[str, ...], DataOfTests]:
        """What of the tests changed, and the data that they read; base is searched only where it may hold some."""
        plain = changed_material(change, self._test_paths)
        rest = [path for _, path in change.changed_paths() if path not in plain and not is_shared(path)]
        rest = [path for path in rest if not is_source(path)]
        if not rest:
            return plain, DataOfTests()
        with self._rig.workspace(change.base) as base:
            return plain, data_of_tests(rest, Path(base.path), lambda path: is_material(path, self._test_paths))

    def _on_base(self, change: Change) -> SuiteReport:
        with self._rig.workspace(change.base) as workspace:
            return run_suite(self._rig, self.plan, workspace)

    def _on_result(self, change: Change, base: SuiteReport | None, looked: list[First]) -> SuiteReport:
        if self._first is not None:
            looked.append(self._first(change, base))
        with self._rig.workspace(change.result) as workspace:
            return run_suite(self._rig, self.plan, workspace, covered=covered_lines(change))

    def _base_on_result(self, change: Change, material: Sequence[str], plan: SuitePlan | None = None) -> SuiteReport:
        with self._rig.workspace(change.result) as workspace:
            with self._rig.workspace(change.base) as base:
                restore(change, material, base_tree=Path(base.path), result_tree=Path(workspace.path))
            return run_suite(self._rig, plan or self.plan, workspace)

    # --- what is known of base -------------------------------------------------------------------

    def _key(self, change: Change) -> str:
        return cache_key(
            what="tests.base",
            way=_WAY,
            base=change.base,
            environment=self._rig.environment.digest,
            plan=msgspec.to_builtins(self.plan),
            sandbox=self._rig.sandbox.level,
            limits=msgspec.to_builtins(self._rig.limits),
        )

    def _cached(self, change: Change) -> SuiteReport | None:
        data = self._cache.get(self._key(change)) if self._cache else None
        if data is None:
            return None
        try:
            report = msgspec.json.decode(data, type=SuiteReport)
        except msgspec.DecodeError:
            return None
        return report if report.believed else None

    def _keep(self, change: Change, report: SuiteReport) -> None:
        if self._cache is not None and report.believed:
            self._cache.put(self._key(change), msgspec.json.encode(report))


def undisturbed(report: SuiteReport, base: SuiteReport) -> SuiteReport:
    """The report, or an error where the change replaced parts of the test runner that base leaves alone."""
    altered = sorted({*report.altered} - {*base.altered})
    if not altered or not report.believed:
        return report
    problem = f"the run cannot be believed: the test runner was altered: {'; '.join(altered[:5])}"
    return msgspec.structs.replace(report, state="error", problem=problem)


def _affordable(base: SuiteReport, *, runs: int, cached: bool) -> bool:
    """Whether one more start of the runner fits into what a pack may cost, where runs follow one another.

    Two runs of the suite at once leave room for it always.
    """
    suite_s = base.duration_ms / 1000
    start_s = suite_s - sum(outcome.seconds for outcome in base.outcomes)
    return runs * suite_s + start_s <= 2 * suite_s * (MOST_CACHED if cached else MOST_COLD)


def covered_paths(change: Change) -> tuple[str, ...]:
    """The Python files of the result with added lines, tests apart: what coverage is asked about."""
    return tuple(sorted(p for p in change.added_lines() if p.endswith(".py") and not is_material(p)))


def covered_lines(change: Change) -> dict[str, tuple[int, ...]]:
    """The same files with their added lines."""
    added = change.added_lines()
    return {path: added[path] for path in covered_paths(change)}


def _safe_in_parallel(rig: Rig) -> bool:
    """Two suites at once share ports and temporary files unless each has its own namespaces."""
    return rig.sandbox.level == "bubblewrap" and (os.cpu_count() or 1) > 1


def _all(wanted: dict[str, Callable[[], SuiteReport]], *, workers: int) -> dict[str, SuiteReport]:
    """Run each; a thread stays until its run has ended, as sandboxes that die with their thread need."""
    if workers == 1 or len(wanted) == 1:
        return {name: _guarded(run) for name, run in wanted.items()}
    with ThreadPoolExecutor(workers) as pool:
        futures = {name: pool.submit(_guarded, run) for name, run in wanted.items()}
        return {name: future.result() for name, future in futures.items()}


def _guarded(run: Callable[[], SuiteReport]) -> SuiteReport:
    try:
        return run()
    except (WorkbenchError, OSError, ValueError) as error:
        return SuiteReport(state="error", problem=f"{type(error).__name__}: {error}")
