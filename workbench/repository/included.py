"""Ignored files that a person lets into workspaces by `.worktreeinclude` (gitignore syntax) in their checkout.

It copies plain files of the checkout alone: no link is followed, nothing from outside comes in.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import msgspec

from workbench.repository.repository import GitRepository

LIST_NAME = ".worktreeinclude"
LARGEST_COPY = 1 << 30  # bytes in all; more belongs into the prepare step


class Included(msgspec.Struct, frozen=True, kw_only=True):
    """What was copied, and what was left out with the reason."""

    copied: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def included_paths(repository: GitRepository) -> list[str]:
    """Ignored, untracked files of the checkout that the list names."""
    checkout = repository.checkout
    if checkout is None or not (checkout / LIST_NAME).is_file():
        return []
    git = repository.worktree_git(checkout)
    listed = git.run("ls-files", "-z", "--others", "--ignored", f"--exclude-from={checkout / LIST_NAME}").fields
    if not listed:
        return []
    # This command knows no literal pathspecs: `./` keeps a name that starts with a colon from being magic.
    asked = b"".join(b"./" + os.fsencode(path) + b"\0" for path in listed)
    plain = {"GIT_LITERAL_PATHSPECS": "0"}
    ignored = git.run("check-ignore", "-z", "--stdin", "--no-index", stdin=asked, ok=(0, 1), env=plain).fields
    return sorted(path.removeprefix("./") for path in ignored)


def copy_included(repository: GitRepository, target: Path) -> Included:
    """Copy the listed files into `target`, a directory that no agent has touched yet."""
    copied: list[str] = []
    left_out: list[tuple[str, str]] = []
    room = LARGEST_COPY
    for path in included_paths(repository):
        assert repository.checkout is not None
        reason, size = _copy_plain(repository.checkout, target, path, room)
        room -= size
        if reason:
            left_out.append((path, reason))
        else:
            copied.append(path)
    return Included(copied=tuple(copied), left_out=tuple(left_out))


def _copy_plain(checkout: Path, target: Path, path: str, room: int) -> tuple[str, int]:
    source = checkout / path
    if source.parent.resolve() != source.parent or source.is_symlink():
        return "a symbolic link", 0
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return os.strerror(error.errno or 0), 0
    with os.fdopen(descriptor, "rb") as data:
        found = os.fstat(data.fileno())
        if not stat.S_ISREG(found.st_mode):
            return "not a plain file", 0
        if found.st_size > room:
            return "too large", 0
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as copy:
            shutil.copyfileobj(data, copy)
        place.chmod(stat.S_IMODE(found.st_mode) & 0o755 | stat.S_IRUSR | stat.S_IWUSR)
    return "", found.st_size
