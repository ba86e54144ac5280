"""What a pack changes, read from git's objects in the store: the list of its files, and the diff of one of them.

Nothing of anybody's takes part: no driver, no text conversion, no attributes, no checkout. It judges and shows nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from workbench.ace.wiring.workplace import Workplace
from workbench.code.model import FileSides
from workbench.model.errors import NotFound, RepositoryProblem
from workbench.repository.git import Git, understood
from workbench.repository.locate import STORE
from workbench.repository.reader import ObjectReader

_DIFF = ("diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color", "--no-commit-id")
_PATCH = ("-p", "--full-index", "--submodule=short")
_ABSENT = "000000"
AROUND = 3  # lines around a change, at first
WHOLE = 1_000_000_000  # the same, for all of a file
LARGEST = 128 << 20  # bytes of both sides; more of one file is never compared here

# What git-lfs writes in place of a file; at most some twenty digits of size beside what is always there.
_POINTER = re.compile(
    rb"version https:/{2}git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]{1,200}\n){0,9}"
    rb"oid sha256:[0-9a-f]{64}\nsize (\d{1,18})\n"
)
_POINTER_BYTES = range(120, 400)
NO_POINTER = -1


class ChangedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One changed file. `old_path` differs from `path` where it was renamed; lines are None for a binary file."""

    path: str
    old_path: str
    status: str  # A, M, D, R (renamed) or T (another type)
    old_mode: str  # empty where it was absent
    new_mode: str
    old_blob: str = ""  # what git calls its content
    new_blob: str = ""
    old_size: int = 0  # bytes
    new_size: int = 0
    added: int | None = 0
    removed: int | None = 0
    lfs: tuple[int, int] | None = None  # bytes of what LFS pointers name; or NO_POINTER

    @property
    def is_binary(self) -> bool:
        """Whether git takes it for something else than text."""
        return self.added is None


def changed_files(place: Workplace, base: str, tree: str) -> tuple[ChangedFile, ...]:
    """What lies between two trees (or commits), sorted by path; renames are recognised."""
    git = _store(place)
    raw = git.run(*_DIFF, "--raw", "--no-abbrev", "-z", base, tree).fields
    counts = read_counts(git.run(*_DIFF, "--numstat", "-z", base, tree).out)
    entries = read_entries(raw)
    sizes = _sizes(git, [blob for entry in entries for blob in entry.blobs])
    pointed = _pointed(git, sizes)
    return tuple(_file(entry, sizes, counts, pointed) for entry in entries)


def file_diff(place: Workplace, base: str, tree: str, file: ChangedFile, *, around: int = AROUND) -> bytes:
    """The unified diff of one file, as git writes it, with so many lines around each change.

    Raises RepositoryProblem where it is too large for a screen.
    """
    if file.old_size + file.new_size > LARGEST:
        raise RepositoryProblem(
            f"{file.path} is too large to be compared here: {file.new_size} bytes.",
            hint=f"git --git-dir {place.journal_directory / STORE} diff {base[:12]} {tree[:12]} -- PATH",
        )
    paths = dict.fromkeys((file.old_path, file.path))
    return _store(place).run(*_DIFF, *_PATCH, f"--unified={around}", base, tree, "--", *paths).out


def whole_diff(place: Workplace, base: str, tree: str) -> bytes:
    """The unified diff of all files."""
    return _store(place).run(*_DIFF, *_PATCH, f"--unified={AROUND}", base, tree).out


def sides_of(place: Workplace, base: str, tree: str, files: Iterable[ChangedFile]) -> list[FileSides]:
    """Each file before and after, as bytes; None on a side where it is absent, or no file. A renamed one has its
    new path."""
    with ObjectReader(_store(place)) as reader:
        return [
            FileSides(
                path=file.path,
                old=reader.file(base, file.old_path) if file.old_mode else None,
                new=reader.file(tree, file.path) if file.new_mode else None,
            )
            for file in files
        ]


