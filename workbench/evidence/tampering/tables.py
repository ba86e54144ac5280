"""Finds what tests no longer go through: tables at the top of their modules that hold less, or may hold nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.source import Function, Source
from workbench.model.evidence import Finding


@dataclass
class _Table:
    """What a name at the top of a module is bound to."""

    line: int
    values: list[ast.expr] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "; ".join(map(ast.unparse, self.values))

    @property
    def filters(self) -> int:
        """Conditions and slices by which it takes less than there is."""
        parts = [part for value in self.values for part in ast.walk(value)]
        conditions = sum(len(part.ifs) for part in parts if isinstance(part, ast.comprehension))
        calls = sum(isinstance(part, ast.Call) and ast.unparse(part.func) in _FILTERS for part in parts)
        return conditions + calls + sum(isinstance(part, ast.Slice) for part in parts)

    @property
    def may_be_empty(self) -> bool:
        """Whether it is empty where something goes wrong."""
        return len(self.values) > 1 and any(map(_is_empty, self.values))


_FILTERS = ("filter", "islice", "itertools.islice", "random.sample", "sample", "takewhile", "itertools.takewhile")


def table_findings(base: Source | None, result: Source) -> Iterator[Finding]:
    """Tables that tests read and that were changed, but for literals, which are told with the tests' cases."""
    if base is None:
        return
    before, after = _tables(base.tree), _tables(result.tree)
    used = _used(result)
    for name, table in after.items():
        was = before.get(name)
        if was is None or name not in used or table.text == was.text:
            continue
        if table.filters > was.filters or (table.may_be_empty and not was.may_be_empty):
            yield found("case-removed", result.path, table.line, detail=f"{name} = {table.text}", blocking=False)
        elif any(isinstance(part, ast.Call) for value in was.values for part in ast.walk(value)):
            yield found("test-data-changed", result.path, table.line, detail=f"{name} = {table.text}")


def _tables(tree: ast.Module) -> dict[str, _Table]:
    tables: dict[str, _Table] = {}
    for node in _top(tree.body):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name) and node.value is not None:
                tables.setdefault(target.id, _Table(node.lineno)).values.append(node.value)
    return tables


def _top(body: list[ast.stmt]) -> Iterator[ast.Assign | ast.AnnAssign]:
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _top(node.body)
            for handler in getattr(node, "handlers", ()):
                yield from _top(handler.body)
            yield from _top(getattr(node, "orelse", []))


def _used(source: Source) -> set[str]:
    """Names that functions and their decorators read."""
    functions = [node for node in source.nodes if isinstance(node, Function)]
    return {part.id for node in functions for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_empty(value: ast.expr) -> bool:
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, ast.List | ast.Tuple | ast.Set):
        return not value.elts
    return isinstance(value, ast.Call) and ast.unparse(value) in ("dict()", "list()", "set()", "tuple()")
