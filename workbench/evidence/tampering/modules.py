"""Reads a Python file as a module of tests: which tests it defines, how each is marked, which cases it is given.

It compares nothing and never imports what it reads.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from workbench.evidence.tampering.checks import Body, read_body
from workbench.evidence.tampering.expressions import constant_truth, last_name

MAX_SOURCE_BYTES = 1_000_000  # larger Python files are data; reading them would cost seconds
SKIPS = frozenset({"skip", "skipif", "skipIf", "skipUnless"})
XFAILS = frozenset({"xfail", "expectedFailure"})
RETRIES = frozenset({"flaky", "rerun", "retry", "reruns", "repeat_until_pass"})
FAKES = frozenset({"patch", "object", "multiple", "setattr", "setitem", "patch_object", "spy"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Unreadable(Exception):
    """The source cannot be read as Python of our version, or is too large."""


@dataclass(frozen=True)
class Mark:
    """A decorator or a `pytestmark`: its last name, its whole text, its first number."""

    name: str
    text: str
    line: int
    number: float | None = None


@dataclass(frozen=True)
class Case:
    """One test as the runner would collect it."""

    name: str  # qualified within its file: `TestA.test_b`
    path: str
    line: int
    body: Body
    text: str
    marks: tuple[Mark, ...] = ()
    parameters: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()  # the parametrised cases, as source
    fakes: tuple[tuple[str, int], ...] = ()  # what is patched, and where
    is_async: bool = False
    effects: frozenset[str] = frozenset()  # calls that wait, fix chance, discard examples or write

    @property
    def forms(self) -> frozenset[tuple[str, str, str, float]]:
        """The checks of the test, free of lines and conditions."""
        return frozenset(check.form for check in self.body.checks if check.strength)


@dataclass
class Module:
    """What one file of tests defines."""

    path: str
    cases: dict[str, Case] = field(default_factory=dict)
    shadowed: list[tuple[str, int]] = field(default_factory=list)
    rebound: list[tuple[str, int]] = field(default_factory=list)
    uncollected: dict[str, int] = field(default_factory=dict)  # functions that check but are no tests
    asserting: dict[str, int] = field(default_factory=dict)  # the same, with the strongest check in each
    helpers: dict[str, Case] = field(default_factory=dict)  # functions at the top that are no tests
    guarded: dict[str, int] = field(default_factory=dict)  # tests that are defined only under a condition
    sources: dict[str, str] = field(default_factory=dict)  # names to the modules that they are imported from
    defined: dict[str, int] = field(default_factory=dict)  # names that are defined at the top


def parse(source: bytes) -> ast.Module:
    """The syntax tree of hostile source. Raises Unreadable."""
    if len(source) > MAX_SOURCE_BYTES:
        raise Unreadable(f"larger than {MAX_SOURCE_BYTES} bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise Unreadable(f"{type(problem).__name__}: {problem}") from problem


def read_module(path: str, tree: ast.Module) -> Module:
    """The tests of a module. Raises RecursionError on absurdly nested source."""
    module = Module(path)
    names = _module_names(tree)
    marks = tuple(_pytestmarks(tree.body, names))
    for node in _reachable(tree.body):
        _read_definition(module, node, prefix="", marks=marks, names=names)
    _find_rebound(module, tree)
    _find_names(module, tree)
    return module


def _find_names(module: Module, tree: ast.Module) -> None:
    """Where the names at the top come from, and which tests stand under a condition."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            place = "." * node.level + (node.module or "")
            module.sources.update({alias.asname or alias.name: place for alias in node.names})
        elif isinstance(node, Function | ast.ClassDef):
            module.defined[node.name] = node.lineno
        elif isinstance(node, ast.If) and constant_truth(node.test) is None:
            inner = [*node.body, *node.orelse]
            tests = [part for part in inner if isinstance(part, Function | ast.ClassDef)]
            module.guarded.update({part.name: part.lineno for part in tests})


def _module_names(tree: ast.Module) -> dict[str, ast.expr]:
    """What module-level names stand for, so that an alias of a mark or a list of cases is looked through."""
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    }


