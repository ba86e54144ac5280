"""Reads the checks out of one Python test, in order, with the conditions under which each stands.

It compares nothing (`weakening` does) and never runs what it reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from workbench.evidence.tampering.expressions import (
    BROAD_EXCEPTIONS,
    RAISES,
    TRIVIAL,
    Check,
    call_checks,
    constant_truth,
    ending_call,
    expression_checks,
    is_check_call,
    last_name,
    raises_check,
)

SWALLOWING = BROAD_EXCEPTIONS | {"AssertionError"}
MAX_INLINE_DEPTH = 3  # levels of naming that are followed; more would only blur the finding
MAX_INLINED = 50  # names put in per check, so that hostile source cannot grow without bound
MAX_INLINED_LENGTH = 300  # characters of an expression that is still put in for its name


@dataclass(frozen=True)
class Body:
    """What a test function does: its checks in order, and where it gives up before some of them."""

    checks: tuple[Check, ...]
    returns_at: int = 0  # the line of an unconditional end before checks; 0 when there is none
    skips: tuple[tuple[str, int], ...] = ()  # (skip | xfail | exit, line) for calls in the body
    yields: bool = False


def read_body(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Body:
    """The checks of `function`. Raises RecursionError on absurdly nested source."""
    reader = _Reader(function)
    reader.block(function.body)
    return Body(tuple(reader.checks), reader.returns_at, tuple(reader.skips), _yields(function))


def _yields(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


@dataclass
class _Where:
    guards: int = 0
    swallowed: bool = False


class _Reader:
    """Walks a function's statements in order and keeps what it finds."""

    def __init__(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.checks: list[Check] = []
        self.skips: list[tuple[str, int]] = []
        self.returns_at = 0
        self._inline = _Inline(_bound_once(function))
        self._called = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}

    def block(self, statements: Sequence[ast.stmt], where: _Where | None = None) -> None:
        where = where or _Where()
        for index, statement in enumerate(statements):
            self._statement(statement, where)
            if self._ends(statement):
                self._dead(statements[index + 1 :], statement.lineno, where)
                return
            if isinstance(statement, ast.If) and statement.body and self._ends(statement.body[-1]):
                where = replace_guard(where)  # the rest is reached only where the condition does not hold

    def _dead(self, rest: Sequence[ast.stmt], line: int, where: _Where) -> None:
        checks = any(isinstance(node, ast.Assert) or is_check_call(node) for s in rest for node in ast.walk(s))
        if checks and not where.guards:
            self.returns_at = self.returns_at or line

    def _ends(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return ending_call(statement.value) is not None
        return isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break)

    def _statement(self, statement: ast.stmt, where: _Where) -> None:
        match statement:
            case ast.Assert():
                self._keep(expression_checks(self._inline.of(statement.test), statement.lineno), where)
            case ast.Expr(value=ast.Call() as call):
                self._call(call, where)
            case ast.If():
                self._if(statement, where)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(statement, where)
            case ast.With() | ast.AsyncWith():
                self._with(statement, where)
            case ast.Try() | ast.TryStar():
                self._try(statement, where)
            case ast.FunctionDef() | ast.AsyncFunctionDef() if statement.name in self._called:
                self.block(statement.body, where)
            case ast.Raise(exc=raised) if raised is not None and "SkipTest" in ast.unparse(raised):
                self.skips.append(("skip", statement.lineno))
            case ast.Match():
                for arm in statement.cases:
                    self.block(arm.body, replace_guard(where))
            case _:
                pass

    def _keep(self, checks: Iterator[Check], where: _Where) -> None:
        self.checks += [replace(check, guards=where.guards, swallowed=where.swallowed) for check in checks]

    def _call(self, call: ast.Call, where: _Where) -> None:
        ending = ending_call(call) or _marked_by(call)
        if ending:
            self.skips.append((ending, call.lineno))
        inlined = self._inline.of(call) if is_check_call(call) else None
        if isinstance(inlined, ast.Call):
            self._keep(call_checks(inlined, call.lineno), where)

    def _if(self, statement: ast.If, where: _Where) -> None:
        constant = constant_truth(statement.test)
        inner = where if constant is not None else replace_guard(where)
        if constant is not False:
            self.block(statement.body, inner)
        if constant is not True:
            self.block(statement.orelse, inner)

    def _loop(self, statement: ast.For | ast.AsyncFor | ast.While, where: _Where) -> None:
        if isinstance(statement, ast.While):
            empty = constant_truth(statement.test) is False
        else:
            empty = isinstance(statement.iter, ast.List | ast.Tuple) and not statement.iter.elts
        once = any(isinstance(inner, ast.Break) for inner in statement.body)
        if not empty:
            self.block(statement.body, replace_guard(where) if once else where)
        self.block(statement.orelse, where)

    def _with(self, statement: ast.With | ast.AsyncWith, where: _Where) -> None:
        inner = where
        for item in statement.items:
            call = item.context_expr
            if not isinstance(call, ast.Call):
                continue
            name = last_name(call.func)
            if name in RAISES:
                check = raises_check(call, statement.lineno)
                by_itself = isinstance(statement.body[0], ast.Raise)
                self._keep(iter([replace(check, op="trivial", strength=TRIVIAL) if by_itself else check]), where)
            if name in RAISES | {"suppress"} and _catches_assertions(call.args):
                inner = replace(inner, swallowed=True)
        self.block(statement.body, inner)

    def _try(self, statement: ast.Try | ast.TryStar, where: _Where) -> None:
        swallows = any(_swallows(handler) for handler in statement.handlers)
        self.block(statement.body, replace(where, swallowed=where.swallowed or swallows))
        for handler in statement.handlers:
            self.block(handler.body, replace_guard(where))
        self.block(statement.orelse, where)
        self.block(statement.finalbody, where)


