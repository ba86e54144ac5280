"""A copy of a journal to keep elsewhere: made beside its writers, whole or not there; it knows no git, only its bundle.

What is copied last may hold more than what was copied first, never less: a blob, and a commit in the store, is there
before the event that names it. The manifest comes at the very end, and only then the copy gets its name.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from workbench.journal.blobs import FileBlobs, sync_directory
from workbench.journal.connection import Speaking, connect, primary_code
from workbench.journal.exclusion import held
from workbench.journal.location import BLOBS, DATABASE
from workbench.journal.sqlite_journal import SqliteJournal
from workbench.journal.store import open_journal
from workbench.journal.verify import Checkpoint, checkpoint
from workbench.model.digests import digest_bytes
from workbench.model.errors import JournalProblem, NotFound, Refused
from workbench.ports import Clock

MANIFEST = "backup.json"
BUNDLE = "store.bundle"
_OF_TARGET = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
PutStore = Callable[[Path], bool]  # write the store's objects and refs to that file; False: there is no store


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds. It is written last: a directory without it is no backup."""

    journal: str
    at: str
    program: str
    events: int
    checkpoint: Checkpoint
    blobs: int
    blob_bytes: int
    store: str = ""  # digest of the bundle; empty: the journal had no store yet
    damaged: tuple[str, ...] = ()  # digests of blobs that were damaged before they were copied
    kind: str = "journal-backup"
    schema: int = 1


def make_backup(journal: SqliteJournal, target: Path, *, clock: Clock, program: str, put_store: PutStore) -> Manifest:
    """Copy the journal, its blobs and its store to `target`, which must not exist; on disk when this returns.

    Raises Refused when something is there or is being made, JournalProblem when the disk cannot take it.
    """
    if target.exists() or target.is_symlink():
        raise Refused(f"{target} is there already", hint="name a directory that does not exist: nothing is overwritten")
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with held(target.with_name(f".{target.name}.lock"), told=f"a backup to {target} is being made just now"):
            with _whole_or_gone(part):
                manifest = _fill(journal, part, clock=clock, program=program, put_store=put_store)
                part.rename(target)
            sync_directory(target.parent)
            target.with_name(f".{target.name}.lock").unlink(missing_ok=True)
    except OSError as error:
        hint = f"check space and permissions of {target.parent}; the journal itself is as it was"
        raise JournalProblem(f"the backup cannot be written: {error.strerror or error}", hint=hint) from error
    return manifest


def lone_backup(database: Path, target: Path, *, clock: Clock, program: str) -> Manifest:
    """A backup made of nothing but a database, as an upgrade leaves it beside the journal; blobs and store stay."""
    target.mkdir(mode=0o700, parents=True)
    copy_database(database, target / DATABASE)
    with open_journal(target, clock=clock, read_only=True) as copy:
        point, events = checkpoint(copy), copy.last_seq()
    manifest = Manifest(
        journal=database.name,
        at=clock.now(),
        program=program,
        events=events,
        checkpoint=point,
        blobs=0,
        blob_bytes=0,
    )
    _write(target / MANIFEST, msgspec.json.encode(manifest))
    return manifest


def read_manifest(backup: Path) -> Manifest:
    """What the backup in that directory says of itself. Raises NotFound where there is none, or not a whole one."""
    try:
        return msgspec.json.decode((backup / MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        hint = "a backup is a directory that workbench journal backup made; one that was interrupted has no backup.json"
        raise NotFound(f"there is no backup in {backup}", hint=hint) from None
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as error:
        raise JournalProblem(f"{backup / MANIFEST} cannot be read: {error}", hint="take another backup") from error


def _fill(journal: SqliteJournal, part: Path, *, clock: Clock, program: str, put_store: PutStore) -> Manifest:
    copy_database(journal.path, part / DATABASE)
    with open_journal(part, clock=clock, read_only=True) as copy:
        point, events = checkpoint(copy), copy.last_seq()
    blobs, size, damaged = _copy_blobs(journal.directory / BLOBS, part / BLOBS)
    manifest = Manifest(
        journal=journal.directory.name,
        at=clock.now(),
        program=program,
        events=events,
        checkpoint=point,
        blobs=blobs,
        blob_bytes=size,
        store=file_digest(part / BUNDLE) if put_store(part / BUNDLE) else "",
        damaged=damaged,
    )
    if manifest.store:
        sync_file(part / BUNDLE)
    _write(part / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    sync_directory(part)
    return manifest


def copy_database(source: Path, target: Path) -> None:
    """The database as it stands at one moment, as one file without a log; nobody is held up."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    with (
        Speaking(source),
        contextlib.closing(connect(source, read_only=True)) as reader,
        contextlib.closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        try:
            reader.backup(copy)  # in one go, so of one snapshot
            copy.execute("PRAGMA journal_mode = DELETE").fetchall()
        except sqlite3.Error as error:
            if primary_code(error) not in _OF_TARGET:
                raise
            hint = f"check space and permissions of {target.parent}; the journal itself is as it was"
            raise JournalProblem(f"the copy cannot be written: {error}", hint=hint) from error
    sync_file(target)


def _copy_blobs(source: Path, target: Path) -> tuple[int, int, tuple[str, ...]]:
    """How many, how many bytes, and the digests of those that are damaged; these are copied as they are."""
    count, size, damaged = 0, 0, []
    target.mkdir(mode=0o700)
    for digest, path in blob_files(source):
        data = path.read_bytes()
        place = target / path.parent.name
        place.mkdir(mode=0o700, exist_ok=True)
        _write(place / path.name, data)
        count, size = count + 1, size + len(data)
        if digest_bytes(data) != digest:
            damaged.append(digest)
    for place in target.iterdir():
        sync_directory(place)
    sync_directory(target)
    return count, size, tuple(damaged)


def blob_files(blobs: Path) -> Iterator[tuple[str, Path]]:
    """Digest and file of everything that is kept below `blobs`; what a killed writer left is none of it."""
    for path in sorted(blobs.glob("[0-9a-f][0-9a-f]/*")):
        if not path.name.startswith("."):
            yield f"sha256:{path.parent.name}{path.name}", path


def take_blobs(source: Path, blobs: FileBlobs) -> list[str]:
    """Put every blob of a backup among `blobs`, whose own stay; the digests of those whose copy is damaged."""
    damaged = []
    for digest, path in blob_files(source):
        data = path.read_bytes()
        if digest_bytes(data) != digest:
            damaged.append(digest)
        else:
            blobs.put(data)
    return damaged


def file_digest(path: Path) -> str:
    """The digest of a file of any size."""
    import hashlib

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def sync_file(path: Path) -> None:
    """Have the disk keep a file's content."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


@contextlib.contextmanager
def _whole_or_gone(part: Path) -> Iterator[None]:
    """A fresh directory; what a killed one left there goes first, and itself goes unless it got its name."""
    if part.exists():
        shutil.rmtree(part)
    part.mkdir(mode=0o700)
    try:
        yield
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