def _reachable(statements: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that importing runs, looking into blocks that are not switched off."""
    for node in statements:
        if isinstance(node, ast.If):
            constant = constant_truth(node.test)
            yield from _reachable(node.body if constant is not False else [])
            yield from _reachable(node.orelse if constant is not True else [])
        elif isinstance(node, ast.Try | ast.With):
            yield from _reachable(node.body)
        else:
            yield node


def _read_definition(
    module: Module, node: ast.stmt, *, prefix: str, marks: tuple[Mark, ...], names: dict[str, ast.expr]
) -> None:
    if isinstance(node, ast.ClassDef):
        _read_class(module, node, prefix=prefix, marks=marks, names=names)
    if not isinstance(node, Function):
        return
    body = read_body(node)
    if node.name.startswith("test") and not _is_fixture(node):
        name = f"{prefix}{node.name}"
        if name in module.cases:
            module.shadowed.append((name, module.cases[name].line))
        module.cases[name] = _case(module.path, node, name=name, body=body, marks=marks, names=names)
        return
    if not prefix:
        module.helpers[node.name] = _case(module.path, node, name=node.name, body=body, marks=(), names=names)
    if body.checks:
        module.asserting[node.name] = max(check.strength for check in body.checks)
        module.uncollected[f"{prefix}{node.name}"] = node.lineno


def _read_class(
    module: Module, node: ast.ClassDef, *, prefix: str, marks: tuple[Mark, ...], names: dict[str, ast.expr]
) -> None:
    own = tuple(_marks(node.decorator_list, names)) + tuple(_pytestmarks(node.body, names))
    if not _is_collected_class(node):
        for child in node.body:
            if isinstance(child, Function) and read_body(child).checks:
                module.uncollected[f"{prefix}{node.name}.{child.name}"] = child.lineno
        return
    for child in _reachable(node.body):
        _read_definition(module, child, prefix=f"{prefix}{node.name}.", marks=marks + own, names=names)


def _is_collected_class(node: ast.ClassDef) -> bool:
    bases = [last_name(base) for base in node.bases]
    unit = any(base.endswith(("TestCase", "Case", "Mixin", "Tests", "Test")) or "Test" in base for base in bases)
    switched_off = any(
        isinstance(child, ast.Assign)
        and ast.unparse(child.targets[0]) == "__test__"
        and constant_truth(child.value) is False
        for child in node.body
    )
    constructor = any(isinstance(child, Function) and child.name == "__init__" for child in node.body)
    return not switched_off and (unit or (node.name.startswith("Test") and not constructor))


def _is_fixture(node: Function) -> bool:
    return any(last_name(decorator) in ("fixture", "contextmanager") for decorator in node.decorator_list)


def _case(
    path: str, node: Function, *, name: str, body: Body, marks: tuple[Mark, ...], names: dict[str, ast.expr]
) -> Case:
    parameters, values = _parametrised(node.decorator_list, names)
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return Case(
        name=name,
        path=path,
        line=node.lineno,
        body=body,
        text="\n".join(ast.unparse(statement) for statement in statements),
        marks=marks + tuple(_marks(node.decorator_list, names)),
        parameters=parameters,
        values=values + tuple(_loop_values(node)),
        fakes=tuple(_fakes(node)),
        is_async=isinstance(node, ast.AsyncFunctionDef),
        effects=frozenset(_effects(node)),
    )


EFFECTS = frozenset(
    {"sleep", "seed", "assume", "write_text", "write_bytes", "dump", "write", "copyfile", "set_seed", "manual_seed"}
)


def _effects(node: Function) -> Iterator[str]:
    for call in ast.walk(node):
        if isinstance(call, ast.For | ast.AsyncFor | ast.comprehension) and _is_part(call.iter):
            yield f"cases({ast.unparse(call.iter)})"
        if isinstance(call, ast.Call) and last_name(call.func) in EFFECTS:
            yield ast.unparse(call)


def _is_part(iterated: ast.expr) -> bool:
    """Whether a loop goes over a part of what is there."""
    sliced = isinstance(iterated, ast.Subscript) and isinstance(iterated.slice, ast.Slice)
    return sliced or (isinstance(iterated, ast.Call) and last_name(iterated.func) in ("islice", "filter", "head"))


def _marks(decorators: Sequence[ast.expr], names: dict[str, ast.expr]) -> Iterator[Mark]:
    for decorator in decorators:
        expression = names.get(decorator.id, decorator) if isinstance(decorator, ast.Name) else decorator
        numbers = [
            n.value for n in ast.walk(expression) if isinstance(n, ast.Constant) and isinstance(n.value, int | float)
        ]
        number = float(min(numbers[0], 1e300)) if numbers else None
        yield Mark(last_name(expression), ast.unparse(expression), decorator.lineno, number)


def _pytestmarks(statements: Sequence[ast.stmt], names: dict[str, ast.expr]) -> Iterator[Mark]:
    for node in statements:
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in targets):
                listed = node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]
                yield from _marks(listed, names)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func)
            if called in ("pytest.skip", "pytest.importorskip"):
                yield Mark("skip", ast.unparse(node.value), node.lineno)


def _parametrised(decorators: Sequence[ast.expr], names: dict[str, ast.expr]) -> tuple[frozenset[str], tuple[str, ...]]:
    parameters: set[str] = set()
    values: list[str] = []
    for decorator in decorators:
        if isinstance(decorator, ast.Call) and last_name(decorator.func) in ("parametrize", "expand", "example"):
            parameters |= set(_parameter_names(decorator))
            values += _case_values(decorator, names)
    return frozenset(parameters), tuple(values)


def _parameter_names(call: ast.Call) -> list[str]:
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return [name.strip() for name in first.value.split(",")]
    if isinstance(first, ast.List | ast.Tuple):
        return [str(element.value) for element in first.elts if isinstance(element, ast.Constant)]
    return []


def _case_values(call: ast.Call, names: dict[str, ast.expr]) -> list[str]:
    if last_name(call.func) == "example":
        return [ast.unparse(call)]
    listed = call.args[1] if len(call.args) > 1 else call.args[0] if call.args else None
    listed = next((k.value for k in call.keywords if k.arg == "argvalues"), listed)
    if isinstance(listed, ast.Name):
        listed = names.get(listed.id, listed)
    if isinstance(listed, ast.List | ast.Tuple | ast.Set):
        return [ast.unparse(element) for element in listed.elts]
    return []


def _loop_values(node: Function) -> Iterator[str]:
    for loop in ast.walk(node):
        if isinstance(loop, ast.For) and isinstance(loop.iter, ast.List | ast.Tuple | ast.Set):
            yield from (ast.unparse(element) for element in loop.iter.elts)


def _fakes(node: Function) -> Iterator[tuple[str, int]]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and last_name(call.func) in FAKES and call.args:
            dotted = ast.unparse(call.func)
            if "patch" in dotted or "mocker" in dotted or dotted == "setattr":
                yield _fake_target(call), call.lineno
        if isinstance(call, ast.Assign) and isinstance(call.targets[0], ast.Attribute):
            value = call.value
            if isinstance(value, ast.Lambda) or (
                isinstance(value, ast.Call) and last_name(value.func).endswith("Mock")
            ):
                yield ast.unparse(call.targets[0]), call.lineno


def _fake_target(call: ast.Call) -> str:
    """`module.name` of what a call replaces, whether it is given as one text or as object and name."""
    words = [str(a.value) if isinstance(a, ast.Constant) else ast.unparse(a) for a in call.args[:2]]
    named = len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and isinstance(call.args[1].value, str)
    whole = isinstance(call.args[0], ast.Constant)
    return f"{words[0]}.{words[1]}" if named and not whole else words[0]


def _find_rebound(module: Module, tree: ast.Module) -> None:
    for node in tree.body:
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign | ast.Delete):
            targets = list(node.targets)
        for target in targets:
            name = ast.unparse(target)
            switched_off = name.endswith(".__test__") or (name == "__test__" and isinstance(node, ast.Assign))
            if switched_off or any(name == case or case.startswith(f"{name}.") for case in module.cases):
                module.rebound.append((name, node.lineno))
