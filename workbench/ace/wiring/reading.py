"""What a person has read of a run's packs, and when they looked last: kept beside the journal, for that person alone.

A file counts as read as long as it stands as it was read, before and after; a later revision keeps the mark then.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring.differing import ChangedFile
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.digests import digest_of
from workbench.repository.locate import STORE
from workbench.repository.objects import Merged
from workbench.repository.store import Store

DIRECTORY = "read"  # below the journal's directory


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What this person knows of a pack's files: `read` as they stand, `changed` since they were read."""

    read: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    looked: str = ""  # the newest earlier revision that they opened


class _Marks(msgspec.Struct, kw_only=True):
    """A file of marks: of each pack, the files that were read and as what."""

    read: dict[str, dict[str, str]] = {}
    looked: list[str] = []


def reading_of(place: Workplace, pack: PackState, files: Iterable[ChangedFile]) -> Reading:
    """What this person knows of a pack; nothing where that cannot be told. It is noted that they look now."""
    marks = _marks(place, pack)
    with place.reading() as ledger:
        packs = {one.id: one for one in ledger.packs() if one.run == pack.run and one.run} | {pack.id: pack}
    earlier = [one for one in packs.values() if one.revision < pack.revision]
    looked = [one for one in earlier if one.id in marks.looked]
    known: dict[str, set[str]] = {}
    for name in (pack.id, *(one.id for one in earlier)):
        for path, content in marks.read.get(name, {}).items():
            known.setdefault(path, set()).add(content)
    if pack.id not in marks.looked:
        _note_look(place, pack)
    shown = list(files)
    read = frozenset(file.path for file in shown if _content(file) in known.get(file.path, ()))
    return Reading(
        read=read,
        changed=frozenset(file.path for file in shown if file.path in known and file.path not in read),
        looked=max(looked, key=lambda one: one.revision).id if looked else "",
    )


def keep_read(place: Workplace, pack: PackState, file: ChangedFile, *, read: bool) -> None:
    """Keep, or take back, the mark that a file of a pack was read as it stands in it."""
    with _alone(place, pack):
        marks = _marks(place, pack)
        for kept in marks.read.values():  # what is unmarked is not read because an earlier revision was
            if not read and kept.get(file.path) == _content(file):
                del kept[file.path]
        if read:
            marks.read.setdefault(pack.id, {})[file.path] = _content(file)
        _keep(place, pack, marks)


def since(place: Workplace, pack: PackState, earlier: str) -> str:
    """The tree against which this pack shows what changed since an earlier one: its delivery, on this pack's base.

    Where that one cannot be merged there, it is the tree that it had: then the base's own changes show, too.
    """
    with place.reading() as ledger:
        before = ledger.pack(earlier)
    if before is None or before.base_commit == pack.base_commit:
        return "" if before is None else before.tree
    with Store.of(place.repository, place.journal_directory / STORE) as store:
        merged = store.merge(pack.base_commit, before.head)
        return merged.tree if isinstance(merged, Merged) else before.tree


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
