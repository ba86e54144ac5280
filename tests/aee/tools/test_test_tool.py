"""test: the project's suite in the run's own workspace, told test by test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from workbench.aee.sandbox.select import probe, select
from workbench.aee.tools.failures import located
from workbench.aee.tools.selection import narrowed
from workbench.evidence.conventions import SuitePlan
from workbench.model.errors import Refused
from workbench.model.evidence import TestOutcome
from workbench.ports import Environment, Limits, Mount, ToolResult
from workbench.testing.workplace import Workplace

UNITTEST = """
import os
import unittest

import shop

class Sums(unittest.TestCase):
    def test_right(self):
        self.assertEqual(shop.add(1, 1), 2)

    def test_wrong(self):
        self.assertEqual(shop.add(1, 1), 3)

    @unittest.skip("later")
    def test_later(self):
        pass
"""
PYTEST = "import shop\n\ndef test_right():\n    assert shop.add(1, 1) == 2\n\ndef test_wrong():\n    assert 2 == 3\n"
FILES = {"shop.py": "def add(x, y):\n    return x + y\n", "tests/__init__.py": ""}
PREFIXES = tuple(Mount(source=str(Path(path).resolve())) for path in dict.fromkeys((sys.prefix, sys.base_prefix)))
OURS = Environment(
    kind="caller", label="this one", env={"VIRTUAL_ENV": sys.prefix, "PATH": os.environ["PATH"]}, mounts=PREFIXES
)
BY_UNITTEST = SuitePlan(kind="unittest", argv=("tests",), label="unittest tests")
BY_PYTEST = SuitePlan(
    kind="pytest",
    argv=("-q", "tests"),
    junit="junit.xml",
    label="pytest",
    env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # only to be quick
)


def call(workplace: Workplace, **arguments: Any) -> ToolResult:
    return workplace.box.call("test", arguments, "1.test")


def command(script: str, *, junit: str = "") -> SuitePlan:
    return SuitePlan(kind="command", argv=("/bin/sh", "-c", script), junit=junit, label="make test")


@pytest.fixture(params=["none", "bubblewrap"])
def by_unittest(request: pytest.FixtureRequest, make_workplace: Callable[..., Workplace]) -> Workplace:
    found = probe(request.param)
    if not found.works:
        pytest.skip(found.reason)
    files = {**FILES, "tests/test_it.py": UNITTEST}
    sandbox = select(request.param, allow_none=True)
    return make_workplace(sandbox=sandbox, files=files, environment=OURS, plan=BY_UNITTEST)


def test_each_test_is_told_and_a_failed_one_with_what_it_compared_and_where(by_unittest: Workplace) -> None:
    """Tests that fail are what the tool tells: id, state, expected, actual, frame, file and line, worst first."""
    result = call(by_unittest)
    assert (result.state, result.summary) == ("ok", "1 failed, 1 passed, 1 skipped"), result.data
    wrong = result.data["tests"][0]
    assert (wrong["id"], wrong["state"]) == ("tests.test_it.Sums.test_wrong", "failed")
    assert (wrong["actual"], wrong["expected"]) == ("2", "3")
    assert (wrong["path"], wrong["line"]) == ("tests/test_it.py", 12)
    assert "shop.add(1, 1), 3" in wrong["frame"]
    assert (result.data["state"], result.data["exit_code"]) == ("failed", 1)
    assert not list(by_unittest.scratch.iterdir())


@pytest.mark.parametrize(
    "names",
    [["tests.test_it.Sums.test_right"], ["tests/test_it.py::Sums::test_right"], ["tests/test_it.py"], ["tests"]],
)
def test_selected_tests_are_run_alone(names: list[str], by_unittest: Workplace) -> None:
    """A test is selected by the id that the tool tells, or by its path; one directory stands for what is in it."""
    counts = call(by_unittest, select=names).data["counts"]
    assert counts.get("failed", 0) == (0 if "test_right" in names[0] else 1), counts
    assert counts["passed"] == 1


def test_pytest_is_run_with_the_selection_in_place_of_its_own_paths(make_workplace: Callable[..., Workplace]) -> None:
    """Paths that the project's command names give way to what is selected; its options stay."""
    files = {**FILES, "tests/test_it.py": PYTEST}
    workplace = make_workplace(files=files, environment=OURS, plan=BY_PYTEST)
    assert call(workplace, select=["tests/test_it.py::test_right"]).data["counts"] == {"passed": 1}
    unknown = call(workplace, select=["tests/test_it.py::test_nowhere"])
    assert (unknown.state, unknown.data["counts"]) == ("error", {})


