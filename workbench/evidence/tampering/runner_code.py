"""Finds Python code that reaches into the test run: hooks, autouse fixtures, exits, stand-ins for the tools of tests.

It reads any changed Python file, wherever it lies, against the same file of the base.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from workbench.evidence.tampering.expressions import constant_truth, ending_call, last_name
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.roles import is_bytecode, is_conftest, is_test
from workbench.evidence.tampering.source import Source, run_at_import
from workbench.model.evidence import Finding

COLLECTION_HOOKS = frozenset(
    {"pytest_collection_modifyitems", "pytest_ignore_collect", "pytest_collect_file", "pytest_pycollect_makeitem"}
    | {
        "pytest_itemcollected",
        "pytest_deselected",
        "pytest_generate_tests",
        "pytest_collection",
        "pytest_make_collect_report",
    }
    | {"pytest_pycollect_makemodule", "pytest_collectstart", "pytest_collection_finish", "pytest_collectreport"}
)
REPORT_HOOKS = frozenset(
    {"pytest_runtest_makereport", "pytest_report_teststatus", "pytest_runtest_logreport", "pytest_pyfunc_call"}
    | {"pytest_runtest_protocol", "pytest_runtest_call", "pytest_runtest_setup", "pytest_runtest_teardown"}
    | {"pytest_report_to_serializable", "pytest_report_from_serializable", "pytest_exception_interact"}
)
SESSION_HOOKS = frozenset(
    {
        "pytest_sessionfinish",
        "pytest_runtestloop",
        "pytest_cmdline_main",
        "pytest_terminal_summary",
        "pytest_unconfigure",
    }
    | {"pytest_load_initial_conftests", "pytest_cmdline_parse", "pytest_cmdline_preparse", "pytest_sessionstart"}
)
TEST_TOOLS = frozenset(
    {
        "pytest",
        "_pytest",
        "pluggy",
        "unittest",
        "hypothesis",
        "coverage",
        "mock",
        "nose",
        "doctest",
        "junitparser",
        "nox",
    }
    | {"tox", "py", "iniconfig", "pytest_asyncio", "pytest_mock", "pytest_cov", "xdist", "numpy", "anyio", "trio"}
)
IMPORT_ROOTS = frozenset({"", "src", "lib", "tests", "test"})
PATCHING = (".setattr(", "patch(", "patch.object(", "patch.multiple(", "skip(", "xfail(", "mocker.", "Mock(")


Found = Iterator[Finding]


def runner_findings(base: Source | None, result: Source) -> Found:
    """What `result` newly does to the test run."""
    for detect in DETECTORS:
        yield from detect(base, result)


def _texts(source: Source | None, name: str) -> list[str]:
    """The texts of all functions of that name."""
    return [] if source is None else [ast.unparse(node) for node in source.functions() if node.name == name]


def _hooks(base: Source | None, result: Source) -> Found:
    for node in result.functions():
        if node.name.startswith("pytest_") and ast.unparse(node) not in _texts(base, node.name):
            yield found(_hook_kind(node.name), result.path, node.lineno, detail=node.name)
    known = set() if base is None else {text for _, text in _named_hooks(base)}
    for line, name in _named_hooks(result):
        if name not in known:
            yield found(_hook_kind(name), result.path, line, detail=name)


def _named_hooks(source: Source) -> Iterator[tuple[int, str]]:
    """Hooks of weight that are bound or named by a text instead of being defined: by `=`, `setattr`, `specname`."""
    for node in source.nodes:
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            name: object = node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.keyword):
            name = node.arg
        else:
            name = node.value if isinstance(node, ast.Constant) else None
        if isinstance(name, str) and name in COLLECTION_HOOKS | REPORT_HOOKS | SESSION_HOOKS:
            yield getattr(node, "lineno", 0), name


def _hook_kind(name: str) -> str:
    tables = (("collection-hook", COLLECTION_HOOKS), ("report-hook", REPORT_HOOKS), ("session-hook", SESSION_HOOKS))
    return next((kind for kind, names in tables if name in names), "plugin-hook")


def _module_settings(base: Source | None, result: Source) -> Found:
    known = _assignments(base)
    for node in result.tree.body:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            text = ast.unparse(node)
            if text in known:
                continue
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            name = ast.unparse(target)
            if name.startswith("collect_ignore"):
                yield found("collect-ignore", result.path, node.lineno, detail=text)
            if name == "pytest_plugins":
                yield found("plugin-added", result.path, node.lineno, detail=text)
        loads = isinstance(node, ast.FunctionDef) and node.name == "load_tests" and is_test(result.path)
        if loads and ast.unparse(node) not in _texts(base, "load_tests"):
            yield found("load-tests", result.path, node.lineno)


def _assignments(source: Source | None) -> set[str]:
    body = [] if source is None else source.tree.body
    return {ast.unparse(node) for node in body if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)}


def _fixtures(base: Source | None, result: Source) -> Found:
    for node in result.functions():
        fixture = next((d for d in node.decorator_list if last_name(d) == "fixture"), None)
        if fixture is None:
            continue
        text, before = ast.unparse(node), _texts(base, node.name)
        if text in before:
            continue
        fakes = any(word in text for word in PATCHING) or _sets_attributes(node)
        if fakes and "autouse=True" in ast.unparse(fixture):
            own = base is None and not is_conftest(result.path)  # reaches no test that was there before
            blocking = False if own else None
            yield found("autouse-patch", result.path, node.lineno, detail=node.name, blocking=blocking)
        elif before and is_conftest(result.path):
            yield found("fixture-changed", result.path, node.lineno, detail=node.name)


def _sets_attributes(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) for node in ast.walk(function))


def _exits(base: Source | None, result: Source) -> Found:
    known = set() if base is None else {ast.unparse(node) for node in base.nodes if _may_end(node)}
    at_import = {id(node) for node in run_at_import(result.tree.body)}
    as_program = {id(node) for guard in result.tree.body if _is_main_guard(guard) for node in ast.walk(guard)}
    for node in result.nodes:
        if not _may_end(node) or id(node) in as_program:
            continue
        text = ast.unparse(node)
        if text in known:
            continue
        hard = _HARD.search(text) is not None
        ends = isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and ending_call(node) == "exit")
        line = getattr(node, "lineno", 0)
        if id(node) in at_import and (ends or hard):
            yield found("exit-at-import", result.path, line, detail=text)
        elif isinstance(node, ast.Call) and is_test(result.path) and (ends or hard):
            yield found("exit-in-test", result.path, line, detail=text)
        elif hard:
            yield found("hard-exit", result.path, line, detail=text)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__")


_HARD = re.compile(r"\b_exit\b|\bos\.kill\(os\.getpid\(\)|\bos\.(exec|abort)")
_EXECS = frozenset({"execv", "execve", "execvp", "execvpe", "execl", "execle", "execlp", "execlpe"})
_MAY_END = frozenset({"exit", "_exit", "quit", "abort", "kill", "register"}) | _EXECS


def _may_end(node: ast.AST) -> bool:
    """Whether a node deserves a closer look: a call by a telling name, or with one, or raising SystemExit."""
    if isinstance(node, ast.Raise):
        return node.exc is not None and last_name(node.exc) == "SystemExit"
    if not isinstance(node, ast.Call):
        return False
    handed = (value for value in node.args if isinstance(value, ast.Name | ast.Attribute))
    return last_name(node.func) in _MAY_END or any(last_name(value) in ("_exit", "abort") for value in handed)


def _always_equal(base: Source | None, result: Source) -> Found:
    known = set() if base is None else {name for name, _ in _always_equal_classes(base)}
    for name, line in _always_equal_classes(result):
        if name not in known:
            yield found("always-equal", result.path, line, detail=name)


_ALWAYS = {"__eq__": True, "__ne__": False, "__contains__": True, "__le__": True, "__ge__": True}


def _always_equal_classes(source: Source) -> Iterator[tuple[str, int]]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef):
            yield from ((node.name, line) for line in _always_equal_lines(node))
        for owner, name, value in _given_methods(node):
            if name in _ALWAYS and isinstance(value, ast.Lambda) and constant_truth(value.body) is not None:
                yield owner, value.lineno


def _always_equal_lines(node: ast.ClassDef) -> Iterator[int]:
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and child.name in _ALWAYS and _is_deaf(child, node.name):
            yield child.lineno
        if isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) in _ALWAYS:
            value = child.value
            if isinstance(value, ast.Lambda) and constant_truth(value.body) is not None:
                yield child.lineno


def _given_methods(node: ast.AST) -> Iterator[tuple[str, str, ast.expr]]:
    """Methods that are put into a class from outside: by an attribute or by `setattr`."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        target = node.targets[0]
        yield ast.unparse(target.value), target.attr, node.value
    if isinstance(node, ast.Call) and last_name(node.func) == "setattr" and len(node.args) == 3:
        owner, name, value = node.args
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield ast.unparse(owner), name.value, value


