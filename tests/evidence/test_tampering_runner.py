"""Attacks on the test runner from outside of the tests: they load nothing, alter nothing unseen, and are named."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from projects import Project

from workbench.evidence import behaviour, trace
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.machinery import Machinery
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.tampering.collector import Tampering

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
TEST = "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
BASE = {"adder.py": "def add(a, b):\n    return a + b\n", "tests/test_adder.py": TEST}
BROKEN = "def add(a, b):\n    return 0\n"
PLUGIN = (
    "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    "    call.excinfo = None\n    yield\n"
)


def states(tmp_path: Path, edits: Mapping[str, str], base: Mapping[str, str] = BASE) -> dict[str, str]:
    """How the three runs end where plugins load themselves, as they do for people."""
    project = Project(tmp_path, base, edits)
    env = {k: v for k, v in project.rig.environment.env.items() if k != "PYTEST_DISABLE_PLUGIN_AUTOLOAD"}
    rig = replace(project.rig, environment=msgspec.structs.replace(project.rig.environment, env=env))
    collected = TestsCollector(rig, Behaviour(rig, PLAN)).collect(project.change)
    return {evidence.kind: evidence.state for evidence in collected.evidence}


def by_metadata(place: str, directory: str) -> dict[str, str]:
    entry = {f"{place}{directory}/entry_points.txt": "[pytest11]\nhelper = helper\n", f"{place}helper.py": PLUGIN}
    return {**entry, f"{place}{directory}/METADATA": "Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n"}


PLACES = [("", "helper-1.0.dist-info"), ("src/", "helper.egg-info")]


@pytest.mark.parametrize(("place", "directory"), PLACES)
def test_a_plugin_by_metadata_in_the_tree_is_not_loaded(tmp_path: Path, place: str, directory: str) -> None:
    """A plugin that the change declares by metadata of a distribution changes no outcome and blocks the change."""
    base = {**BASE, f"{place}x.py": "#"}
    edits = {"adder.py": BROKEN, **by_metadata(place, directory)}
    assert states(tmp_path, edits, base) == {
        "tests.base": "passed",
        "tests.result": "failed",
        "tests.base-on-result": "failed",
    }
    named = {f.kind for f in Tampering().collect(Project(tmp_path, base, edits).change).findings if f.blocking}
    assert {"tampering.plugin-metadata", "tampering.report-hook"} <= named


def test_without_the_defences_such_a_plugin_turns_all_green(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Positive control: with metadata shown and canaries ignored, the broken change passes its tests."""
    source = Path(trace.__file__).read_text().replace("metadata.distributions = lambda", "_ = lambda")
    weak = tmp_path / "trace.py"
    weak.write_text(source)
    monkeypatch.setitem(_runner_files(), str(weak), "workbench_trace.py")
    monkeypatch.setattr(behaviour, "undisturbed", lambda report, _base: report)
    assert states(tmp_path, {"adder.py": BROKEN, **by_metadata(*PLACES[0])})["tests.result"] == "passed"


def test_names_that_hide_others_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A global that hides a built-in, or a method that is added to a class, is an alteration; new names are none."""
    part = ModuleType("some_runner")
    part.Kind = type("Kind", (), {"__module__": "some_runner"})  # type: ignore[attr-defined]  # made up here
    monkeypatch.setitem(sys.modules, "some_runner", part)
    machinery = Machinery(("some_runner",))
    vars(part)["fresh"] = 1
    assert machinery.altered() == []
    vars(part)["isinstance"] = lambda *_: True
    vars(part)["Kind"].run = lambda _: None
    assert machinery.altered() == ["some_runner.Kind.run", "some_runner.isinstance"]


@pytest.mark.parametrize("way", ["run", "assertEqual"])
def test_unittest_altered_in_disguise_is_not_believed(tmp_path: Path, way: str) -> None:
    """The same holds for unittest: our own test there no longer fails, while every test of the project is green."""
    turned = "import importlib\nm = importlib.import_module('unit' + 'test.case')\nkind = getattr(m, 'Test' + 'Case')\n"
    if way == "run":
        turned += "setattr(kind, '_callTest' + 'Method', lambda self, method: None)\n"
    else:
        turned += "setattr(kind, 'assert' + 'Equal', lambda *a: None)\n"
    case = "import unittest\nfrom adder import add\n\nclass T(unittest.TestCase):\n"
    case += "    def test_add(self):\n        self.assertEqual(add(1, 2), 3)\n"
    base = {"adder.py": BASE["adder.py"], "tests/__init__.py": "#", "tests/test_adder.py": case}
    project = Project(tmp_path, base, {"adder.py": turned + BROKEN})
    behaviour_ = Behaviour(project.rig, SuitePlan(kind="unittest", argv=("tests",), label="unittest"))
    run = behaviour_.of(project.change).base_on_result
    assert run.state == "error" and "must fail" in run.problem
    assert not run.ids("failed", "error")  # the attack works where nobody looks


def _runner_files() -> dict[str, str]:
    from workbench.evidence import suite

    return suite._RUNNER


DISGUISED = {
    "a method by other names": (
        "import importlib\nmade = importlib.import_module('_py' + 'test.python').Function\n"
        "setattr(made, 'run' + 'test', lambda self: None)\n"
    ),
    "a class in a module's place": (
        "import importlib\nr = importlib.import_module('_py' + 'test.runner')\n"
        "class Kind(getattr(r, 'Call' + 'Info')):\n    @classmethod\n    def from_call(cls, func, when, **k):\n"
        "        made = super().from_call(func, when, **k)\n        made.excinfo = None\n        return made\n"
        "setattr(r, 'Call' + 'Info', Kind)\n"
    ),
    "a plugin found by gc": (
        "import gc\nclass P:\n    pass\ndef f(self, pyfuncitem):\n    return True\n"
        "setattr(P, 'pytest_pyfunc' + '_call', f)\n"
        "for o in gc.get_objects():\n    if type(o).__name__ == 'PytestPlugin' + 'Manager':\n        o.register(P())\n"
    ),
}


@pytest.mark.parametrize("disguise", DISGUISED)
def test_a_runner_altered_in_disguise_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disguise: str
) -> None:
    """Product code that alters pytest without naming it makes the run an error; without the check it is green."""
    edits = {"adder.py": DISGUISED[disguise] + BROKEN}
    assert states(tmp_path / "on", edits) == {
        "tests.base": "passed",
        "tests.result": "error",
        "tests.base-on-result": "error",
    }
    monkeypatch.setattr(behaviour, "undisturbed", lambda report, _base: report)
    assert states(tmp_path / "off", edits)["tests.base-on-result"] == "passed"


def test_a_canary_alone_notices_what_no_list_of_parts_names(tmp_path: Path) -> None:
    """An alteration that leaves every known part in its place is noticed by a test of ours that no longer fails."""
    turned = (
        "import gc\nfor o in gc.get_objects():\n    if type(o).__name__ == 'Hook' + 'Caller':\n"
        "        if o.name == 'pytest_pyfunc' + '_call':\n"
        "            for impl in o.get_hookimpls():\n"
        "                impl.function = lambda pyfuncitem: True\n                impl.argnames = ('pyfuncitem',)\n"
    )
    project = Project(tmp_path, BASE, {"adder.py": turned + BROKEN})
    run = Behaviour(project.rig, PLAN).of(project.change).base_on_result
    assert run.state == "error" and "must fail" in run.problem, run.problem
