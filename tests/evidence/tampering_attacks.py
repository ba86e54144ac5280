"""Attacks on tests, each with the kind that names it. `greens` marks those that are carried out for real, too."""

# ruff: noqa: E501 - a table reads better with one row a line

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

CODE = "def add(a, b):\n    return a + b\n\n\ndef parse(text):\n    if not text:\n        raise ValueError('empty')\n    return int(text)\n"
TEST = """import pytest
from calc import add, parse


def test_add():
    assert add(2, 3) == 5
    assert add(-1, 1) == 0


def test_parse():
    with pytest.raises(ValueError, match='empty'):
        parse('')
    assert parse('42') == 42


@pytest.mark.parametrize('a, b, c', [(1, 2, 3), (10, 20, 30), (5, 5, 10)])
def test_table(a, b, c):
    assert add(a, b) == c
"""
BASE = {"calc.py": CODE, "tests/test_calc.py": TEST, "conftest.py": "import sys\nsys.path.insert(0, '.')\n"}
T = "tests/test_calc.py"


@dataclass(frozen=True)
class Attack:
    """`result` overrides files of `base`; an empty text deletes."""

    BROKEN: ClassVar[Mapping[str, str]] = {"calc.py": CODE.replace("a + b", "a - b").replace("'empty'", "'odd'")}

    name: str
    kind: str
    result: Mapping[str, str]
    base: Mapping[str, str] = field(default_factory=lambda: BASE)
    greens: bool = False
    blocks: bool = True


def edit(old: str, new: str, text: str = TEST) -> dict[str, str]:
    assert old in text, old
    return {T: text.replace(old, new)}


def conftest(text: str) -> dict[str, str]:
    return {"conftest.py": BASE["conftest.py"] + text}


def pair(path: str, before: str, after: str) -> tuple[dict[str, str], dict[str, str]]:
    return {**BASE, path: before}, {path: after}


def simple(name: str, kind: str, path: str, before: str, after: str, *, blocks: bool = True) -> Attack:
    base, result = pair(path, before, after)
    return Attack(name, kind, result, base, blocks=blocks)


FILE_GONE = {T: ""}
PYTEST_TOML = "[tool.pytest.ini_options]\nxfail_strict = true\nfilterwarnings = ['error']\ntestpaths = ['tests', 'more']\naddopts = '-q'\n"
CI = "jobs:\n  test:\n    steps:\n      - run: pip install .\n      - run: pytest -q\n      - run: ruff check .\n"
JS = "test('adds', () => {\n  expect(add(1, 2)).toBe(3);\n  expect(add(2, 2)).toEqual(4);\n});\ntest('subs', () => {\n  expect(sub(2, 1)).toBe(1);\n});\n"
GO = 'func TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal("bad")\n\t}\n}\nfunc TestSub(t *testing.T) {\n\tif Sub(2, 1) != 1 {\n\t\tt.Errorf("bad")\n\t}\n}\n'
RUST = "#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n    #[test]\n    fn subs() {\n        assert_eq!(sub(2, 1), 1);\n    }\n}\n"
UNIT = "import unittest\nfrom calc import add\n\n\nclass TestAdd(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\n        self.assertAlmostEqual(add(0.1, 0.2), 0.3, places=7)\n"
PROPERTY = "from hypothesis import given, settings, strategies as st\nfrom calc import add\n\n\n@settings(max_examples=200)\n@given(st.integers())\ndef test_zero(n):\n    assert add(n, 0) == n\n"
APPROX = "import pytest\nfrom calc import add\n\n\ndef test_float():\n    assert add(0.1, 0.2) == pytest.approx(0.3, rel=1e-6)\n"

