"""Finds product code that knows it is being tested, answers a test's input by rote, or silences a checker."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.runner_code import Source
from workbench.model.evidence import Finding

_SNIFF_TESTS = re.compile(
    r"[\"']PYTEST_\w+[\"']|[\"'](_?pytest|unittest|hypothesis|nose|coverage)[\"']\s+(not\s+)?in\s+sys\.modules"
    r"|sys\.modules\.get\(\s*[\"'](_?pytest|unittest)|sys\.gettrace\(|process\.env\.(JEST_WORKER_ID|VITEST)"
    r"|NODE_ENV.{0,12}[\"']test[\"']|[\"'](py)?test[\"']\s+in\s+sys\.argv|flag\.Lookup\(\"test\.|testing\.Testing\(\)|cfg!\(test\)"
)
_SNIFF_PLACE = re.compile(
    r"(environ|getenv|process\.env|Getenv|env::var).{0,20}[\"'.](CI|GITHUB_ACTIONS|GITLAB_CI|WORKBENCH\w*|PYTHONDONTWRITEBYTECODE|PYTHONHASHSEED|PYTHONNOUSERSITE|BUILD_ID|TOX_ENV_NAME)\b"
)
# Ways to look at who calls, or at how the program was started, without a word of tests.
_SNIFF_CALLER = re.compile(
    r"\b_getframe\b|\b_current_frames\b|\binspect\.(stack|currentframe|getouterframes)\b|\bf_back\b|\btb_frame\b"
    r"|\b(extract_stack|walk_stack|format_stack)\(|\bgc\.get_(objects|referrers)\b|\bsys\.get(trace|profile)\b"
    r"|\bimport __main__|modules.{0,8}[\"']__main__[\"']|\bdont_write_bytecode\b|/proc/(self|\d+)/(cmdline|environ)"
)
_SNIFF_START = re.compile(r"\bsys\.(orig_)?argv\b")
_STARTED = re.compile(r"(^|/)(__main__|main|cli|app|manage|setup|run)\.py$|(^|/)(scripts|bin|tools|cli|commands)/")
_NAMES_RUNNER = re.compile(r"[\"'][^\"']*(pytest|unittest|workbench_|conftest|\btest_)[^\"']*[\"']", re.IGNORECASE)
_SILENCED = (
    ("no-cover-added", re.compile(r"#\s*pragma:\s*no\s*cover|istanbul ignore|c8 ignore", re.IGNORECASE)),
    ("noqa-added", re.compile(r"#\s*(noqa|ruff:\s*noqa|pylint:\s*disable|flake8:\s*noqa)|eslint-disable|#\[allow\(")),
    ("type-ignore-added", re.compile(r"#\s*(type:\s*ignore|pyright:\s*ignore|mypy:\s*ignore)|@ts-(ignore|nocheck)")),
)
MIN_LITERAL = 3  # shortest text that counts as particular; numbers count from two digits on


def sniffing(path: str, added: Sequence[tuple[int, str]], *, in_tests: bool) -> Iterator[Finding]:
    """Added lines that ask whether a test is running, who calls, or where the program runs.

    Looking at callers has honest uses; beside a name of a test runner it has none.
    """
    named = any(_NAMES_RUNNER.search(text) for _, text in added)
    for line, text in added:
        if not in_tests and _SNIFF_TESTS.search(text):
            yield found("test-sniffing", path, line, detail=text)
        elif not in_tests and _SNIFF_CALLER.search(text):
            yield found("test-sniffing" if named else "caller-sniffing", path, line, detail=text)
        elif not in_tests and _SNIFF_START.search(text) and not _STARTED.search(path):
            yield found("caller-sniffing", path, line, detail=text)
        elif _SNIFF_PLACE.search(text):
            yield found("environment-sniffing", path, line, detail=text)


def silenced(path: str, added: Sequence[tuple[int, str]], removed: Sequence[str]) -> Iterator[Finding]:
    """Added comments that silence coverage, a linter or a type checker."""
    for kind, pattern in _SILENCED:
        before = sum(bool(pattern.search(text)) for text in removed)
        lines = [(line, text) for line, text in added if pattern.search(text)]
        for line, text in lines[before:]:
            yield found(kind, path, line, detail=text.strip())


def special_cases(base: Source | None, result: Source, tested: frozenset[str]) -> Iterator[Finding]:
    """New branches that compare an input with a literal of the tests and return a literal."""
    known = set() if base is None else {ast.unparse(node) for node in ast.walk(base.tree) if _by_rote(node, tested)}
    for node in ast.walk(result.tree):
        if isinstance(node, ast.If) and _by_rote(node, tested) and ast.unparse(node) not in known:
            yield found("special-cased-input", result.path, node.lineno, detail=ast.unparse(node.test))


def _by_rote(node: ast.AST, tested: frozenset[str]) -> bool:
    return isinstance(node, ast.If) and _returns_literal(node.body) and bool(_compared(node.test) & tested)


def literals_of(tree: ast.Module) -> frozenset[str]:
    """The particular literals of a module of tests: neither short nor ordinary."""
    return frozenset(
        repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant) and _is_particular(node.value)
    )


def _is_particular(value: object) -> bool:
    if isinstance(value, str | bytes):
        return len(value) >= MIN_LITERAL
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 10


def _compared(test: ast.expr) -> frozenset[str]:
    literals = set()
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and all(isinstance(op, ast.Eq | ast.In) for op in node.ops):
            for side in (node.left, *node.comparators):
                literals |= {repr(n.value) for n in ast.walk(side) if isinstance(n, ast.Constant)}
    return frozenset(literals)


def _returns_literal(body: Sequence[ast.stmt]) -> bool:
    if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return False
    return not any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(body[0].value))
