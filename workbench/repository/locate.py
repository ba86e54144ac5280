"""Where the repository around a directory is, found by reading files alone: commands that need no git start without it.

It follows git's own layout (gitrepository-layout(5)) and must not run git.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from workbench.model.errors import RepositoryProblem

STORE = "store.git"  # beside a journal: the bare repository with the commits that agents begin from and make
POINTER_LIMIT = 4096  # bytes of a gitfile or commondir file; more is no path
FIRST_COMMIT = "git add -A && git commit --allow-empty -m 'First commit'"  # works in an empty directory, too


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """`git_dir` holds HEAD and index of this checkout, `common_dir` what all its worktrees share."""

    git_dir: Path
    common_dir: Path
    checkout: Path | None


def locate(cwd: Path) -> Located:
    """The repository that holds `cwd`. Raises RepositoryProblem with the remedy when there is none."""
    start = cwd.resolve()
    for directory in (start, *start.parents):
        dot_git = directory / ".git"
        if dot_git.is_dir() and _is_git_dir(dot_git):
            return Located(git_dir=dot_git, common_dir=_common(dot_git), checkout=directory)
        if dot_git.is_file():
            git_dir = _pointed(dot_git, directory)
            return Located(git_dir=git_dir, common_dir=_common(git_dir), checkout=directory)
        if _is_git_dir(directory):
            return _from_inside(directory)
    raise RepositoryProblem(
        f"{start} is not in a git repository",
        hint=f"change into your repository, or make one: git init && {FIRST_COMMIT}",
    )


def _from_inside(directory: Path) -> Located:
    if directory.name == ".git":
        return Located(git_dir=directory, common_dir=_common(directory), checkout=directory.parent)
    return Located(git_dir=directory, common_dir=_common(directory), checkout=None)


def _is_git_dir(directory: Path) -> bool:
    has_objects = (directory / "objects").is_dir() or (directory / "commondir").is_file()
    return (directory / "HEAD").is_file() and has_objects


def _pointed(dot_git: Path, directory: Path) -> Path:
    words = dot_git.read_bytes()[:POINTER_LIMIT].decode("utf-8", "surrogateescape").strip()
    target = directory / words.removeprefix("gitdir:").strip()
    if not words.startswith("gitdir:") or not _is_git_dir(target):
        raise RepositoryProblem(
            f"{dot_git} does not point at a git directory",
            hint="repair it with: git worktree repair (or git submodule update --init)",
        )
    return target.resolve()


def _common(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    if not pointer.is_file():
        return git_dir
    return (git_dir / pointer.read_bytes()[:POINTER_LIMIT].decode("utf-8", "surrogateescape").strip()).resolve()
