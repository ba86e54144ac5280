"""The bare store: Workbench's own copy of what agents may see, filled with single commits and pinned by refs.

Its settings are ours, so objects are made and diffed here and nowhere else. It must not know workspaces.
"""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from workbench.model.errors import NotFound, Refused, RepositoryProblem
from workbench.model.ids import is_id
from workbench.repository import objects
from workbench.repository.git import PINS, Git, git_program, is_commit_id, understood
from workbench.repository.objects import Conflicted, Merged, Signature
from workbench.repository.reader import ObjectReader
from workbench.repository.repository import GitRepository, list_files

BASES = "refs/workbench/bases"
RUNS = "refs/workbench/runs"
MERGES = "refs/workbench/merges"
KEPT = "refs/workbench/kept"

LOCK_NAME = "workbench.lock"
STALE_S = 3600.0  # a lock of git's is held for seconds; an hour covers the copying of a large repository

_SETTINGS = {
    "core.logAllRefUpdates": "false",
    "gc.auto": "0",
    "gc.pruneExpire": "never",
    "maintenance.auto": "false",
    "receive.denyAll": "true",
    "transfer.fsckObjects": "true",
}
_ENTRIES = ("diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-ext-diff", "--no-commit-id")
# Old public histories have these flaws; none of them can hurt, and a person's own base must be usable.
_HARMLESS_FLAWS = (
    "badTimezone", "badEmail", "badName", "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "missingEmail",
    "missingNameBeforeEmail", "zeroPaddedFilemode", "zeroPaddedDate", "badDateOverflow", "missingTaggerEntry",
    "badFilemode", "multipleAuthors",
)  # fmt: skip


