"""Marks change nothing but what is measured: however code is loaded, it runs, looks and fails as without them."""

# ruff: noqa: E501  # programs as text
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Project

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.coverage import CoverageCollector
from workbench.model.evidence import Evidence
from workbench.testing.changes import TreeChange

PYTEST = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
PART = '"""Doc."""\nfrom __future__ import annotations\n\ndef part(n):\n    """What."""\n    if n:\n        return n\n    raise KeyError(n)\n'
LINES = [2, 4, 6, 7, 8]  # its statements

# A test's body, by the way in which it comes to call `part`; all lines are executed.
CALLS = "    assert part(1) == 1\n    with pytest.raises(KeyError) as e:\n        part(0)\n    assert e.traceback[-1].lineno == 7\n"
WAYS = {
    "import": "from part import part\n",
    "reload": "import importlib, part as m\nm = importlib.reload(m)\npart = m.part\n",
    "exec": "names = {}\nexec(compile(open('part.py').read(), 'part.py', 'exec'), names)\npart = names['part']\n",
    "tree": "import ast\nn = {}\nexec(compile(ast.parse(open('part.py').read()), 'part.py', 'exec'), n)\npart = n['part']\n",
    "runpy.run_path": "import runpy\npart = runpy.run_path('part.py')['part']\n",
    "runpy.run_module": "import runpy\npart = runpy.run_module('part')['part']\n",
    "other globals": "import types, part as m\npart = types.FunctionType(m.part.__code__, {})\n",
    "own loader": "import importlib.util as u, pathlib\ns = u.spec_from_file_location('other', pathlib.Path('part.py').resolve())\n"
    "m = u.module_from_spec(s)\ns.loader.exec_module(m)\npart = m.part\n",
    "thread": "import threading, part as m\ndef part(n):\n    got = []\n    t = threading.Thread(target=lambda: got.append(m.part(n)))\n"
    "    t.start(); t.join()\n    return got[0] if n else m.part(n)\n",
    "assertion rewriting": "pytest.register_assert_rewrite('part')\nfrom part import part\n",
    "stale byte code": "import pathlib, py_compile, os, importlib, sys\nnew = pathlib.Path('part.py').read_text()\n"
    "pathlib.Path('part.py').write_text(new.replace('return n', 'return 5'))\nos.utime('part.py', (1, 1))\n"
    "real, sys.dont_write_bytecode = sys.dont_write_bytecode, False\npy_compile.compile('part.py', doraise=True)\n"
    "pathlib.Path('part.py').write_text(new.replace('return n', 'return n'))\nos.utime('part.py', (2, 2))\nfrom part import part\n",
}


def evidence_of(tmp_path: Path, edits: dict[str, str], base: dict[str, str] | None = None) -> Evidence:
    project = Project(
        tmp_path, {"README": "x\n", "test_nothing.py": "def test_nothing(): pass\n", **(base or {})}, edits
    )
    (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, PYTEST)).collect(project.change).evidence
    return evidence


@pytest.mark.parametrize("way", WAYS)
def test_lines_are_seen_however_the_code_is_loaded(tmp_path: Path, way: str) -> None:
    """Imported, reloaded, compiled by hand, run by path, rewritten by pytest or with byte code left: all is measured."""
    test = f"import pytest\n{WAYS[way]}\ndef test_part():\n{CALLS}"
    evidence = evidence_of(tmp_path, {"part.py": PART, "tests/test_part.py": test})
    assert evidence.facts["files"]["part.py"] == {"covered": LINES, "uncovered": []}, evidence.summary


SAME = """
import inspect, linecache, pathlib, pickle, subprocess, sys, traceback, warnings
import part

def test_looks():
    assert part.__doc__ == "Doc." and part.part.__doc__ == "What."
    assert inspect.getsource(part) == pathlib.Path("part.py").read_text()
    assert inspect.getsource(part.part).startswith("def part(n):") and inspect.getsource(part.part).endswith("KeyError(n)\\n")
    assert part.part.__code__.co_firstlineno == 4 and part.part.__annotations__ == {}
    assert [n for n in vars(part) if not n.startswith("__")] == ["annotations", "part"]
    assert hash(part.part.__code__)

def test_traceback():
    try:
        part.part(0)
    except KeyError as error:
        frames = traceback.extract_tb(error.__traceback__)
    assert (frames[-1].lineno, frames[-1].line) == (8, "raise KeyError(n)")

def test_no_byte_code_with_marks_is_left():
    sys.dont_write_bytecode = False
    import importlib
    importlib.reload(part)
    sys.dont_write_bytecode = True
    assert not list(pathlib.Path("__pycache__").glob("part.*"))

def test_another_process_can_use_what_was_compiled_here():
    import marshal, py_compile
    py_compile.compile("part.py", cfile="other.pyc", doraise=True)
    code = "import marshal; n = {'__name__': 'x'}; exec(marshal.loads(open('other.pyc', 'rb').read()[16:]), n); print(n['part'](3))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "3\\n"

def test_compile_is_as_it_was():
    names = {}
    exec("from __future__ import annotations\\ncode = compile('def f(a: b): 1', '<x>', 'exec')\\nexec(code)", names)
    assert names["f"].__annotations__ == {"a": "b"}
    exec(compile("def g(a: int): 1", "<x>", "exec"), names)
    assert names["g"].__annotations__ == {"a": int}
    assert compile("1 + 1", filename=b"part.py", mode="eval")
    try:
        compile("def (", "part.py", "exec")
    except SyntaxError as error:
        assert (error.filename, error.lineno) == ("part.py", 1)
"""


