"""The hunks of what a pack changes, read from git's objects: of one file, or counted over all. It judges nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from workbench.ace.wiring.differing import ChangedFile, changed_files, file_diff, whole_diff
from workbench.ace.wiring.workplace import Workplace
from workbench.code.githunks import GitHunk, hunks_of, named
from workbench.code.grafting import Edit, edits_of
from workbench.code.unified import FileDiff
from workbench.core.state import PackState
from workbench.model.errors import UsageError
from workbench.model.text import one_line

HUNK = "#"  # between a path and the name of a hunk of it
HUNK_OF = re.compile(r"(?P<path>.+)#(?P<name>[0-9a-fA-F]{6,12})", re.DOTALL)
LARGEST = 4 << 20  # bytes of both sides of a file; a larger one is one thing, without hunks
MENTIONED = 5  # hunks, where several are meant
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


class VersionHunk(msgspec.Struct, frozen=True, kw_only=True):
    """One hunk of a file, and which of several versions on one base have it."""

    path: str
    hunk: str
    line: int  # in the base
    added: int
    removed: int
    words: str  # its first line
    packs: tuple[str, ...]


class Takeable(NamedTuple):
    """A hunk that a new version can take, and what it puts where in the base."""

    hunk: VersionHunk
    edits: tuple[Edit, ...]


def of_versions(place: Workplace, packs: Sequence[PackState], path: str) -> tuple[VersionHunk, ...]:
    """The hunks that can be taken of a file; see `takeable`."""
    return tuple(one.hunk for one in takeable(place, packs, path))


def takeable(place: Workplace, packs: Sequence[PackState], path: str) -> tuple[Takeable, ...]:
    """The hunks that can be taken of a file, in the order of the base; none where it is new, gone, renamed or no text.

    `packs` stand on one base: the same lines changed in the same way are one hunk, whoever has it.
    """
    found: dict[tuple[int, str], Takeable] = {}
    for pack in packs:
        for file in changed_files(place, pack.base_commit, pack.tree):
            if file.path != path or file.old_path != path or file.status != "M":
                continue
            made = cut(place, pack, file)
            for hunk in made.hunks:
                at = (hunk.blocks[0].old[0], hunk.name)
                one = VersionHunk(
                    path=path,
                    hunk=hunk.name,
                    line=at[0],
                    added=hunk.added,
                    removed=hunk.removed,
                    words=first_words(made.diff, hunk),
                    packs=(*(found[at].hunk.packs if at in found else ()), pack.id),
                )
                found[at] = Takeable(one, tuple(edits_of(made.diff, [hunk])))
    return tuple(sorted(found.values(), key=lambda one: one.hunk.line))  # of one line, in the order of the versions


def first_words(diff: FileDiff, hunk: GitHunk) -> str:
    """The first line with words that a hunk adds, or else takes away."""
    lines = [diff.raw(at).decode("utf-8", "replace") for at in range(hunk.first, hunk.last + 1)]
    shown = [line[1:].strip() for sign in "+-" for line in lines if line[:1] == sign]
    return next((words for words in shown if words), "")


def named_hunk(pack: str, path: str, hunks: Sequence[GitHunk], name: str, *, remedy: str) -> int:
    """The number of the hunk that a person means by its name, or by the beginning of it.

    Raises UsageError for one that is gone, and for a name that several have; `remedy` says what else names one.
    """
    found = named(hunks, name.lower())
    if len(found) == 1:
        return hunks.index(found[0])
    shown = f"workbench mrp diff {pack} {one_line(path)}"
    if not found:
        raise UsageError(
            f"{pack} has no hunk {one_line(name)} in {one_line(path)}.",
            hint=f"{shown} names those it has: other lines are another hunk. {remedy}",
        )
    lines = ", ".join(str(one.line) for one in found[:MENTIONED])
    others = [one.name for one in found if not one.name.startswith(name.lower())]
    instead = f"{' or '.join(others[:MENTIONED])} names one of them. " if others else ""
    raise UsageError(
        f"{one_line(name)} names {len(found)} hunks of {one_line(path)}, at lines {lines}.",
        hint=f"{instead}{remedy}",
    )
