"""The tests that a change reaches, run before the whole suite, so that what is red is known early.

It proves nothing: the whole suite runs afterwards in its own order, and evidence is made of that run alone. So no test
that leans on another's leavings passes, or fails, because of where it came.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from workbench.evidence.affected import affected
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import is_test_file
from workbench.evidence.novelty import narrowed
from workbench.evidence.rig import Rig
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.model.errors import WorkbenchError
from workbench.ports import Change

WORTH_S = 10.0  # of base's suite: a shorter one is over as soon
WORTH_FILES = 40  # test files, where it is not known how long base's suite takes
MOST_NAMED = 20  # failing tests that are told of
LONGEST_NAME = 300  # characters of one of them


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What was run first: `tests` of `files`, of which `failed` are red; or why nothing was."""

    files: int = 0
    tests: int = 0
    failed: tuple[str, ...] = ()
    why_not: str = ""


class FirstLook:
    """Runs what a change reaches, and tells of it at once."""

    def __init__(self, rig: Rig, plan: SuitePlan, tell: Callable[[First], None]) -> None:
        self._rig, self._plan, self._tell = rig, plan, tell

    def __call__(self, change: Change, base: SuiteReport | None) -> First:
        """Look at `change`. `base` is the run of the suite on its base, where that is known already."""
        try:
            first = self._look(change, base)
        except (WorkbenchError, OSError, ValueError) as problem:
            return First(why_not=f"the tests that it reaches could not be run first: {problem}")
        if not first.why_not:
            self._tell(first)
        return first

    def _look(self, change: Change, base: SuiteReport | None) -> First:
        if self._plan.kind != "pytest":
            return First(why_not="only of pytest single files can be run first")
        if base is not None and base.duration_ms < WORTH_S * 1000:
            return First(why_not=f"the whole suite takes {base.duration_ms / 1000:.1f} s")
        with self._rig.workspace(change.result) as workspace:
            found = affected(change, Path(workspace.path))
            if found.why_not:
                return First(why_not=found.why_not)
            if base is None and found.of < WORTH_FILES:
                return First(why_not=f"the whole suite has {found.of} test files")
            plan = narrowed(self._plan, [path for path in found.files if is_test_file(path)])
            if plan is None:
                return First(why_not="its command names places, so that no others can be named")
            report = run_suite(self._rig, plan, workspace)
        if not report.believed:
            return First(why_not=f"what was run first cannot be believed: {report.problem}")
        failed = tuple(name[:LONGEST_NAME] for name in report.ids("failed", "error")[:MOST_NAMED])
        return First(files=len(found.files), tests=len(report.outcomes), failed=failed)
