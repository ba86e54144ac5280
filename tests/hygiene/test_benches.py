"""Each benchmark can be run by its name, and those that are named are there."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.hygiene.tracked import ROOT

BENCHES = sorted(path for path in (ROOT / "tests/bench").glob("*.py") if not path.name.startswith("_"))


def test_all_benchmarks_are_found() -> None:
    """`python -m tests.bench --list` names every module beside it, and an unknown name is refused."""
    command = [sys.executable, "-m", "tests.bench"]
    listed = subprocess.run([*command, "--list"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [path.stem for path in BENCHES]
    assert subprocess.run([*command, "--only", "frob"], cwd=ROOT, capture_output=True).returncode == 2


@pytest.mark.parametrize("path", BENCHES, ids=lambda path: path.stem)
def test_a_benchmark_starts_with_main(path: object) -> None:
    """A benchmark has a `main`, and calls it only when it is run."""
    tree = ast.parse((ROOT / str(path)).read_text(encoding="utf-8"))
    assert "main" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert isinstance(tree.body[-1], ast.If)
