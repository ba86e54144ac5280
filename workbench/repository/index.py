"""Changing the index of a person's checkout so that a kill at any moment leaves no lock that only a person can remove.

Git works on a copy beside the index, which then takes its place. Meanwhile `index.lock`, the lock of every git, is a
hard link to a file of ours: so a lock that outlived us is told from one that somebody holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.model.errors import RepositoryProblem

COPY_NAME = "workbench-copy"
MARK_NAME = "workbench-index-mark"
GUARD_NAME = "workbench.lock"
REF_LOCK_S = 10.0  # a thousand times as long as git holds the lock of a ref


@contextmanager
def guarded(common_dir: Path) -> Iterator[None]:
    """One Workbench at a time moves branches and checkouts of a repository; the system frees it when we die."""
    with (common_dir / GUARD_NAME).open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        yield


@contextmanager
def index_copy(git_dir: Path) -> Iterator[dict[str, str]]:
    """The environment in which git works on a copy of the index; the copy takes its place when the block ends well.

    Other gits are locked out from before the first file is written. Raises RepositoryProblem when one is at work.
    Call it when guarded.
    """
    mend(git_dir)
    index, copy = git_dir / "index", git_dir / f"{COPY_NAME}-{os.getpid()}"
    with _locked(git_dir):
        try:
            if index.exists():
                shutil.copy2(index, copy)
            yield {"GIT_INDEX_FILE": str(copy)}
            copy.replace(index)
        finally:
            copy.unlink(missing_ok=True)


def mend(git_dir: Path) -> None:
    """Clear what a killed Workbench left beside the index: its lock and its copies. Call it when guarded."""
    lock, mark = git_dir / "index.lock", git_dir / MARK_NAME
    if lock.exists() and mark.exists() and lock.samefile(mark):
        lock.unlink()
    for left in git_dir.glob(f"{COPY_NAME}-*"):
        left.unlink(missing_ok=True)


@contextmanager
def _locked(git_dir: Path) -> Iterator[None]:
    lock, mark = git_dir / "index.lock", git_dir / MARK_NAME
    mark.touch()
    try:
        os.link(mark, lock)
    except FileExistsError:
        raise RepositoryProblem(
            f"another git is at work in {git_dir}",
            hint="when it is done, or if none is, remove index.lock there and run the same command again",
        ) from None
    try:
        yield
    finally:
        lock.unlink()


def clear_ref_locks(git_dir: Path, common_dir: Path, ref: str, new: str) -> bool:
    """Remove locks that a killed `update-ref` of ours left on `ref`; whether there were any. Call it when guarded.

    Ours are empty or hold the very commit that only our plan names, and git holds one for milliseconds.
    """
    locks = (common_dir / f"{ref}.lock", common_dir / "HEAD.lock", git_dir / "HEAD.lock")
    stale = [lock for lock in dict.fromkeys(locks) if lock.is_file() and _is_ours(lock, new)]
    for lock in stale:
        lock.unlink()
    return bool(stale)


def _is_ours(lock: Path, new: str) -> bool:
    is_old = time.time() - lock.stat().st_mtime > REF_LOCK_S
    return is_old and lock.read_bytes().strip() in (b"", new.encode())
