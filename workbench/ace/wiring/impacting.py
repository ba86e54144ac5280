"""What a pack does to the rest of its tree, read from git's objects in the store. It judges and shows nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from workbench.ace.wiring.differing import ChangedFile, apart, changed_files, sides_of, store_path
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.errors import NotFound, RepositoryProblem
from workbench.repository.git import Git, understood
from workbench.repository.reader import ObjectReader

if TYPE_CHECKING:
    from workbench.code.impact_model import Impact

LARGEST = 2_000_000  # bytes of one side of a file; larger ones are made by programs
TOGETHER = 64_000_000  # bytes of all changed files
AROUND = 5  # lines that are shown before and after one
_NAME = re.compile(r"[\w$]+")
_FILES = ("100644", "100755", "100664")  # modes; links and submodules hold no text


def impact_of(place: Workplace, pack: PackState) -> Impact:
    """The impact of a pack. Raises NotFound while there is no result of it to look at."""
    if not pack.tree or not pack.base_commit:
        raise NotFound(f"{pack.id} has no result yet.", hint="wait until its evidence is made, then ask again")
    from workbench.code.compare import structural_diff  # grammars take a moment to load
    from workbench.code.impact import impact
    from workbench.code.parsing import together

    files, left_out = _fitting(changed_files(place, pack.base_commit, pack.tree))
    sides = sides_of(place, pack.base_commit, pack.tree, files)
    parts = [part for file, side in zip(files, sides, strict=True) for part in apart(file, side)]
    with StoredTree(Git(store_path(place)), pack.tree) as tree, together():
        found = impact(parts, structural_diff(parts), tree)
    return msgspec.structs.replace(found, limits=(*left_out, *found.limits)) if left_out else found


def lines_around(place: Workplace, tree: str, path: str, line: int, *, around: int = AROUND) -> list[tuple[int, str]]:
    """The lines of a file of a tree around one of them, with their numbers; none where there is no such text."""
    with StoredTree(Git(store_path(place)), tree) as stored:
        data = stored.read(path) or b""
    texts = data.decode("utf-8", "replace").split("\n") if b"\0" not in data else []
    first = max(1, line - around)
    return list(enumerate(texts[first - 1 : line + around], start=first))


def _fitting(files: Sequence[ChangedFile]) -> tuple[list[ChangedFile], tuple[str, ...]]:
    """The files that are looked at, and words on those that are not."""
    kept: list[ChangedFile] = []
    left_out: list[str] = []
    size = 0
    for file in files:
        if max(file.old_size, file.new_size) > LARGEST or size + file.old_size + file.new_size > TOGETHER:
            left_out.append(f"{file.path}: not looked at, {file.old_size + file.new_size} bytes")
            continue
        size += file.old_size + file.new_size
        kept.append(file)
    return kept, tuple(left_out)


class StoredTree:
    """A `Tree` of git's. Nothing of anybody's takes part: no attributes, no text conversion, no checkout."""

    def __init__(self, git: Git, tree: str) -> None:
        self._git, self._tree = git, tree
        self._reader = ObjectReader(git)

    def __enter__(self) -> StoredTree:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    @cached_property
    def paths(self) -> Sequence[str]:
        """All files."""
        fields = self._git.run("ls-tree", "-r", "-z", "--full-tree", self._tree).fields
        with understood("ls-tree"):
            entries = [field.split("\t", 1) for field in fields]
            return tuple(path for head, path in entries if head.startswith(_FILES))

    def read(self, path: str) -> bytes | None:
        """The content of a file; None where there is none, or it is too large."""
        try:
            return self._reader.file(self._tree, path)
        except RepositoryProblem:
            return None

    def holders(self, names: Collection[str]) -> Sequence[str]:
        """The files in which one of these names stands as a word."""
        wanted = [word for name in names if _NAME.fullmatch(name) for word in ("-e", name)]
        if not wanted:
            return ()
        flags = ("grep", "-l", "-z", "-w", "-F", "-I", "--no-color", "--full-name")
        fields = self._git.run(*flags, *wanted, self._tree, ok=(0, 1)).fields
        return [field.removeprefix(f"{self._tree}:") for field in fields]
