"""What a person has read of a run's packs, and when they looked last: kept beside the journal, for that person alone.

A file counts as read as long as it stands as it was read, before and after; a hunk as long as its changed lines do.
A later revision keeps both marks then. A hunk's goes along with a file that got another name.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring.differing import ChangedFile
from workbench.ace.wiring.hunking import counts, cut
from workbench.ace.wiring.workplace import Workplace
from workbench.code.githunks import GitHunk, Kept, found, kept
from workbench.core.state import PackState
from workbench.model.digests import digest_of
from workbench.repository.locate import STORE
from workbench.repository.objects import Conflicted, Merged, merged_trees
from workbench.repository.store import Store

DIRECTORY = "read"  # below the journal's directory


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What this person knows of a pack's files: `read` as they stand, `changed` since they were read.

    `marks` find the hunks that were read of a file again, by its path.
    """

    read: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    marks: Mapping[str, tuple[Kept, ...]] = {}
    looked: str = ""  # the newest earlier revision that they opened


class Progress(msgspec.Struct, frozen=True):
    """How many hunks of a file were read, of how many."""

    read: int = 0
    of: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether none is left."""
        return self.read == self.of


class _Part(msgspec.Struct, kw_only=True):
    """Of one file: its name before the change, the modes that were read, and what finds its read hunks again."""

    old: str
    modes: str
    kept: list[Kept]


class _Marks(msgspec.Struct, kw_only=True):
    """A file of marks: of each pack, the files that were read and as what, and the hunks of files."""

    read: dict[str, dict[str, str]] = {}
    hunks: dict[str, dict[str, _Part]] = {}
    looked: list[str] = []


def reading_of(place: Workplace, pack: PackState, files: Iterable[ChangedFile], *, looks: bool = True) -> Reading:
    """What this person knows of a pack; nothing where that cannot be told. It is noted if they look now."""
    marks, line = _marks(place, pack), _line(place, pack)
    looked = [one for one in line if one.id in marks.looked and one.id != pack.id]
    if looks and pack.id not in marks.looked:
        _note_look(place, pack)
    shown = list(files)
    known = _known(marks, line)
    read = frozenset(file.path for file in shown if _content(file) in known.get(file.path, ()))
    parts = {file.path: part for file in shown if (part := _part(marks, line, file, shown)) is not None}
    return Reading(
        read=read,
        changed=frozenset(file.path for file in shown if file.path in known and file.path not in read),
        marks={path: tuple(part.kept) for path, (_, part) in parts.items()},
        looked=max(looked, key=lambda one: one.revision).id if looked else "",
    )


def progress_of(
    place: Workplace, pack: PackState, files: Sequence[ChangedFile], known: Reading
) -> tuple[Mapping[str, Progress], frozenset[str]]:
    """How far each file of a pack was read, and the files of which all hunks were, with nothing else that is new."""
    numbers = dict(counts(place, pack, files))
    found_of: dict[str, Progress] = {}
    whole: set[str] = set()
    marks, line = _marks(place, pack), _line(place, pack)
    for file in files:
        if file.path in known.marks and file.path not in known.read:
            hunks = cut(place, pack, file).hunks
            found_of[file.path] = progress_in(hunks, found(hunks, known.marks[file.path]))
            if hunks and found_of[file.path].is_whole and _is_the_rest_known(_part(marks, line, file, files), file):
                whole.add(file.path)
        else:
            of = numbers.get(file.path, 0)
            found_of[file.path] = Progress(of if file.path in known.read else 0, of)
    return found_of, frozenset(whole)


def blocks_of(hunks: Iterable[GitHunk]) -> frozenset[int]:
    """The numbers of all blocks of hunks."""
    return frozenset(block.at for hunk in hunks for block in hunk.blocks)


def progress_in(hunks: Sequence[GitHunk], blocks: Collection[int]) -> Progress:
    """How many hunks were read of which these blocks were."""
    return Progress(sum(hunk.numbers.issubset(blocks) for hunk in hunks), len(hunks))


def keep_read(place: Workplace, pack: PackState, file: ChangedFile, *, read: bool) -> None:
    """Keep, or take back, the mark that a file of a pack, and each of its hunks, was read as it stands in it."""
    hunks = cut(place, pack, file).hunks
    with _alone(place, pack):
        marks = _marks(place, pack)
        _put_hunks(marks, pack, file, hunks, blocks_of(hunks) if read else ())
        _put_file(marks, pack, file, read=read)
        _keep(place, pack, marks)


def keep_hunks(
    place: Workplace,
    pack: PackState,
    files: Sequence[ChangedFile],
    path: str,
    *,
    numbers: Collection[int],
    read: bool,
) -> Progress:
    """The same for hunks of one of a pack's files, by their numbers; how much of it is read now.

    A file of which all hunks are read is read; one of which one is not any more, is not.
    """
    file = next(one for one in files if one.path == path)
    hunks = cut(place, pack, file).hunks
    with _alone(place, pack):
        marks, line = _marks(place, pack), _line(place, pack)
        part = _part(marks, line, file, files)
        before = found(hunks, part[1].kept) if part is not None else frozenset()
        if _content(file) in _known(marks, line).get(file.path, ()):
            before = blocks_of(hunks)
        wanted = blocks_of([hunks[at] for at in numbers])
        now = before | wanted if read else before - wanted
        _put_hunks(marks, pack, file, hunks, now)
        _put_file(marks, pack, file, read=bool(hunks) and now == blocks_of(hunks))
        _keep(place, pack, marks)
    return progress_in(hunks, now)


def since(place: Workplace, pack: PackState, earlier: str) -> str:
    """The tree against which this pack shows what changed since an earlier one: what that changed, on this pack's base.

    Where that conflicts there, it is the tree that it had: then the base's own changes show, too.
    """
    with place.reading() as ledger:
        before = ledger.pack(earlier)
    if before is None or before.base_commit == pack.base_commit:
        return "" if before is None else before.tree
    with Store.of(place.repository, place.journal_directory / STORE) as store:
        if not before.tree:
            merged = store.merge(pack.base_commit, before.head)
            return merged.tree if isinstance(merged, Merged) else ""
        # Its commits may bring along what stood below: of a base that is another agent's work, nothing is merged.
        base, ours = store.tree(before.base_commit), store.tree(pack.base_commit)
        made = merged_trees(store.git, base=base, ours=ours, theirs=before.tree)
        return before.tree if isinstance(made, Conflicted) else made


def _line(place: Workplace, pack: PackState) -> list[PackState]:
    """The pack and the earlier ones of its run, oldest first."""
    with place.reading() as ledger:
        packs = {one.id: one for one in ledger.packs() if one.run == pack.run and one.run} | {pack.id: pack}
    return sorted((one for one in packs.values() if one.revision <= pack.revision), key=lambda one: one.revision)


def _known(marks: _Marks, line: Iterable[PackState]) -> dict[str, set[str]]:
    """By path, as what it was read."""
    known: dict[str, set[str]] = {}
    for one in line:
        for path, content in marks.read.get(one.id, {}).items():
            known.setdefault(path, set()).add(content)
    return known


def _part(
    marks: _Marks, line: Sequence[PackState], file: ChangedFile, shown: Iterable[ChangedFile]
) -> tuple[str, _Part] | None:
    """What was kept last of a file's hunks, and under which name: its own, or one that it has no longer."""
    names = {other.path for other in shown}
    for one in reversed(line):
        parts = marks.hunks.get(one.id, {})
        if file.path in parts:
            return file.path, parts[file.path]
        gone = [(path, part) for path, part in parts.items() if path not in names]
        same = [(path, part) for path, part in gone if part.old == file.old_path]
        if same:
            return same[0]
        if file.status == "A" and (new := [(path, part) for path, part in gone if part.old == path]):
            every = [mark for _, part in new for mark in part.kept]  # a new file is one hunk: its content says which
            return new[0][0], _Part(old=new[0][0], modes="", kept=every)
    return None