def test_the_agents_uncommitted_work_is_what_is_tested(by_unittest: Workplace) -> None:
    """The suite runs in the run's own workspace, as it stands."""
    by_unittest.box.call("edit", {"path": "tests/test_it.py", "old": "), 3)", "new": "), 2)"}, "1.edit")
    assert call(by_unittest).data["counts"] == {"passed": 2, "skipped": 1}


def test_what_the_options_of_pytest_name_is_no_path_of_tests(workplace: Workplace) -> None:
    """The value of an option stays, even where a file has that name."""
    plan = SuitePlan(kind="pytest", argv=("-c", "README.md", "--rootdir=src", "src", "src/a.py::x", "-k", "src"))
    kept = narrowed(plan, ["t.py"], files=workplace.place.files).argv
    assert kept == ("-c", "README.md", "--rootdir=src", "-k", "src", "t.py")


@pytest.mark.parametrize(
    ("plan", "names"),
    [(BY_PYTEST, ["--co"]), (BY_UNITTEST, ["src", "a.b"]), (command("true"), ["a"]), (BY_PYTEST, ["a\0b"])],
)
def test_what_selects_nothing_is_refused(plan: SuitePlan, names: list[str], workplace: Workplace) -> None:
    """A selection is never an option, and never ignored."""
    with pytest.raises(Refused):
        narrowed(plan, names, files=workplace.place.files)


def test_a_project_without_tests_is_told(workplace: Workplace) -> None:
    """Without a known test command the tool says so, with the remedy."""
    result = call(workplace)
    assert (result.state, result.data["hint"][:9]) == ("error", "Use `run`")


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("true", "there is no report"),
        ("printf '<testsuites' > {report}/j.xml", "report"),
        ("ln -s /etc/passwd {report}/j.xml", "there is no report"),
        ("mkfifo {report}/j.xml", "there is no report"),
        ("mkdir {report}/j.xml", ""),
        ("truncate -s 100M {report}/j.xml", "there is no report"),
        ("printf '<!DOCTYPE x [<!ENTITY a \"b\">]><testsuites/>' > {report}/j.xml", "cannot be believed"),
    ],
)
def test_a_hostile_report_is_an_error(script: str, problem: str, make_workplace: Callable[..., Workplace]) -> None:
    """What stands at the report's place is never followed, waited for, or believed."""
    result = call(make_workplace(environment=OURS, plan=command(script, junit="j.xml")))
    assert result.state == "error"
    assert problem in result.data["problem"]


def test_a_suite_that_does_not_end_is_an_error(make_workplace: Callable[..., Workplace]) -> None:
    """A time-out is told as such and is no failed test."""
    workplace = make_workplace(environment=OURS, plan=command("sleep 60"), limits=Limits(wall_s=0.2))
    result = call(workplace)
    assert (result.state, result.data["state"], result.data["counts"]) == ("error", "timed-out", {})


def test_a_bare_command_tells_its_exit_code_and_output(make_workplace: Callable[..., Workplace]) -> None:
    """A command without a report is no test, so none is counted; its output is kept."""
    result = call(make_workplace(environment=OURS, plan=command("echo seen; exit 3")))
    assert (result.state, result.data["counts"], result.output) == ("ok", {}, b"seen\n")
    assert result.summary.startswith("command exited 3")


def test_names_of_half_a_character_can_be_recorded(make_workplace: Callable[..., Workplace]) -> None:
    """Whatever test code names its tests, the result is plain JSON."""
    hostile = (
        "import unittest\n\nclass T(unittest.TestCase):\n    pass\n\n"
        'setattr(T, "test_\\ud800", lambda s: s.fail("\\udfff"))\n'
    )
    workplace = make_workplace(files={**FILES, "tests/test_it.py": hostile}, environment=OURS, plan=BY_UNITTEST)
    result = call(workplace)
    assert msgspec.json.decode(msgspec.json.encode(result.data)) == result.data
    assert result.summary.encode()


def test_a_failure_outside_the_project_has_no_line_in_it() -> None:
    """Only frames of the workspace are told as places."""
    frame = 'File "/usr/lib/x.py", line 3, in f\n  File "/ws/a.py", line 7, in g\n  File "/wsx/b.py", line 9, in h\n'
    test = TestOutcome(id="t", state="error", frame=frame, message="AssertionError: 'a' != 'b' : why")
    found = located(test, root="/ws")
    assert (found.path, found.line, found.actual, found.expected) == ("a.py", 7, "'a'", "'b'")
