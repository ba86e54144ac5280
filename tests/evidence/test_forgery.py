"""Code under test that attacks its runner from inside: what it cannot do, what is noticed, what is a known limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import Project

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.suite import SuiteReport, run_suite
from workbench.evidence.witness import parse_testimony

PYTEST = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
FAILING = "\ndef test_a():\n    assert 0\n"
PASSING = "\ndef test_a():\n    pass\n"
FORGED = (
    "import atexit, os, sys, json\n"
    "plan = json.load(open(sys.orig_argv[-1]))\n"
    'case = \'<testcase classname="test_a" name="test_a"/>\'\n'
    "def forge():\n"
    "    open(plan['junit'], 'w').write(f'<testsuites><testsuite tests=\"1\">{case}</testsuite></testsuites>')\n"
    "    os._exit(0)\n"
    "atexit.register(forge)\n"
)
ATTACKS = {
    "writing to every inherited descriptor": (
        "import os\nfor fd in range(3, 40):\n"
        "    try:\n        os.write(fd, b'{\"kind\": \"finish\", \"code\": 0}\\n')\n"
        "    except OSError:\n        pass\n" + PASSING
    ),
    "killing the warden and writing its file": (
        "import os, sys, json, signal\nplan = json.load(open(sys.orig_argv[-1]))\n"
        "os.kill(os.getppid(), signal.SIGKILL)\n"
        "os.remove(plan['witness'])\n"
        "open(plan['witness'], 'w').write('{\"kind\": \"seal\", \"mac\": \"00\"}\\n')\n" + PASSING
    ),
    "replacing the file of records": (
        "import os, sys, json\nplan = json.load(open(sys.orig_argv[-1]))\n"
        "text = open(plan['witness']).read()\nos.remove(plan['witness'])\nopen(plan['witness'], 'w').write(text)\n"
        + PASSING
    ),
    "leaving with everything consistent but the witness": FORGED + FAILING,
    "a pytest.exit after forged reports": FORGED + "import pytest\ndef test_a():\n    pytest.exit('x', returncode=0)\n",
}  # fmt: skip


def run(tmp_path: Path, files: dict[str, str]) -> SuiteReport:
    project = Project(tmp_path, files, {})
    with project.rig.workspace(project.change.result) as workspace:
        return run_suite(project.rig, PYTEST, workspace)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_on_the_runner_is_an_error(tmp_path: Path, attack: str) -> None:
    """Whatever reaches the runner's files, pipe or parent makes the run an error, never a pass."""
    report = run(tmp_path, {"test_a.py": ATTACKS[attack]})
    assert report.state == "error", report
    assert report.problem


def test_replacing_the_methods_of_the_witness_changes_nothing(tmp_path: Path) -> None:
    """A plugin that replaces the methods of all other plugins' classes still has its failing test reported."""
    patch = (
        "def pytest_collection_finish(session):\n"
        "    for plugin in session.config.pluginmanager.get_plugins():\n"
        "        if type(plugin).__name__ == 'Plugin':\n"
        "            type(plugin).pytest_runtest_logreport = lambda self, report: None\n"
        "            print('replaced')\n"
    )
    report = run(tmp_path, {"conftest.py": patch, "test_a.py": FAILING})
    assert report.ids("failed") == ["test_a.py::test_a"]


REPLACED = {
    "Function.runtest": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n",
    "the code of a function": (
        "import _pytest.runner\ndef f(item):\n    pass\n_pytest.runner.pytest_runtest_call.__code__ = f.__code__\n"
    ),
    "how reports are made": (
        "import _pytest.reports as r\nmake = r.TestReport.from_item_and_call.__func__\n"
        "def forged(cls, item, call):\n    call.excinfo = None\n    return make(cls, item, call)\n"
        "r.TestReport.from_item_and_call = classmethod(forged)\n"
    ),
}


@pytest.mark.parametrize("part", REPLACED)
def test_product_code_that_replaces_the_runner_is_noticed(tmp_path: Path, part: str) -> None:
    """A product module that makes every test pass from inside is an error; each run alone is green (the control)."""
    base = {"adder.py": "def add(a, b):\n    return a + b\n"}
    base["test_a.py"] = "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    edits = {"adder.py": REPLACED[part] + "def add(a, b):\n    return 0\n"}
    project = Project(tmp_path, base, edits)
    with project.rig.workspace(project.change.result) as workspace:
        alone = run_suite(project.rig, PYTEST, workspace)
    assert alone.state == "passed" and alone.altered
    collected = TestsCollector(project.rig, Behaviour(project.rig, PYTEST)).collect(project.change)
    states = {evidence.kind: evidence.state for evidence in collected.evidence}
    assert states == {"tests.base": "passed", "tests.result": "error", "tests.base-on-result": "error"}


def test_a_runner_that_base_alters_itself_is_no_reproach(tmp_path: Path) -> None:
    """What base's own `conftest.py` replaces is not held against a change that leaves it as it is."""
    base = {"conftest.py": "import _pytest.runner\n_pytest.runner.show_test_item = lambda item: None\n"}
    base |= {"adder.py": "A = 1\n", "test_a.py": "import adder\n\ndef test_a():\n    assert adder.A\n"}
    project = Project(tmp_path, base, {"adder.py": "A = 2\n"})
    behaviour = Behaviour(project.rig, PYTEST)
    assert behaviour.of(project.change).base.altered == ("_pytest.runner.show_test_item",)
    assert behaviour.of(project.change).base_on_result.state == "passed"


@pytest.mark.xfail(strict=True, reason="known limit: code in the runner's process can reach what its closures hold")
def test_a_walk_over_all_objects_is_noticed(tmp_path: Path) -> None:
    """A module that finds the witness by `gc`, turns its words and leaves with a forged report is an error."""
    walk = (
        "import gc, types\n"
        "for f in gc.get_objects():\n"
        "    if isinstance(f, types.FunctionType) and f.__name__ == 'send' and f.__closure__:\n"
        "        cells = dict(zip(f.__code__.co_freevars, f.__closure__))\n"
        "        encode = cells['encode'].cell_contents\n"
        "        def turned(record):\n"
        "            if record['kind'] == 'phase': record.update(outcome='passed', message='', text='')\n"
        "            if record['kind'] == 'finish': record['code'] = 0\n"
        "            return encode(record)\n"
        "        cells['encode'].cell_contents = turned\n"
    )
    assert run(tmp_path, {"test_a.py": FORGED + walk + FAILING}).state == "error"


def test_records_count_only_under_their_seal() -> None:
    """Records under another key, cut off, or with a line more or less are no testimony."""
    import hashlib
    import hmac

    body = b'{"kind": "warden"}\n{"kind": "start", "python": "3"}\n'
    seal = b'{"kind": "seal", "mac": "%s"}\n' % hmac.new(b"k", body, hashlib.sha256).hexdigest().encode()
    assert parse_testimony(body + seal, b"k").problem == "the run was cut off before its end"  # sealed, and unfinished
    for data, key in ((body + seal, b"other"), (body, b"k"), (body[19:] + seal, b"k"), (body + seal + body, b"k")):
        assert "altered" in parse_testimony(data, key).problem