class Store:
    """The store at `path`. `source` is the common directory of the person's repository."""

    def __init__(self, path: Path, *, source: Path) -> None:
        self.path = path
        self.source = source
        self.git = Git(path)
        self.reader = ObjectReader(self.git)

    @classmethod
    def open(cls, path: Path, *, source: Path, object_format: str = "sha1") -> Store:
        """The store, made when it is not there yet. Several processes may do so at once."""
        store = cls(path, source=source)
        if not (path / "HEAD").exists():
            _create(path, object_format)
        return store

    @classmethod
    def of(cls, repository: GitRepository, path: Path) -> Store:
        """The store at `path` that goes with a person's repository, made in its format when it is not there yet."""
        return cls.open(path, source=repository.common_dir, object_format=repository.object_format)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the reader's process."""
        self.reader.close()

    def has(self, commit: str) -> bool:
        """Whether the store holds `commit`."""
        return is_commit_id(commit) and self.reader.read(f"{commit}^{{commit}}")[0] == "commit"

    def pin(self, commit: str) -> str:
        """Bring `commit`, with its history, from the person's repository and keep it from collection; its ref."""
        ref = f"{BASES}/{commit}"
        if not is_commit_id(commit):
            raise RepositoryProblem(f"{commit!r} is not a full commit id", hint="resolve the name first")
        if not self._at(ref):
            with self.locked():
                self._fetch(self.source, commit, ref, relaxed=True)
        return ref

    def set_run(self, run: str, commit: str) -> str:
        """Let the run's branch in the store stand at `commit`; the ref."""
        ref = run_ref(run)
        self.git.run("update-ref", ref, commit)
        return ref

    def refs(self, under: str = "refs/workbench") -> dict[str, str]:
        """Full ref name to commit, of all refs below `under`."""
        lines = self.git.text("for-each-ref", "--format=%(objectname) %(refname)", under).splitlines()
        return {name: commit for commit, name in (line.split(" ", 1) for line in lines)}

    def keep(self, ref: str, commit: str) -> None:
        """Let `ref` (below refs/workbench) hold `commit`."""
        self.git.run("update-ref", _own_ref(ref), commit)

    def forget(self, ref: str) -> None:
        """Remove a ref (below refs/workbench); its objects stay until the store is repacked."""
        self.git.run("update-ref", "-d", _own_ref(ref))

    def merge(self, base: str, head: str) -> Merged | Conflicted:
        """`head` merged on `base` as objects, or the conflicting paths; the same inputs give the same commit."""
        return objects.merge(self.git, base, head)

    def add_files(
        self, commit: str, files: Mapping[str, bytes], *, message: str, author: Signature = objects.WORKBENCH
    ) -> str:
        """A commit on `commit` with `files` put in; `commit` itself when it has them."""
        return objects.add_files(self.git, commit, files, message=message, author=author)

    def changed_entries(self, base: str, result: str) -> dict[str, bytes]:
        """By path what a tree or commit `result` has otherwise than `base`, as `with_entries` takes it."""
        fields = self.git.run(*_ENTRIES, base, result).fields
        with understood("diff-tree"):
            return {
                path: f"{told.split()[1]} {told.split()[3]}\t".encode() + os.fsencode(path) + b"\0"
                for told, path in zip(fields[::2], fields[1::2], strict=True)
            }

    def replaced_entry(self, commit: str, path: str, data: bytes) -> bytes:
        """The entry of a file that `commit` has, with other content: its mode stays."""
        mode = self.git.text("ls-tree", commit, "--", path).split()[0]
        return objects.index_line(self.git, path, data, mode=mode)

    def with_entries(
        self, commit: str, entries: Sequence[bytes], files: Mapping[str, bytes], *, message: str, author: Signature
    ) -> str:
        """A commit on `commit` with what was changed elsewhere put in, and then `files`."""
        made = objects.tree_taking(self.git, commit, [*entries, *objects.index_lines(self.git, files)])
        return objects.commit_tree(self.git, made, parents=(commit,), message=message, author=author)

    def tree(self, commit: str) -> str:
        """The id of the tree of `commit`."""
        return objects.tree_of(self.git, commit)

    def read_file(self, commit: str, path: str) -> bytes | None:
        """A file as it stands in `commit`; None when it is not there."""
        return self.reader.file(commit, path)

    def list_files(self, commit: str, under: str = "") -> list[str]:
        """Paths of all files in `commit` below `under`, sorted."""
        return list_files(self.git, commit, under)

    def is_ancestor(self, ancestor: str, commit: str) -> bool:
        """Whether `commit` contains `ancestor`."""
        return self.git.says_yes("merge-base", "--is-ancestor", ancestor, commit)

    def count_commits(self, base: str, head: str) -> int:
        """How many commits `head` has that `base` has not."""
        return int(self.git.text("rev-list", "--count", "--end-of-options", f"{base}..{head}"))

    def diff(self, base: str, head: str, *, paths: tuple[str, ...] = ()) -> bytes:
        """The textual diff of two commits; no driver of anybody's takes part."""
        flags = ("--no-ext-diff", "--no-textconv", "--no-renames", "--no-color", "-p", "--full-index")
        return self.git.run("diff-tree", *flags, base, head, "--", *paths).out

    def take_pack(self, pack: BinaryIO, *, head: str, ref: str, largest: int) -> None:
        """Check a pack that untrusted hands made and let `ref` stand at `head`, which it must bring or reach.

        Until every object has passed git's check and every link leads somewhere, the pack lies apart.
        """
        if not is_commit_id(head):
            raise RepositoryProblem("the workspace named no commit", hint="look at the run's log, then stop the run")
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=self.path) as apart:
            (Path(apart) / "pack").mkdir()
            env = {"GIT_OBJECT_DIRECTORY": apart, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.path / "objects")}
            flags = ("--stdin", "--fix-thin", "--strict", f"--max-input-size={largest}")
            self.git.run("index-pack", *flags, stdin=pack, env=env)
            self.git.run("cat-file", "-e", f"{head}^{{commit}}", env=env)
            _move_packs(Path(apart) / "pack", self.path / "objects" / "pack")
        self.git.run("update-ref", _own_ref(ref), head)

    def clear_stale(self, *, older_than_s: float = STALE_S) -> list[str]:
        """Remove what killed gits left here: lock files and incoming packs that nobody has touched for a while."""
        before = time.time() - older_than_s
        left = [*self.path.glob("*.lock"), *(self.path / "refs").rglob("*.lock"), *self.path.glob(".incoming-*")]
        left += (self.path / "objects" / "pack").glob("tmp_*")
        stale = [path for path in left if path.name != LOCK_NAME and path.lstat().st_mtime < before]
        for path in stale:
            remove = shutil.rmtree if path.is_dir() else Path.unlink
            remove(path)
        return sorted(path.name for path in stale)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time fills the store."""
        with (self.path / LOCK_NAME).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _at(self, ref: str) -> str:
        return self.git.run("rev-parse", "--verify", "--quiet", "--end-of-options", ref, ok=(0, 1)).text

    def _fetch(self, source: Path, commit: str, ref: str, *, relaxed: bool = False) -> None:
        git = self.git.with_settings(*(f"fetch.fsck.{flaw}=ignore" for flaw in _HARMLESS_FLAWS if relaxed))
        git.run("fetch", *fetch_flags(source), "--update-shallow", "--", str(source), f"{commit}:{ref}")


def run_ref(run: str) -> str:
    """The ref that holds a run's branch in the store."""
    if not is_id(run):
        raise NotFound(f"{run!r} is no run", hint="workbench runs lists them")
    return f"{RUNS}/{run}"


def fetch_flags(source: Path) -> tuple[str, ...]:
    """How objects are fetched from a repository of this machine: these refs, no tags, no submodules, no traces."""
    serve = [git_program(), *(word for pin in PINS for word in ("-c", pin)), "-c", f"safe.directory={source}"]
    return (
        "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance",
        f"--upload-pack={shlex.join([*serve, 'upload-pack'])}",
    )  # fmt: skip


def _own_ref(ref: str) -> str:
    if not ref.startswith("refs/workbench/"):
        raise Refused(f"{ref} is not one of the store's refs", hint="only refs/workbench is kept in the store")
    return ref


def _move_packs(source: Path, target: Path) -> None:
    """Git sees a pack by its index, so that comes last."""
    target.mkdir(parents=True, exist_ok=True)
    for name in sorted(source.iterdir(), key=lambda entry: entry.suffix == ".idx"):
        os.replace(name, target / name.name)  # noqa: PTH105 - an equal pack may be there


def _create(path: Path, object_format: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        Git(None).run("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", "--", str(made))
        for name, value in _SETTINGS.items():
            Git(made).run("config", name, value)
        with suppress(OSError):  # another process was first: its store is as good
            os.rename(made, path)  # noqa: PTH104 - the atomic rename of a directory
    finally:
        shutil.rmtree(made, ignore_errors=True)
