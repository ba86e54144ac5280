"""The person's working trees: which ones have a branch checked out, whether they may be moved, and moving them.

Nothing uncommitted is ever overwritten; where that cannot be promised, it is refused with what to do.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from workbench.model.errors import Refused
from workbench.repository.git import Git
from workbench.repository.index import index_copy, mend
from workbench.repository.locate import locate
from workbench.repository.repository import GitRepository

_DIFFERING = ("diff-index", "-z", "--name-only", "--ignore-submodules=dirty")
PATHS_SHOWN = 5  # of those that stand in the way
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A working tree of the repository; `head` is what it has checked out, `branch` empty when detached."""

    path: Path
    git_dir: Path
    head: str
    branch: str


def checkouts(repository: GitRepository) -> list[Checkout]:
    """All working trees of the repository that are there, linked ones too."""
    records: list[dict[str, str]] = []
    for field in repository.git.run("worktree", "list", "--porcelain", "-z").fields:
        word, _, value = field.partition(" ")
        if word == "worktree":
            records.append({})
        records[-1][word] = value
    found = [record for record in records if "bare" not in record and Path(record["worktree"], ".git").exists()]
    return [_checkout(record) for record in found]


def _checkout(record: dict[str, str]) -> Checkout:
    path = Path(record["worktree"])
    head, branch = record.get("HEAD", ""), record.get("branch", "")
    return Checkout(path=path, git_dir=locate(path).git_dir, head=head, branch=branch)


def on_branch(repository: GitRepository, ref: str) -> list[Checkout]:
    """The working trees that have `ref` checked out. Raises Refused when one is in the middle of rebasing it."""
    every = checkouts(repository)
    for checkout in every:
        for name in ("rebase-merge/head-name", "rebase-apply/head-name"):
            place = checkout.git_dir / name
            if place.is_file() and place.read_text(errors="replace").strip() == ref:
                raise Refused(f"{checkout.path} is rebasing {ref}", hint="git rebase --continue or --abort there first")
    return [checkout for checkout in every if checkout.branch == ref]


def require_movable(repository: GitRepository, checkout: Checkout, *, old: str, new: str) -> None:
    """Raise Refused, with what to do, unless the tree can go from `old` to `new` and lose nothing."""
    git = repository.worktree_git(checkout.path, checkout.git_dir)
    unfinished = next((act for name, act in _UNFINISHED.items() if (checkout.git_dir / name).exists()), "")
    if unfinished:
        raise Refused(f"{unfinished} is unfinished in {checkout.path}", hint="finish or abort it, then merge again")
    mend(checkout.git_dir)
    status = git.run("status", "--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty").fields
    if status:
        raise _in_the_way(checkout, [entry[3:] for entry in status], "has changes that are not committed")
    changed = _changed(git, old, new)
    if lost := _overwritten(git, checkout.path, changed, old):
        raise _in_the_way(checkout, lost, "has files that git does not track and the change would overwrite")
    if filtered := _filtered(repository, git, [path for letter, path in changed if letter != "D"], new):
        raise Refused(
            f"files in {checkout.path} pass through a filter (such as git-lfs), and Workbench runs none: "
            + ", ".join(filtered[:PATHS_SHOWN]),
            hint=f"let your own git do it: cd {checkout.path} && git merge --ff-only {new}",
            data={"paths": filtered},
        )
    with _refreshed(git, checkout.git_dir) as env:
        git.run("read-tree", "-m", "-u", "-n", old, new, env=env)


def move(repository: GitRepository, checkout: Checkout, *, old: str, new: str) -> None:
    """Take the tree from `old` to `new`. Git refuses, before it writes anything, if something would be lost."""
    git = repository.worktree_git(checkout.path, checkout.git_dir)
    with index_copy(checkout.git_dir) as env:
        git.run("update-index", "-q", "--refresh", ok=(0, 1), env=env)
        git.run("read-tree", "-m", "-u", old, new, env=env)


