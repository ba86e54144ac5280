"""How much harder to read a change makes functions, what it writes twice or leaves unused; findings, never required."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping

from workbench.evidence.leftovers import leftovers
from workbench.evidence.static import bound, text_of
from workbench.evidence.tampering.roles import is_test
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

MOST_WAYS = 10  # through a function, from which on it is called hard to follow
MIN_GROWTH = 3  # more ways than before, from which on it is said
MIN_COPIED = 8  # lines that are the same in two places
MAX_FINDINGS = 50
_FORKS = (
    ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.comprehension,
    ast.match_case, ast.Assert,
)  # fmt: skip


class Growth:
    """Port Collector: complexity of changed Python functions, lines that stand twice, and names without a use."""

    name = "growth"

    def collect(self, change: Change) -> Collected:
        """`passed` says that it was looked at; what was found is for the reader."""
        added = change.added_lines()
        findings: list[Finding] = []
        unread: list[str] = []
        for path in sorted(path for path in added if path.endswith(".py")):
            before, after = (text_of(side) or "" for side in (change.base_file(path), change.result_file(path)))
            try:
                findings += _grown(path, _ways(before), _ways(after))
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                unread.append(path)
        findings += _copies(change, added)
        summary = (
            f"{len(findings)} places grew hard to follow or stand twice" if findings else "nothing grew out of hand"
        )
        dead = leftovers(change)
        findings += dead
        summary += f"; {len(dead)} names can go, as nothing uses them" if dead else ""
        summary += f"; could not be read: {', '.join(unread[:10])}" if unread else ""
        evidence = bound(
            change, "growth", criterion="hygiene", state="not-checked" if unread else "passed", summary=summary,
            facts={"found": len(findings), "unread": unread[:10]},
        )  # fmt: skip
        return Collected(evidence=(evidence,), findings=tuple(findings[:MAX_FINDINGS]))


def _grown(path: str, before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> Iterator[Finding]:
    for name, (ways, line) in after.items():
        was = before.get(name, (0, 0))[0]
        if ways > MOST_WAYS and ways - was >= MIN_GROWTH:
            grew = f"went from {was} to {ways} ways through it" if was else f"has {ways} ways through it"
            text = f"{name} is hard to follow: it {grew}"
            kind, severity = "growth.complexity", "low"
            yield Finding(kind=kind, severity=severity, text=text, path=path, line=line, evidence="growth")  # type: ignore[arg-type]


def _ways(source: str) -> dict[str, tuple[int, int]]:
    """By qualified name the ways through a function, and its line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dict(_functions(ast.parse(source), ""))


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{child.name}", (1 + sum(map(_forks, ast.walk(child))), child.lineno)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _forks(node: ast.AST) -> int:
    return len(node.values) - 1 if isinstance(node, ast.BoolOp) else int(isinstance(node, _FORKS))


def _copies(change: Change, added: Mapping[str, tuple[int, ...]]) -> Iterator[Finding]:
    """Runs of added lines that stand a second time in the changed files of the result, tests apart; each run once."""
    windows: dict[tuple[str, ...], tuple[str, int]] = {}
    for path in sorted(path for path in added if not is_test(path)):
        lines = (text_of(change.result_file(path)) or "").split("\n")
        rows = [(number, " ".join(line.split())) for number, line in enumerate(lines, 1)]
        rows = [
            (number, line)
            for number, line in rows
            if len(line) > 3 and not line.startswith(("#", "//", "import", "from"))
        ]
        new, until = frozenset(added[path]), 0
        for index in range(len(rows) - MIN_COPIED + 1):
            block = tuple(line for _, line in rows[index : index + MIN_COPIED])
            first, last = rows[index][0], rows[index + MIN_COPIED - 1][0]
            other = windows.setdefault(block, (path, first))
            is_new = sum(number in new for number, _ in rows[index : index + MIN_COPIED]) >= MIN_COPIED - 1
            if other != (path, first) and is_new and first > until:
                until = last
                text = f"{MIN_COPIED} lines or more stand here as they do at {other[0]}:{other[1]}"
                yield Finding(kind="growth.copied", severity="low", text=text, path=path, line=first, evidence="growth")
