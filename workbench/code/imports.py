"""Which module needs which, read off import statements, and what a change does to that. It resolves names only among
the files that it is given.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from workbench.code.languages import KNOWN_PATHS
from workbench.code.model import Dependencies, Edge
from workbench.code.sides import Pair, Side

MAX_CYCLES = 20  # that are listed
_FROM = re.compile(r"from\s+(\.*)\s*([\w.]*)\s+import\s+\(?(.*?)\)?$", re.DOTALL)
_QUOTED = re.compile(r"[\"'`]([^\"'`]+)[\"'`]")
_ROOTS = ("src/", "lib/", "python/")
Needs = dict[tuple[str, str], Edge]  # by (module, needed)


def dependencies(files: Sequence[Pair]) -> Dependencies:
    """Edges that came and went, and rings that were closed."""
    old, new = _all(files, is_new=False), _all(files, is_new=True)
    added = tuple(sorted(edge for key, edge in new.items() if key not in old))
    removed = tuple(sorted(edge for key, edge in old.items() if key not in new))
    known = {module_of(file.path, file.language) for file in files if file.is_new}
    return Dependencies(
        added=added,
        removed=removed,
        cycles=tuple(_closed(new, added)),
        unresolved=tuple(
            edge for edge in added if edge.needs.startswith((".", "crate", "super")) and edge.needs not in known
        ),
    )


@lru_cache(maxsize=KNOWN_PATHS)
def module_of(path: str, language: str) -> str:
    """The name under which others import a file."""
    if language == "python":
        for root in _ROOTS:
            path = path.removeprefix(root)
        name = path.rpartition(".")[0].replace("/", ".")
        return name.removesuffix(".__init__")
    if language == "go":
        return PurePosixPath(path).parent.as_posix()
    return PurePosixPath(path).with_suffix("").as_posix().removesuffix("/index")


def _all(files: Sequence[Pair], *, is_new: bool) -> Needs:
    found: Needs = {}
    modules = {module_of(file.path if is_new else file.old_path, file.language) for file in files}
    for file in files:
        path = file.path if is_new else file.old_path
        for edge in _edges(path, file.language, file.new if is_new else file.old, modules):
            found.setdefault((edge.module, edge.needs), edge)
    return found


def _edges(path: str, language: str, side: Side, modules: set[str]) -> Iterator[Edge]:
    own = module_of(path, language)
    for each in side.entities:
        if each.kind == "import" and not each.is_damaged:
            for needed in _needed(each.name, path, language, own, modules):
                if needed and needed != own:
                    yield Edge(own, needed, path, each.row + 1)


def _needed(text: str, path: str, language: str, own: str, modules: set[str]) -> Iterator[str]:
    if language == "python":
        yield from _of_python(text, path, own, modules)
    elif language == "go":
        yield text
    elif language == "rust":
        yield from _of_rust(text)
    else:
        for source in _QUOTED.findall(text)[-1:]:
            yield posixpath.normpath(posixpath.join(posixpath.dirname(path), source)) if source[:1] == "." else source


def _of_python(text: str, path: str, own: str, modules: set[str]) -> Iterator[str]:
    if not (found := _FROM.match(text)):
        for part in text.removeprefix("import").split(","):
            yield part.split(" as ")[0].strip()
        return
    dots, name, names = found.groups()
    if dots:
        parts = own.split(".") if path.endswith("__init__.py") else own.split(".")[:-1]
        parts = parts[: len(parts) - len(dots) + 1]
        name = ".".join([*parts, name]).strip(".")
    imported = [part.split(" as ")[0].strip() for part in names.split(",")]
    inner = [f"{name}.{part}" for part in imported if f"{name}.{part}" in modules]
    yield from inner
    if len(inner) < len([part for part in imported if part]):
        yield name


def _of_rust(text: str) -> Iterator[str]:
    name = re.sub(r"^(pub(\([^)]*\))?\s+)?(use|extern crate)\s+", "", text).rstrip(";")
    yield "::".join(part.strip() for part in re.split(r"\{|\bas\b", name)[0].split("::") if part.strip())


def _closed(needs: Mapping[tuple[str, str], Edge], added: Iterable[Edge]) -> Iterator[tuple[str, ...]]:
    """Rings that go through a new edge, the shortest of each."""
    following: dict[str, list[str]] = defaultdict(list)
    for module, needed in needs:
        following[module].append(needed)
    seen: set[frozenset[str]] = set()
    for edge in added:
        ring = _way(following, edge.needs, edge.module)
        if ring and frozenset(ring) not in seen and len(seen) < MAX_CYCLES:
            seen.add(frozenset(ring))
            yield ring


def _way(following: Mapping[str, Sequence[str]], start: str, end: str) -> tuple[str, ...]:
    """The shortest way, ends included; empty where there is none."""
    before = {start: ""}
    queue = [start]
    for at in queue:
        if at == end:
            way = [at]
            while before[way[-1]]:
                way.append(before[way[-1]])
            return tuple(reversed(way))
        for following_one in following.get(at, ()):
            if following_one not in before:
                before[following_one] = at
                queue.append(following_one)
    return ()
