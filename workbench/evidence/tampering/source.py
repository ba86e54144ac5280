"""A Python file of one side of a change, parsed; it judges nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from workbench.evidence.tampering.expressions import constant_truth

MAX_FOLDED = 20  # levels of an expression that are put together
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A Python file of one side, parsed."""

    path: str
    tree: ast.Module
    text: str

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """All nodes of the tree, walked once for all who ask."""
        return tuple(ast.walk(self.tree))

    def functions(self) -> Iterator[Function]:
        """All functions, at any depth."""
        for node in self.nodes:
            if isinstance(node, Function):
                yield node


class Known:
    """The nodes of some kinds that base has, as source; read only once something is looked up."""

    def __init__(self, base: Source | None, *kinds: type[ast.AST]) -> None:
        self._base, self._kinds = base, kinds
        self._texts: frozenset[str] | None = frozenset() if base is None else None

    def __contains__(self, text: str) -> bool:
        if self._texts is None and self._base is not None:
            nodes = (node for node in self._base.nodes if isinstance(node, self._kinds))
            self._texts = frozenset(ast.unparse(node) for node in nodes)
        return text in (self._texts or ())


def run_at_import(statements: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes that importing a module evaluates; a main guard and the bodies of functions are not among them."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If):
            if "__main__" not in ast.unparse(node.test) and constant_truth(node.test) is not False:
                yield from run_at_import(node.body)
            yield from run_at_import(node.orelse)
        elif isinstance(node, ast.Try):
            yield from run_at_import([*node.body, *node.orelse, *node.finalbody])
            for handler in node.handlers:
                yield from run_at_import(handler.body)
        elif isinstance(node, ast.ClassDef):
            yield from run_at_import(node.body)
        else:
            yield from ast.walk(node)


def folded(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """Texts as they are at run time, with their lines: literals, and sums, joins and reversals of literals."""
    for node in nodes:
        text = _text(node)
        if text is not None:
            yield text, getattr(node, "lineno", 0)


def _text(node: ast.AST, depth: int = 0) -> str | None:
    if depth > MAX_FOLDED:
        return None
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = (_text(left, depth + 1), _text(right, depth + 1))
            return None if None in parts else "".join(filter(None, parts))
        case ast.Call(func=ast.Attribute(value=glue, attr="join"), args=[ast.List(elts=items) | ast.Tuple(elts=items)]):
            texts = [_text(item, depth + 1) for item in items]
            between = _text(glue, depth + 1)
            return None if between is None or None in texts else between.join(filter(None, texts))
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=None, step=ast.UnaryOp())):
            text_ = _text(value, depth + 1)
            return None if text_ is None else text_[::-1]
        case _:
            return None
