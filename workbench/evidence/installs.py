"""Code that installs packages when it runs, told by literals in calls and lists; names that are built are not seen."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

from workbench.evidence.static import text_of
from workbench.model.evidence import Finding
from workbench.model.text import one_line
from workbench.ports import Change

_RUNNERS = frozenset(
    {"run", "Popen", "call", "check_call", "check_output", "system", "popen", "getoutput", "getstatusoutput", "main",
     "create_subprocess_exec", "create_subprocess_shell", "execv", "execvp", "execl", "execlp", "spawnv", "spawnl"}
)  # fmt: skip
_INSTALL = re.compile(
    r"(?:^|[\s/;&|])(?:pip[\d.]*|pipx|uv|conda|mamba|npm|pnpm|yarn|poetry|gem|cargo|apt|apt-get|easy_install)"
    r"(?:\s+(?:-\S+|pip))*\s+(?:install|add|i)\b|\bensurepip\b"
)
_SHELL = (".sh", ".bash")
MAX_FINDINGS = 100


def installs(change: Change) -> list[Finding]:
    """A finding for each added call that installs something."""
    found: list[Finding] = []
    for path, numbers in sorted(change.added_lines().items()):
        text = text_of(change.result_file(path)) if path.endswith((".py", *_SHELL)) else None
        places = () if text is None else _in_python(text) if path.endswith(".py") else _in_shell(text)
        for first, last, words in places:
            if any(first <= number <= last for number in numbers):
                said = f"Code that installs packages when it runs: {one_line(words, 100)}"
                found.append(Finding(kind="dependencies.install", severity="high", text=said, path=path, line=first))
    return found[:MAX_FINDINGS]


def _in_shell(text: str) -> Iterator[tuple[int, int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        code = line.partition("#")[0][:4000]
        if _INSTALL.search(code):
            yield number, number, code


def _in_python(text: str) -> Iterator[tuple[int, int, str]]:
    """(first line, last line, words) of calls that run commands, and of lists that are commands."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    seen: list[tuple[int, int]] = []  # a call comes before the list within it
    for node in nodes:
        if not isinstance(node, ast.List | ast.Tuple) and not (isinstance(node, ast.Call) and _runs(node)):
            continue
        parts = node.args if isinstance(node, ast.Call) else node.elts
        words = " ".join(word for part in parts for word in _words(part))
        first, last = node.lineno, node.end_lineno or node.lineno
        if _INSTALL.search(words) and not any(start <= first and last <= end for start, end in seen):
            seen.append((first, last))
            yield first, last, words


def _runs(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in _RUNNERS


def _words(part: ast.expr) -> Iterator[str]:
    """The literal words of an argument, in order; f-strings with their fixed parts."""
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        yield part.value
    elif isinstance(part, ast.List | ast.Tuple):
        for inner in part.elts:
            yield from _words(inner)
    elif isinstance(part, ast.JoinedStr):
        yield "".join(str(v.value) for v in part.values if isinstance(v, ast.Constant))
    elif isinstance(part, ast.BinOp):
        yield from _words(part.left)
        yield from _words(part.right)
