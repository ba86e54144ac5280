"""The hunks of what a pack changes, read from git's objects: of one file, or counted over all. It judges nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from workbench.ace.wiring.differing import ChangedFile, file_diff, whole_diff
from workbench.ace.wiring.workplace import Workplace
from workbench.code.githunks import GitHunk, hunks_of
from workbench.code.unified import FileDiff
from workbench.core.state import PackState

LARGEST = 4 << 20  # bytes of both sides of a file; a larger one is one thing, without hunks
COUNTED = 32 << 20  # bytes of both sides of all files up to which hunks are counted over all


class Cut(msgspec.Struct, frozen=True):
    """A file's diff, and its hunks."""

    diff: FileDiff
    hunks: tuple[GitHunk, ...]


def is_cut(file: ChangedFile) -> bool:
    """Whether hunks of the file can be told."""
    return not file.is_binary and file.old_size + file.new_size <= LARGEST


def cut(place: Workplace, pack: PackState, file: ChangedFile) -> Cut:
    """The hunks of one file of a pack; none of what is no text, or too large."""
    diff = FileDiff(file_diff(place, pack.base_commit, pack.tree, file) if is_cut(file) else b"")
    return Cut(diff, hunks_of(diff))


def counts(place: Workplace, pack: PackState, files: Sequence[ChangedFile]) -> Mapping[str, int]:
    """By path, how many hunks each file has; nothing for a change too large to be counted."""
    if sum(file.old_size + file.new_size for file in files) > COUNTED:
        return {}
    diff = FileDiff(whole_diff(place, pack.base_commit, pack.tree))
    ends = [*(first for first, _, _ in diff.files[1:]), len(diff.hunks)]
    numbers = {(old, new): end - first for (first, old, new), end in zip(diff.files, ends, strict=True)}
    return {file.path: numbers.get((file.old_blob, file.new_blob), 0) for file in files if is_cut(file)}
