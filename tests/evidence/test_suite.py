"""One run of a suite: what is believed, and what never counts as a pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from projects import Project

from workbench.evidence.conventions import SuitePlan
from workbench.evidence.suite import NOTHING, SuiteReport, missing_modules, run_suite
from workbench.ports import Limits

GOOD = "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
ADDER = "def add(a, b):\n    return a + b\n"
NOWHERE = "import nowhere_x\n"
PYTEST = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")


def run(
    tmp_path: Path,
    files: Mapping[str, str],
    *,
    plan: SuitePlan = PYTEST,
    covered: Mapping[str, Sequence[int]] = NOTHING,
    wall_s: float = 60.0,
) -> SuiteReport:
    project = Project(tmp_path, files, {})
    rig = replace(project.rig, limits=Limits(wall_s=wall_s))
    with rig.workspace(project.change.result) as workspace:
        return run_suite(rig, plan, workspace, covered=covered)


def test_outcomes_have_pytests_ids(tmp_path: Path) -> None:
    """A believed run names each test by its node id, with what was expected and what came."""
    bad = "from adder import add\nimport pytest\n\n"
    bad += "@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n):\n    assert add(n, 0) == 1\n"
    report = run(tmp_path, {"adder.py": ADDER, "test_a.py": GOOD, "tests/test_b.py": bad})
    assert report.state == "failed"
    assert {o.id: o.state for o in report.outcomes} == {
        "test_a.py::test_add": "passed",
        "tests/test_b.py::test_n[1]": "passed",
        "tests/test_b.py::test_n[2]": "failed",
    }
    failed = next(o for o in report.outcomes if o.state == "failed")
    assert (failed.actual, failed.expected) == ("2", "1")
    assert report.modules == 1 and not report.foreign


def test_unittest_gives_the_same_records(tmp_path: Path) -> None:
    """A unittest suite is witnessed without pytest: failures, errors, skips and broken modules."""
    text = (
        "import unittest\nfrom adder import add\n\nclass T(unittest.TestCase):\n"
        "    def test_good(self):\n        self.assertEqual(add(1, 1), 2)\n"
        "    def test_bad(self):\n        self.assertEqual(add(1, 1), 3)\n"
        "    def test_error(self):\n        raise OSError\n"
        "    @unittest.skip('later')\n    def test_skip(self):\n        pass\n"
    )
    files = {
        "adder.py": ADDER,
        "tests/__init__.py": "#",
        "tests/test_t.py": text,
        "tests/test_no.py": "import nowhere_x\n",
    }
    report = run(tmp_path, files, plan=SuitePlan(kind="unittest", argv=("tests",)))
    states = {o.id.rsplit(".", 1)[1]: o.state for o in report.outcomes}
    assert states == {
        "test_good": "passed",
        "test_bad": "failed",
        "test_error": "error",
        "test_skip": "skipped",
        "test_no": "error",
    }
    assert report.state == "failed" and report.missing_modules == ("nowhere_x",)


LIES = {
    "os._exit in a test": "import os\ndef test_a():\n    os._exit(0)\n",
    "os._exit at import": "import os\nos._exit(0)\ndef test_a():\n    assert 0\n",
    "exit code rewritten at exit": "import atexit, os\natexit.register(os._exit, 0)\ndef test_a():\n    assert 0\n",
    "pytest.exit with code 0": "import pytest\ndef test_a():\n    pytest.exit('done', returncode=0)\n",
    "report overwritten at exit": (
        "import atexit, os, sys, json\n"
        "def forge():\n"
        "    plan = json.load(open(sys.orig_argv[-1]))\n"
        "    case = '<testcase classname=\"test_a\" name=\"test_a\"/>'\n"
        "    open(plan['junit'], 'w').write(f'<testsuites><testsuite tests=\"1\">{case}</testsuite></testsuites>')\n"
        "    os._exit(0)\n"
        "atexit.register(forge)\ndef test_a():\n    assert 0\n"
    ),
    "records appended by a test": (
        "import sys, json\n"
        "def test_a():\n"
        "    plan = json.load(open(sys.orig_argv[-1]))\n"
        "    open(plan['witness'], 'a').write(json.dumps({'kind': 'finish', 'code': 0}) + '\\n')\n"
    ),
    "a record of a test that does not exist": (
        "import sys, json\n"
        "record = {'kind': 'test', 'id': 'test_b', 'state': 'passed', 'seconds': 0, 'message': '', 'text': ''}\n"
        "def test_a():\n"
        "    plan = json.load(open(sys.orig_argv[-1]))\n"
        "    open(plan['witness'], 'a').write(json.dumps(record) + '\\n')\n"
    ),
    "report replaced by a link": (
        "import atexit, os, sys, json\n"
        "def forge():\n"
        "    plan = json.load(open(sys.orig_argv[-1]))\n"
        "    os.remove(plan['junit']); os.symlink('/etc/passwd', plan['junit'])\n"
        "atexit.register(forge)\ndef test_a():\n    pass\n"
    ),
    "report truncated": (
        "import atexit, os, sys, json\n"
        "def forge():\n"
        "    plan = json.load(open(sys.orig_argv[-1]))\n"
        "    os.truncate(plan['junit'], 60)\n"
        "atexit.register(forge)\ndef test_a():\n    pass\n"
    ),
    "killed by a signal": "import os\ndef test_a():\n    os.kill(os.getpid(), 9)\n",
    "usage error": None,
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_an_error_and_never_a_pass(tmp_path: Path, lie: str) -> None:
    """Whatever makes the witness, the report and the exit code disagree makes the run an error."""
    text = LIES[lie]
    files = {"test_a.py": text or GOOD, "adder.py": ADDER}
    if text is None:
        files["pytest.ini"] = "[pytest]\naddopts = --no-such-option\n"
    report = run(tmp_path, files)
    assert report.state == "error", report
    assert report.problem


def test_sys_exit_in_a_test_is_a_failure(tmp_path: Path) -> None:
    """`sys.exit(0)` in a test fails that test, as pytest sees it."""
    assert run(tmp_path, {"test_a.py": "import sys\ndef test_a():\n    sys.exit(0)\n"}).state == "failed"


def test_a_module_of_the_same_name_as_the_runner_does_not_replace_it(tmp_path: Path) -> None:
    """A `pytest.py` in the tree is not what runs the tests."""
    fake = "import sys\ndef main(*a, **k):\n    sys.exit(0)\nclass mark: pass\n"
    report = run(tmp_path, {"pytest.py": fake, "test_a.py": "def test_a():\n    assert 0\n"})
    assert report.ids("failed") == ["test_a.py::test_a"]


def test_no_tests_is_a_state_of_its_own(tmp_path: Path) -> None:
    """Nothing collected, or everything skipped, is `no-tests` and not a pass."""
    assert run(tmp_path / "a", {"adder.py": ADDER}).state == "no-tests"
    skipped = "import pytest\n@pytest.mark.skip\ndef test_a():\n    pass\n"
    assert run(tmp_path / "b", {"test_a.py": skipped}).state == "no-tests"
    module = "import pytest\npytest.skip('not here', allow_module_level=True)\n"
    assert run(tmp_path / "c", {"test_a.py": module}).state == "no-tests"


def test_a_hanging_suite_times_out(tmp_path: Path) -> None:
    """A suite that does not end is `timed-out`."""
    report = run(tmp_path, {"test_a.py": "import threading\ndef test_a():\n    threading.Event().wait()\n"}, wall_s=1.0)
    assert report.state == "timed-out"


def test_a_broken_test_file_is_an_error_of_that_file(tmp_path: Path) -> None:
    """A file that cannot be collected is one failed id, and the missing module is named."""
    report = run(tmp_path, {"adder.py": ADDER, "test_a.py": GOOD, "test_b.py": "import not_there_at_all\n"})
    assert report.state == "failed"
    assert report.ids("error") == ["test_b.py"]
    assert report.missing_modules == ("not_there_at_all",)


def test_project_code_from_elsewhere_is_an_error(tmp_path: Path) -> None:
    """When a test imports the project from outside of the workspace, the run is no evidence about the workspace."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "adder.py").write_text(ADDER)
    test = f"import sys\nsys.path.insert(0, {str(elsewhere)!r})\n{GOOD}"
    report = run(tmp_path, {"adder.py": "def add(a, b):\n    return 0\n", "test_a.py": test})
    assert report.state == "error"
    assert "elsewhere" in report.problem
    control = run(tmp_path / "control", {"adder.py": ADDER, "test_a.py": GOOD})
    assert control.state == "passed"


