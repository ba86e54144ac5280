"""How tests are run is read off base: an explicit command first, then the first convention that fits."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from projects import Project

from workbench.artifacts import configuration
from workbench.artifacts.configuration import Tests
from workbench.evidence.conventions import SuitePlan, configured_plan, plan_suite
from workbench.evidence.dialects import cargo_outcomes, go_outcomes
from workbench.evidence.material import changed_material, is_material, mixed
from workbench.evidence.suite import run_suite
from workbench.evidence.suiteless import NoSuite
from workbench.testing.changes import TreeChange

UNITTEST = "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"


def planned(files: dict[str, str], tests: Tests | None = None) -> SuitePlan | None:
    return plan_suite(sorted(files), lambda path: files[path].encode() if path in files else None, configured=tests)


CONVENTIONS = {
    "pytest.ini": ({"pytest.ini": "[pytest]\n"}, "pytest"),
    "pyproject": ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, "pytest"),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\n"}, "pytest"),
    "tox.ini": ({"tox.ini": "[pytest]\n"}, "pytest"),
    "conftest": ({"tests/conftest.py": ""}, "pytest"),
    "bare functions": ({"test_a.py": "def test_a():\n    pass\n"}, "pytest"),
    "unittest": ({"tests/test_a.py": UNITTEST}, "unittest"),
    "node --test": ({"package.json": json.dumps({"scripts": {"test": "node --test"}})}, "node"),
    "npm script": ({"package.json": json.dumps({"scripts": {"test": "tsc && jest"}})}, "command"),
    "test files of node": ({"a.test.mjs": ""}, "node"),
    "go": ({"go.mod": "module x\n"}, "go"),
    "cargo": ({"Cargo.toml": "[package]\n"}, "cargo"),
    "make": ({"Makefile": "all:\n\techo\ntest: all\n\t./check\n"}, "command"),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions(name: str) -> None:
    """Each convention is recognised by its files."""
    files, kind = CONVENTIONS[name]
    plan = planned(files)
    assert plan is not None and plan.kind == kind


def test_nothing_fits() -> None:
    """A project without any sign of tests has no plan."""
    placeholder = {"package.json": json.dumps({"scripts": {"test": 'echo "Error: no test specified" && exit 1'}})}
    assert planned({"README": ""}) is None
    assert planned(placeholder) is None


def test_the_configured_command_wins() -> None:
    """A configured command is taken whatever else is there, and recognised where its runner is known."""
    files = {"Cargo.toml": "", "pytest.ini": ""}
    for command, kind, argv in (
        ("pytest -q tests", "pytest", ("-q", "tests")),
        (("python3", "-m", "pytest", "-k", "not slow"), "pytest", ("-k", "not slow")),
        ("python -m unittest discover tests", "unittest", ("tests",)),
        ("python3 -m unittest -q", "unittest", ()),
        ("python -m unittest discover -v tests -b", "unittest", ("tests",)),
        ("./run-tests --all", "command", ("./run-tests", "--all")),
        ("make a && make b", "command", ("sh", "-c", "make a && make b")),
    ):
        plan = planned(files, Tests(command=command))
        assert plan is not None and (plan.kind, plan.argv) == (kind, argv)


def test_a_configured_kind_narrows_the_conventions() -> None:
    """`kind` chooses among several conventions that fit."""
    files = {"Cargo.toml": "", "pytest.ini": ""}
    plan = planned(files, Tests(kind="cargo"))
    assert plan is not None and plan.kind == "cargo"


def test_what_belongs_to_the_tests() -> None:
    """Tests, their configuration and start-up hooks are test material; product code is not."""
    for path in (
        "tests/data/x.json",
        "a/conftest.py",
        "src/test_x.py",
        "pytest.ini",
        "sitecustomize.py",
        "x/a.test.js",
    ):
        assert is_material(path), path
    for path in ("src/pkg/testing.py", "pkg/contest.py", "pyproject.toml", "README.md", "src/latest.py"):
        assert not is_material(path), path


def test_shared_files_keep_what_is_not_about_tests() -> None:
    """Of `pyproject.toml` and `package.json` only the test configuration goes back to base's."""
    base = b'[project]\nname = "x"\n\n[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
    result = b'[project]\nname = "x"\nversion = "2"\n'
    result += b'[tool.pytest.ini_options]\naddopts = [\n"-k",\n  "nothing",\n]\n[tool.x]\na = 1\n'
    merged = (mixed("pyproject.toml", base=base, result=result) or b"").decode()
    assert "nothing" not in merged and 'testpaths = ["tests"]' in merged
    assert 'version = "2"' in merged and "[tool.x]" in merged
    package = mixed(
        "package.json",
        base=b'{"scripts": {"test": "a"}}',
        result=b'{"scripts": {"test": "true"}, "dependencies": {"b": "1"}}',
    )
    assert json.loads(package or b"") == {"scripts": {"test": "a"}, "dependencies": {"b": "1"}}


def test_an_inline_table_cannot_smuggle_options() -> None:
    """Where the test configuration cannot be cut out by table, all of base's file is taken."""
    base = b'[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
    for result in (
        b"[tool]\npytest = {ini_options = {addopts = '-k no'}}\n",
        b"tool.pytest.ini_options.addopts = '-k no'\n",
        b"= broken",
    ):
        assert mixed("pyproject.toml", base=base, result=result) == base