def apart(file: ChangedFile, sides: FileSides) -> Iterator[FileSides]:
    """A file as the structural change is told of it: a renamed one is two, absent on either side."""
    if file.old_path == file.path:
        yield sides
    else:
        yield FileSides(path=file.old_path, old=sides.old, new=None)
        yield FileSides(path=file.path, old=None, new=sides.new)


def store_path(place: Workplace) -> Path:
    """Where the commits of the agents are. Raises NotFound where they are gone, for then nothing is to be read."""
    path = place.journal_directory / STORE
    if not (path / "HEAD").exists():
        raise NotFound("The store with the commits of the agents is gone.", hint=f"restore {path}, or build anew")
    return path


def _store(place: Workplace) -> Git:
    return Git(store_path(place))


class _Entry(msgspec.Struct, frozen=True):
    status: str
    modes: tuple[str, str]
    blobs: tuple[str, str]
    old_path: str
    path: str


def read_entries(fields: Sequence[str]) -> list[_Entry]:
    """The raw output of diff-tree, split at NUL. Raises RepositoryProblem where that is not what it is."""
    with understood("diff-tree"):
        return list(_entries(fields))


def read_counts(out: bytes) -> dict[str, tuple[int | None, int | None]]:
    """Lines added and removed by path, of --numstat -z. Raises RepositoryProblem where that is not what it is."""
    with understood("diff-tree"):
        return dict(_counts(out))


def _entries(fields: Sequence[str]) -> Iterator[_Entry]:
    """git-diff-tree(1), raw output format: `:modes blobs status`, then the path, or both paths of a rename."""
    at = 0
    while at < len(fields):
        old_mode, new_mode, old, new, status = fields[at].removeprefix(":").split(" ")
        paths = fields[at + 1 : at + (3 if status[0] in "RC" else 2)]
        yield _Entry(status[0], (old_mode, new_mode), (old, new), paths[0], paths[-1])
        at += 1 + len(paths)


def _counts(out: bytes) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
    """Lines added and removed by path; of a rename, both paths come after an empty one."""
    fields = iter(os.fsdecode(out).split("\0")[:-1])
    for field in fields:
        added, removed, path = field.split("\t", 2)
        if not path:
            next(fields, "")
            path = next(fields, "")
        yield path, (None, None) if added == "-" else (int(added), int(removed))


def _sizes(git: Git, blobs: Iterable[str]) -> dict[str, int]:
    wanted = [blob for blob in dict.fromkeys(blobs) if blob.strip("0")]
    asked = "".join(f"{blob}\n" for blob in wanted).encode()
    answers = git.text("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).splitlines()
    found = (answer.split(" ") for answer in answers)
    return {blob: int(size) for blob, size in found if size.isdigit()}  # a submodule's commit is not there


def _pointed(git: Git, sizes: dict[str, int]) -> dict[str, int]:
    """By blob that is an LFS pointer the bytes of the object that it names."""
    wanted = [blob for blob, size in sizes.items() if size in _POINTER_BYTES]
    with ObjectReader(git) as reader:
        found = {blob: _POINTER.fullmatch(reader.read(blob)[1]) for blob in wanted}
    return {blob: int(pointer[1]) for blob, pointer in found.items() if pointer is not None}


def _file(
    entry: _Entry,
    sizes: dict[str, int],
    counts: dict[str, tuple[int | None, int | None]],
    pointed: dict[str, int],
) -> ChangedFile:
    added, removed = counts.get(entry.path, (0, 0))
    before, after = ("" if mode == _ABSENT else mode for mode in entry.modes)
    return ChangedFile(
        path=entry.path,
        old_path=entry.old_path,
        status=entry.status,
        old_mode=before,
        new_mode=after,
        old_blob=entry.blobs[0],
        new_blob=entry.blobs[1],
        old_size=sizes.get(entry.blobs[0], 0),
        new_size=sizes.get(entry.blobs[1], 0),
        added=added,
        removed=removed,
        lfs=_lfs(entry, pointed),
    )


def _lfs(entry: _Entry, pointed: dict[str, int]) -> tuple[int, int] | None:
    before, after = (pointed.get(blob, NO_POINTER) for blob in entry.blobs)
    return None if before == after == NO_POINTER else (before, after)
