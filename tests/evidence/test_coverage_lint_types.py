"""Coverage of changed lines, new lint findings and new type errors: only what the change brought, told honestly."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import Project

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.coverage import CoverageCollector
from workbench.evidence.lint import LintCollector
from workbench.evidence.types import TypesCollector

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
BASE = {
    "adder.py": "import os\n\ndef add(a, b):\n    return a + b\n",
    "tests/test_adder.py": "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
LENIENT = 'lint.select = ["F"]\nlint.ignore = ["F401"]\n'
BRANCHY = "import os\n\ndef add(a, b):\n    if a == 7:\n        return 8\n    return a + b\n"


def test_uncovered_lines_are_named(tmp_path: Path) -> None:
    """Added lines that no test executes, conditions that go one way, and files not measured are named."""
    project = Project(tmp_path, BASE, {"adder.py": BRANCHY, "page.html": "<p>\n", "unseen.py": "X = 1\n"})
    (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change).evidence
    assert evidence.state == "failed"
    assert evidence.facts["files"]["adder.py"] == {"covered": [4], "uncovered": [5]}
    assert evidence.facts["files"]["unseen.py"] == {"covered": [], "uncovered": [1]}
    assert evidence.facts["not_measured"] == ["page.html"]
    assert evidence.facts["partial"] == {"adder.py": ["4: never true"]}
    assert (
        evidence.summary
        == "1 of 3 executable added lines are executed by the tests, 1 of 2 ways of their conditions are taken"
    )


def test_covered_lines_pass(tmp_path: Path) -> None:
    """When every executable added line is executed, coverage passes, in unittest as well."""
    edits = {"adder.py": "import os\n\ndef add(a, b):\n    total = a + b\n    return total\n"}
    test = "import unittest\nfrom adder import add\n"
    test += "class T(unittest.TestCase):\n    def test_a(self):\n        add(1, 2)\n"
    base = {"adder.py": BASE["adder.py"], "test_adder.py": test}
    for plan in (PLAN, SuitePlan(kind="unittest", argv=(".",))):
        project = Project(tmp_path / plan.kind, base, edits)
        (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, plan)).collect(project.change).evidence
        assert (evidence.state, evidence.facts["percent"]) == ("passed", 100.0), evidence.summary


def test_coverage_without_python_is_not_checked(tmp_path: Path) -> None:
    """No Python lines, or another runner, is `not-checked` with its reason."""
    project = Project(tmp_path, BASE, {"page.html": "<p>\n"})
    (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change).evidence
    assert evidence.state == "not-checked"
    other = Project(tmp_path / "b", BASE, {"adder.py": BRANCHY})
    plan = SuitePlan(kind="command", argv=("true",), label="true")
    (evidence,) = CoverageCollector(other.rig, Behaviour(other.rig, plan)).collect(other.change).evidence
    assert evidence.state == "not-checked" and "true" in evidence.summary
    script = Project(tmp_path / "c", BASE, {"a.go": "package a\n"})
    coverage = CoverageCollector(script.rig, Behaviour(script.rig, PLAN))
    for collector in (coverage, LintCollector(script.rig), TypesCollector(script.rig)):
        (evidence,) = collector.collect(script.change).evidence
        assert (evidence.state, "and the change is in Go" in evidence.summary) == ("not-checked", True)


def test_only_new_lint_counts(tmp_path: Path) -> None:
    """Findings that base has, though on other lines or in a moved file, are not new; an added one is."""
    moved = {"adder.py": "", "moved.py": '"""Now documented."""\n\n' + BASE["adder.py"]}
    project = Project(tmp_path / "a", BASE, moved)
    (evidence,) = LintCollector(project.rig).collect(project.change).evidence
    assert evidence.state == "passed", evidence

    project = Project(tmp_path / "b", BASE, {"adder.py": "import sys\n" + BASE["adder.py"]})
    collected = LintCollector(project.rig).collect(project.change)
    assert collected.evidence[0].state == "failed"
    assert [(f.kind, f.path, f.line, f.blocking) for f in collected.findings] == [("lint.F401", "adder.py", 1, False)]


def test_lint_follows_bases_configuration_and_not_the_changes(tmp_path: Path) -> None:
    """A change cannot switch its own findings off; base's configuration decides."""
    edits = {"adder.py": "import sys\n" + BASE["adder.py"], "ruff.toml": LENIENT}
    project = Project(tmp_path / "a", BASE, edits)
    assert LintCollector(project.rig).collect(project.change).evidence[0].state == "failed"

    project = Project(tmp_path / "b", {**BASE, "ruff.toml": LENIENT}, {"adder.py": edits["adder.py"]})
    (evidence,) = LintCollector(project.rig).collect(project.change).evidence
    assert evidence.state == "passed" and evidence.facts["configuration"] == "ruff.toml"


