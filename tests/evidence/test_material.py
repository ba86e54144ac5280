"""What tests read belongs to the tests: base's data is what base's tests get, and no byte code runs for the source."""

from __future__ import annotations

import importlib.util
import py_compile
from collections.abc import Sequence
from pathlib import Path

import pytest
from projects import Project

from workbench.evidence import behaviour, rig
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.material import strip_bytecode
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.rig import read_report
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.evidence.tampering.collector import Tampering
from workbench.evidence.testdata import DataOfTests

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
ADDER = "def add(a, b):\n    return a + b\n"
BROKEN = "def add(a, b):\n    return 0\n"
CASES = "[[1, 2, 3]]"


def reading(path: str) -> str:
    return (
        "import json, pathlib\nfrom adder import add\n\ndef test_add():\n"
        f"    for a, b, c in json.loads(pathlib.Path({path!r}).read_text()):\n        assert add(a, b) == c\n"
    )


def on_result(tmp_path: Path, data: str, globs: Sequence[str] = (), test: str = "") -> SuiteReport:
    base = {"adder.py": ADDER, "tests/test_add.py": test or reading(data), data: CASES}
    project = Project(tmp_path, base, {"adder.py": BROKEN, data: "[]"})
    return Behaviour(project.rig, PLAN, test_paths=globs).of(project.change).base_on_result


PLACES = ["tests/cases.json", "fixtures/add.json", "testdata/add.json", "data/add.json", "cases.json", "in/put/a.json"]


@pytest.mark.parametrize("data", PLACES)
def test_emptied_data_of_tests_comes_back_from_base(tmp_path: Path, data: str) -> None:
    """A change that breaks the code and empties what the tests read still fails base's tests."""
    assert on_result(tmp_path, data).state == "failed"


def test_without_restoring_data_the_change_is_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control: where data is not taken for material, the same change passes."""
    monkeypatch.setattr(behaviour, "data_of_tests", lambda *_: DataOfTests())
    assert on_result(tmp_path, "cases.json").state == "passed"


def test_a_policys_test_paths_are_material(tmp_path: Path) -> None:
    """Data that no text names is the tests' where the policy says so, and not without it."""
    hidden = reading("x").replace("'x'", "'ca' + 'ses.json'")
    assert on_result(tmp_path / "said", "cases.json", ["cases.json"], hidden).state == "failed"
    assert on_result(tmp_path / "unsaid", "cases.json", [], hidden).state == "passed"


def test_data_that_the_program_reads_is_the_programs(tmp_path: Path) -> None:
    """A file that program and tests both name changes with the program: no honest change is held to its old content."""
    product = "import pathlib\n\ndef rate():\n    return int(pathlib.Path('rate.txt').read_text()){}\n"
    test = "import pathlib\nfrom rates import rate\n\ndef test_rate():\n    assert pathlib.Path('rate.txt').exists()\n"
    base = {"rates.py": product.format(""), "rate.txt": "1", "tests/test_r.py": test + "    assert rate() == 1\n"}
    project = Project(tmp_path, base, {"rates.py": product.format(" // 10"), "rate.txt": "10"})
    runs = Behaviour(project.rig, PLAN).of(project.change)
    assert runs.shared and runs.base_on_result.state == "passed"


@pytest.mark.parametrize(("data", "severity"), [("[]", "high"), ("[[1, 2, 3], [0, 0, 0]]", "low")])
def test_data_that_program_and_tests_read_is_named(tmp_path: Path, data: str, severity: str) -> None:
    """Base's tests pass on data that the change emptied, and a person is told of it; data that only grew is noted."""
    program = ADDER + "\n\ndef known():\n    return open('cases.json').read()\n"
    base = {"adder.py": program, "tests/test_add.py": reading("cases.json"), "cases.json": CASES}
    change = {"cases.json": data, **({"adder.py": program.replace("a + b", "0")} if data == "[]" else {})}
    project = Project(tmp_path, base, change)
    collected = TestsCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change)
    assert {piece.kind: piece.state for piece in collected.evidence}["tests.base-on-result"] == "passed"
    assert [(each.kind, each.path, each.severity) for each in collected.findings] == [
        ("tests.program-data", "cases.json", severity)
    ]


def cached(tmp_path: Path) -> tuple[str, bytes]:
    """Byte code of working code, of the kind that is never held against its source."""
    source = tmp_path / "adder.py"
    source.write_text(ADDER)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    made = py_compile.compile(str(source), str(tmp_path / "made.pyc"), invalidation_mode=mode)
    name = Path(importlib.util.cache_from_source("adder.py")).name
    return f"__pycache__/{name}", Path(str(made)).read_bytes()


def with_bytecode(tmp_path: Path) -> SuiteReport:
    tmp_path.mkdir()
    path, data = cached(tmp_path)
    test = "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    project = Project(tmp_path, {"adder.py": ADDER, "test_add.py": test}, {"adder.py": BROKEN})
    project.commits.trees[project.change.result][path] = data
    with project.rig.workspace(project.change.result) as workspace:
        return run_suite(project.rig, PLAN, workspace)


def test_byte_code_of_the_tree_does_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Committed byte code that hides broken source is gone before a run; left there, it makes the run green."""
    assert with_bytecode(tmp_path / "stripped").state == "failed"
    monkeypatch.setattr(rig, "strip_bytecode", lambda _: None)
    assert with_bytecode(tmp_path / "left").state == "passed"


def test_stripping_follows_no_link(tmp_path: Path) -> None:
    """A linked `__pycache__` is removed, what it leads to is not."""
    outside, tree = tmp_path / "outside", tmp_path / "tree"
    outside.mkdir()
    tree.mkdir()
    (outside / "a.pyc").write_bytes(b"x")
    (tree / "__pycache__").symlink_to(outside)
    (tree / "b.pyc").symlink_to(outside / "a.pyc")
    strip_bytecode(tree)
    assert not list(tree.iterdir()) and (outside / "a.pyc").exists()


def test_added_byte_code_is_named(tmp_path: Path) -> None:
    """Adding byte code blocks the change."""
    project = Project(tmp_path, {"a.py": "A = 1\n"}, {"__pycache__/a.cpython-311.pyc": "x", "b.pyc": "x"})
    named = [f.path for f in Tampering().collect(project.change).findings if f.kind == "tampering.bytecode"]
    assert named == ["__pycache__/a.cpython-311.pyc", "b.pyc"]


def test_a_directory_in_a_reports_place_is_no_report(tmp_path: Path) -> None:
    """What is no regular file is no report, and no descriptor stays open for it."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert read_report(tmp_path) is None
    assert len(list(Path("/proc/self/fd").iterdir())) == before