def finish(repository: GitRepository, checkout: Checkout, *, old: str, new: str) -> bool:
    """Complete a move that was cut off after the ref had moved; whether there was anything to complete.

    Raises Refused when the tree holds something that is neither of the two commits'.
    """
    git = repository.worktree_git(checkout.path, checkout.git_dir)
    mend(checkout.git_dir)
    if not git.says_yes("diff-index", "--cached", "--quiet", old, "--") or old == new:
        return False
    touched = {path for _, path in _changed(git, old, new)}
    with _refreshed(git, checkout.git_dir) as env:
        differing = git.run(*_DIFFERING, old, "--", env=env).fields
    strange = [path for path in differing if path not in touched or not _is_on_the_way(git, checkout.path, path, new)]
    if strange:
        raise _in_the_way(checkout, strange, "was changed while a merge was cut off")
    changed = _changed(git, old, new)
    added = [path for letter, path in changed if letter == "A" and os.path.lexists(checkout.path / path)]
    if foreign := [path for path in added if not _is_on_the_way(git, checkout.path, path, new)]:
        raise _in_the_way(checkout, foreign, "has files that git does not track and the merge would overwrite")
    with index_copy(checkout.git_dir) as env:
        git.run("read-tree", "--reset", "-u", new, env=env)
    return True


def _in_the_way(checkout: Checkout, paths: list[str], what: str) -> Refused:
    shown = ", ".join(paths[:PATHS_SHOWN]) + (f" and {len(paths) - PATHS_SHOWN} more" * (len(paths) > PATHS_SHOWN))
    return Refused(
        f"{checkout.path} {what}: {shown}",
        hint="commit them, stash them (git stash --include-untracked) or move them away; then ask again",
        data={"checkout": str(checkout.path), "paths": paths},
    )


def _changed(git: Git, old: str, new: str) -> list[tuple[str, str]]:
    fields = git.run("diff-tree", "-r", "-z", "--no-renames", "--no-commit-id", "--name-status", old, new).fields
    return list(zip(fields[::2], fields[1::2], strict=True))


def _overwritten(git: Git, root: Path, changed: Iterable[tuple[str, str]], old: str) -> list[str]:
    """Untracked or ignored things on disk where the change puts a file; git itself would overwrite ignored ones."""
    added = [path for letter, path in changed if letter == "A"]
    suspects = [found for path in added if (found := _obstacle(root, path))]
    if not suspects:
        return []
    tracked = set(git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", old).fields)
    return sorted({path for suspect in suspects for path in _files_below(root, suspect) if path not in tracked})


def _obstacle(root: Path, path: str) -> str:
    """What exists at `path`, or instead of one of its directories."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        parent = root / "/".join(parts[:end])
        if parent.is_symlink() or parent.is_file():
            return "/".join(parts[:end])
    return path if os.path.lexists(root / path) else ""


def _files_below(root: Path, path: str) -> list[str]:
    place = root / path
    if place.is_symlink() or not place.is_dir():
        return [path]
    return [os.path.relpath(Path(folder, name), root) for folder, _, names in os.walk(place) for name in names]


def _filtered(repository: GitRepository, git: Git, paths: list[str], new: str) -> list[str]:
    """Those of `paths` whose attributes in `new` name a filter that the person has configured."""
    configured = repository.filters
    if not configured or not paths:
        return []
    asked = b"".join(os.fsencode(path) + b"\0" for path in paths)
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as directory:
        env = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        git.run("read-tree", new, env=env)
        answers = git.run("check-attr", "--cached", "-z", "--stdin", "filter", stdin=asked, env=env).fields
    triples = zip(answers[::3], answers[2::3], strict=True)
    return [path for path, value in triples if value in configured]


@contextmanager
def _refreshed(git: Git, git_dir: Path) -> Iterator[dict[str, str]]:
    """Git on a throw-away copy of the index that knows which files are unchanged; the person's own stays as it is."""
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as directory:
        copy = Path(directory, "index")
        if (git_dir / "index").exists():
            shutil.copy2(git_dir / "index", copy)
        env = {"GIT_INDEX_FILE": str(copy)}
        git.run("update-index", "-q", "--refresh", ok=(0, 1), env=env)
        yield env


def _is_on_the_way(git: Git, root: Path, path: str, commit: str) -> bool:
    """Whether the file on disk is that of `commit`, or what a killed git leaves of it: nothing, or its beginning."""
    place = root / path
    if not os.path.lexists(place):
        return True
    wanted = git.run("cat-file", "blob", f"{commit}:{path}", ok=(0, 128))
    if wanted.code:
        return False
    if place.is_symlink():
        return os.fsencode(place.readlink()) == wanted.out
    if not place.is_file():
        return False
    blob = git.text("rev-parse", "--verify", "--end-of-options", f"{commit}:{path}")
    return wanted.out.startswith(place.read_bytes()) or git.text("hash-object", "--", path) == blob
