"""Hunks put into another state of the file that they were made from, as whole lines; it judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from workbench.code.githunks import Block, GitHunk, hunks_of
from workbench.code.unified import FileDiff

_ADDED, _REMARK = b"+\\"


class Ungraftable(ValueError):
    """The hunks do not fit there; the message says why."""


class Edit(NamedTuple):
    """Lines of the base, half-open from 1, and what stands there instead."""

    first: int
    end: int
    lines: tuple[bytes, ...]


def grafted(base: bytes, ground: FileDiff, taken: Iterable[tuple[FileDiff, GitHunk]]) -> bytes:
    """`base` with all that `ground` changes in it, and with these hunks of other changes of the same base.

    Raises Ungraftable where two of them change the same lines, or touch, and are not the same.
    """
    edits = set(edits_of(ground, hunks_of(ground)))
    for diff, hunk in taken:
        edits |= set(edits_of(diff, [hunk]))
    if line := clash(edits):
        raise Ungraftable(f"line {line} of the base is changed in two ways")
    lines, made, at = _lines(base), list[bytes](), 1
    for edit in sorted(edits):
        made += [*lines[at - 1 : edit.first - 1], *edit.lines]
        at = edit.end
    return b"".join([*made, *lines[at - 1 :]])


def clash(edits: Iterable[Edit]) -> int:
    """The line of the base at which two of them change the same, or touch, and are not the same; 0: nowhere."""
    apart = sorted(set(edits))
    return next((after.first for before, after in pairwise(apart) if after.first <= before.end), 0)


def edits_of(diff: FileDiff, hunks: Iterable[GitHunk]) -> Iterator[Edit]:
    """What hunks of a diff put where."""
    for hunk in hunks:
        for block in hunk.blocks:
            yield Edit(block.old[0], block.old[1], tuple(_added(diff, block)))


def _lines(data: bytes) -> list[bytes]:
    """Lines as git has them: only a line feed ends one."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _added(diff: FileDiff, block: Block) -> Iterator[bytes]:
    for at in range(block.first, block.last + 1):
        if diff.kind(at) == _ADDED:
            is_open = at + 1 < len(diff) and diff.kind(at + 1) == _REMARK
            yield diff.raw(at)[1:] + (b"" if is_open else b"\n")
