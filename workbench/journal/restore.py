"""A backup put in the place of a journal: all of it checked first, what was there kept, and then one transaction.

Nobody writes meanwhile. Killed at any moment, the journal is what it was, or what the backup is. Blobs are only added.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec

from workbench.core.state import RunState
from workbench.journal.backup import BUNDLE, Manifest, copy_database, file_digest, read_manifest, sync_file, take_blobs
from workbench.journal.blobs import FileBlobs, sync_directory
from workbench.journal.connection import Speaking, connect
from workbench.journal.exclusion import alone
from workbench.journal.location import BLOBS, DATABASE, ensure_directory
from workbench.journal.presence import presence
from workbench.journal.store import open_journal
from workbench.journal.verify import verify
from workbench.journal.wal import set_aside
from workbench.model.errors import JournalProblem, Refused, WorkbenchError
from workbench.ports import Clock

STAGING = ".restoring"
_SUFFIXES = ("", "-wal", "-shm")
TakeStore = Callable[[Path], None]  # bring the bundle's objects and refs into the journal's store
KeepWhole = Callable[[Path], object]  # make a backup of the journal as it stands, there


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `kept` is where the journal lies that was there before; empty: there was none."""

    events: int
    at: str
    kept: str
    set_aside: tuple[str, ...]  # runs that the backup does not know, whose workspaces lie in `kept` now
    anew: tuple[str, ...]  # runs whose clone is not here: they go on in a new one, without what was not delivered


def restore(
    backup: Path,
    directory: Path,
    *,
    clock: Clock,
    keep: Path,
    keep_whole: KeepWhole,
    take_store: TakeStore,
    workspaces: Path,
) -> Restored:
    """Let the journal in `directory` be what `backup` holds; what is there now goes to `keep` first.

    Raises Refused while somebody writes, JournalProblem when the backup does not hold: then nothing has changed.
    """
    manifest = read_manifest(backup)
    ensure_directory(directory)
    if presence(directory).pid is not None:
        raise Refused("an AEE serves this journal", hint="workbench aee stop, then restore")
    try:
        with alone(directory):
            staged = _stage(backup, directory, manifest, clock)
            kept = _keep_present(directory, keep, keep_whole)
            if manifest.store:
                take_store(backup / BUNDLE)
            runs = _put_in_place(staged, directory, clock)
            aside = _set_aside_unknown(workspaces, keep, {run.id for run in runs})
            anew = tuple(
                run.id for run in runs if not run.outcome and run.workspace and not (workspaces / run.id).is_dir()
            )
            shutil.rmtree(staged, ignore_errors=True)
    except OSError as error:
        hint = f"check space and permissions of {directory}, then restore again: it can be repeated"
        raise JournalProblem(f"the journal cannot be restored: {error.strerror or error}", hint=hint) from error
    where = str(keep) if kept or aside else ""
    return Restored(events=manifest.events, at=manifest.at, kept=where, set_aside=aside, anew=anew)


def _stage(backup: Path, directory: Path, manifest: Manifest, clock: Clock) -> Path:
    """A copy of the backup's database beside the journal, brought up to this version and found whole."""
    if manifest.store and file_digest(backup / BUNDLE) != manifest.store:
        raise _not_whole(backup, "its store.bundle is not what was backed up")
    staged = directory / STAGING
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    shutil.copyfile(backup / DATABASE, staged / DATABASE)
    (staged / DATABASE).chmod(0o600)
    blobs = FileBlobs(directory / BLOBS)
    damaged = set(take_blobs(backup / BLOBS, blobs)) - set(manifest.damaged)
    if damaged:
        raise _not_whole(backup, f"{len(damaged)} blobs are damaged, {min(damaged)} among them")
    with open_journal(staged, clock=clock) as journal:
        if not journal.is_writable:
            hint = "restore it with the version of Workbench that made it, or a newer one"
            raise JournalProblem(f"the backup in {backup} is of a newer Workbench", hint=hint)
        journal.blobs = blobs
        found = verify(journal, checkpoints=[manifest.checkpoint])
    problems = [fault.text for fault in found.problems if not any(digest in fault.text for digest in manifest.damaged)]
    if problems or found.events != manifest.events:
        raise _not_whole(backup, problems[0] if problems else f"{found.events} of {manifest.events} events are there")
    return staged


def _not_whole(backup: Path, what: str) -> JournalProblem:
    hint = "nothing was changed; take another backup"
    return JournalProblem(f"the backup in {backup} does not hold: {what}", hint=hint, data={"backup": str(backup)})


def _keep_present(directory: Path, keep: Path, keep_whole: KeepWhole) -> bool:
    """Keep the journal that is there: as a backup if it can be read, else its files as they are. Whether one was."""
    path = directory / DATABASE
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        keep_whole(keep)
    except WorkbenchError:
        if _can_be_read(path):
            raise  # the disk, not the journal
        keep.mkdir(parents=True, mode=0o700)
        for suffix in _SUFFIXES:
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{suffix}", keep / f"{DATABASE}{suffix}")
                sync_file(keep / f"{DATABASE}{suffix}")
        sync_directory(keep)
        set_aside(path)
    return True


def _can_be_read(path: Path) -> bool:
    try:
        with contextlib.closing(connect(path, read_only=True)) as reader:
            return bool(reader.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except (sqlite3.Error, JournalProblem):
        return False


def _put_in_place(staged: Path, directory: Path, clock: Clock) -> list[RunState]:
    """Exchange the content of the database in one transaction, seen by whoever reads it; the runs that it knows."""
    path = directory / DATABASE
    with Speaking(path):
        if not path.exists():
            whole_file(staged / DATABASE, staged / "whole")
            (staged / "whole").rename(path)
            sync_directory(directory)
        else:
            with (
                contextlib.closing(connect(staged / DATABASE, read_only=True)) as source,
                contextlib.closing(connect(path, read_only=False)) as target,
            ):
                source.backup(target)
    with open_journal(directory, clock=clock, read_only=True) as journal:
        return journal.runs()


def whole_file(database: Path, target: Path) -> None:
    """A database and its log as one file, which can be given another name."""
    target.unlink(missing_ok=True)
    copy_database(database, target)


def _set_aside_unknown(workspaces: Path, keep: Path, known: set[str]) -> tuple[str, ...]:
    """Move away the workspaces of runs that the journal no longer knows: a new run of that name starts afresh."""
    there = sorted(place.name for place in workspaces.iterdir()) if workspaces.is_dir() else []
    unknown = tuple(name for name in there if name not in known and not name.startswith("."))
    for name in unknown:
        (keep / "workspaces").mkdir(parents=True, exist_ok=True, mode=0o700)
        (workspaces / name).rename(keep / "workspaces" / name)
    return unknown