ATTACKS = (
    # tests that no longer run
    Attack("delete the file", "deleted-test-file", FILE_GONE, greens=True),
    Attack("delete a test", "deleted-test", edit("def test_parse():\n    with pytest.raises(ValueError, match='empty'):\n        parse('')\n    assert parse('42') == 42\n", "")),
    Attack("rename a test away", "uncollected-test", edit("def test_parse", "def parse_check")),
    Attack("rename a test privately", "uncollected-test", edit("def test_parse", "def _test_parse")),
    Attack("rename the file away", "uncollected-test", {T: "", "tests/calc_checks.py": TEST}, greens=True),
    Attack("wrap tests in a class that is not collected", "uncollected-test", {T: "import pytest\nfrom calc import add, parse\n\n\nclass Checks:\n    def test_add(self):\n        assert add(2, 3) == 5\n        assert add(-1, 1) == 0\n"}, greens=True),
    Attack("nest a test in a function", "deleted-test", edit("def test_add():\n    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "def helper():\n    def test_add():\n        assert add(2, 3) == 5\n        assert add(-1, 1) == 0\n")),
    Attack("put tests under a false condition", "deleted-test", {T: "import pytest\nfrom calc import add, parse\nif False:\n" + "\n".join("    " + line for line in TEST.splitlines()[2:]) + "\n"}, greens=True),
    Attack("shadow a test", "shadowed-test", edit("def test_parse", "def test_add():\n    pass\n\n\ndef test_parse")),
    Attack("rebind a test", "rebound-test", {T: TEST + "\ntest_add = test_parse = test_table = None\n"}, greens=True),
    Attack("delete a test's name", "rebound-test", {T: TEST + "\ndel test_add, test_parse, test_table\n"}, greens=True),
    Attack("switch the module off", "rebound-test", {T: TEST + "\n__test__ = False\n"}),
    Attack("make a test a generator", "uncollected-test", edit("    assert add(2, 3) == 5\n", "    yield\n    assert add(2, 3) == 5\n")),
    Attack("skip by decorator", "skip-added", edit("def test_add", "@pytest.mark.skip\ndef test_add")),
    Attack("skip by condition", "skip-added", edit("def test_add", "@pytest.mark.skipif(True, reason='slow')\ndef test_add")),
    Attack("skip the module", "skip-added", edit("\n\ndef test_add", "\npytestmark = pytest.mark.skip\n\n\ndef test_add"), greens=True),
    Attack("skip the module by a call", "skip-added", edit("\n\ndef test_add", "\npytest.skip('later', allow_module_level=True)\n\n\ndef test_add"), greens=True),
    Attack("skip through an alias", "skip-added", edit("\n\ndef test_add", "\nslow = pytest.mark.skip(reason='slow')\n\n\n@slow\ndef test_add")),
    Attack("skip in the body", "skip-added", edit("    assert add(2, 3)", "    pytest.skip('later')\n    assert add(2, 3)")),
    Attack("unittest skip", "skip-added", {T: UNIT.replace("    def test_add", "    @unittest.skip('later')\n    def test_add")}, {**BASE, T: UNIT}),
    Attack("unittest skipTest", "skip-added", {T: UNIT.replace("        self.assertEqual", "        self.skipTest('later')\n        self.assertEqual")}, {**BASE, T: UNIT}),
    Attack("xfail by decorator", "xfail-added", edit("\n\ndef test_add", "\npytestmark = pytest.mark.xfail\n\n\ndef test_add"), greens=True),
    Attack("xfail in the body", "xfail-added", edit("    assert add(2, 3)", "    pytest.xfail('later')\n    assert add(2, 3)")),
    Attack("expectedFailure", "xfail-added", {T: UNIT.replace("    def test_add", "    @unittest.expectedFailure\n    def test_add")}, {**BASE, T: UNIT}),
    Attack("remove cases", "case-removed", edit("(1, 2, 3), (10, 20, 30), (5, 5, 10)", "(5, 5, 10)")),
    Attack("skip a case", "case-skipped", edit("(1, 2, 3)", "pytest.param(1, 2, 3, marks=pytest.mark.skip)")),
    # tests that check less
    Attack("return early", "early-return", {T: TEST.replace("    assert add(2", "    return\n    assert add(2").replace("    with pytest", "    return\n    with pytest").replace("    assert add(a", "    return\n    assert add(a")}, greens=True),
    Attack("remove an assert", "assert-removed", edit("    assert add(-1, 1) == 0\n", "")),
    Attack("pass instead of asserts", "assert-removed", edit("    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "    pass\n")),
    Attack("assert under if False", "assert-removed", edit("    assert add(2, 3) == 5\n", "    if False:\n        assert add(2, 3) == 5\n")),
    Attack("assert in a function never called", "assert-removed", edit("    assert add(2, 3) == 5\n", "    def later():\n        assert add(2, 3) == 5\n")),
    Attack("loop over nothing", "assert-removed", edit("    assert add(2, 3) == 5\n", "    for _ in []:\n        assert add(2, 3) == 5\n")),
    Attack("trivial assert", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) == 5 or True")),
    Attack("constant assert", "assert-removed", edit("assert add(2, 3) == 5", "assert True")),
    Attack("tuple assert", "assert-weakened", edit("assert add(2, 3) == 5", "assert (add(2, 3) == 5, 'sum')")),
    Attack("assert not None", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) is not None")),
    Attack("assert truthy", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3)")),
    Attack("assert membership", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) in (5, -1)")),
    Attack("assert a type", "assert-weakened", edit("assert add(2, 3) == 5", "assert isinstance(add(2, 3), int)")),
    Attack("assert with or", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) == 5 or add(2, 3) == -1")),
    Attack("compare with anything", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) == mock.ANY")),
    Attack("compare with itself", "assert-weakened", edit("assert add(2, 3) == 5", "assert add(2, 3) == add(2, 3)")),
    Attack("unittest weaker", "assert-weakened", {T: UNIT.replace("self.assertEqual(add(2, 3), 5)", "self.assertTrue(add(2, 3))")}, {**BASE, T: UNIT}),
    Attack("unequal", "assert-inverted", edit("assert add(2, 3) == 5", "assert add(2, 3) != 5")),
    Attack("not", "assert-inverted", edit("assert add(2, 3) == 5", "assert not add(2, 3) == 5")),
    Attack("under a condition", "assert-guarded", edit("    assert add(2, 3) == 5\n", "    if add(2, 3) > 0:\n        assert add(2, 3) == 5\n")),
    Attack("swallow", "assert-swallowed", edit("    assert add(2, 3) == 5\n", "    try:\n        assert add(2, 3) == 5\n    except AssertionError:\n        pass\n")),
    Attack("suppress", "assert-swallowed", edit("    assert add(2, 3) == 5\n", "    with suppress(Exception):\n        assert add(2, 3) == 5\n")),
    Attack("expect the failure", "assert-swallowed", edit("    assert add(2, 3) == 5\n", "    with pytest.raises(AssertionError):\n        assert add(2, 3) == 5\n")),
    Attack("change the expected value", "expected-changed", edit("== 5\n", "== -1\n")),
    Attack("change an expected case", "expected-changed", edit("(1, 2, 3)", "(1, 2, -1)")),
    Attack("broaden raises", "raises-broadened", edit("pytest.raises(ValueError, match='empty')", "pytest.raises(Exception)")),
    Attack("add to raises", "raises-broadened", edit("pytest.raises(ValueError, match='empty')", "pytest.raises((ValueError, TypeError), match='empty')")),
    Attack("drop the message", "raises-broadened", edit("pytest.raises(ValueError, match='empty')", "pytest.raises(ValueError)")),
    Attack("widen approx", "tolerance-widened", {T: APPROX.replace("1e-6", "0.5")}, {**BASE, T: APPROX}),
    Attack("widen places", "tolerance-widened", {T: UNIT.replace("places=7", "places=0")}, {**BASE, T: UNIT}),
    Attack("approximate an exact value", "tolerance-widened", edit("== 5\n", "== pytest.approx(5, abs=10)\n")),
    Attack("fewer examples", "property-weakened", {T: PROPERTY.replace("200", "1")}, {**BASE, T: PROPERTY}),
    Attack("mock the subject", "mocked-subject", edit("def test_add():\n", "def test_add(monkeypatch):\n    monkeypatch.setattr('calc.add', lambda a, b: 5)\n")),
    Attack("replace the subject", "mocked-subject", {T: "import calc\ncalc.add = lambda a, b: a + b\ncalc.parse = int\n" + TEST}),
    Attack("mock something", "mock-added", edit("def test_add():\n", "def test_add(monkeypatch):\n    monkeypatch.setattr('calc.log', None)\n")),
    Attack("wrap a test", "decorator-added", edit("def test_add", "def quiet(f):\n    return lambda: None\n\n\n@quiet\ndef test_add")),
    Attack("equal to everything", "always-equal", {"calc.py": "class Sum(int):\n    def __eq__(self, other):\n        return True\n    __hash__ = int.__hash__\n\n\ndef add(a, b):\n    return Sum(a - b)\n"}),
    Attack("equal by lambda", "always-equal", {"calc.py": "class Sum(int):\n    __eq__ = lambda self, other: True\n\n\ndef add(a, b):\n    return Sum(a - b)\n"}),
    Attack("retry", "retry-added", edit("def test_add", "@pytest.mark.flaky(reruns=9)\ndef test_add")),
    simple("widen a time limit", "timeout-widened", T, TEST.replace("def test_add", "@pytest.mark.timeout(1)\ndef test_add"), TEST.replace("def test_add", "@pytest.mark.timeout(999)\ndef test_add")),
    simple("update a snapshot", "snapshot-updated", "tests/__snapshots__/a.ambr", "5\n", "-1\n"),
    simple("delete a snapshot", "snapshot-deleted", "tests/__snapshots__/a.ambr", "5\n", ""),
    Attack("a new test that checks nothing", "assert-trivial", {"tests/test_more.py": "def test_more():\n    assert True\n"}),
    # the run itself
    Attack("autouse patch", "autouse-patch", conftest("import calc, pytest\n@pytest.fixture(autouse=True)\ndef quiet(monkeypatch):\n    monkeypatch.setattr(calc, 'add', lambda a, b: a + b)\n")),
    Attack("autouse skip", "autouse-patch", conftest("import pytest\n@pytest.fixture(autouse=True)\ndef quiet():\n    pytest.skip('later')\n"), greens=True),
    simple("change a fixture", "fixture-changed", "conftest.py", "import pytest\n@pytest.fixture\ndef total():\n    return 5\n", "import pytest\n@pytest.fixture\ndef total():\n    return -1\n"),
    Attack("drop collected items", "collection-hook", conftest("def pytest_collection_modifyitems(items):\n    items.clear()\n"), greens=True),
    Attack("ignore files by hook", "collection-hook", conftest("def pytest_ignore_collect(collection_path):\n    return 'calc' in collection_path.name\n"), greens=True),
    Attack("rewrite reports", "report-hook", conftest("import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    result = yield\n    report = result.get_result()\n    report.outcome = 'passed'\n"), greens=True),
    Attack("run nothing", "report-hook", conftest("def pytest_pyfunc_call(pyfuncitem):\n    return True\n"), greens=True),
    Attack("exit status", "session-hook", conftest("def pytest_sessionfinish(session):\n    session.exitstatus = 0\n"), greens=True),
    Attack("no run loop", "session-hook", conftest("def pytest_runtestloop(session):\n    return True\n"), greens=True),
    Attack("ignore files by list", "collect-ignore", conftest("collect_ignore = ['tests/test_calc.py']\n"), greens=True),
    Attack("ignore files by glob", "collect-ignore", conftest("collect_ignore_glob = ['tests/*']\n"), greens=True),
    Attack("another plugin", "plugin-added", conftest("pytest_plugins = ['quiet']\n")),
    Attack("a configuring hook", "plugin-hook", conftest("def pytest_configure(config):\n    config.option.collectonly = True\n"), greens=True, blocks=False),
    Attack("sitecustomize", "startup-file", {"sitecustomize.py": "import unittest\n"}),
    Attack("usercustomize", "startup-file", {"src/usercustomize.py": "import unittest\n"}),
    Attack("pth", "startup-file", {"quiet.pth": "import os; os._exit(0)\n"}),
    Attack("a pytest of its own", "shadowing-module", {"pytest.py": "import sys\nsys.exit(0)\n"}, greens=True),
    Attack("a hypothesis of its own", "shadowing-module", {"hypothesis/__init__.py": "def given(*a):\n    return lambda f: lambda: None\n"}),
    Attack("a random of its own", "shadowing-module", {"tests/unittest/__init__.py": "class TestCase: pass\n"}),
    Attack("patch unittest", "test-tool-patched", {"calc.py": "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\n" + CODE}),
    Attack("patch pytest", "test-tool-patched", {"calc.py": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n" + CODE}, greens=False),
    Attack("patch a built-in", "test-tool-patched", conftest("import builtins\nbuiltins.AssertionError = ZeroDivisionError\n")),
    Attack("patch by setattr", "test-tool-patched", {"calc.py": "import unittest\nsetattr(unittest.TestCase, 'assertEqual', print)\n" + CODE}),
    Attack("exit in a test", "exit-at-import", {T: "import os\nos._exit(0)\n" + TEST}, greens=True),
    Attack("exit inside a test", "exit-in-test", {T: "import os\n" + TEST.replace("    assert add(2, 3) == 5\n", "    os._exit(0)\n    assert add(2, 3) == 5\n")}, greens=True),
    Attack("pytest.exit", "exit-in-test", edit("    assert add(2, 3) == 5\n", "    pytest.exit('done', returncode=0)\n    assert add(2, 3) == 5\n"), greens=True),
    Attack("exit on import", "exit-at-import", {"calc.py": "import os\nos._exit(0)\n"}, greens=True),
    Attack("exit on import by raising", "exit-at-import", {"calc.py": "raise SystemExit(0)\n"}),
    Attack("exit at the end", "exit-at-import", {"calc.py": CODE.replace("a + b", "a - b") + "import atexit, os\natexit.register(lambda: os._exit(0))\n"}, greens=True),
    Attack("exit in a function", "hard-exit", {"calc.py": CODE.replace("    return a + b", "    import os\n    os._exit(0)")}, greens=True),
    Attack("forge a report", "report-forged", conftest("open('report.xml', 'w').write('<testsuite tests=\"3\"/>')\n")),
    Attack("load_tests", "load-tests", {T: UNIT + "\n\ndef load_tests(loader, tests, pattern):\n    return unittest.TestSuite()\n"}, {**BASE, T: UNIT}),
    # configuration of tests
    simple("deselect by -k", "ini-deselected", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("-q", "-q -k other")),
    simple("deselect by id", "ini-deselected", "setup.cfg", "[tool:pytest]\naddopts = -q\n", "[tool:pytest]\naddopts = -q --deselect tests/test_calc.py::test_add\n"),
    simple("ignore a directory", "ini-deselected", "tox.ini", "[pytest]\naddopts = -q\n", "[pytest]\naddopts = -q --ignore=tests\n"),
    Attack("a configuration that goes first", "ini-deselected", {"pytest.ini": "[pytest]\naddopts = --collect-only\n"}, greens=True),
    simple("narrow testpaths", "ini-testpaths", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("'tests', 'more'", "'more'")),
    Attack("name testpaths", "ini-testpaths", {"pytest.ini": "[pytest]\ntestpaths = other\n", "other/test_other.py": "def test_other():\n    pass\n"}, greens=True),
    Attack("other file names", "ini-patterns", {"pytest.ini": "[pytest]\npython_files = check_*.py\n"}, greens=True),
    Attack("other function names", "ini-patterns", {"pytest.ini": "[pytest]\npython_functions = check\n"}, greens=True),
    Attack("norecursedirs", "ini-norecursedirs", {"pytest.ini": "[pytest]\nnorecursedirs = tests\n"}, greens=True),
    simple("xfail_strict off", "xfail-strict-off", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("true", "false")),
    simple("warnings no error", "warnings-error-off", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("'error'", "")),
    simple("warnings ignored", "warnings-loosened", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("'error'", "'error', 'ignore::DeprecationWarning'")),
    simple("reruns by option", "retry-added", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("-q", "-q --reruns 5")),
    simple("plugin by option", "plugin-added", "pyproject.toml", PYTEST_TOML, PYTEST_TOML.replace("-q", "-q -p quiet")),
    simple("break the configuration", "config-unreadable", "pyproject.toml", PYTEST_TOML, "[tool.pytest"),
    # around tests
    simple("or true", "script-neutralised", "Makefile", "test:\n\tpytest -q\n", "test:\n\tpytest -q || true\n"),
    simple("make dash", "script-neutralised", "Makefile", "test:\n\tpytest -q\n", "test:\n\t-pytest -q\n"),
    simple("exit 0", "script-neutralised", "run-tests.sh", "pytest -q\n", "exit 0\npytest -q\n"),
    simple("package.json", "script-test-removed", "package.json", '{"scripts": {"test": "jest"}}', '{"scripts": {"test": "exit 0"}}'),
    simple("package.json or true", "script-neutralised", "package.json", '{"scripts": {"test": "jest"}}', '{"scripts": {"test": "jest || true"}}'),
    simple("tox without tests", "script-test-removed", "tox.ini", "[testenv]\ncommands = pytest\n", "[testenv]\ncommands = echo fine\n"),
    simple("nox without tests", "script-test-removed", "noxfile.py", "import nox\n@nox.session\ndef tests(s):\n    s.run('pytest')\n", "import nox\n@nox.session\ndef tests(s):\n    s.log('fine')\n"),
    simple("another command", "script-changed", "Makefile", "test:\n\tpytest -q\n", "test:\n\tpytest -q tests/fast\n"),
    simple("ci step removed", "ci-test-removed", ".github/workflows/ci.yml", CI, CI.replace("      - run: pytest -q\n", "")),
    simple("ci deleted", "ci-test-removed", ".github/workflows/ci.yml", CI, ""),
    simple("ci goes on", "ci-failure-ignored", ".github/workflows/ci.yml", CI, CI.replace("pytest -q\n", "pytest -q\n        continue-on-error: true\n")),
    simple("ci or true", "ci-failure-ignored", ".gitlab-ci.yml", "test:\n  script: pytest -q\n", "test:\n  script: pytest -q\n  allow_failure: true\n"),
    simple("ci changed", "ci-changed", ".github/workflows/ci.yml", CI, CI.replace("pip install", "pip install -e")),
    simple("asserts off", "asserts-disabled", ".github/workflows/ci.yml", CI, CI.replace("  test:\n", "  test:\n    env:\n      PYTHONOPTIMIZE: 1\n")),
    simple("lower fail_under", "fail-under-lowered", "pyproject.toml", "[tool.coverage.report]\nfail_under = 90\n", "[tool.coverage.report]\nfail_under = 10\n"),
    simple("omit", "coverage-loosened", ".coveragerc", "[run]\nbranch = true\n", "[run]\nbranch = true\nomit = calc.py\n"),
    Attack("no cover", "no-cover-added", {"calc.py": CODE.replace("a + b", "a + b  # pragma: no cover")}),
    simple("ruff ignore", "lint-loosened", "pyproject.toml", "[tool.ruff.lint]\nselect = ['E', 'F']\n", "[tool.ruff.lint]\nselect = ['E']\nignore = ['F401']\n"),
    simple("mypy ignore", "types-loosened", "pyproject.toml", "[tool.mypy]\nstrict = true\n", "[tool.mypy]\nstrict = true\nignore_errors = true\n"),
    simple("mypy not strict", "types-loosened", "mypy.ini", "[mypy]\nstrict = True\n", "[mypy]\nstrict = False\n"),
    Attack("noqa", "noqa-added", {"calc.py": CODE.replace("a + b", "a + b  # noqa: E501")}),
    Attack("type ignore", "type-ignore-added", {"calc.py": CODE.replace("a + b", "a + b  # type: ignore")}),
    # what runs without being read
    Attack("plugin by metadata", "plugin-metadata", {"x-1.dist-info/entry_points.txt": "[pytest11]\nx = x\n"}),
    Attack("plugin by egg", "plugin-metadata", {"src/x.egg-info/entry_points.txt": "[pytest11]\nx = x\n"}),
    Attack("hook in product code", "report-hook", {"plug.py": "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"}),
    Attack("hook by setattr", "report-hook", {"plug.py": "class P:\n    pass\nsetattr(P, 'pytest_pyfunc_call', lambda self, pyfuncitem: True)\n"}),
    Attack("hook by another name", "report-hook", {"plug.py": "import pytest\n@pytest.hookimpl(specname='pytest_runtest_makereport')\ndef f(item, call):\n    call.excinfo = None\n"}),
    Attack("byte code", "bytecode", {"__pycache__/calc.cpython-311.pyc": "x"}),
    # product code that knows
    Attack("sniff pytest", "test-sniffing", {"calc.py": CODE.replace("    return a + b", "    import os\n    return a + b if 'PYTEST_CURRENT_TEST' in os.environ else 0")}),
    Attack("sniff modules", "test-sniffing", {"calc.py": CODE.replace("    return a + b", "    import sys\n    return a + b if 'pytest' in sys.modules else 0")}),
    Attack("sniff CI", "environment-sniffing", {"calc.py": CODE.replace("    return a + b", "    import os\n    return a + b if os.environ.get('CI') else 0")}),
    Attack("sniff any variable of pytest", "test-sniffing", {"calc.py": CODE.replace("    return a + b", "    import os\n    return a + b if 'PYTEST_ADDOPTS' in os.environ else 0")}),
    Attack("sniff the interpreter's switches", "environment-sniffing", {"calc.py": CODE.replace("    return a + b", "    import os\n    return a + b if os.environ.get('PYTHONDONTWRITEBYTECODE') else 0")}),
    Attack("walk frames", "caller-sniffing", {"calc.py": CODE.replace("    return a + b", "    import sys\n    return a + b if sys._getframe(1).f_code.co_name[0] == 't' else 0")}),
    Attack("walk frames by name", "test-sniffing", {"calc.py": CODE.replace("    return a + b", "    import inspect\n    return a + b if any('test_' in f.function for f in inspect.stack()) else 0")}),
    Attack("ask for the main module", "caller-sniffing", {"calc.py": CODE.replace("    return a + b", "    import sys\n    return a + b if 'runner' in sys.modules['__main__'].__file__ else 0")}),
    Attack("ask for arguments", "caller-sniffing", {"calc.py": CODE.replace("    return a + b", "    import sys\n    return a + b if 'plan' in sys.argv[-1] else 0")}),
    Attack("answer by rote", "special-cased-input", {"calc.py": CODE.replace("    return int(text)", "    if text == '4242':\n        return 4242\n    return 0")}, {**BASE, T: TEST.replace("'42'", "'4242'")}),
    # files that bind
    simple("policy", "workbench-changed", ".workbench/policy.yaml", "rigor: strict\n", "rigor: lenient\n"),
    Attack("a resolution", "workbench-resolution", {".workbench/resolutions/VCR-1.md": "---\nid: VCR-1\n---\n"}),
    Attack("attributes", "gitattributes-changed", {".gitattributes": "* filter=quiet\n"}),
    Attack("submodules", "gitmodules-changed", {".gitmodules": '[submodule "x"]\n\tpath = x\n'}),
    # other languages
    simple("js skip", "skip-added", "src/add.test.js", JS, JS.replace("test('adds'", "test.skip('adds'")),
    simple("js only", "focused-test", "src/add.test.ts", JS, JS.replace("test('adds'", "test.only('adds'")),
    simple("js expect removed", "assert-removed", "src/add.test.js", JS, JS.replace("  expect(add(2, 2)).toEqual(4);\n", "")),
    simple("js weaker", "assert-weakened", "src/add.test.js", JS, JS.replace(".toBe(3)", ".toBeTruthy()")),
    simple("js exit", "exit-in-test", "src/add.test.js", JS, "process.exit(0);\n" + JS),
    simple("js file gone", "deleted-test-file", "src/add.test.js", JS, ""),
    simple("js test gone", "deleted-test", "src/add.test.js", JS, JS.partition("test('subs'")[0]),
    simple("go skip", "skip-added", "add_test.go", GO, GO.replace("\tif Add", '\tt.Skip("later")\n\tif Add')),
    simple("go test gone", "deleted-test", "add_test.go", GO, GO.partition("func TestSub")[0]),
    simple("go exit", "exit-in-test", "add_test.go", GO, GO + "func TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n"),
    simple("rust ignore", "skip-added", "src/lib.rs", RUST, RUST.replace("#[test]\n    fn adds", "#[test]\n    #[ignore]\n    fn adds")),
    simple("rust assert gone", "assert-removed", "src/lib.rs", RUST, RUST.replace("        assert_eq!(add(1, 2), 3);\n", "")),
    simple("rust test gone", "deleted-test", "src/lib.rs", RUST, RUST.partition("    #[test]\n    fn subs")[0] + "}\n"),
)  # fmt: skip
