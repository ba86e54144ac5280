"""How soon a broken test is known in a project of 1,000 tests: what the change reaches first, against the whole suite.

Run it with `python -m tests.bench.first_red`; it prints `name, ours, yardstick, ratio`. Each test sleeps as long as a
real one computes. The yardstick is the end of the suite, whose report is what the evidence is made of.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "evidence"))

from projects import Project

from workbench.evidence.affected import affected
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.first import First, FirstLook

FILES, TESTS, SLEEP_S = 100, 10, 0.02
BROKEN = 90  # of the modules, so that plain order comes to it late
PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")


def project() -> dict[str, str]:
    """A thousand tests of a hundred modules, each of which needs the one before."""
    files = {}
    for number in range(FILES):
        before = f"from shop.part_{number - 1:02} import VALUE as BEFORE\n" if number % 10 else "BEFORE = 0\n"
        files[f"shop/part_{number:02}.py"] = f"{before}VALUE = BEFORE + 1\n"
        tests = "".join(
            f"def test_{each}():\n    time.sleep({SLEEP_S})\n    assert VALUE == {number % 10 + 1}\n\n"
            for each in range(TESTS)
        )
        files[f"tests/test_part_{number:02}.py"] = f"import time\nfrom shop.part_{number:02} import VALUE\n\n{tests}"
    return {**files, "shop/__init__.py": ""}


def main() -> None:
    """Print what was measured."""
    with tempfile.TemporaryDirectory() as place:
        base = project()
        name = f"shop/part_{BROKEN + 8:02}.py"
        made = Project(Path(place), base, {name: base[name].replace("+ 1", "+ 2")})
        with made.rig.workspace(made.change.result) as workspace:
            begun = time.monotonic()
            found = affected(made.change, Path(workspace.path))
            asked_s = time.monotonic() - begun
        told: list[tuple[float, First]] = []
        begun = time.monotonic()
        look = FirstLook(made.rig, PLAN, lambda first: told.append((time.monotonic() - begun, first)))
        runs = Behaviour(made.rig, PLAN, parallel=False, first=look).of(made.change)
        ((told_s, first),) = told
        suite_s = runs.result.duration_ms / 1000
        assert set(first.failed) == set(runs.result.ids("failed"))
        _row(f"first red of {len(runs.result.outcomes)} tests", told_s, suite_s)
        _row(f"finding {len(found.files)} of {found.of} test files", asked_s, suite_s)


def _row(name: str, ours: float, yardstick: float) -> None:
    print(f"{name} (s), {ours:.2f}, {yardstick:.2f}, {ours / yardstick:.3f}")


if __name__ == "__main__":
    main()
