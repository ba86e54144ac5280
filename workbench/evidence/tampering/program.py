"""Finds in a Python file of any part what changes how other code runs, looks at tests or hides what it does.

It reads the file against the same one of the base; what belongs to tests alone is for `interference`.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator

from workbench.evidence.tampering.expressions import BROAD_EXCEPTIONS, constant_truth, last_name
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.roles import is_test
from workbench.evidence.tampering.source import Known, Source, folded, run_at_import
from workbench.model.evidence import Finding

Found = Iterator[Finding]
_BUILDS = re.compile(
    r"(^|/)(setup|noxfile|tasks|conf|conftest|manage|runtests|fabfile)\.py$|(^|/)(scripts|tools|docs)/"
)
_OF_TESTS = re.compile(r"(^|[/\\])(tests?[/\\]|conftest\.py$|test_\w+\.py$)|^tests?$")
_LOOKS = frozenset(
    {"open", "read_text", "read_bytes", "exists", "is_file", "is_dir", "isfile", "isdir", "listdir", "iterdir"}
    | {"glob", "rglob", "import_module", "load", "loads", "scandir", "run_path"}
)
_DECODES = frozenset(
    {"b64decode", "b32decode", "b85decode", "a85decode", "fromhex", "unhexlify", "decompress", "decode", "loads", "chr"}
)
_FREE = frozenset(
    {"sys", "os", "logging", "warnings", "readline", "socket", "locale", "decimal", "csv"}
)  # made to be set
_STEERING = re.compile(r"PYTEST_ADDOPTS|PYTEST_PLUGINS|PYTHONSTARTUP|COVERAGE_PROCESS_START")


def program_findings(base: Source | None, result: Source) -> Found:
    """What `result` newly does."""
    for detect in _EVERYWHERE if is_test(result.path) else _EVERYWHERE + _IN_PROGRAM:
        yield from detect(base, result)


# --- wherever it stands ---------------------------------------------------------------------------------


def _import_hooks(base: Source | None, result: Source) -> Found:
    known = Known(base, ast.Assign, ast.Call)
    for node in result.nodes:
        target = ""
        if isinstance(node, ast.Assign):
            target = ast.unparse(node.targets[0])
        elif isinstance(node, ast.Call) and last_name(node.func) in ("insert", "append", "extend"):
            target = ast.unparse(node.func)
        hooked = re.match(r"sys\.(meta_path|path_hooks)\b|(builtins|__builtins__)\W+__import__\b", target)
        if hooked and ast.unparse(node) not in known:
            yield found("import-hook", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _patched_libraries(base: Source | None, result: Source) -> Found:
    """Attributes of modules of the standard library that are set; in tests only while a module is imported."""
    modules = _library_names(result)
    if not modules:
        return
    known = Known(base, ast.Assign)
    nodes = run_at_import(result.tree.body) if is_test(result.path) else result.nodes
    for node in nodes:
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        of_library = isinstance(target, ast.Attribute) and ast.unparse(target).partition(".")[0] in modules
        if target is not None and of_library and ast.unparse(node) not in known:
            yield found("library-patched", result.path, target.lineno, detail=ast.unparse(node))


def _library_names(source: Source) -> set[str]:
    names: set[str] = set()
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name.partition(".")[0]
                if root in sys.stdlib_module_names and root not in _FREE:
                    names.add(alias.asname or root)
    return names - {"unittest", "builtins", "doctest"}


def _stubbed_modules(base: Source | None, result: Source) -> Found:
    known = Known(base, ast.Assign, ast.Call)
    for node in run_at_import(result.tree.body):
        text = ""
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            text = ast.unparse(node.targets[0])
        elif isinstance(node, ast.Call) and last_name(node.func) in ("setdefault", "update", "setitem"):
            text = ast.unparse(node)
        if re.match(r"(\w+\.setitem\()?sys\.modules\b(?!\[__name__\])", text) and ast.unparse(node) not in known:
            yield found("module-stubbed", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _steering(base: Source | None, result: Source) -> Found:
    """Variables of the environment that steer the test runner, where they are set."""
    known = Known(base, ast.Assign, ast.Call)
    for node in result.nodes:
        target: ast.AST | None = None
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            target = node.targets[0]
        elif isinstance(node, ast.Call) and last_name(node.func) in ("setenv", "putenv", "setdefault", "update"):
            target = node
        if target is None or ast.unparse(node) in known:
            continue
        if any(_STEERING.fullmatch(text) for text, _ in folded(ast.walk(target))):
            yield found("runner-environment", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _obfuscated(base: Source | None, result: Source) -> Found:
    known = Known(base, ast.Call)
    for node in result.nodes:
        if not isinstance(node, ast.Call) or last_name(node.func) not in ("exec", "eval", "compile", "__import__"):
            continue
        inner = {last_name(part.func) for a in node.args for part in ast.walk(a) if isinstance(part, ast.Call)}
        if inner & _DECODES and ast.unparse(node) not in known:
            yield found("obfuscated-code", result.path, node.lineno, detail=ast.unparse(node))


# --- in the program alone -------------------------------------------------------------------------------


def _sniffing(base: Source | None, result: Source) -> Found:
    """Names of the test runner's variables that are put together from pieces."""
    known = set() if base is None else {text for text, _ in folded(base.nodes)}
    for text, line in folded(result.nodes):
        if text.startswith("PYTEST_") and text not in known and text not in result.text:
            yield found("test-sniffing", result.path, line, detail=text)


