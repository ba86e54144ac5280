"""Finds product code that answers tests by rote: special cases, tables of answers, constants, counted calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from workbench.evidence.tampering.expressions import last_name
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.source import Function, Known, Source
from workbench.model.evidence import Finding

MIN_LITERAL = 3  # shortest text of the tests that is looked for; numbers count from two digits on
MIN_ANSWER = 6  # shortest text that is taken for a particular answer
MIN_PIECES = 2  # parts of one text by which it is recognised
MIN_CANNED = 3  # literals of the tests that make a table one of answers
MOST_ORDINARY = 600  # numbers below it are no particular input: counts, percentages, states of HTTP
_ORDINARY = re.compile(r"[A-Za-z][\w.-]{0,15}")  # a word that programs tell apart all the time
_DIGEST = re.compile(r"[0-9a-f]{32,128}")
_SHORT_DIGEST = re.compile(r"[0-9a-f]{6,128}")


def literals_of(tree: ast.Module) -> frozenset[str]:
    """The literals of a module of tests that are not trivial, as source."""
    return frozenset(
        repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and _is_wanted(node.value)
    )


def _is_wanted(value: object) -> bool:
    if isinstance(value, str | bytes):
        return len(value) >= MIN_LITERAL
    if isinstance(value, float):
        return value not in (0.0, 1.0)
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10


def rote_findings(base: Source | None, result: Source, tested: frozenset[str]) -> Iterator[Finding]:
    """What `result` newly knows by heart of the literals in `tested`."""
    yield from _special_cases(base, result, tested)
    yield from _canned(base, result, tested)
    yield from _constant_results(base, result, tested)
    yield from _counted_calls(base, result)


# --- branches for one input -----------------------------------------------------------------------------


def _special_cases(base: Source | None, result: Source, tested: frozenset[str]) -> Iterator[Finding]:
    known = Known(base, ast.If, ast.IfExp, ast.match_case, ast.BoolOp, ast.Call)
    for node in _branches(result):
        kind = _kind_of(node, tested)
        if kind and ast.unparse(node) not in known:
            test = node.pattern if isinstance(node, ast.match_case) else node.test
            yield found(kind, result.path, getattr(test, "lineno", 0), detail=ast.unparse(test))
    for call in (node for node in result.nodes if isinstance(node, ast.Call)):
        if _swaps(call, tested) and ast.unparse(call) not in known:
            yield found("special-cased-input", result.path, call.lineno, detail=ast.unparse(call))


Branch = ast.If | ast.IfExp | ast.match_case


def _branches(source: Source) -> Iterator[Branch]:
    for node in source.nodes:
        if isinstance(node, ast.If | ast.IfExp | ast.match_case):
            yield node
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):  # `asked and answer`
            as_branch = ast.IfExp(test=node.values[0], body=node.values[-1], orelse=ast.Constant(None))
            yield ast.copy_location(as_branch, node)


def _swaps(call: ast.Call, tested: frozenset[str]) -> bool:
    """Whether a call puts what a test expects in the place of what it asks: `replace`, `sub` and their like."""
    texts = [argument.value for argument in call.args[:2] if isinstance(argument, ast.Constant)]
    if last_name(call.func) not in ("replace", "sub", "subn", "setdefault") or len(texts) < 2:
        return False
    asked, answer = texts
    return repr(asked) in tested and repr(answer) in tested and is_particular(asked)


def _kind_of(node: Branch, tested: frozenset[str]) -> str:
    asked = _asked(node)
    if not asked and not _piecewise(node, tested):
        return ""
    if any(isinstance(value, str) and _DIGEST.fullmatch(value) for value in asked) and _digests(node):
        return "special-cased-input"
    known = [value for value in asked if repr(value) in tested or _begins(value, tested)]
    particular = any(is_particular(value) for value in known) or _piecewise(node, tested)
    answer = _answer(node)
    if particular and (answer is not None or _answers_tests(_results(node), tested)):
        return "special-cased-input"
    if answer is None:
        return ""
    if _measures(node) and isinstance(answer.value, str) and len(answer.value) >= MIN_ANSWER:
        return "special-cased-input" if repr(answer.value) in tested else ""
    return "enumerated-input" if known and not isinstance(node, ast.match_case) else ""


def _asked(node: Branch) -> list[object]:
    """The literals with which a branch compares its input."""
    if isinstance(node, ast.match_case):
        return [n.value.value for n in ast.walk(node.pattern)
                if isinstance(n, ast.MatchValue) and isinstance(n.value, ast.Constant)]  # fmt: skip
    asked: list[object] = []
    for part in ast.walk(node.test):
        sides: Sequence[ast.expr] = ()
        if isinstance(part, ast.Compare) and all(isinstance(op, ast.Eq | ast.In | ast.Is) for op in part.ops):
            sides = (part.left, *part.comparators)
        elif isinstance(part, ast.Call) and last_name(part.func) in ("startswith", "endswith", "fullmatch", "match"):
            sides = part.args
        asked += [n.value for side in sides for n in ast.walk(side) if isinstance(n, ast.Constant)]
    return asked


def _answer(node: Branch) -> ast.Constant | None:
    """The literal that a branch answers with: returned, bound to a name, or its value."""
    if isinstance(node, ast.IfExp):
        return _first_constant(node.body)
    if len(node.body) != 1:
        return None
    statement = node.body[0]
    if isinstance(statement, ast.Return | ast.Assign) and statement.value is not None:
        value = statement.value
        return _first_constant(value.body) if isinstance(value, ast.IfExp) else _first_constant(value)
    return None


def _piecewise(node: Branch, tested: frozenset[str]) -> bool:
    """Whether a branch recognises one text of the tests by several of its parts."""
    if isinstance(node, ast.match_case):
        return False
    compared = [part for part in ast.walk(node.test) if isinstance(part, ast.Compare)]
    texts = {n.value for one in compared for n in ast.walk(one) if isinstance(n, ast.Constant)}
    pieces = [text for text in texts if isinstance(text, str) and len(text) >= MIN_LITERAL]
    return len(pieces) >= MIN_PIECES and any(all(piece in literal for piece in pieces) for literal in tested)


def _results(node: Branch) -> list[ast.expr]:
    """What a branch returns, or binds to names."""
    if isinstance(node, ast.IfExp):
        return [node.body]
    return [one.value for one in node.body if isinstance(one, ast.Return | ast.Assign) and one.value is not None]


def _answers_tests(results: Iterable[ast.expr], tested: frozenset[str]) -> bool:
    """Whether a particular literal of the tests is a part of what is answered."""
    parts = (part for result in results for part in ast.walk(result))
    return any(isinstance(it, ast.Constant) and repr(it.value) in tested and _is_telling(it.value) for it in parts)


def _first_constant(value: ast.expr) -> ast.Constant | None:
    """The first literal of an expression that consists of nothing else."""
    if any(isinstance(part, ast.Name | ast.Call) for part in ast.walk(value)):
        return None
    return next((part for part in ast.walk(value) if isinstance(part, ast.Constant)), None)


def is_particular(value: object) -> bool:
    """Whether a literal is more than a word or a small number, which programs tell apart all the time."""
    if isinstance(value, str):
        return _ORDINARY.fullmatch(value) is None
    return isinstance(value, bytes) or (isinstance(value, int | float) and abs(value) >= MOST_ORDINARY)


def _begins(value: object, tested: frozenset[str]) -> bool:
    if not isinstance(value, str) or len(value) < MIN_ANSWER:
        return False
    value = value.lower()
    return any(literal[1:].startswith(value) or literal[:-1].endswith(value) for literal in map(str.lower, tested))


def _digests(node: Branch) -> bool:
    names = ("digest", "md5", "sha", "crc32", "hash")
    return not isinstance(node, ast.match_case) and any(name in ast.unparse(node.test) for name in names)


def _measures(node: Branch) -> bool:
    """Whether a branch recognises its input by a measure of it."""
    calls = [] if isinstance(node, ast.match_case) else [n for n in ast.walk(node.test) if isinstance(n, ast.Call)]
    return any(last_name(call.func) in ("len", "sum", "hash", "ord", "crc32", "count") for call in calls)


# --- tables of answers ----------------------------------------------------------------------------------


def _canned(base: Source | None, result: Source, tested: frozenset[str]) -> Iterator[Finding]:
    known = Known(base, ast.Dict, ast.List, ast.Tuple, ast.Set)
    for node in _tables(result):
        values = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
        if (_is_canned(values, tested) or _by_digest(node, tested)) and ast.unparse(node) not in known:
            yield found("canned-answers", result.path, node.lineno, detail=ast.unparse(node))
            return


_TABLES = (ast.Dict, ast.List, ast.Tuple, ast.Set)
_PLAIN = (*_TABLES, ast.Constant, ast.expr_context, ast.UnaryOp, ast.unaryop)


def _tables(source: Source) -> Iterator[ast.Dict | ast.List | ast.Tuple | ast.Set]:
    """Tables of literals alone."""
    for node in source.nodes:
        if isinstance(node, _TABLES) and all(isinstance(part, _PLAIN) for part in ast.walk(node)):
            yield node


def _is_canned(values: Sequence[object], tested: frozenset[str]) -> bool:
    texts = [value for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)]
    hits = [value for value in texts if repr(value) in tested and _is_telling(value)]
    return len(hits) >= MIN_CANNED and 5 * len(hits) >= 3 * len(texts)


def _by_digest(node: ast.expr, tested: frozenset[str]) -> bool:
    """Whether a table has what tests expect under digests."""
    if not isinstance(node, ast.Dict):
        return False
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
    digests = [key for key in keys if isinstance(key, str) and _SHORT_DIGEST.fullmatch(key) and re.search(r"\d", key)]
    return bool(digests) and len(digests) == len(node.keys) and _answers_tests(node.values, tested)


def _is_telling(value: object) -> bool:
    return is_particular(value) or (isinstance(value, str) and len(value) >= MIN_ANSWER)


def canned_data(path: str, text: str, tested: frozenset[str]) -> Iterator[Finding]:
    """A new file of data outside of the tests that consists mostly of their literals."""
    wanted = (literal[1:-1] for literal in tested if literal[0] in "'\"" and len(literal) >= MIN_ANSWER + 2)
    hits = [literal for literal in wanted if literal in text]
    if len(hits) >= MIN_CANNED and 2 * sum(map(len, hits)) >= len(text.strip()):
        yield found("canned-answers", path, detail=", ".join(sorted(hits)))


# --- functions that no longer work ----------------------------------------------------------------------


def _constant_results(base: Source | None, result: Source, tested: frozenset[str]) -> Iterator[Finding]:
    before = {} if base is None else dict(_qualified(base.tree))
    for name, function in _qualified(result.tree):
        was = before.get(name)
        if was is None or _is_constant(was) or not _arguments_used(was):
            continue
        if _is_constant(function) or _answers_alone(function, was, tested):
            yield found("constant-result", result.path, function.lineno, detail=name)


def _qualified(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from _qualified(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.Try):
            yield from _qualified(node, prefix)


def _is_constant(function: Function) -> bool:
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if any(last_name(decorator) in ("abstractmethod", "overload") for decorator in function.decorator_list):
        return False
    if len(body) > 1 or (body and not isinstance(body[0], ast.Return | ast.Pass)):
        return False
    value = body[0].value if body and isinstance(body[0], ast.Return) else None
    return value is None or not any(isinstance(part, ast.Name | ast.Call | ast.Lambda) for part in ast.walk(value))


def _answers_alone(function: Function, was: Function, tested: frozenset[str]) -> bool:
    """Whether a function that worked with more arguments does nothing now but answer what a test expects."""
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return False
    ignores = _arguments_used(was) - _arguments_used(function)
    return bool(ignores) and _answers_tests([body[0].value], tested)


def _arguments_used(function: Function) -> set[str]:
    arguments = function.args
    named = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
    names = {argument.arg for argument in named if argument is not None}
    raising = len(function.body) == 1 and isinstance(function.body[0], ast.Raise)
    used = {part.id for node in function.body for part in ast.walk(node) if isinstance(part, ast.Name)}
    return set() if raising else names & used


def _counted_calls(base: Source | None, result: Source) -> Iterator[Finding]:
    known = Known(base, ast.FunctionDef, ast.AsyncFunctionDef)
    for function in result.functions():
        if _counts(function) and ast.unparse(function) not in known:
            yield found("call-counting", result.path, function.lineno, detail=function.name)


def _counts(function: Function) -> bool:
    """Whether a counter that outlives the call decides on a literal answer."""
    kept = {name for node in ast.walk(function) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    counted = {ast.unparse(node.target) for node in ast.walk(function) if isinstance(node, ast.AugAssign)}
    counters = {name for name in counted if name in kept or name.startswith(f"{function.name}.")}
    return bool(counters) and any(_decides(node, counters) for node in ast.walk(function))


def _decides(node: ast.AST, counters: Iterable[str]) -> bool:
    if not isinstance(node, ast.If | ast.IfExp) or _answer(node) is None:
        return False
    asked = {ast.unparse(part) for part in ast.walk(node.test) if isinstance(part, ast.Name | ast.Attribute)}
    return bool(asked & set(counters))