def _marked_by(call: ast.Call) -> str | None:
    """`skip` or `xfail` for a call that puts such a mark on the running test."""
    if last_name(call.func) not in ("applymarker", "add_marker"):
        return None
    given = " ".join(ast.unparse(argument) for argument in call.args)
    return "xfail" if "xfail" in given else "skip" if "skip" in given else None


def replace_guard(where: _Where) -> _Where:
    """The same place under one more condition."""
    return replace(where, guards=where.guards + 1)


def _swallows(handler: ast.ExceptHandler) -> bool:
    kind = handler.type
    caught = kind.elts if isinstance(kind, ast.Tuple) else [kind] if kind else []
    broad = kind is None or any(last_name(one) in SWALLOWING for one in caught)
    return broad and not any(isinstance(n, ast.Raise) or _is_fail(n) for s in handler.body for n in ast.walk(s))


def _is_fail(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func) == "fail"


def _catches_assertions(arguments: Sequence[ast.expr]) -> bool:
    kinds = [k for a in arguments[:3] for k in (a.elts if isinstance(a, ast.Tuple) else [a])]
    return any(last_name(kind) in SWALLOWING for kind in kinds)


class _Inline(ast.NodeTransformer):
    """Puts in the expressions of names that the test binds exactly once, so that naming a value changes no check."""

    def __init__(self, bound: dict[str, ast.expr]) -> None:
        self._bound = bound
        self._depth = 0
        self._left = 0

    def of(self, expression: ast.expr) -> ast.expr:
        self._left = MAX_INLINED
        copy = ast.parse(ast.unparse(expression), mode="eval").body
        visited: ast.expr = self.visit(copy)
        return visited

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return node  # a text put into an f-string may have no source form

    def visit_Name(self, node: ast.Name) -> ast.expr:
        bound = self._bound.get(node.id)
        if bound is None or self._depth >= MAX_INLINE_DEPTH or self._left <= 0:
            return node
        self._left -= 1
        self._depth += 1
        inlined: ast.expr = self.visit(ast.parse(ast.unparse(bound), mode="eval").body)
        self._depth -= 1
        return inlined


def _bound_once(function: ast.AST) -> dict[str, ast.expr]:
    bound: dict[str, ast.expr] = {}
    counts: dict[str, int] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            counts[node.id] = counts.get(node.id, 0) + 1
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound[node.targets[0].id] = node.value
    short = {name: value for name, value in bound.items() if len(ast.unparse(value)) <= MAX_INLINED_LENGTH}
    return {name: value for name, value in short.items() if counts.get(name) == 1}
