"""A clone that borrows the store's objects, laid out by the host in a directory that nobody else has touched yet.

It must not know runs or sandboxes, and never looks into a clone again once it is made.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path

from workbench.model.errors import Refused, RepositoryProblem, UsageError
from workbench.model.ids import is_id
from workbench.repository.git import Git
from workbench.repository.store import Store

LARGEST_TREE = 8 << 30  # bytes of all files in a checkout; a commit of a few MB can unpack to any size
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


def remove_tree(place: Path) -> None:
    """Remove a directory, or whatever else has its name, following no link. Raises RepositoryProblem when it stays."""
    for _ in range(2):
        if not _exists(place):
            return
        if place.is_symlink() or not place.is_dir():
            place.unlink()
            return
        shutil.rmtree(place, ignore_errors=True)
        if _exists(place):
            _unlock(place)
    shutil.rmtree(place, ignore_errors=True)
    if _exists(place):
        raise RepositoryProblem(f"{place} cannot be removed", hint=f"look at its owner and mode, then: rm -r {place}")


def _exists(place: Path) -> bool:
    return os.path.lexists(place)


def _unlock(place: Path) -> None:
    """Give back the permissions to remove things, which a command in the directory may have taken away."""
    place.chmod(stat.S_IRWXU)
    for name, folders, _, handle in os.fwalk(place, follow_symlinks=False):
        del name
        for folder in folders:
            if not stat.S_ISLNK(os.stat(folder, dir_fd=handle, follow_symlinks=False).st_mode):
                os.chmod(folder, stat.S_IRWXU, dir_fd=handle)


def staging(parent: Path) -> Path:
    """A fresh directory of ours below `parent`."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".making-", dir=parent))