def test_untouched_configuration_is_no_material() -> None:
    """A changed dependency alone does not make `pyproject.toml` test material."""
    base = {"pyproject.toml": '[project]\nname = "x"\n[tool.pytest.ini_options]\naddopts = "-q"\n'}
    assert changed_material(TreeChange.of(base, {"pyproject.toml": base["pyproject.toml"].replace('"x"', '"y"')})) == ()
    changed = TreeChange.of(base, {"pyproject.toml": base["pyproject.toml"].replace("-q", "-k x")})
    assert changed_material(changed) == ("pyproject.toml",)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node_suites_have_outcomes(tmp_path: Path) -> None:
    """`node --test` is read through its JUnit report, and its exit code must agree."""
    text = "const t = require('node:test'); const a = require('node:assert');\n"
    text += "t.test('good', () => {});\n"
    text += "t.describe('d', () => { t.it('bad', () => a.equal(1, 2)); t.it.skip('s', () => {}); });\n"
    files = {"package.json": json.dumps({"scripts": {"test": "node --test"}}), "a.test.js": text}
    plan = planned(files)
    assert plan is not None
    project = Project(tmp_path, files, {})
    with project.rig.workspace(project.change.base) as workspace:
        report = run_suite(project.rig, plan, workspace)
    assert report.state == "failed"
    assert {outcome.id.rsplit("::", 1)[1]: outcome.state for outcome in report.outcomes} == {
        "good": "passed",
        "bad": "failed",
        "s": "skipped",
    }


def test_a_command_has_only_its_exit_code(tmp_path: Path) -> None:
    """A bare command is one outcome."""
    project = Project(tmp_path, {"Makefile": "test:\n\ttrue\n"}, {})
    for argv, state in ((("true",), "passed"), (("false",), "failed"), (("no-such-program-here",), "error")):
        with project.rig.workspace(project.change.base) as workspace:
            assert run_suite(project.rig, SuitePlan(kind="command", argv=argv, label="x"), workspace).state == state


def test_go_streams() -> None:
    """`go test -json` gives one outcome per test, and an error for a package that does not build."""
    rows = [
        {"Action": "output", "Package": "x/a", "Test": "TestA", "Output": "boom\n"},
        {"Action": "fail", "Package": "x/a", "Test": "TestA", "Elapsed": 0.1},
        {"Action": "pass", "Package": "x/a", "Test": "TestB"},
        {"Action": "fail", "Package": "x/a"},
        {"Action": "fail", "Package": "x/broken"},
    ]
    text = "# build output\n" + "\n".join(map(json.dumps, rows))
    assert {o.id: o.state for o in go_outcomes(text)} == {
        "x/a::TestA": "failed",
        "x/a::TestB": "passed",
        "x/broken": "error",
    }


def test_cargo_lines_must_agree_with_their_sum() -> None:
    """A line that test code printed in the shape of a result contradicts the summary and is an error."""
    honest = "     Running unittests src/lib.rs (target/x)\ntest tests::a ... ok\ntest tests::b ... FAILED\n"
    honest += "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\n"
    assert {o.id: o.state for o in cargo_outcomes(honest)} == {
        "src/lib.rs::tests::a": "passed",
        "src/lib.rs::tests::b": "failed",
    }
    forged = honest.replace("test tests::b", "test tests::c ... ok\ntest tests::b")
    assert "error" in {o.state for o in cargo_outcomes(forged)}


def test_no_suite_is_said_with_what_was_looked_for(tmp_path: Path) -> None:
    """Where base has no suite, each kind of test evidence is `no-tests` and names what was looked for."""
    project = Project(tmp_path, {"README.md": "x\n"}, {"README.md": "y\n"})
    assert plan_suite(list(project.base), project.read_base) is None
    collected = NoSuite(project.rig).collect(project.change)
    assert {e.kind: e.state for e in collected.evidence} == dict.fromkeys(
        ("tests.base", "tests.result", "tests.base-on-result"), "no-tests"
    )
    for sign in ("pytest", "go.mod", "Cargo.toml", "Makefile", "package.json"):
        assert sign in collected.evidence[0].summary
    narrowed = NoSuite(project.rig, Tests(kind="go")).collect(project.change).evidence[0].summary
    assert "go.mod" in narrowed and "pytest" not in narrowed
    assert not project.sandbox.jobs


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("number", range(3))
def test_the_documented_reports_of_a_command_are_read(tmp_path: Path, number: int) -> None:
    """Each example of the page on suites names the tests, or tells which lines ran. The control: written elsewhere."""
    page = (Path(__file__).parents[2] / "workbench/docs/suites.md").read_text()
    example = re.findall(r"^```toml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[number]
    text = "const t = require('node:test'); t('adds', () => {});\nif (process.env.NEVER) {\n  t('never');\n}\n"
    for command, is_left in ((example, True), (example.replace("{report}", "."), False)):
        plan = configured_plan(configuration.parse(command).tests)
        project = Project(tmp_path / str(is_left), {"a.test.js": text}, {})
        with project.rig.workspace(project.change.result) as workspace:
            report = run_suite(project.rig, plan, workspace)
        said = f"{report.problem} {report.coverage_problem}"
        assert ("let it write {report}/" in said) is not is_left, said
        if is_left:
            assert [outcome.state for outcome in report.outcomes] == ["passed"]
            assert "adds" in report.outcomes[0].id
            assert bool(report.reported) is bool(plan.coverage)
