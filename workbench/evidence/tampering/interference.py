"""Finds in Python code of tests what takes the force out of their checks without touching a test.

It reads any changed Python file of the tests, helpers and `conftest.py` too, against the same file of the base.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from workbench.evidence.tampering.expressions import UNITTEST_CHECKS, ending_call, last_name
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.source import Function, Source, folded, run_at_import
from workbench.model.evidence import Finding

Found = Iterator[Finding]
_OF_A_CASE = UNITTEST_CHECKS | {"fail", "run", "debug", "_callTestMethod", "_callSetUp", "__call__"}
_TOOLS = frozenset({"approx", "raises", "isclose", "assert_allclose", "assert_array_equal", "assert_frame_equal"})
_RUNS_ELSEWHERE = frozenset({"Thread", "Timer", "Process", "submit", "start_new_thread", "create_task", "call_soon"})


def interference_findings(base: Source | None, result: Source) -> Found:
    """What `result` newly does to the checks of others."""
    for detect in _DETECTORS:
        yield from detect(base, result)


def _names(base: Source | None, named: Callable[[Source], Iterator[tuple[str, int]]]) -> set[str]:
    return set() if base is None else {name for name, _ in named(base)}


def _new(base: Source | None, result: Source, named: Callable[[Source], Iterator[tuple[str, int]]], kind: str) -> Found:
    """A finding for each thing that `named` names in the result and not in the base."""
    known: set[str] | None = None
    for name, line in named(result):
        known = _names(base, named) if known is None else known
        if name not in known:
            yield found(kind, result.path, line, detail=name)


# --- what checks are made with --------------------------------------------------------------------------


def _overridden(source: Source) -> Iterator[tuple[str, int]]:
    """Methods of test classes, and names of tools, that are defined anew."""
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and _is_case(node):
            for child in node.body:
                if isinstance(child, Function) and child.name in _OF_A_CASE:
                    yield f"{node.name}.{child.name}", child.lineno
        if isinstance(node, Function | ast.ClassDef) and node.name in _TOOLS:
            yield node.name, node.lineno
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if last_name(target) in _TOOLS and not isinstance(node.value, ast.Attribute):
                yield ast.unparse(target), node.lineno


def _is_case(node: ast.ClassDef) -> bool:
    names = [last_name(base) for base in node.bases]
    return any("TestCase" in name or name.endswith(("Case", "Mixin")) for name in names) or node.name.startswith("Test")


def _rewriting(source: Source) -> Iterator[tuple[str, int]]:
    for node in source.nodes:
        if isinstance(node, Function) and node.name == "visit_Assert":
            yield node.name, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr == "visit_Assert":
            yield ast.unparse(node), node.lineno
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("_pytest.assertion"):
            yield node.module or "", node.lineno


def _warnings(source: Source) -> Iterator[tuple[str, int]]:
    for node in run_at_import(source.tree.body):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "warnings.simplefilter",
            "warnings.filterwarnings",
        ):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and first.value in ("ignore", "default", "once"):
                yield ast.unparse(node), node.lineno


def _ignored(source: Source) -> Iterator[tuple[str, int]]:
    """A name for files to be ignored that is put together at run time."""
    for text, line in folded(source.nodes):
        if text in ("collect_ignore", "collect_ignore_glob"):
            yield text, line


def _skipping(source: Source) -> Iterator[tuple[str, int]]:
    """What skips a module, or all of a package, while it is imported."""
    for node in run_at_import(source.tree.body):
        raised = node.exc if isinstance(node, ast.Raise) else None
        if raised is not None and last_name(raised) in ("SkipTest", "Skipped"):
            yield ast.unparse(node), getattr(node, "lineno", 0)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.skip", "pytest.importorskip"):
            yield ast.unparse(node), node.lineno


def _fixtures(source: Source) -> Iterator[tuple[str, int, str]]:
    """In what is run before tests: skips, marks that excuse failures, and stand-ins for parts of the program."""
    for function in source.functions():
        fixture = any(last_name(decorator) == "fixture" for decorator in function.decorator_list)
        if not fixture and not function.name.startswith(("setup", "setUp", "pytest_runtest_setup")):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ending_call(node) in ("skip", "xfail"):
                yield ast.unparse(node), node.lineno, f"{ending_call(node)}-added"
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                stand_in = isinstance(node.value, ast.Lambda) or last_name(node.value).endswith("Mock")
                if stand_in and not ast.unparse(node.targets[0]).startswith("self."):
                    yield ast.unparse(node), node.lineno, "mocked-subject"


def _in_fixtures(base: Source | None, result: Source) -> Found:
    known = set() if base is None else {text for text, _, _ in _fixtures(base)}
    for text, line, kind in _fixtures(result):
        if text not in known:
            yield found(kind, result.path, line, detail=text, blocking=None if base is not None else False)


# --- where failures are lost ----------------------------------------------------------------------------


def _swallowing(source: Source) -> Iterator[tuple[str, int]]:
    """Handlers of failed assertions, ends that drop them, threads that keep them, and contexts that swallow all."""
    for node in source.nodes:
        if isinstance(node, ast.Try | ast.TryStar):
            yield from _swallowing_try(node)
        elif isinstance(node, ast.ClassDef):
            for child in node.body:
                if isinstance(child, Function) and child.name in ("__exit__", "__aexit__") and _says_true(child):
                    yield f"{node.name}.{child.name}", child.lineno
        elif isinstance(node, Function):
            yield from _threads(node)


def _swallowing_try(node: ast.Try | ast.TryStar) -> Iterator[tuple[str, int]]:
    for handler in node.handlers:
        kind = handler.type
        caught = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        if any(one is not None and last_name(one) == "AssertionError" for one in caught) and _goes_on(handler):
            yield ast.unparse(handler), handler.lineno
    checks = any(isinstance(part, ast.Assert) for statement in node.body for part in ast.walk(statement))
    for statement in node.finalbody:
        if checks and isinstance(statement, ast.Return | ast.Break | ast.Continue):
            yield f"finally: {ast.unparse(statement)}", statement.lineno


def _goes_on(handler: ast.ExceptHandler) -> bool:
    parts = [part for statement in handler.body for part in ast.walk(statement)]
    fails = any(isinstance(part, ast.Call) and last_name(part.func) == "fail" for part in parts)
    return not fails and not any(isinstance(part, ast.Raise | ast.Assert) for part in parts)


def _says_true(function: Function) -> bool:
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    return bool(returned) and all(isinstance(value, ast.Constant) and value.value is True for value in returned)


def _threads(function: Function) -> Iterator[tuple[str, int]]:
    """Inner functions that check, and that nothing but a thread is given."""
    inner = {node.name: node for node in ast.walk(function) if isinstance(node, Function) and node is not function}
    checking = {name for name, node in inner.items() if any(isinstance(part, ast.Assert) for part in ast.walk(node))}
    for call in ast.walk(function):
        if checking and isinstance(call, ast.Call) and last_name(call.func) in _RUNS_ELSEWHERE:
            given = {part.id for part in ast.walk(call) if isinstance(part, ast.Name)}
            for name in sorted(checking & given):
                yield f"{name} in {last_name(call.func)}", call.lineno


_NAMED: tuple[tuple[str, Callable[[Source], Iterator[tuple[str, int]]]], ...] = (
    ("assert-overridden", _overridden),
    ("assert-rewriting", _rewriting),
    ("warnings-loosened", _warnings),
    ("collect-ignore", _ignored),
    ("assert-swallowed", _swallowing),
)


def _named(base: Source | None, result: Source) -> Found:
    for kind, named in _NAMED:
        yield from _new(base, result, named, kind)


def _modules_skipped(base: Source | None, result: Source) -> Found:
    """In a new file of tests this hides nothing that was there."""
    if base is not None or result.path.endswith(("conftest.py", "__init__.py")):
        yield from _new(base, result, _skipping, "skip-added")


_DETECTORS: tuple[Callable[[Source | None, Source], Found], ...] = (_named, _modules_skipped, _in_fixtures)