def _looks_at_tests(base: Source | None, result: Source) -> Found:
    if _BUILDS.search(result.path):
        return
    known: set[str] | None = None
    for node in _small(result):
        called = {last_name(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        if not called & _LOOKS or not any(_OF_TESTS.search(text) for text, _ in folded(ast.walk(node))):
            continue
        if known is None:
            known = set() if base is None else {ast.unparse(other) for other in _small(base)}
        if ast.unparse(node) not in known:
            yield found("reads-tests", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _small(source: Source) -> Iterator[ast.AST]:
    """Statements without others in them, and the conditions of those that have some."""
    for node in source.nodes:
        if isinstance(node, ast.If | ast.While):
            yield node.test
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield node.iter
        elif isinstance(node, ast.With | ast.AsyncWith):
            yield from (item.context_expr for item in node.items)
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node


def _broad(base: Source | None, result: Source) -> Found:
    known = Known(base, ast.ExceptHandler, ast.Call)
    for node in result.nodes:
        if isinstance(node, ast.ExceptHandler):
            broad = _is_broad(node.type) and _does_nothing(node.body)
        elif isinstance(node, ast.Call) and last_name(node.func) == "suppress":
            broad = any(map(_is_broad, node.args))
        else:
            continue
        if broad and ast.unparse(node) not in known:
            yield found("broad-except", result.path, node.lineno, detail=ast.unparse(node))


def _is_broad(kind: ast.expr | None) -> bool:
    caught = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(one is None or last_name(one) in BROAD_EXCEPTIONS | {"AssertionError"} for one in caught)


def _does_nothing(body: list[ast.stmt]) -> bool:
    """Whether a handler neither raises nor calls anything."""
    return not any(isinstance(part, ast.Raise | ast.Call) for node in body for part in ast.walk(node))


def _uncompared(base: Source | None, result: Source) -> Found:
    """Fields and classes that are left out of equality."""
    known = Known(base, ast.Call)
    for node in result.nodes:
        if not isinstance(node, ast.Call) or ast.unparse(node) in known:
            continue
        off = {keyword.arg for keyword in node.keywords if constant_truth(keyword.value) is False}
        if last_name(node.func) in ("field", "Field", "ib", "attrib") and off & {"compare", "eq"}:
            yield found("comparison-narrowed", result.path, node.lineno, detail=ast.unparse(node))


def _raised_for_itself(base: Source | None, result: Source) -> Found:
    """A `try` that raises at once what it then handles."""
    known = Known(base, ast.Try)
    for node in result.nodes:
        raised = isinstance(node, ast.Try) and node.handlers and isinstance(node.body[0], ast.Raise)
        if raised and ast.unparse(node) not in known:
            yield found("condition-forced", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _forced(base: Source | None, result: Source) -> Found:
    known = Known(base, ast.BoolOp, ast.If)
    for node in result.nodes:
        if isinstance(node, ast.BoolOp):
            forcing = isinstance(node.op, ast.Or)
            forced = any(isinstance(v, ast.Constant) and constant_truth(v) is forcing for v in node.values[:-1])
            forced = forced or (isinstance(node.values[-1], ast.Constant) and node.values[-1].value is forcing)
        else:
            forced = isinstance(node, ast.If) and isinstance(node.test, ast.Constant)
        if forced and ast.unparse(node) not in known:
            yield found("condition-forced", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


Detector = Callable[[Source | None, Source], Found]
_EVERYWHERE: tuple[Detector, ...] = (_import_hooks, _patched_libraries, _stubbed_modules, _steering, _obfuscated)
_IN_PROGRAM: tuple[Detector, ...] = (_sniffing, _looks_at_tests, _broad, _forced, _raised_for_itself, _uncompared)
