"""Honest changes to tests that lose no check: none of them may block."""

# ruff: noqa: E501 - a table reads better with one row a line

from __future__ import annotations

from tests.evidence.tampering_attacks import APPROX, BASE, CI, CODE, GO, JS, PYTEST_TOML, TEST, UNIT, T

Files = dict[str, str]
HEAD = "import pytest\nfrom calc import add, parse\n\n\n"
PARSE = TEST[TEST.index("def test_parse") : TEST.index("@pytest.mark.parametrize")]

HONEST: dict[str, tuple[Files, Files]] = {
    "move a test to another file": (BASE, {T: TEST.replace(PARSE, ""), "tests/test_parse.py": HEAD + PARSE}),
    "move the whole file": (BASE, {T: "", "tests/unit/test_calc.py": TEST}),
    "rename a test": (BASE, {T: TEST.replace("def test_add", "def test_that_sums_are_right")}),
    "add tests": (BASE, {T: TEST + "\n\ndef test_more():\n    assert add(7, 8) == 15\n"}),
    "add a check": (BASE, {T: TEST.replace("    assert add(-1, 1) == 0\n", "    assert add(-1, 1) == 0\n    assert add(0, 0) == 0\n")}),
    "reformat": (BASE, {T: TEST.replace("'", '"').replace("add(2, 3) == 5", "(\n        add(2, 3)\n        == 5\n    )")}),
    "add comments and docstrings": (BASE, {T: TEST.replace("def test_add():\n", 'def test_add():\n    """Sums."""\n    # two and three\n')}),
    "name a value": (BASE, {T: TEST.replace("    assert add(2, 3) == 5", "    total = add(2, 3)\n    assert total == 5")}),
    "swap sides": (BASE, {T: TEST.replace("assert add(2, 3) == 5", "assert 5 == add(2, 3)")}),
    "add a message": (BASE, {T: TEST.replace("add(2, 3) == 5", "add(2, 3) == 5, 'two and three'")}),
    "reorder checks": (BASE, {T: TEST.replace("    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "    assert add(-1, 1) == 0\n    assert add(2, 3) == 5\n")}),
    "split a test": (BASE, {T: TEST.replace("    assert add(-1, 1) == 0\n", "\n\ndef test_negative():\n    assert add(-1, 1) == 0\n")}),
    "merge checks": (BASE, {T: TEST.replace("    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "    assert (add(2, 3), add(-1, 1)) == (5, 0)\n")}),
    "join by and": (BASE, {T: TEST.replace("    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "    assert add(2, 3) == 5 and add(-1, 1) == 0\n")}),
    "make a table of a test": (BASE, {T: TEST.replace("def test_add():\n    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "@pytest.mark.parametrize('a, b, c', [(2, 3, 5), (-1, 1, 0)])\ndef test_add(a, b, c):\n    assert add(a, b) == c\n")}),
    "add cases": (BASE, {T: TEST.replace("(5, 5, 10)", "(5, 5, 10), (0, 0, 0)")}),
    "name a case": (BASE, {T: TEST.replace("(5, 5, 10)", "pytest.param(5, 5, 10, id='ten')")}),
    "tighten a check": (BASE, {T: TEST.replace("add(2, 3) == 5", "add(2, 3) is 5")}),
    "tighten an exception": ({**BASE, T: TEST.replace(", match='empty'", "")}, {T: TEST}),
    "tighten a tolerance": ({**BASE, T: APPROX}, {T: APPROX.replace("1e-6", "1e-9")}),
    "from unittest to pytest": ({**BASE, T: UNIT}, {T: "from calc import add\nimport pytest\n\n\ndef test_add():\n    assert add(2, 3) == 5\n    assert add(0.1, 0.2) == pytest.approx(0.3, abs=1e-7)\n"}),
    "into a class": (BASE, {T: TEST.replace("def test_add():\n    assert add(2, 3) == 5\n    assert add(-1, 1) == 0\n", "class TestAdd:\n    def test_add(self):\n        assert add(2, 3) == 5\n        assert add(-1, 1) == 0\n")}),
    "through a helper": (BASE, {T: TEST.replace("def test_add():\n    assert add(2, 3) == 5\n", "def check_sum(a, b, total):\n    assert add(a, b) == total\n\n\ndef test_add():\n    check_sum(2, 3, 5)\n")}),
    "remove a skip": ({**BASE, T: TEST.replace("def test_add", "@pytest.mark.skip\ndef test_add")}, {T: TEST}),
    "add a marker": (BASE, {T: TEST.replace("def test_add", "@pytest.mark.slow\ndef test_add")}),
    "change the code alone": (BASE, {"calc.py": CODE.replace("a + b", "b + a")}),
    "a main function that exits": (BASE, {"main.py": "import sys\n\n\ndef main():\n    sys.exit(run())\n\n\nif __name__ == '__main__':\n    main()\n"}),
    "an ordinary equality": (BASE, {"calc.py": CODE + "\n\nclass P:\n    def __eq__(self, other):\n        if not isinstance(other, P):\n            return NotImplemented\n        return True if self is other else self.x == other.x\n"}),
    "a module beside others": (BASE, {"pkg/logging.py": "x = 1\n", "pkg/__init__.py": "x = 1\n"}),
    "a fixture": (BASE, {"conftest.py": BASE["conftest.py"] + "import pytest\n\n\n@pytest.fixture\ndef total():\n    return 5\n"}),
    "an autouse fixture for a directory": (BASE, {"conftest.py": BASE["conftest.py"] + "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef place(tmp_path):\n    yield tmp_path\n"}),
    "a stricter configuration": ({**BASE, "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q'\n"}, {"pyproject.toml": PYTEST_TOML.replace("testpaths = ['tests', 'more']\n", "")}),
    "another dependency": ({**BASE, "pyproject.toml": PYTEST_TOML}, {"pyproject.toml": "[project]\nname = 'calc'\n" + PYTEST_TOML}),
    "another ci step": ({**BASE, ".github/workflows/ci.yml": CI}, {".github/workflows/ci.yml": CI + "      - run: mypy .\n"}),
    "another make target": ({**BASE, "Makefile": "test:\n\tpytest -q\n"}, {"Makefile": "test:\n\tpytest -q\n\ndocs:\n\tsphinx-build . out\n"}),
    "js test added": ({**BASE, "src/a.test.js": JS}, {"src/a.test.js": JS + "test('more', () => {\n  expect(add(0, 0)).toBe(0);\n});\n"}),
    "js test moved": ({**BASE, "src/a.test.js": JS}, {"src/a.test.js": "", "src/b.test.js": JS}),
    "go test renamed": ({**BASE, "add_test.go": GO}, {"add_test.go": GO.replace("TestAdd", "TestSum")}),
}  # fmt: skip