def test_the_code_looks_as_without_marks(tmp_path: Path) -> None:
    """Docstrings, source, annotations, names, traceback lines and byte code are those of the file."""
    evidence = evidence_of(tmp_path, {"part.py": PART, "tests/test_part.py": SAME})
    project = Project(tmp_path / "run", {}, {"part.py": PART, "tests/test_part.py": SAME})
    report = Behaviour(project.rig, PYTEST).of(project.change).result
    assert report.state == "passed", [(outcome.id, outcome.message, outcome.frame) for outcome in report.outcomes]
    assert evidence.facts["files"]["part.py"]["uncovered"] == [7]


ODD = "class Any(dict):\n    def __missing__(self, key):\n        return 'made'\n\n\nclass Meta(type):\n    def __prepare__(*_):\n"
ODD += "        return Any()\n\n\nclass Words(metaclass=Meta):\n    'Doc.'\n    first = second\n\n\ndef word():\n    return Words.first, vars()\n"


def test_a_class_body_that_makes_up_its_names_is_left_alone(tmp_path: Path) -> None:
    """A mark is not looked up where any name has a value."""
    test = "from part import word, Words\n\ndef test_word():\n    assert word() == ('made', {}) and Words.__doc__ == 'Doc.'\n"
    evidence = evidence_of(tmp_path, {"part.py": ODD, "tests/test_part.py": test})
    assert (evidence.state, evidence.facts["percent"]) == ("passed", 100.0), evidence


def test_a_namespace_package_and_another_encoding(tmp_path: Path) -> None:
    """A file of a package without `__init__.py`, in an encoding of its own, is measured."""
    text = "# -*- coding: latin-1 -*-\ndef part():\n    return 'ascii'\n"
    test = "from room.part import part\n\ndef test_part():\n    assert part() == 'ascii'\n"
    project = Project(tmp_path, {"README": "x\n"}, {})
    tree = {"README": b"x\n", "tests/test_part.py": test.replace("ascii", "\\xe9").encode()}
    tree["room/part.py"] = text.replace("ascii", "\xe9").encode("latin-1")
    project.change = TreeChange(project.base, tree)
    project.commits.add(project.change.result, tree)
    (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, PYTEST)).collect(project.change).evidence
    assert evidence.facts["files"]["room/part.py"] == {"covered": [2, 3], "uncovered": []}, evidence.summary


UNMEASURED = {
    "past": ("def part():\n    pass\n", "import sys, types, os\nm = types.ModuleType('part')\nm.__file__ = os.path.abspath('part.py')\nsys.modules['part'] = m\n"),
    "deep": (f"x = {'-' * 1500}1\n", "import part\n"),
    "broken": ("def part(:\n", ""),
}  # fmt: skip
REASONS = {
    "past": "part.py: it was loaded past the measuring",
    "deep": "part.py: it could not be marked: RecursionError",
    "broken": "part.py: ",
}


@pytest.mark.parametrize("case", UNMEASURED)
def test_what_cannot_be_measured_is_named_and_never_told_as_uncovered(tmp_path: Path, case: str) -> None:
    """A file that was loaded some other way, or cannot take marks or be read, is `not-checked`, with its name."""
    text, loading = UNMEASURED[case]
    test = f"{loading}\ndef test_part():\n    pass\n"
    evidence = evidence_of(tmp_path, {"part.py": text, "tests/test_part.py": test})
    assert evidence.state == "not-checked" and REASONS[case] in evidence.summary
    assert "files" not in evidence.facts


def test_a_file_that_was_imported_before_is_named(tmp_path: Path) -> None:
    """What the environment imports at its start, before anything is measured, is a problem of that file alone."""
    (tmp_path / "early.py").write_text("x = 1\n")
    (tmp_path / "late.py").write_text("x = 1\n")
    root = Path(__file__).parents[2]
    code = "import early\nfrom workbench.evidence.probes import Probes\n"
    code += "p = Probes([f'{d}/early.py', f'{d}/late.py'])\np.install()\nimport late\nprint(p.problems(), p.hits())\n"
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{root}"}
    ended = subprocess.run(
        [sys.executable, "-c", f"d = {str(tmp_path)!r}\n{code}"], env=env, capture_output=True, text=True
    )
    early, late = f"{tmp_path}/early.py", f"{tmp_path}/late.py"
    assert ended.stdout == f"{ {early: 'it was imported before the measuring began'} } { {early: [], late: [1]} }\n", (
        ended.stderr
    )


def test_code_under_test_cannot_say_that_a_line_is_no_statement(tmp_path: Path) -> None:
    """Which lines count is read from the commit: a file that the tests rewrite keeps its statements."""
    test = "import pathlib\n\ndef test_part():\n    pathlib.Path('part.py').write_text('# nothing\\n')\n"
    evidence = evidence_of(tmp_path, {"part.py": PART, "tests/test_part.py": test})
    assert evidence.facts["files"]["part.py"] == {"covered": [], "uncovered": LINES}


def test_another_compile_is_noticed(tmp_path: Path) -> None:
    """Code that puts a `compile` of its own in the place of ours is an alteration of the runner."""
    evil = PART + "import builtins\nreal = builtins.compile\nbuiltins.compile = lambda *a, **k: real(*a, **k)\n"
    test = "from part import part\n\ndef test_part():\n    assert part(1)\n"
    project = Project(
        tmp_path, {"README": "x\n", "test_a.py": "def test_a(): pass\n"}, {"part.py": evil, "tests/test_part.py": test}
    )
    assert "builtins.compile" in Behaviour(project.rig, PYTEST).of(project.change).result.problem
