"""The modules of a tree by the names under which others import them. It knows paths, and no content of files."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from workbench.code.imports import module_of
from workbench.code.languages import family_of, language_of
from workbench.code.statements import EVERYTHING, Import

GO_LINES = 100  # of a go.mod among which the module's name is looked for
_SCRIPT_ENDS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")


def go_module_of(data: bytes | None) -> str:
    """The name that a go.mod gives its module; empty where there is none."""
    for line in (data or b"").split(b"\n")[:GO_LINES]:
        if line.startswith(b"module "):
            return line.removeprefix(b"module ").split(b"//")[0].strip().strip(b'"').decode("utf-8", "replace")
    return ""


class Meant(NamedTuple):
    """What an import means: `name` of a module, or all of it where `name` is empty."""

    module: str
    name: str = ""
    is_inside: bool = False  # whether the module is of this tree
    is_lost: bool = False  # whether it should be of this tree, and is not there


class Modules:
    """The modules of one tree. `go_module` is the name that its go.mod gives it."""

    def __init__(self, paths: Iterable[str], *, go_module: str = "") -> None:
        self._go = go_module
        self._known: dict[tuple[str, str], str] = {}  # by family and any name of it
        self.paths: dict[tuple[str, str], list[str]] = defaultdict(list)  # by family and its own name
        self._tops: set[str] = set()  # first parts of the names of Python's modules
        everything = [(path, language) for path in paths if (language := language_of(path))]
        packages = {posixpath.dirname(path) for path, _ in everything if path.endswith("/__init__.py")}
        for path, language in everything:
            self._add(path, language, packages)

    def _add(self, path: str, language: str, packages: set[str]) -> None:
        family, name = family_of(language), module_of(path, language)
        self.paths[family, name].append(path)
        self._known.setdefault((family, name), name)
        if language == "python":
            self._tops.add(name.partition(".")[0])
            root = posixpath.dirname(path)
            while root in packages:
                root = posixpath.dirname(root)
            within = module_of(path.removeprefix(f"{root}/"), language) if root else name
            self._known.setdefault((family, within), name)
            self._tops.add(within.partition(".")[0])
        elif language == "rust":
            for end in ("/mod", "/lib", "/main"):
                if name.endswith(end):
                    self._known.setdefault((family, name.removesuffix(end)), name)

    def meant(self, one: Import, path: str, language: str) -> Meant:
        """What an import in a file means."""
        family = family_of(language)
        if family == "python":
            return self._python(one, path)
        if family == "script":
            return self._script(one, path)
        if family == "go":
            return self._go_package(one)
        return self._rust(one, path)

    def called(self, family: str, name: str) -> str:
        """The module's own name; empty where this tree has none of that name."""
        return self._known.get((family, name), "")

    def _python(self, one: Import, path: str) -> Meant:
        dots = len(one.source) - len(one.source.lstrip("."))
        source = one.source.lstrip(".")
        if dots:
            parts = module_of(path, "python").split(".")
            parts = parts if path.endswith("__init__.py") else parts[:-1]
            source = ".".join([*parts[: len(parts) - dots + 1], *([source] if source else [])])
        if one.name not in ("", EVERYTHING) and (inner := self.called("python", f"{source}.{one.name}")):
            return Meant(inner, is_inside=True)
        if module := self.called("python", source):
            return Meant(module, one.name, is_inside=True)
        is_lost = bool(dots) or (source.partition(".")[0] in self._tops and "." in source)
        return Meant(source or one.source, one.name, is_lost=is_lost and bool(source))

    def _script(self, one: Import, path: str) -> Meant:
        if not one.source.startswith("."):
            return Meant(one.source, one.name)
        source = posixpath.normpath(posixpath.join(posixpath.dirname(path), one.source))
        bare = next((source.removesuffix(end) for end in _SCRIPT_ENDS if source.endswith(end)), source)
        for name in (source, bare, bare.removesuffix("/index")):
            if module := self.called("script", name):
                return Meant(module, one.name, is_inside=True)
        has_other_kind = "." in source.rpartition("/")[2]  # a style sheet, a picture
        return Meant(source, one.name, is_lost=not has_other_kind)

    def _go_package(self, one: Import) -> Meant:
        if self._go and (one.source == self._go or one.source.startswith(f"{self._go}/")):
            module = self.called("go", one.source.removeprefix(self._go).strip("/") or ".")
            return Meant(module or one.source, one.name, is_inside=bool(module), is_lost=not module)
        return Meant(one.source, one.name)

    def _rust(self, one: Import, path: str) -> Meant:
        parts = [part for part in [*one.source.split("::"), one.name] if part]
        head = parts[0] if parts else ""
        own = path.removesuffix(".rs")
        around = posixpath.dirname(own) if own.endswith(("/mod", "/lib", "/main")) else own
        if head == "crate":
            before, mark, _ = path.rpartition("src/")
            start = f"{before}src" if mark else posixpath.dirname(path)
        elif head == "self":
            start = around
        elif head == "super":
            start = posixpath.dirname(around)
        else:
            return Meant("::".join(parts[:-1]) if one.name else one.source, one.name)
        rest = parts[1:]
        while rest and rest[0] == "super":
            start, rest = posixpath.dirname(start), rest[1:]
        return self._deepest(start, rest, "::".join(parts))

    def _deepest(self, start: str, rest: list[str], text: str) -> Meant:
        for count in range(len(rest), -1, -1):
            if module := self.called("rust", posixpath.join(start, *rest[:count])):
                return Meant(module, ".".join(rest[count:]), is_inside=True)
        return Meant(text, is_lost=True)
