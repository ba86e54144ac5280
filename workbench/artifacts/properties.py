"""What can be said of a property before it is tried: whether values and expressions can be read; it runs nothing."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.artifacts import fields as f
from workbench.artifacts import strategies
from workbench.artifacts.problem_list import quoted

MAX_EXPRESSION = 2_000  # characters
MAX_LAWS = 100  # of one brief: each is tried for its whole time, one after the other


def is_path(holds: str) -> bool:
    """Whether it names a function and is no expression."""
    return re.fullmatch(strategies.PATH, holds.strip()) is not None


def complaints(law: Mapping[str, Any], where: f.Path) -> Iterator[f.Complaint]:
    """What is wrong with the plain data of a property."""
    given = law.get("given", {})
    if not given and isinstance(law.get("given"), dict):
        text, remedy = "a property is given nothing", "name values, such as `n: integers`, or write a `check`"
        yield f.Complaint(where=(*where, "given"), text=text, remedy=remedy)
    for name, text in given.items():
        yield from _given(name, text, (*where, "given", name))
    if not law.get("holds", "-").strip():
        yield f.Complaint(where=(*where, "holds"), text="nothing has to hold", remedy="write a Python expression")
    used: set[str] = set()
    for field in ("holds", "when"):
        expression = law.get(field, "")
        if expression.strip() and not (field == "holds" and is_path(expression)):
            names, problem = _names(expression)
            used |= names
            if problem:
                remedy = (
                    "write a Python expression, or MODULE:FUNCTION" if field == "holds" else "write a Python expression"
                )
                yield f.Complaint(where=(*where, field), text=problem, remedy=remedy)
                return
    yield from _loose(law, given, used, where)


def _given(name: str, text: str, where: f.Path) -> Iterator[f.Complaint]:
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
        yield f.Complaint(where=where, text=f"{quoted(name)} is no name in Python", remedy="use letters, digits and _")
    try:
        strategies.parse(text)
    except strategies.ValuesInvalid as error:
        said = f"{quoted(name)} cannot be read: {error.text}"
        yield f.Complaint(where=where, text=said, remedy=error.remedy, offset=error.offset)


def _names(expression: str) -> tuple[set[str], str]:
    """The names that it uses, or why it is no expression."""
    if len(expression) > MAX_EXPRESSION:
        return set(), f"it has {len(expression)} characters, and at most {MAX_EXPRESSION} are read"
    try:
        tree = ast.parse(expression.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return set(), f"this is no expression: {getattr(error, 'msg', '') or type(error).__name__}"
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}, ""


def _loose(law: Mapping[str, Any], given: Mapping[str, str], used: set[str], where: f.Path) -> Iterator[f.Complaint]:
    """Names that nothing gives, and what is given and not used."""
    if not law.get("holds", "").strip() or is_path(law["holds"]):
        return
    for name in given:
        if name not in used:
            text = f"{quoted(name)} is given, and `holds` does not use it"
            yield f.Complaint(
                where=(*where, "given", name), text=text, remedy="use it, or leave it out", severity="warning"
            )
    if not law.get("module") and not used - set(given) - set(dir(builtins)):
        text = "this says nothing of the program: it uses no module"
        remedy = "name the module with `module:`"
        yield f.Complaint(where=(*where, "holds"), text=text, remedy=remedy, severity="warning")
