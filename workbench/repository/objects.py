"""Making commits as objects, with no working tree: merges, commits, added files, reverts.

It runs only in a repository whose settings are ours (the store), so no merge driver or filter of anybody's applies.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from workbench.model.errors import Refused, RepositoryProblem
from workbench.repository.git import Git, is_commit_id

FATAL = 128  # what git ends with when it cannot even begin


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a commit, and when (seconds since 1970, in UTC)."""

    name: str
    email: str
    seconds: int = 946684800  # 2000-01-01: equal inputs must give an equal commit id

    def as_env(self, role: str) -> dict[str, str]:
        """The variables from which git takes author or committer."""
        return {
            f"GIT_{role}_NAME": _plain(self.name) or "unknown",
            f"GIT_{role}_EMAIL": _plain(self.email) or "unknown",
            f"GIT_{role}_DATE": f"@{self.seconds} +0000",
        }


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in "<>")


WORKBENCH = Signature(name="Workbench", email="workbench@localhost")


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """A merge without conflicts."""

    commit: str
    tree: str


class Conflicted(msgspec.Struct, frozen=True, kw_only=True):
    """A merge that needs a person, with the paths that conflict."""

    paths: tuple[str, ...]


def merge(git: Git, base: str, head: str) -> Merged | Conflicted:
    """`head` merged on `base`, as a commit whose id follows from the two alone."""
    _require_ids(base, head)
    outcome = _merged_tree(git, base, head)
    if isinstance(outcome, Conflicted):
        return outcome
    message = f"Merge {head[:12]} on {base[:12]}\n"
    return Merged(commit=commit_tree(git, outcome, parents=(base, head), message=message), tree=outcome)


def _merged_tree(git: Git, ours: str, theirs: str) -> str | Conflicted:
    words = ("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs)
    answer = git.run(*words, ok=(0, 1, FATAL))
    if answer.code == FATAL or not answer.out:
        _require_kin(git, ours, theirs)
        answer = git.run(*words)  # it says what else is wrong
    tree, *paths = answer.fields
    return Conflicted(paths=tuple(dict.fromkeys(paths))) if answer.code else tree


def merged_trees(git: Git, *, base: str, ours: str, theirs: str) -> str | Conflicted:
    """The tree that has what both trees changed of `base`.

    `merge-tree` learned to take a merge base in git 2.40; until then three stand-ins say the same.
    """
    root = commit_tree(git, base, parents=(), message="base\n")
    sides = {"ours": ours, "theirs": theirs}
    one, other = (commit_tree(git, tree, parents=(root,), message=f"{name}\n") for name, tree in sides.items())
    return _merged_tree(git, one, other)


def _require_kin(git: Git, ours: str, theirs: str) -> None:
    """Raises RepositoryProblem, with what to do, for two commits that have no common one."""
    if git.says_yes("merge-base", ours, theirs):
        return
    raise RepositoryProblem(
        f"{theirs[:12]} cannot be merged on {ours[:12]}: they share no commit, as where a branch was rewritten from "
        "its root since the work began",
        hint="Start the work again from the branch as it is now; what was delivered is kept. A branch of your own: git "
        "rebase --onto BRANCH --root. In a shallow clone: git fetch --unshallow",
    )


def commit_tree(
    git: Git,
    tree: str,
    *,
    parents: Sequence[str],
    message: str,
    author: Signature = WORKBENCH,
    committer: Signature | None = None,
) -> str:
    """A commit of `tree`; its id."""
    env = {**author.as_env("AUTHOR"), **(committer or author).as_env("COMMITTER")}
    flags = [word for parent in parents for word in ("-p", parent)]
    return git.text("commit-tree", tree, *flags, "-F", "-", stdin=message.encode("utf-8", "replace"), env=env)


def tree_of(git: Git, commit: str) -> str:
    """The id of the tree of `commit`."""
    return git.text("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")


def tree_with(git: Git, commit: str, files: Mapping[str, bytes]) -> str:
    """The tree of `commit` with `files` put in."""
    return tree_taking(git, commit, index_lines(git, files))


def tree_taking(git: Git, commit: str, entries: Sequence[bytes]) -> str:
    """The tree of `commit` with index entries (`<mode> <object>\\t<path>\\0`; mode 0 takes a path out) put in."""
    if not entries:
        return tree_of(git, commit)
    lines = b"".join(entries)
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as directory:
        env = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        git.run("read-tree", "--end-of-options", f"{commit}^{{tree}}", env=env)
        said = git.run("update-index", "--add", "--replace", "-z", "--index-info", stdin=lines, env=env).err
        if said:  # git leaves out a path that it refuses, and ends as if nothing were wrong
            refused = said.decode("utf-8", "replace").strip()
            raise RepositoryProblem(f"a file cannot be put into a commit: {refused}", hint="choose another path")
        return git.text("write-tree", env=env)


def index_lines(git: Git, files: Mapping[str, bytes]) -> list[bytes]:
    """Files as index entries; their contents are in the repository then."""
    return [index_line(git, path, data) for path, data in sorted(files.items())]


def index_line(git: Git, path: str, data: bytes, *, mode: str = "100644") -> bytes:
    """A file as an index entry; its content is in the repository then."""
    blob = git.text("hash-object", "-w", "--stdin", "--no-filters", stdin=data)
    return f"{mode} {blob}\t".encode() + os.fsencode(path) + b"\0"


def add_files(git: Git, commit: str, files: Mapping[str, bytes], *, message: str, author: Signature = WORKBENCH) -> str:
    """A commit on top of `commit` that holds `files`; `commit` itself when it already holds them."""
    _require_ids(commit)
    tree = tree_with(git, commit, files)
    if tree == tree_of(git, commit):
        return commit
    return commit_tree(git, tree, parents=(commit,), message=message, author=author)


def revert(git: Git, *, tip: str, merged: str, before: str, message: str, author: Signature) -> str:
    """A commit on `tip` that takes back what lies between `before` and `merged`. Raises Refused on conflicts."""
    _require_ids(tip, merged, before)
    trees = [tree_of(git, commit) for commit in (merged, tip, before)]
    outcome = merged_trees(git, base=trees[0], ours=trees[1], theirs=trees[2])
    if isinstance(outcome, Conflicted):
        raise Refused(
            "later commits changed the same lines, so the merge cannot be reverted by itself",
            hint=f"revert it by hand: git revert -m 1 {merged[:12]}",
            data={"paths": list(outcome.paths)},
        )
    return commit_tree(git, outcome, parents=(tip,), message=message, author=author)


def _require_ids(*commits: str) -> None:
    for commit in commits:
        if not is_commit_id(commit):
            raise RepositoryProblem(f"{commit!r} is not a full commit id", hint="resolve the name first")