def _is_the_rest_known(part: tuple[str, _Part] | None, file: ChangedFile) -> bool:
    """Whether a file has the name and the modes under which its hunks were read."""
    return part is not None and part[0] == file.path and part[1].modes == _modes(file)


def _put_file(marks: _Marks, pack: PackState, file: ChangedFile, *, read: bool) -> None:
    for kept_of in marks.read.values():  # what is unmarked is not read because an earlier revision was
        if not read and kept_of.get(file.path) == _content(file):
            del kept_of[file.path]
    if read:
        marks.read.setdefault(pack.id, {})[file.path] = _content(file)


def _put_hunks(
    marks: _Marks, pack: PackState, file: ChangedFile, hunks: Sequence[GitHunk], standing: Collection[int]
) -> None:
    made = kept(hunks, [block for hunk in hunks for block in hunk.blocks if block.at in standing])
    part = _Part(old=file.old_path, modes=_modes(file), kept=list(made))
    marks.hunks.setdefault(pack.id, {})[file.path] = part


def _note_look(place: Workplace, pack: PackState) -> None:
    with _alone(place, pack):
        marks = _marks(place, pack)
        marks.looked.append(pack.id)
        _keep(place, pack, marks)


@contextmanager
def _alone(place: Workplace, pack: PackState) -> Iterator[None]:
    """Marks are read and written again by one at a time, of all threads and screens of this person."""
    file = _file(place, pack)
    file.parent.mkdir(parents=True, exist_ok=True)
    with (file.parent / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _content(file: ChangedFile) -> str:
    return f"{file.old_mode}:{file.old_blob} {file.new_mode}:{file.new_blob}"


def _modes(file: ChangedFile) -> str:
    return f"{file.old_mode} {file.new_mode}"


def _marks(place: Workplace, pack: PackState) -> _Marks:
    try:
        found: Any = json.loads(_file(place, pack).read_text(encoding="ascii"))
        return msgspec.convert(found, _Marks)
    except (OSError, ValueError):
        return _Marks()


def _keep(place: Workplace, pack: PackState, marks: _Marks) -> None:
    file = _file(place, pack)
    apart = file.with_suffix(f".{os.getpid()}")
    apart.write_text(json.dumps(msgspec.to_builtins(marks)), encoding="ascii")
    apart.replace(file)


def _file(place: Workplace, pack: PackState) -> Path:
    person = digest_of(place.person).removeprefix("sha256:")[:16]
    return place.journal_directory / DIRECTORY / person / f"{pack.run or pack.id}.json"