def _ignores_self(function: ast.FunctionDef, own: str) -> bool:
    """Whether a comparison answers what it should say, and looks no further than at the other's kind."""
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    wanted = _ALWAYS[function.name]
    said = [value is not None and _says(value) is wanted for value in returned]
    if returned and all(said):
        return True
    kinds = [wanted and _asks_only_kind(value, own) for value in returned]
    return (
        any((*said, *kinds))
        and all(
            is_said or is_kind or (isinstance(value, ast.Name) and value.id == "NotImplemented")
            for value, is_said, is_kind in zip(returned, said, kinds, strict=True)
        )
        and not _mentions(function, own)
    )


def _is_deaf(function: ast.FunctionDef, own: str) -> bool:
    return _ignores_self(function, own) or _ignores_other(function)


def _says(value: ast.expr) -> bool | None:
    """What an expression of constants alone comes to."""
    if isinstance(value, ast.IfExp):
        said = _says(value.body)
        return said if said is _says(value.orelse) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, bool) else None


def _ignores_other(function: ast.FunctionDef) -> bool:
    """Whether a comparison answers without a look at what it compares with."""
    if function.name != "__eq__" or len(function.args.args) != 2:
        return False
    other = function.args.args[1].arg
    nodes = [node for part in function.body for node in ast.walk(part)]
    returns = [node.value for node in nodes if isinstance(node, ast.Return) and node.value is not None]
    asks = any(isinstance(node, ast.Name) and node.id == other for node in nodes)
    return bool(returns) and not asks and not any(ast.unparse(value) == "NotImplemented" for value in returns)


