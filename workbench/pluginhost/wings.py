"""What a module of a plugin may import, by the wing that it is for: read from its text, before anything is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from workbench.model.problems import Problem
from workbench.pluginhost.bundle import Bundle
from workbench.pluginhost.manifest import Manifest, Wing

# A collector never imports Textual, and the screens never the agents' wing: each runs where the other is not.
FORBIDDEN: dict[Wing, tuple[str, ...]] = {
    "aee": ("textual", "workbench.ace"),
    "ace": ("workbench.aee", "anthropic", "acp", "dbos"),
}
WHOSE: dict[Wing, str] = {"aee": "the agents' wing", "ace": "the screens' wing"}


def trespasses(bundle: Bundle, manifest: Manifest) -> list[Problem]:
    """Modules that are missing, cannot be read, or import what their wing has not, and what they import in turn."""
    wings: tuple[tuple[Wing, tuple[str, ...]], ...] = (("aee", manifest.modules.aee), ("ace", manifest.modules.ace))
    return [problem for wing, names in wings for problem in _of_wing(bundle, wing, names)]


def _of_wing(bundle: Bundle, wing: Wing, names: tuple[str, ...]) -> Iterator[Problem]:
    waiting, seen = [path_of(bundle, name) or _missing(name) for name in names], set[str]()
    while waiting:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        if path not in bundle.files:
            yield Problem(path=path, line=0, column=0, text="there is no such module")
            continue
        try:
            tree = ast.parse(bundle.files[path], filename=path)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", 0) or 0
            yield Problem(path=path, line=line, column=1, text=f"it is no Python: {error}")
            continue
        for node, target in _imports(tree, path, package=bundle.package):
            if any(target == root or target.startswith(f"{root}.") for root in FORBIDDEN[wing]):
                text = f"a module for {WHOSE[wing]} must not import {target}"
                yield Problem(path=path, line=node.lineno, column=node.col_offset + 1, text=text)
            elif target.startswith(".") and (inner := path_of(bundle, target[1:])):
                waiting.append(inner)


def _missing(name: str) -> str:
    return name.replace(".", "/") + ".py"


def path_of(bundle: Bundle, name: str) -> str:
    """The file of a module of the plugin, by its name below the plugin's directory; empty where there is none."""
    stem = name.replace(".", "/")
    return next((path for path in (f"{stem}.py", f"{stem}/__init__.py") if path in bundle.files), "")


def _imports(tree: ast.AST, path: str, *, package: str) -> Iterator[tuple[ast.stmt, str]]:
    """Each import, also those inside functions; one of the plugin's own begins with a dot."""
    parents = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, _own(alias.name, package)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            start = f".{base}" if node.level else _own(base, package)
            yield node, start
            yield from ((node, f"{start}.{alias.name}".replace("..", ".")) for alias in node.names)


def _own(name: str, package: str) -> str:
    inside = package and (name == package or name.startswith(f"{package}."))
    return f".{name[len(package) + 1 :]}" if inside else name
