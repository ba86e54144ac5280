"""A plugin's files, read once and held by content: what was hashed is what is imported. It imports none of them."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal

from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import Refused

Origin = Literal["shipped", "installed", "repository", "directory"]
MAX_FILES = 500
MAX_BYTES = 4 << 20  # of all files; a plugin is code and small data
_LEFT_OUT = frozenset({"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache"})  # made, not written


class Bundle:
    """All files of one plugin by their path below its directory, with `/`.

    `name` is the directory's, or the entry point's. `package` is the installed package that Python itself imports;
    where it is empty, modules are imported from `files`.
    """

    def __init__(
        self, name: str, files: dict[str, bytes], *, origin: Origin, where: str, package: str = "", trouble: str = ""
    ) -> None:
        self.name = name
        self.files = files
        self.origin = origin
        self.where = where
        self.package = package
        self.trouble = trouble  # why its files could not be read, or may not be

    @cached_property
    def digest(self) -> str:
        """Over the path and the content of every file: any change of any of them gives another one."""
        return digest_of({path: digest_bytes(data) for path, data in self.files.items()})


def read_directory(path: Path, *, origin: Origin, package: str = "", name: str = "") -> Bundle:
    """The bundle of a directory. What cannot be read, or is too much, is told in its `trouble`."""
    named = name or path.resolve().name
    try:
        return Bundle(named, dict(_contents(path)), origin=origin, where=str(path), package=package)
    except (OSError, Refused) as problem:
        return Bundle(named, {}, origin=origin, where=str(path), package=package, trouble=str(problem))


def _contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Regular files only: a link could lead to what was not hashed."""
    total = 0
    for number, place in enumerate(_files(root), start=1):
        found = place.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise Refused(f"{place} is no plain file", hint="a plugin consists of plain files")
        total += found.st_size
        require_small(number, total)
        yield place.relative_to(root).as_posix(), place.read_bytes()


def _files(root: Path) -> Iterator[Path]:
    for place in sorted(root.iterdir()):
        if place.name in _LEFT_OUT or place.suffix == ".pyc":
            continue
        if place.is_dir() and not place.is_symlink():
            yield from _files(place)
        else:
            yield place


def require_small(files: int, size: int) -> None:
    """Raise Refused where a plugin is more than we hold in memory."""
    if files > MAX_FILES or size > MAX_BYTES:
        raise Refused(
            f"a plugin has at most {MAX_FILES} files and {MAX_BYTES >> 20} MiB", hint="leave out what it does not need"
        )