def test_lint_of_a_broken_file_and_of_none(tmp_path: Path) -> None:
    """A syntax error is a finding; a change without Python is `not-checked`."""
    project = Project(tmp_path / "a", BASE, {"adder.py": "def add(:\n"})
    assert LintCollector(project.rig).collect(project.change).evidence[0].state == "failed"
    project = Project(tmp_path / "b", BASE, {"page.html": "<p>\n"})
    assert LintCollector(project.rig).collect(project.change).evidence[0].state == "not-checked"


CHECKER = (
    "import sys, pathlib\nfor p in sorted(pathlib.Path('.').glob('*.py')):\n"
    "    for n, line in enumerate(p.read_text().splitlines(), 1):\n"
    "        if 'BAD' in line:\n            print(f'{p}:{n}: error: {line.strip()}  [bad]'); code = 1\n"
    "sys.exit(globals().get('code', 0))\n"
)


def test_only_new_type_errors_count(tmp_path: Path) -> None:
    """Errors that base has are not new, wherever they stand; without a checker, types are `not-checked`."""
    base = {**BASE, "old.py": "x = 'BAD old'\n"}
    command = ("python3", "-c", CHECKER)
    project = Project(tmp_path / "a", base, {"old.py": "# moved down\nx = 'BAD old'\n"})
    (evidence,) = TypesCollector(project.rig, command=command).collect(project.change).evidence
    assert evidence.state == "passed", evidence.summary

    project = Project(tmp_path / "b", base, {"adder.py": "y = 'BAD new'\n"})
    collected = TypesCollector(project.rig, command=command).collect(project.change)
    assert collected.evidence[0].state == "failed"
    assert [(finding.path, finding.line) for finding in collected.findings] == [("adder.py", 1)]
    assert TypesCollector(project.rig).collect(project.change).evidence[0].state == "not-checked"


def test_a_type_checker_that_breaks_is_an_error(tmp_path: Path) -> None:
    """A checker that fails without errors to read, or is green in spite of them, is an error and no pass."""
    project = Project(tmp_path, BASE, {"adder.py": BRANCHY})
    for command in ("exit 3", "echo 'a.py:1: error: x  [y]'"):
        (evidence,) = TypesCollector(project.rig, command=command).collect(project.change).evidence
        assert evidence.state == "error"


CONFIGURED = (
    "import tomllib, configparser, pathlib, sys\n"
    "place = pathlib.Path('pyproject.toml')\n"
    "toml = tomllib.loads(place.read_text()) if place.exists() else {}\n"
    "ini = configparser.ConfigParser(); ini.read(['setup.cfg', 'check.ini'])\n"
    "lax = toml.get('tool', {}).get('mypy', {}).get('lax') or ini.get('mypy', 'lax', fallback='')\n"
    "bad = [p for p in pathlib.Path('.').glob('*.py') if 'BAD' in p.read_text()]\n"
    "for p in bad if not lax else []: print(f'{p}:1: error: bad  [bad]')\n"
    "sys.exit(1 if bad and not lax else 0)\n"
)
LAX = "[project]\nname = 'adder'\n\n[tool.mypy]\nlax = true\n"
LOOSENED = {
    "pyproject.toml": LAX,
    "setup.cfg": "[mypy]\nlax = 1\n",
    "check.ini": "[mypy]\nlax = 1\n",
}


@pytest.mark.parametrize("path", LOOSENED)
def test_a_change_does_not_loosen_its_own_type_checker(tmp_path: Path, path: str) -> None:
    """The result is checked under base's configuration; had base the looser one, it would pass (the control)."""
    strict = {**BASE, "pyproject.toml": "[project]\nname = 'adder'\n\n[tool.mypy]\nstrict = true\n"}
    bad = {"adder.py": "y = 'BAD new'\n"}
    command = ("python3", "-c", CONFIGURED, "check.ini")
    project = Project(tmp_path / "a", strict, {**bad, path: LOOSENED[path]})
    (evidence,) = TypesCollector(project.rig, command=command).collect(project.change).evidence
    assert (evidence.state, evidence.summary) == ("failed", "1 new type errors")

    project = Project(tmp_path / "control", {**strict, path: LOOSENED[path]}, bad)
    assert TypesCollector(project.rig, command=command).collect(project.change).evidence[0].state == "passed"


def test_mypy_is_held_to_bases_sections(tmp_path: Path) -> None:
    """mypy, configured in base's `pyproject.toml`, finds a new error although the change switches it off there."""
    strict = {**BASE, "pyproject.toml": "[tool.mypy]\nstrict = true\n"}
    edits = {
        "adder.py": "def add(a: int) -> int:\n    return 'x'\n",
        "pyproject.toml": LAX.replace("lax", "ignore_errors"),
    }
    project = Project(tmp_path, strict, edits)
    collected = TypesCollector(project.rig).collect(project.change)
    assert collected.evidence[0].command[0] == "mypy"
    assert any("Incompatible return value" in finding.text for finding in collected.findings)
