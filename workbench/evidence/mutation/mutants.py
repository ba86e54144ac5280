"""Makes mutants of named lines of Python: one exact edit of the text each, which still parses; it runs nothing.

What is edited is found by Python's own parser, by byte offsets; an operator is looked for between its operands.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Collection, Iterator

import msgspec

MAX_SOURCE = 1_000_000  # bytes of a file that is mutated
MAX_PER_FILE = 400
_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"), ast.Is: ("is", "is not"), ast.IsNot: (r"is\s+not", "is"), ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: (r"\+", "-"), ast.Sub: ("-", "+"), ast.Mult: (r"\*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"), ast.Pow: (r"\*\*", "*"), ast.BitAnd: ("&", "|"), ast.BitOr: (r"\|", "&"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
}  # fmt: skip
_QUIET = frozenset({"log", "logger", "logging", "print", "warnings", "warn"})  # whose calls no test need notice


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One fault: bytes `start` to `end` of a file replaced by `after`."""

    path: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def applied(self, source: bytes) -> bytes:
        """The source with the fault."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.before}` became `{self.after}`"


def mutants_of(path: str, source: bytes, lines: Collection[int]) -> tuple[Mutant, ...]:
    """Mutants of `lines`, one of each line first, then the next of each. Raises ValueError for unreadable source."""
    if len(source) > MAX_SOURCE or source.startswith(b"\xef\xbb\xbf"):
        raise ValueError("too large, or begins with a mark of byte order")
    try:
        source.decode("utf-8")
        tree = _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as problem:
        raise ValueError(f"cannot be read: {type(problem).__name__}") from problem
    maker = _Maker(path, source, frozenset(lines))
    maker.visit(tree)
    return tuple(_spread(mutant for mutant in maker.made if _parses(mutant.applied(source))))[:MAX_PER_FILE]


def _parsed(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def _parses(source: bytes) -> bool:
    try:
        _parsed(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _spread(mutants: Iterator[Mutant]) -> Iterator[Mutant]:
    """By rounds: the first of each line, then the second of each, so that a short budget reaches all lines."""
    by_line: dict[int, list[Mutant]] = {}
    for mutant in mutants:
        by_line.setdefault(mutant.line, []).append(mutant)
    for number in range(max(map(len, by_line.values()), default=0)):
        yield from (waiting[number] for waiting in by_line.values() if number < len(waiting))


class _Maker(ast.NodeVisitor):
    """Collects the edits of one file."""

    def __init__(self, path: str, source: bytes, lines: frozenset[int]) -> None:
        self._path, self._source, self._lines = path, source, lines
        self._starts = [0]
        for row in source.split(b"\n"):
            self._starts.append(self._starts[-1] + len(row) + 1)
        self.made: list[Mutant] = []

    # --- places ---

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def _add(self, line: int, start: int, end: int, *, after: str) -> None:
        before = self._source[start:end].decode("utf-8", "replace")
        if line in self._lines and before != after:
            mutant = Mutant(path=self._path, line=line, start=start, end=end, before=before, after=after)
            self.made.append(mutant)

    def _between(self, left: ast.expr, right: ast.expr, pattern: str, after: str) -> None:
        """Exchange the one operator that stands between two operands."""
        start, end = self._span(left)[1], self._span(right)[0]
        gap = self._source[start:end]
        found = list(re.finditer(pattern.encode(), gap))
        if len(found) == 1 and b"#" not in gap and b"\\" not in gap:
            place = start + found[0].start()
            line = left.end_lineno or left.lineno
            line += gap[: found[0].start()].count(b"\n")
            self._add(line, place, start + found[0].end(), after=after)

    def _whole(self, node: ast.expr | ast.stmt, after: str) -> None:
        start, end = self._span(node)
        self._add(node.lineno, start, end, after=after)

    # --- kinds of fault ---

    def visit_Compare(self, node: ast.Compare) -> None:
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            self._between(left, right, *_COMPARISONS[type(operator)])
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        words = (r"\band\b", "or") if isinstance(node.op, ast.And) else (r"\bor\b", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, *words)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        words = _OPERATORS.get(type(node.op))
        if words and not _is_text(node.left) and not _is_text(node.right):  # any test would notice that
            self._between(node.left, node.right, *words)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        words = _OPERATORS.get(type(node.op))
        if words:
            self._between(node.target, node.value, rf"{words[0]}=", f"{words[1]}=")
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            start, _ = self._span(node)
            self._add(node.lineno, start, self._span(node.operand)[0], after="")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._whole(node, str(not value))
        elif isinstance(value, int | float) and not isinstance(value, complex):
            self._whole(node, repr(value + 1))
        elif isinstance(value, str) and value and self._is_plain(node):
            self._whole(node, "''")

    def _is_plain(self, node: ast.Constant) -> bool:
        start, end = self._span(node)
        text = self._source[start:end]
        return text[:1] in (b"'", b'"') and text[:3] not in (b"'''", b'"""') and text.count(text[:1]) == 2

    def visit_If(self, node: ast.If) -> None:
        self.generic_visit(node)
        self._negated(node.test)

    def visit_While(self, node: ast.While) -> None:
        self.generic_visit(node)
        self._negated(node.test)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self.generic_visit(node)
        self._negated(node.test)

    def _negated(self, test: ast.expr) -> None:
        """Only where no operator in the condition is exchanged anyway."""
        if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
            start, end = self._span(test)
            self._add(test.lineno, start, end, after=f"(not {self._source[start:end].decode()})")

    def visit_Return(self, node: ast.Return) -> None:
        self.generic_visit(node)
        if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._whole(node.value, "None")

    def visit_Break(self, node: ast.Break) -> None:
        self._whole(node, "continue")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._whole(node, "break")

    def visit_Raise(self, node: ast.Raise) -> None:
        self._whole(node, "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node.value, ast.Call) and not _is_quiet(node.value):
            self._whole(node, "pass")
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """An assertion of the program holds or fails without a test."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """The parts of a formatted text have no places of their own in every Python."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults), *node.body):
            self.visit(part)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)  # type: ignore[arg-type]  # of the same parts


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_quiet(call: ast.Call) -> bool:
    names = {part.id for part in ast.walk(call.func) if isinstance(part, ast.Name)}
    return bool(names & _QUIET)