def test_teardown_errors_and_xfail(tmp_path: Path) -> None:
    """A test that passes and then fails in teardown is an error; an expected failure counts as skipped."""
    text = (
        "import pytest\n@pytest.fixture\ndef f():\n    yield\n    raise OSError\n"
        "def test_a(f):\n    pass\ndef test_b(f):\n    assert 0\n@pytest.mark.xfail\ndef test_c():\n    assert 0\n"
    )
    report = run(tmp_path, {"test_a.py": text})
    assert report.ids("error") == ["test_a.py::test_a", "test_a.py::test_b"]
    assert report.ids("skipped") == ["test_a.py::test_c"]


def test_names_that_xml_cannot_carry(tmp_path: Path) -> None:
    """Parameters with control characters, brackets and colons keep witness and report in agreement."""
    text = "import pytest\n"
    text += "@pytest.mark.parametrize('s', ['\\x1b[31m', 'a::b', '[x]', 'ä', 'a/b.py'])\ndef test_s(s):\n    pass\n"
    report = run(tmp_path, {"tests/test_a.py": text})
    assert report.state == "passed", report.problem
    assert len(report.outcomes) == 5


def test_missing_modules_are_not_the_projects_own() -> None:
    """Only modules that neither the project nor Python provides point at the environment."""
    text = "No module named 'numpy.linalg'\nNo module named 'adder.x'\n"
    text += "No module named 'json.foo'\nCannot find module 'left-pad'\n"
    assert missing_modules(text, frozenset({"adder"})) == ("left-pad", "numpy")


def test_lines_of_oddly_named_files_are_measured(tmp_path: Path) -> None:
    """A file whose name holds the signs of a pattern is measured like any other, and so are those beside it."""
    files = {"adder.py": ADDER, "pages/[id]*.py": "def page():\n    return 1\n", "test_a.py": GOOD}
    files["test_page.py"] = "import runpy\n\ndef test_page():\n    runpy.run_path('pages/[id]*.py')['page']()\n"
    report = run(tmp_path, files, covered={"adder.py": [1], "pages/[id]*.py": [1]})
    assert report.coverage_problem == ""
    assert {path: lines["hits"] for path, lines in report.coverage.items()} == {
        "adder.py": [1, 2],
        "pages/[id]*.py": [1, 2],
    }
