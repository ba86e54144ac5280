"""One version run against the tests that another brought."""

from __future__ import annotations

from pathlib import Path

from projects import Project

from workbench.core.compare import Crossed, Version, compared
from workbench.core.state import PackState, RunState
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.crossing import Crossing, Other
from workbench.model.evidence import Evidence

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
BASE = {"tax.py": "def tax(price):\n    return 0\n", "test_base.py": "def test_base():\n    pass\n"}
TESTS = (
    "from tax import tax\n\ndef test_rounds():\n    assert tax(8) == 2\n\ndef test_none():\n    assert tax(0) == 0\n\n"
    "def test_more():\n    from tax import net\n"
)


def crossed(tmp_path: Path, mine: dict[str, str], theirs: dict[str, str], plan: SuitePlan | None = PLAN) -> Evidence:
    other, project = Project(tmp_path / "other", BASE, theirs), Project(tmp_path / "mine", BASE, mine)
    project.commits.add(other.change.result, other.result)
    assert other.change.result != project.change.result
    made = Crossing(project.rig, plan, [Other(pack="MRP-b", change=other.change)]).collect(project.change)
    (evidence,) = made.evidence
    return evidence


def test_what_fails_or_does_not_load_is_named_by_test(tmp_path: Path) -> None:
    """And the comparison names it where the version that brought the test passes it."""
    evidence = crossed(tmp_path, {"tax.py": "def tax(price):\n    return int(price * 0.2)\n"}, {"test_tax.py": TESTS})
    assert (evidence.kind, evidence.state) == ("tests.crossed", "failed")
    assert evidence.facts["failed"] == ["test_tax.py::test_more", "test_tax.py::test_rounds"]
    assert evidence.facts["counts"]["passed"] == 1
    versions = [_version("a"), _version("b")]
    shown = compared("m", versions, [Crossed(pack="MRP-a", tests_of="MRP-b", evidence=evidence)])
    assert [(one.test, one.fails) for one in shown.disagreements] == [
        ("test_tax.py::test_more", ("MRP-a",)),
        ("test_tax.py::test_rounds", ("MRP-a",)),
    ]
    assert shown.rows[0].values == ("failed: 1 passed, 2 failed", "its own")


def test_what_cannot_be_run_is_said(tmp_path: Path) -> None:
    """No tests of its own, or a suite that cannot be asked for single files, is not checked, never a pass."""
    none = crossed(tmp_path / "1", {"tax.py": "X = 1\n"}, {"tax.py": "X = 2\n"})
    assert (none.state, "brought no tests" in none.summary) == ("not-checked", True)
    bare = crossed(
        tmp_path / "2",
        {"tax.py": "X = 1\n"},
        {"test_x.py": "X = 2\n"},
        SuitePlan(kind="command", argv=("x",), label="x"),
    )
    assert (bare.state, "chosen alone" in bare.summary) == ("not-checked", True)


def _version(name: str) -> Version:
    run = RunState(
        id=name, mission="m", agent="x", driver="scripted", branch=name, base_commit="base", pack=f"MRP-{name}"
    )
    pack = PackState(id=f"MRP-{name}", mission="m", run=name, revision=1, base_ref="", base_commit="base", head=name)
    return Version(run=run, pack=pack)
