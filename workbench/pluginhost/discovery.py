"""Where plugins are found: shipped with Workbench, installed beside it, and brought by a repository's base commit.

It reads files and imports none of them.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import workbench
from workbench.model.errors import Refused
from workbench.pluginhost.bundle import Bundle, read_directory, require_small

GROUP = "workbench.plugins"  # of entry points: the plugin's name, and the top-level package that holds its manifest
IN_REPOSITORY = ".workbench/plugins"
_SITES = ("site-packages", "dist-packages")  # where installers put packages; never a directory that somebody works in


class Commits(Protocol):
    """What is read of a repository: files as they stand in a commit."""

    def list_files(self, commit: str, under: str = "") -> list[str]:
        """Paths of all files below `under`."""
        ...

    def read_file(self, commit: str, path: str) -> bytes | None:
        """One of them; None where it is not there."""
        ...


def shipped_directory() -> Path:
    """Where the shipped plugins are: inside the installed package, or beside it in a checkout."""
    package = Path(workbench.__file__).parent
    return package / "plugins" if (package / "plugins").is_dir() else package.parent / "plugins"


def shipped() -> list[Bundle]:
    """The plugins that come with Workbench."""
    root = shipped_directory()
    places = sorted(place for place in root.iterdir() if place.is_dir()) if root.is_dir() else []
    return [read_directory(place, origin="shipped") for place in places if not place.name.startswith((".", "_"))]


def installed() -> list[Bundle]:
    """The plugins that a person installed into Workbench's own environment."""
    sites = [entry for entry in sys.path if Path(entry).name in _SITES]
    found = [
        entry
        for distribution in importlib.metadata.distributions(path=sites)
        for entry in distribution.entry_points
        if entry.group == GROUP
    ]
    return [_of_package(entry.name, entry.value) for entry in sorted(found, key=lambda entry: entry.name)]


def _of_package(name: str, package: str) -> Bundle:
    """A top-level package can be found without importing anything; what lies deeper could not."""
    if not package.isidentifier():
        trouble = f"its entry point names {package!r}, not a top-level package"
        return Bundle(name, {}, origin="installed", where=package, trouble=trouble)
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError) as problem:
        return Bundle(name, {}, origin="installed", where=package, trouble=str(problem))
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    if not places:
        return Bundle(name, {}, origin="installed", where=package, trouble=f"there is no package {package}")
    return read_directory(Path(places[0]), origin="installed", package=package, name=name)


def of_commit(commits: Commits, commit: str) -> list[Bundle]:
    """The plugins that a repository brings, as they stand in a base commit: never as a checkout has them."""
    files: dict[str, list[str]] = {}
    for path in commits.list_files(commit, IN_REPOSITORY):
        name, slash, rest = path.removeprefix(f"{IN_REPOSITORY}/").partition("/")
        if slash and rest:
            files.setdefault(name, []).append(rest)
    where = f"{IN_REPOSITORY}/{{}} in {commit[:12]}"
    return [_of_tree(commits, commit, name, sorted(paths), where.format(name)) for name, paths in files.items()]


def _of_tree(commits: Commits, commit: str, name: str, paths: list[str], where: str) -> Bundle:
    try:
        contents = dict(_contents(commits, commit, name, paths))
    except Refused as problem:
        return Bundle(name, {}, origin="repository", where=where, trouble=problem.message)
    return Bundle(name, contents, origin="repository", where=where)


def _contents(commits: Commits, commit: str, name: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    total = 0
    for number, path in enumerate(paths, start=1):
        require_small(number, total)
        data = commits.read_file(commit, f"{IN_REPOSITORY}/{name}/{path}") or b""
        total += len(data)
        require_small(number, total)
        yield path, data
