"""Broken changes that were once found ready, from the command line with the default policy: none is ready now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import Person

from workbench.aee.sandbox.select import probe
from workbench.testing.repositories import Repo

LEVEL = () if probe("bubblewrap").works else ("--sandbox", "none")
ADDER = "def add(a, b):\n    return a + b\n"
BROKEN = "def add(a, b):\n    return 0\n"
TEST = (
    "import json, pathlib\nfrom adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n\n"
    "def test_cases():\n    for a, b, c in json.loads(pathlib.Path('cases.json').read_text()):\n"
    "        assert add(a, b) == c\n"
)
BASE = {"adder.py": ADDER, "cases.json": "[[1, 1, 2]]", "tests/test_adder.py": TEST}
BRIEF = """---
id: sums
title: Keep sums right
behaviour: unchanged
goal: {objective: Sums stay right.}
success_criteria:
  definition_of_done:
    - {id: DOD-1, text: Sums are right., check: {command: "python3 -m pytest -q tests/test_adder.py"}}
---
"""
PLUGIN = (
    "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    "    call.excinfo = None\n    yield\n"
)
ATTACKS = {
    "a plugin by metadata": {
        "adder.py": BROKEN,
        "helper.py": PLUGIN,
        "helper-1.0.dist-info/entry_points.txt": "[pytest11]\nhelper = helper\n",
        "helper-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: helper\nVersion: 1.0\n",
    },
    "pytest in disguise": {
        "adder.py": "import importlib\nmade = importlib.import_module('_py' + 'test.python').Function\n"
        "setattr(made, 'run' + 'test', lambda self: None)\n" + BROKEN
    },
}


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    made = Person(tmp_path / "home")
    yield made
    made.types(tmp_path / "project", "aee", "stop")


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_broken_change_is_not_ready(tmp_path: Path, person: Person, attack: str) -> None:
    """The pack of such a change is not ready, though its clause's own check passes; that of an honest one is ready."""
    repo = Repo(tmp_path / "project")
    repo.commit(BASE)
    heads = {}
    for name, files in (("attack", ATTACKS[attack]), ("honest", {"adder.py": ADDER.replace("a + b", "b + a")})):
        repo.git("checkout", "-q", "-b", name, "main")
        heads[name] = repo.commit(files)
        repo.git("checkout", "-q", "main")
    (tmp_path / "brief.md").write_text(BRIEF)
    said = {}
    for name, head in heads.items():
        words = ("mrp", "build", "--base", "main", "--head", head, "--brief", str(tmp_path / "brief.md"), *LEVEL)
        said[name] = person.types(repo.path, *words)
    verdicts = {name: answer.one["verdict"] for name, answer in said.items()}
    assert verdicts["honest"] == "ready" or LEVEL, said["honest"]  # without a sandbox nothing is
    assert verdicts["attack"] in ("not-ready", "needs-human"), said["attack"]
    states = {piece["kind"]: piece["state"] for piece in said["attack"].one["evidence"]}
    assert states["tests.base-on-result"] in ("failed", "error")
    assert states["clause.DOD-1"] == "passed"  # the control: a plain run of the tests is deceived
