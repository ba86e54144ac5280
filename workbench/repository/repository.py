"""The person's repository: opened from any directory, read with nothing obeyed that it or anybody configures.

It must not know runs, packs or the journal, and moves no ref (`merging` does).
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from workbench.model.errors import NotFound, RepositoryProblem
from workbench.repository.git import Answer, Git, checked_ref, is_commit_id, require_git
from workbench.repository.locate import FIRST_COMMIT, Located, locate
from workbench.repository.objects import Signature
from workbench.repository.reader import ObjectReader

# Values of the person's own configuration that say how files look in their checkout; none of them runs anything.
BENIGN_SETTINGS = ("core.autocrlf", "core.eol", "core.safecrlf")
LFS_MARK = b"version https://git-lfs.github.com/spec/"
LFS_POINTER_BYTES = 1024  # a pointer is smaller, says its specification


class GitRepository:
    """Port `Repository`, and what ACE and AEE need beyond it. Close it, or use it in a `with`."""

    def __init__(self, located: Located) -> None:
        self.located = located
        self.git = Git(located.git_dir)
        self._reader = ObjectReader(self.git)

    def __enter__(self) -> GitRepository:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the reader's process."""
        self._reader.close()

    @property
    def common_dir(self) -> Path:
        """What all worktrees of the repository share; it names the journal."""
        return self.located.common_dir

    @property
    def checkout(self) -> Path | None:
        """The working tree from which Workbench was called; None in a bare repository."""
        return self.located.checkout

    @property
    def name(self) -> str:
        """The word by which people know the repository."""
        home = self.common_dir.parent if self.common_dir.name == ".git" else self.common_dir
        return home.name.removesuffix(".git") or "repository"

    def resolve(self, ref: str) -> str:
        """The full commit id that `ref` names. Raises NotFound with the remedy."""
        wanted = f"{checked_ref(ref)}^{{commit}}"
        answer = self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", wanted, ok=(0, 1, 128))
        commit = answer.text.removeprefix("--end-of-options").strip()
        if answer.code or not is_commit_id(commit):
            raise NotFound(f"{ref!r} names no commit here", hint="see git branch --all; fetch it if it is elsewhere")
        return commit

    def full_ref(self, name: str) -> str:
        """The full name of a branch, e.g. `refs/heads/main` for `main`. Raises NotFound."""
        ref = name if name.startswith("refs/") else f"refs/heads/{checked_ref(name)}"
        if not self.git.says_yes("show-ref", "--verify", "--quiet", checked_ref(ref)):
            raise NotFound(f"there is no branch {name!r}", hint="see git branch; make it with git branch NAME")
        return ref

    def read_file(self, commit: str, path: str) -> bytes | None:
        """A file as it stands in `commit`; None when it is not there."""
        return self._reader.file(self._id(commit), path)

    def list_files(self, commit: str, under: str = "") -> list[str]:
        """Paths of all files in `commit` below `under`, sorted."""
        return list_files(self.git, self._id(commit), under)

    def head_ref(self) -> str:
        """What HEAD points at, e.g. `refs/heads/main`; empty when it is detached."""
        return self.git.run("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).text

    def branch(self) -> str:
        """The name of the branch that is checked out; empty when HEAD is detached."""
        return self.head_ref().removeprefix("refs/heads/")

    def uncommitted(self) -> list[str]:
        """Paths with changes that no commit holds (untracked ones, too), which agents therefore cannot see."""
        if self.checkout is None:
            return []
        answer = self.worktree_git(self.checkout).run(
            "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames"
        )
        return sorted({entry[3:] for entry in answer.fields})

    def identity(self) -> Signature:
        """Who the person is to git. Raises RepositoryProblem with the remedy when git was never told."""
        name = os.environ.get("GIT_AUTHOR_NAME") or self._own.get("user.name", "")
        email = os.environ.get("GIT_AUTHOR_EMAIL") or self._own.get("user.email", "")
        if not name or not email:
            raise RepositoryProblem(
                "git does not know who you are",
                hint='git config --global user.name "Your Name" && git config --global user.email you@example.org',
            )
        return Signature(name=name, email=email)

    def setting(self, name: str) -> str:
        """A value of the person's own configuration, e.g. `user.signingkey`; empty when it is not set."""
        return self._own.get(name.lower(), "")

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor`."""
        return self.git.says_yes("merge-base", "--is-ancestor", self._id(ancestor), self._id(commit))

    def has_remote_with(self, commit: str) -> str:
        """A remote-tracking ref that contains `commit`; empty when no remote is known to have it."""
        return self.git.text("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={commit}", "refs/remotes")

    @cached_property
    def is_shallow(self) -> bool:
        """Whether history is cut off here (`git clone --depth`)."""
        return (self.common_dir / "shallow").is_file()

    @cached_property
    def object_format(self) -> str:
        """`sha1` or `sha256`."""
        return self.git.text("rev-parse", "--show-object-format")

    @property
    def is_detached(self) -> bool:
        """Whether no branch is checked out."""
        return not self.head_ref()

    def submodules(self, commit: str) -> list[str]:
        """Paths of submodules in `commit`: workspaces have them as empty directories."""
        entries = self.git.run("ls-tree", "-r", "-z", "--full-tree", self._id(commit)).fields
        return [entry.split("\t", 1)[1] for entry in entries if entry.startswith("160000 ")]

    def lfs_files(self, commit: str, *, most: int = 20) -> list[str]:
        """Some of the paths that git-lfs keeps elsewhere: agents see their pointers."""
        answer = self.git.run(
            "grep", "-l", "-z", "-F", "-e", LFS_MARK.decode(), self._id(commit), ok=(0, 1), env=_plain_pathspecs()
        )
        names = [name.split(":", 1)[1] for name in answer.fields]
        return [name for name in names if self._is_pointer(commit, name)][:most]

    def _is_pointer(self, commit: str, path: str) -> bool:
        data = self.read_file(commit, path) or b""
        return data.startswith(LFS_MARK) and len(data) <= LFS_POINTER_BYTES

    def require_writable(self) -> None:
        """Raise RepositoryProblem when refs cannot be written here."""
        if not os.access(self.common_dir, os.W_OK) or not os.access(self.common_dir / "refs", os.W_OK):
            raise RepositoryProblem(
                f"{self.common_dir} cannot be written",
                hint="make it writable, or work on a clone of your own: git clone . ../mine",
            )

    def worktree_git(self, checkout: Path, git_dir: Path | None = None) -> Git:
        """Git on one of the person's checkouts: files look as the person configured, but nothing is run for them."""
        return self.git.with_settings(*self._look, *self._disarmed).at(checkout, git_dir=git_dir)

    @cached_property
    def filters(self) -> frozenset[str]:
        """Names of the filters (such as `lfs`) that the person has configured anywhere; we never run them."""
        parts = ("clean", "smudge", "process")
        keys = [key.split(".") for key in self._own if key.startswith("filter.")]
        return frozenset(".".join(words[1:-1]) for words in keys if words[-1] in parts)

    @cached_property
    def _look(self) -> tuple[str, ...]:
        excludes = self._own.get("core.excludesfile") or _default_excludes()
        benign = [f"{name}={self._own[name]}" for name in BENIGN_SETTINGS if name in self._own]
        return (*benign, f"core.excludesFile={Path(excludes).expanduser()}")

    @cached_property
    def _disarmed(self) -> tuple[str, ...]:
        """Settings that empty every filter, diff and merge driver of the repository's own configuration."""
        listed = self.git.run("config", "--null", "--name-only", "--get-regexp", _DRIVERS, ok=(0, 1)).fields
        names = {name.rsplit(".", 1)[0] for name in listed}
        return tuple(sorted(line for name in names for line in _emptied(name)))

    @cached_property
    def _own(self) -> dict[str, str]:
        """The person's configuration as values; reading it runs nothing."""
        answer = self.git.run("config", "--null", "--list", "--includes", env=_personal())
        pairs = (entry.partition("\n") for entry in answer.fields)
        pinned = ("core.attributesfile",)
        return {name: value for name, _, value in pairs if name not in pinned}

    def _id(self, commit: str) -> str:
        return commit if is_commit_id(commit) else self.resolve(commit)


_DRIVERS = r"^(filter|diff|merge)\..*\.(clean|smudge|process|textconv|command|driver)$"


def _emptied(driver: str) -> list[str]:
    if driver.startswith("filter."):
        return [f"{driver}.{part}=" for part in ("clean", "smudge", "process")] + [f"{driver}.required=false"]
    return [f"{driver}.{'driver' if driver.startswith('merge.') else 'textconv'}=", f"{driver}.command="]


def _personal() -> dict[str, str]:
    home = os.environ.get("HOME", "/dev/null")
    config = os.environ.get("GIT_CONFIG_GLOBAL", "")
    xdg = os.environ.get("XDG_CONFIG_HOME", f"{home}/.config")
    candidates = [config] if config else [f"{home}/.gitconfig", f"{xdg}/git/config"]
    found = next((path for path in candidates if Path(path).is_file()), "/dev/null")
    return {"HOME": home, "XDG_CONFIG_HOME": xdg, "GIT_CONFIG_GLOBAL": found}


def _default_excludes() -> str:
    values = _personal()
    return f"{values['XDG_CONFIG_HOME']}/git/ignore"


def _plain_pathspecs() -> dict[str, str]:
    return {"GIT_LITERAL_PATHSPECS": "0"}


def list_files(git: Git, commit: str, under: str = "") -> list[str]:
    """Paths of all files (no submodules) in `commit` below `under`, sorted."""
    where = ["--", under.rstrip("/") + "/"] if under.strip("/") else []
    entries = git.run("ls-tree", "-r", "-z", "--full-tree", commit, *where).fields
    return sorted(entry.split("\t", 1)[1] for entry in entries if not entry.startswith("160000 "))


def open_repository(cwd: Path, *, allow_bare: bool = False, allow_empty: bool = False) -> GitRepository:
    """The repository around `cwd`. Raises RepositoryProblem, with the remedy, when Workbench cannot work with it."""
    require_git()
    located = locate(cwd)
    if located.checkout is None and not allow_bare:
        raise RepositoryProblem(
            f"{located.git_dir} is a bare repository", hint="work in a clone of it: git clone <it> <directory>"
        )
    _check_owner(located)
    repository = GitRepository(located)
    if not allow_empty:
        _check_born(repository)
    return repository


def _check_born(repository: GitRepository) -> None:
    answer = repository.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1, 128))
    if answer.code == 128:
        raise _unusable(repository, answer)
    if answer.code:
        raise RepositoryProblem("the repository has no commit yet", hint=f"make one, then try again: {FIRST_COMMIT}")


def _unusable(repository: GitRepository, answer: Answer) -> RepositoryProblem:
    said = answer.err.decode("utf-8", "replace").strip()[:300]
    return RepositoryProblem(
        f"git cannot read {repository.common_dir}: {said}", hint="run git fsck there, or make a fresh clone"
    )


def _check_owner(located: Located) -> None:
    """What git calls dubious ownership; asked here because git does not ask when it is told the directory."""
    mine = {os.geteuid(), int(os.environ.get("SUDO_UID", os.geteuid())) if os.geteuid() == 0 else os.geteuid()}
    owned = [located.git_dir, *([located.checkout] if located.checkout else [])]
    if all(path.stat().st_uid in mine for path in owned):
        return
    place = located.checkout or located.git_dir
    listed = Git(None).run("config", "--null", "--global", "--get-all", "safe.directory", ok=(0, 1), env=_personal())
    if not {"*", str(place), str(located.git_dir)} & set(listed.fields):
        raise RepositoryProblem(
            f"{place} belongs to another user",
            hint=f"git config --global --add safe.directory {place}, if you trust its owner",
        )
