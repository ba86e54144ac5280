"""A clone that borrows the store's objects, laid out by the host in a directory that nobody else has touched yet.

It must not know runs or sandboxes, and never looks into a clone again once it is made.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from workbench.model.errors import Refused, UsageError
from workbench.model.ids import is_id
from workbench.repository.git import Git
from workbench.repository.store import Store

LARGEST_TREE = 8 << 30  # bytes of all files in a checkout; a commit of a few MB can unpack to any size
OLDER_NS = 2_000_000_000  # by the clocks of file systems that count in seconds
MOST_FILES = 500_000  # five times the largest public monorepos that people review in

# What git inside the clone goes by. The agent may change it: it binds nobody but the agent.
_CONFIG = """[core]
\trepositoryformatversion = {version}
\tfilemode = true
\tbare = false
\tautocrlf = false
\tlogallrefupdates = true
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""
_SHA256 = "[extensions]\n\tobjectformat = sha256\n"


def git_dir_for(store: Store, place: Path, *, commit: str, branch: str = "") -> Path:
    """A new git directory at `place`, on `branch` (else detached) at `commit`, with the store's objects."""
    for name in ("objects/info", "refs/heads", "info"):
        (place / name).mkdir(parents=True)
    newer = len(commit) == 64
    (place / "config").write_text(_CONFIG.format(version=int(newer)) + (_SHA256 if newer else ""))
    (place / "objects/info/alternates").write_bytes(os.fsencode(store.path / "objects") + b"\n")
    (place / "info/exclude").write_text("")
    (place / "HEAD").write_text(f"ref: refs/heads/{branch}\n" if branch else f"{commit}\n")
    if (store.path / "shallow").is_file():
        shutil.copyfile(store.path / "shallow", place / "shallow")
    if branch:
        # A loose ref is a file, and writing it saves two processes; the parts are ids, so it lies where it should.
        ref = place / f"refs/heads/{_checked_branch(branch)}"
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(f"{commit}\n")
    return place


def _checked_branch(branch: str) -> str:
    if not all(is_id(part) for part in branch.split("/")):
        raise UsageError(f"{branch!r} cannot be a run's branch", hint="its parts are letters, digits, dots and dashes")
    return branch


def lay_out(store: Store, place: Path, *, commit: str, branch: str = "") -> None:
    """A whole clone at `place`, which must not exist yet. No hook, filter or submodule takes part."""
    require_bounded(store, commit)
    place.mkdir(parents=True)
    git_dir = git_dir_for(store, place / ".git", commit=commit, branch=branch)
    Git(git_dir, work_tree=place).run("read-tree", "--reset", "-u", commit)


def settle(place: Path) -> None:
    """Make the files of a clone that was just laid out older than its index, and let the index know them so.

    Git takes a file of the very second in which its index was written for changed, and copies it into the clone's
    objects at the next `git add`: all that the store has already.
    """
    age(place)
    Git(place / ".git", work_tree=place).run("update-index", "-q", "--refresh", ok=(0, 1))


def age(place: Path) -> None:
    """Make the files of a clone that was just laid out older than an index that is written from now on."""
    then = time.time_ns() - OLDER_NS
    for name in Git(place / ".git", work_tree=place).run("ls-files", "-z").out.split(b"\0"):
        with suppress(OSError):  # a submodule's directory that is not there, or a path that only git can name
            os.utime(os.path.join(os.fsencode(place), name), ns=(then, then), follow_symlinks=False)  # noqa: PTH118


def require_bounded(store: Store, commit: str) -> None:
    """Raise Refused when the files of `commit` would fill the disk."""
    sizes = [_size(entry) for entry in store.git.run("ls-tree", "-r", "-l", "-z", "--full-tree", commit).fields]
    if len(sizes) > MOST_FILES or sum(sizes) > LARGEST_TREE:
        raise Refused(
            f"commit {commit[:12]} has {len(sizes)} files of {sum(sizes)} bytes in all, too much to check out",
            hint="ask for a change without generated or bulky files",
        )


def _size(entry: str) -> int:
    size = entry.split("\t", 1)[0].split()[3]
    return int(size) if size.isdigit() else 0
