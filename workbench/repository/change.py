"""Port `Change` over the store: what lies between a base and the result of merging a head on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import msgspec

from workbench.model.errors import Refused
from workbench.ports import Commit, History
from workbench.repository.git import understood
from workbench.repository.history import added_by, commit_ids, read_commit
from workbench.repository.objects import Conflicted
from workbench.repository.store import Store

_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_DIFF = ("diff-tree", "-r", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color", "--no-commit-id")


class PathStat(msgspec.Struct, frozen=True, kw_only=True):
    """Lines added to and removed from one path; both None for a binary file."""

    path: str
    added: int | None
    removed: int | None


class StoreChange:
    """`head` merged on `base`. Making it raises Refused when the two conflict."""

    def __init__(self, store: Store, *, base: str, head: str) -> None:
        merged = store.merge(base, head)
        if isinstance(merged, Conflicted):
            raise Refused(
                "the change conflicts with its base",
                hint="bring the branch up to date with its base, then submit it again",
                data={"paths": list(merged.paths)},
            )
        self._store = store
        self.base, self.head = base, head
        self.result, self.tree = merged.commit, merged.tree

    def changed_paths(self) -> list[tuple[str, str]]:
        """(status letter, path) between base and result; renames as `D` and `A`, a changed type as `T`."""
        return list(self._changed)

    def base_file(self, path: str) -> bytes | None:
        """The file at `path` in the base commit; None when it is not there."""
        return self._store.read_file(self.base, path)

    def result_file(self, path: str) -> bytes | None:
        """The file at `path` in the result; None when it is not there."""
        return self._store.read_file(self.result, path)

    def added_lines(self) -> dict[str, tuple[int, ...]]:
        """Per path of the result, the numbers of the lines that base does not have."""
        return dict(self._added)

    def modes(self) -> dict[str, tuple[str, str]]:
        """Per changed path its git modes in base and result; "" where it is absent."""
        fields = self._store.git.run(*_DIFF, "--raw", "-z", self.base, self.result).fields
        with understood("diff-tree"):
            return {path: _modes_of(told) for told, path in zip(fields[::2], fields[1::2], strict=True)}

    def commits(self) -> tuple[Commit, ...]:
        """The commits of head that base has not, newest first, at most `MAX_COMMITS`."""
        return tuple(read_commit(self._store.reader, commit) for commit in self._commit_ids[0])

    def history_added_lines(self) -> History:
        """Lines that each of the commits has and none of its parents."""
        return self._history

    @cached_property
    def _commit_ids(self) -> tuple[list[str], int]:
        return commit_ids(self._store.git, self.base, self.head)

    @cached_property
    def _history(self) -> History:
        return added_by(self._store.git, *self._commit_ids)

    def numstat(self) -> list[PathStat]:
        """Lines added and removed, per changed path."""
        fields = self._store.git.run(*_DIFF, "--numstat", "-z", self.base, self.result).fields
        with understood("diff-tree"):
            return [_stat_of(field) for field in fields]

    @cached_property
    def _changed(self) -> tuple[tuple[str, str], ...]:
        fields = self._store.git.run(*_DIFF, "--name-status", "-z", self.base, self.result).fields
        with understood("diff-tree"):
            return tuple(zip(fields[::2], fields[1::2], strict=True))

    @cached_property
    def _added(self) -> dict[str, tuple[int, ...]]:
        diff = self._store.git.run(*_DIFF, "-p", "-U0", "--diff-filter=d", self.base, self.result).out
        sections = iter(_sections(diff))
        with understood("diff-tree"):
            added = {path: _numbers(_section_of(letter, sections)) for letter, path in self._changed if letter != "D"}
        return {path: numbers for path, numbers in added.items() if numbers}


def _modes_of(told: str) -> tuple[str, str]:
    """The modes of a raw line (`:100644 000000 ...`)."""
    before, after = ("" if mode == "000000" else mode for mode in told.removeprefix(":").split(" ")[:2])
    return before, after


def _section_of(letter: str, sections: Iterator[list[bytes]]) -> list[bytes]:
    """The next path's part of the diff: a changed type is shown as a deletion and a creation."""
    found = [next(sections, None) for _ in range(2 if letter == "T" else 1)][-1]
    if found is None:
        raise ValueError("a path that was changed is not in the patch")
    return found


def _sections(diff: bytes) -> list[list[bytes]]:
    """The hunk headers of each file's part of a diff, in git's order.

    Lines of content start with + - or a backslash and names are quoted (no `-z`), so neither can pose as a header.
    """
    sections: list[list[bytes]] = []
    for line in diff.split(b"\n"):
        if line.startswith(b"diff --git "):
            sections.append([])
        elif line.startswith(b"@@ ") and sections:
            sections[-1].append(line)
    return sections


def _numbers(hunks: list[bytes]) -> tuple[int, ...]:
    found = [match for line in hunks if (match := _HUNK.match(line))]
    spans = [(int(match[1]), int(match[2] or 1)) for match in found]
    return tuple(number for first, count in spans for number in range(first, first + count))


def _stat_of(field: str) -> PathStat:
    added, removed, path = field.split("\t", 2)
    if added == "-":
        return PathStat(path=path, added=None, removed=None)
    return PathStat(path=path, added=int(added), removed=int(removed))
