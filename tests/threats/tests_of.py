"""Which test functions play threats, read off the tests' text: nothing is imported, nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.threats.catalogue import Part, part_of

ROOT = Path(__file__).parents[2]


def played() -> dict[str, Part]:
    """The tests that play a threat, by their ids without parameters."""
    return {node: part for node, part in _all_tests() if part.threats}


def known() -> set[str]:
    """All tests and files of tests."""
    nodes = {node for node, _ in _all_tests()}
    return nodes | {node.partition("::")[0] for node in nodes}


def _all_tests() -> Iterator[tuple[str, Part]]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT).as_posix()
        if file.startswith(("tests/soak/", "tests/bench/")):
            continue
        module = ast.parse(path.read_text())
        for item in module.body:
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name.startswith("test_"):
                node = f"{file}::{item.name}"
                yield node, part_of(node, doc=ast.get_docstring(item) or "", module_doc=ast.get_docstring(module) or "")
