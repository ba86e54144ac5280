"""A damaged journal made anew from its events, where all of them can still be read and the chain holds: none is lost.

Indexes, projections and the index of words are made of events, so damage to them costs nothing.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from workbench.journal.backup import sync_file
from workbench.journal.blobs import FileBlobs, sync_directory
from workbench.journal.chain import event_hash
from workbench.journal.connection import connect, problem
from workbench.journal.exclusion import alone
from workbench.journal.location import BLOBS, DATABASE
from workbench.journal.rebuild import rebuild
from workbench.journal.restore import STAGING, whole_file
from workbench.journal.rows import COLUMNS, INSERT
from workbench.journal.store import open_journal
from workbench.journal.verify import verify
from workbench.journal.wal import set_aside
from workbench.model.errors import JournalProblem
from workbench.ports import Clock

_WALK = f"SELECT {', '.join(COLUMNS)} FROM events NOT INDEXED ORDER BY seq".replace(
    " payload,", " CAST(payload AS BLOB),"
)
_LINES = 500  # rows put in at a time


class Salvaged(msgspec.Struct, frozen=True, kw_only=True):
    """How many events there are, and where the damaged file lies now."""

    events: int
    kept: str


def salvage(directory: Path, *, clock: Clock) -> Salvaged:
    """Put a sound journal of the same events in the place of a damaged one. Raises JournalProblem if one is damaged."""
    path = directory / DATABASE
    with alone(directory):
        staged = directory / STAGING
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(mode=0o700)
        with open_journal(staged, clock=clock) as journal:
            with journal.transaction() as (writer, heads):
                for rows in _sound(path):
                    writer.executemany(INSERT, rows)
                writer.execute("COMMIT")
                heads.forget()
            count = rebuild(journal)
            journal.blobs = FileBlobs(directory / BLOBS)
            found = verify(journal)
        lost = [fault.text for fault in found.problems if "blob" not in fault.text]
        if lost or found.events != count:
            raise _unsound(lost[0] if lost else "its events do not add up", path)
        whole_file(staged / DATABASE, staged / "whole")
        kept = set_aside(path)
        (staged / "whole").rename(path)
        sync_file(path)
        sync_directory(directory)
        shutil.rmtree(staged, ignore_errors=True)
    return Salvaged(events=count, kept=str(kept))


def _sound(path: Path) -> Iterator[list[tuple[object, ...]]]:
    """All events, as they are stored, page by page; JournalProblem at the first that does not hold."""
    last, hashes, page = 0, dict[str, str](), list[tuple[object, ...]]()
    try:
        with contextlib.closing(connect(path, read_only=True)) as reader:
            for row in reader.execute(_WALK):
                seq, stream, prev_hash = row[0], row[2], hashes.get(row[2], "")
                if seq != last + 1 or row[9] != prev_hash or row[10] != event_hash(prev_hash, tuple(row[:8]), row[8]):
                    raise _unsound(f"event {last + 1} is missing or altered", path)
                last, hashes[stream] = seq, row[10]
                page.append((*row[:8], row[8].decode(), *row[9:]))
                if len(page) >= _LINES:
                    yield page
                    page = []
    except sqlite3.Error as error:
        raise _unsound(f"{problem(error, path).message} after event {last}", path) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise _unsound(f"event {last + 1} cannot be read", path) from error
    yield page


def _unsound(what: str, path: Path) -> JournalProblem:
    return JournalProblem(
        f"the journal cannot be made anew without a loss: {what}",
        hint=f"nothing was changed; keep a copy of {path.parent}, then restore a backup: workbench journal backups",
    )
