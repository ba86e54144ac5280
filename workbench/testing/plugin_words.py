"""Looks in a plugin's source for words that no evidence and no finding may have, also where no test comes by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import get_args

from workbench.model.evidence import Criterion, EvidenceState, Grade, Severity
from workbench.pluginhost.bundle import Bundle

MAKERS = {"Finding": ("severity",), "Evidence": ("criterion", "grade", "state"), "evidence": ("criterion", "state")}
WORDS = {"severity": Severity, "criterion": Criterion, "grade": Grade, "state": EvidenceState}


def wrong_words(bundle: Bundle) -> Iterator[str]:
    """A sentence with file and line for each word that the host would refuse, and those that it takes."""
    for path, data in sorted(bundle.files.items()):
        if path.endswith(".py") and not path.rpartition("/")[2].startswith("test_"):
            yield from _in_file(path, data)


def _in_file(path: str, data: bytes) -> Iterator[str]:
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return  # told where it is imported
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        for given in call.keywords:
            if given.arg in MAKERS.get(_name(call.func), ()):
                yield from _of(path, given.arg or "", given.value)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _of(path: str, field: str, value: ast.expr) -> Iterator[str]:
    """Each constant that the value may come to: by itself, or at the ends of conditional expressions."""
    if isinstance(value, ast.IfExp):
        yield from _of(path, field, value.body)
        yield from _of(path, field, value.orelse)
    elif isinstance(value, ast.Constant) and value.value not in (allowed := get_args(WORDS[field])):
        yield f"{path}:{value.lineno}: {field} cannot be {value.value!r:.60}; one of: {', '.join(allowed)}"
