"""The page of all event kinds, read off the source of the event model: classes, fields and the words beside them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from tests.docs.markdown import code, page, table
from workbench.model import events

INTRODUCTION = """
# Events

Everything that happens is an event in the journal, and nothing else changes state. `workbench journal export` and
`workbench log RUN` print events as they are. A kind that a program does not know is kept and shown.
"""
SECTION = re.compile(r"^# --- (?P<name>\S+) -+$", re.MULTILINE)


def text() -> str:
    """The whole page."""
    source = inspect.getsource(events)
    lines = source.splitlines()
    tree = ast.parse(source)
    sections = {source.count("\n", 0, found.start()) + 1: found["name"] for found in SECTION.finditer(source)}
    blocks = [INTRODUCTION]
    shown = ""
    for node in _classes(tree):
        stream = next((name for line, name in sorted(sections.items(), reverse=True) if line < node.lineno), "")
        if stream != shown:
            blocks.append(f"## `{stream}`" if "<" in stream else f"## {stream}")
            shown = stream
        blocks += [f"### {node.name}", ast.get_docstring(node) or "", _fields(node, lines)]
    return page(*blocks)


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """What is written into the journal: payloads, the values in them, and the envelope."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name not in ("Payload", "UnknownPayload"):
            yield node


def _fields(node: ast.ClassDef, lines: list[str]) -> str:
    found = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    rows = [(code(ast.unparse(each.target)), code(ast.unparse(each.annotation)), _default(each), _words(each, lines))
            for each in found if not ast.unparse(each.annotation).startswith("ClassVar")]  # fmt: skip
    return table(("field", "type", "default", "meaning"), rows) if rows else ""


def _default(field: ast.AnnAssign) -> str:
    return "" if field.value is None else code(ast.unparse(field.value))


def _words(field: ast.AnnAssign, lines: list[str]) -> str:
    _, _, words = lines[(field.end_lineno or field.lineno) - 1].partition("  # ")
    return words
