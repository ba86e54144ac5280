"""Which changed files hold data of base's tests though no name says so; it reads base's tree and runs nothing.

What the tests name and the program does not is theirs. What both name is the program's own: its change is a change of
behaviour, which the tests are there to measure; it is named, so that a person sees on which data they passed.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

SOURCE = frozenset({".py", ".pyi", ".js", ".cjs", ".mjs", ".jsx", ".ts", ".tsx", ".go", ".rs", ".rb", ".java", ".kt"})
MAX_SOURCE = 1 << 20  # bytes of a source file that is searched for names
_QUOTED = re.compile(r"""\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'|`([^`\n]{1,200})`""")


class DataOfTests(NamedTuple):
    """Changed files that tests read: they alone, or the program, too."""

    own: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()


def is_source(path: str) -> bool:
    """Whether the file holds code, which no test reads as data."""
    return PurePosixPath(path).suffix in SOURCE


def data_of_tests(paths: Sequence[str], tree: Path, is_test: Callable[[str], bool]) -> DataOfTests:
    """Those of `paths` that the tests in the tree of base read: by a text in them, or as `data` beside them."""
    wanted = {path: _names(path) for path in paths if not is_source(path)}
    if not wanted:
        return DataOfTests()
    everything = {name.encode() for names in wanted.values() for name in names}
    tests: set[str] = set()
    program: set[str] = set()
    beside: set[str] = set()
    for path in _files(tree):
        if not is_source(path):
            continue
        test = is_test(path)
        if test:
            beside.update(_neighbours(path))
        (tests if test else program).update(_texts(tree / path, everything))
    read = {path for path, names in wanted.items() if names & tests or _data_place(path) in beside}
    shared = frozenset(path for path in read if wanted[path] & program)
    return DataOfTests(own=frozenset(read - shared), shared=shared)


def _names(path: str) -> frozenset[str]:
    """The texts that name the file: its name, its path from any folder on, the folders above it."""
    parts = PurePosixPath(path).parts
    tails = {"/".join(parts[start:]) for start in range(len(parts))}
    return frozenset(tails | {"/".join(parts[:end]) for end in range(1, len(parts))})


def _data_place(path: str) -> str:
    """The folder in which a folder `data` above the file lies; a text that no folder has where there is none."""
    parts = PurePosixPath(path).parts[:-1]
    return "/".join(parts[: parts.index("data")]) if "data" in parts else "//"


def _neighbours(path: str) -> tuple[str, str]:
    """The folder of a test, and the one above it: `tests` and `data` lie side by side."""
    parents = [str(parent) if str(parent) != "." else "" for parent in PurePosixPath(path).parents]
    return parents[0], parents[min(1, len(parents) - 1)]


def _files(tree: Path) -> Iterator[str]:
    for place, folders, names in os.walk(tree):
        folders[:] = [name for name in folders if name not in (".git", "node_modules", ".venv")]
        for name in names:
            yield (Path(place) / name).relative_to(tree).as_posix()


def _texts(place: Path, wanted: set[bytes]) -> set[str]:
    """The string literals of a source file; nothing where none of `wanted` occurs in it at all."""
    if place.is_symlink() or place.stat().st_size > MAX_SOURCE:
        return set()
    data = place.read_bytes()
    if not any(name in data for name in wanted):
        return set()
    found = _python_texts(data) if place.suffix == ".py" else None
    if found is None:
        found = {next(filter(None, match.groups())) for match in _QUOTED.finditer(data.decode("utf-8", "replace"))}
    return {text.removeprefix("./").strip("/") for text in found}


def _python_texts(data: bytes) -> set[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
