"""Putting commits on another base as objects: what a rebase does, with no working tree, hook, filter or driver.

It runs only in the store. Who made a commit and what it says stay as they are; equal inputs give equal commits, so
that doing it again after a crash makes nothing new. Why it is done is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from workbench.repository import objects
from workbench.repository.git import Git
from workbench.repository.objects import Conflicted
from workbench.repository.reader import ObjectReader
from workbench.repository.store import Store

MOST_ALONE = 100  # commits that are put elsewhere one by one; more of them become one, as do those with merges
_WHEN = re.compile(rb" (\d{1,11} [+-]\d{4})$")


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: `head` on the new base; `joined` of so many commits became one."""

    head: str
    joined: int = 0


def replay(store: Store, *, upstream: str, head: str, onto: str) -> Replayed | Conflicted:
    """The commits of `head` beyond `upstream`, on `onto`. Those that `onto` has already are left out."""
    span = ("--end-of-options", f"{upstream}..{head}")
    flags = ("--topo-order", f"--max-count={MOST_ALONE + 1}", "--parents")
    newest_first = [line.split() for line in store.git.text("rev-list", *flags, *span).splitlines()]
    if len(newest_first) <= MOST_ALONE and all(len(each) == 2 for each in newest_first):
        return _one_by_one(store, [commit for commit, _ in reversed(newest_first)], onto)
    count = store.count_commits(upstream, head)
    made = _put(store.git, store.reader, head, before=upstream, onto=onto)
    return made if isinstance(made, Conflicted) else Replayed(head=made, joined=count)


def _one_by_one(store: Store, commits: Sequence[str], onto: str) -> Replayed | Conflicted:
    for commit in commits:
        made = _put(store.git, store.reader, commit, before=f"{commit}^", onto=onto)
        if isinstance(made, Conflicted):
            return made
        onto = made
    return Replayed(head=onto)


def _put(git: Git, reader: ObjectReader, commit: str, *, before: str, onto: str) -> str | Conflicted:
    """What `commit` changed since `before` as a commit on `onto`; `onto` itself where it has all of that."""
    old, new, there = (objects.tree_of(git, name) for name in (before, commit, onto))
    merged = new if old == there else objects.merged_trees(git, base=old, ours=there, theirs=new)
    if isinstance(merged, Conflicted):
        return merged
    if merged == there and old != new:
        return onto
    headers, _, message = reader.read(commit)[1].partition(b"\n\n")
    lines = headers.split(b"\n")
    author = next(line for line in lines if line.startswith(b"author "))
    encoding = [line for line in lines if line.startswith(b"encoding ")][:1]
    when = next((found[1] for line in lines if line.startswith(b"committer ") and (found := _WHEN.search(line))), None)
    who = f"committer {objects.WORKBENCH.name} <{objects.WORKBENCH.email}> ".encode()
    committer = who + (when or f"{objects.WORKBENCH.seconds} +0000".encode())
    fields = (f"tree {merged}".encode(), f"parent {onto}".encode(), author, committer, *encoding)
    made = b"\n".join(fields) + b"\n\n" + message
    return git.text("hash-object", "-t", "commit", "-w", "--stdin", stdin=made)
