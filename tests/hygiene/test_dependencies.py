"""Each dependency has a reason, is used, and is declared where it is used."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.hygiene.tracked import ROOT, modules

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
NAME = re.compile(r"[A-Za-z0-9._-]+")
# Not imported, but started or loaded by name: where that is said.
BY_NAME = {
    "ruff": "workbench/evidence/lint.py",
    "mypy": ".ci/run",
    "import-linter": ".ci/run",
    "pytest-randomly": "pyproject.toml",
    "pytest-rerunfailures": "tests/conftest.py",
    "pytest-timeout": "pyproject.toml",
    "pytest-xdist": "README.md",
    "hatchling": "tests/hygiene/test_wheel.py",
    "freezegun": "tests/endtoend",
    "tree-sitter-python": "workbench/code/languages.py",
    "tree-sitter-javascript": "workbench/code/languages.py",
    "tree-sitter-typescript": "workbench/code/languages.py",
    "tree-sitter-go": "workbench/code/languages.py",
    "tree-sitter-rust": "workbench/code/languages.py",
}
GUESTS = {ROOT / "workbench/evidence/machinery.py"}  # runs in a project's test runner, and finds that one there
PROGRAMS = {
    "import-linter": "lint-imports",
    "pytest-rerunfailures": "flaky(reruns=",
    "pytest-timeout": "timeout = ",
    "pytest-xdist": "pytest -n ",
    "freezegun": "itsdangerous",
    "tree-sitter-python": "tree_sitter_python",
    "tree-sitter-javascript": "tree_sitter_javascript",
    "tree-sitter-typescript": "tree_sitter_typescript",
    "tree-sitter-go": "tree_sitter_go",
    "tree-sitter-rust": "tree_sitter_rust",
}


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(*, dev: bool) -> set[str]:
    """The distributions that the project asks for."""
    project = tomllib.loads(PYPROJECT)["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"]["dev"] if dev else [])
    return {normal(found.group(0)) for each in wanted if (found := NAME.match(each))}


@cache
def imported(room: str) -> dict[str, str]:
    """Each foreign distribution that a room imports, and one module that does."""
    owners = packages_distributions()
    found: dict[str, str] = {}
    for path in set(modules(room)) - GUESTS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _names(node):
                for owner in owners.get(name.partition(".")[0], []):
                    found.setdefault(normal(owner), str(path.relative_to(ROOT)))
    return found


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


def test_each_dependency_says_why() -> None:
    """The line of each dependency in pyproject.toml ends with the reason for it."""
    lines = [line for line in PYPROJECT.splitlines() if re.match(r'\s+"[A-Za-z0-9._-]+(\[.*\])?[<>=~!].*",', line)]
    assert len(lines) == len(declared(dev=True))
    assert [line for line in lines if not re.search(r'",\s+# \w+', line)] == []


@pytest.mark.parametrize("name", sorted(declared(dev=True)))
def test_each_dependency_is_used(name: str) -> None:
    """A dependency is imported, or started by its name, or holds the types of one that is."""
    used = imported("workbench").keys() | imported("tests").keys() | BY_NAME.keys()
    assert name in used or name.removeprefix("types-") in used


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_what_is_started_by_name_is_named_there(name: str) -> None:
    """The place that is said to start a program, or to load a plugin, names it."""
    place = ROOT / BY_NAME[name]
    files = [path for path in place.rglob("*") if path.suffix in (".py", ".patch")] if place.is_dir() else [place]
    assert any(PROGRAMS.get(name, name) in path.read_text(encoding="utf-8") for path in files)


def test_what_the_program_imports_is_declared() -> None:
    """The program needs nothing that its installation would not bring; tests may also use the `dev` extra."""
    own = {"sase-workbench"}
    assert imported("workbench").keys() - own <= declared(dev=False)
    assert imported("tests").keys() - own <= declared(dev=True) | {"grimp"}  # import-linter's own graph
    assert sys.version_info >= (3, 11)