def _asks_only_kind(value: ast.expr | None, own: str) -> bool:
    asks = isinstance(value, ast.Call) and last_name(value.func) == "isinstance" and len(value.args) == 2
    return asks and isinstance(value, ast.Call) and own not in ast.unparse(value.args[1])


def _mentions(function: ast.FunctionDef, own: str) -> bool:
    """Whether a method looks at itself, or asks for its own class."""
    first = function.args.args[0].arg if function.args.args else ""
    names = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
    return bool(names & {first, own, "type", "__class__"})


def _patched_tools(base: Source | None, result: Source) -> Found:
    imported = _imported_tools(result) | {"__builtins__"}
    known = "" if base is None else ast.unparse(base.tree)
    for node in result.nodes:
        target = _patched_target(node)
        root = target.partition(".")[0]
        if root in imported and "." in target and ast.unparse(node) not in known:
            if is_test(result.path) and root not in TEST_TOOLS | {"builtins", "__builtins__"}:
                continue
            yield found("test-tool-patched", result.path, getattr(node, "lineno", 0), detail=ast.unparse(node))


def _patched_target(node: ast.AST) -> str:
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        return ast.unparse(node.targets[0])
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
        owner = ast.unparse(node.targets[0].value)
        return f"{owner}.x" if owner.startswith("__builtins__") else ""
    if isinstance(node, ast.Call) and last_name(node.func) == "setattr" and node.args:
        first = node.args[0]
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ast.unparse(first)
        return f"{text}.x"
    return ""


def _imported_tools(source: Source) -> set[str]:
    """Local names under which a module of the test tools, or of the built-ins, is reachable."""
    names: set[str] = set()
    tools = TEST_TOOLS - {"numpy", "anyio", "trio"} | {"builtins"}
    for node in source.nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in tools:
                    names.add(alias.asname or alias.name.partition(".")[0])
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in tools:
            names |= {alias.asname or alias.name for alias in node.names}
    return names


def _replaced_subjects(base: Source | None, result: Source) -> Found:
    """Module-level assignments to attributes of imported modules: the program under test is exchanged for all tests."""
    if not is_test(result.path):
        return
    known = _assignments(base)
    imported = {alias.asname or alias.name.partition(".")[0] for node in result.tree.body
                if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}  # fmt: skip
    for node in result.tree.body:
        target = _patched_target(node)
        if (
            target
            and target.partition(".")[0] in imported - TEST_TOOLS - {"sys", "os"}
            and ast.unparse(node) not in known
        ):
            yield found("mocked-subject", result.path, node.lineno, detail=ast.unparse(node))


def _forged_reports(base: Source | None, result: Source) -> Found:
    words = ("<testsuite", "--junitxml", "junit_family", "xmlpath")
    for word in words:
        if word in result.text and (base is None or word not in base.text):
            line = next((n for n, text in enumerate(result.text.splitlines(), 1) if word in text), 0)
            yield found("report-forged", result.path, line, detail=word)
            return


DETECTORS: tuple[Callable[[Source | None, Source], Found], ...] = (
    _hooks,
    _module_settings,
    _fixtures,
    _exits,
    _always_equal,
    _patched_tools,
    _replaced_subjects,
    _forged_reports,
)


def file_findings(status: str, path: str) -> Found:
    """What a file's name alone does to the interpreter or to imports."""
    pure = PurePosixPath(path)
    if pure.name in ("sitecustomize.py", "usercustomize.py") or pure.suffix == ".pth":
        if status != "D":
            yield found("startup-file", path)
        return
    if is_bytecode(path) and status != "D":
        yield found("bytecode", path)
        return
    if status != "D" and any(part.endswith((".dist-info", ".egg-info")) for part in pure.parts):
        yield found("plugin-metadata", path)
        return
    if status != "A" or pure.suffix not in (".py", ".so"):
        return
    module, parent = (pure.stem, pure.parent) if pure.stem != "__init__" else (pure.parent.name, pure.parent.parent)
    root = "" if str(parent) == "." else str(parent)
    if root not in IMPORT_ROOTS:
        return
    if module in TEST_TOOLS:
        yield found("shadowing-module", path, detail=module)
    elif module in sys.stdlib_module_names and root != "test" and module != "test":
        yield found("shadowing-module", path, detail=f"{module} of the standard library")
