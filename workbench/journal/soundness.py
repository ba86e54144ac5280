"""Whether a journal can be worked with: by its file, its version and its locks. It looks, and changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from workbench.journal.connection import begin, connect, primary_code, problem
from workbench.journal.exclusion import join_writers, leave_writers
from workbench.journal.location import DATABASE
from workbench.journal.store import open_journal
from workbench.model.errors import JournalProblem, WorkbenchError
from workbench.ports import Clock

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Soundness(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, if anything. `passes`: it may pass by itself, as a lock does."""

    problem: str = ""
    remedy: str = ""
    is_damaged: bool = False
    passes: bool = False


def soundness(directory: Path, *, clock: Clock) -> Soundness:
    """What is wrong with the journal in `directory`, which must be there."""
    path = directory / DATABASE
    try:
        with closing(connect(path, read_only=True)) as reader:
            told = reader.execute("PRAGMA quick_check(1)").fetchone()[0]
            if told != "ok":
                return Soundness(problem=f"the journal file is damaged: {str(told)[:200]}", is_damaged=True)
        with open_journal(directory, clock=clock, read_only=True) as journal:
            journal.runs(), journal.consultations(), journal.missions(), journal.packs()
            if journal.refusal:
                return Soundness(problem=journal.refusal, remedy=NEWER)
        return _lock(directory, path)
    except sqlite3.Error as error:
        told = problem(error, path)
        return Soundness(problem=told.message, remedy=told.hint, is_damaged=primary_code(error) in _DAMAGED)
    except WorkbenchError as refused:
        damaged = isinstance(refused.__cause__, sqlite3.Error) and primary_code(refused.__cause__) in _DAMAGED
        unreadable = isinstance(refused, JournalProblem) and refused.__cause__ is not None
        return Soundness(problem=refused.message, remedy=refused.hint, is_damaged=damaged or unreadable)


NEWER = (
    "upgrade Workbench to the version that wrote it; until then it can be read. To go back for good, stop the AEE and "
    "restore a backup from before, or journal.sqlite3.before-N, which the upgrade left beside it"
)


def _lock(directory: Path, path: Path) -> Soundness:
    """Whether a writer would get its turn."""
    try:
        leave_writers(join_writers(directory))
        with closing(connect(path, read_only=False)) as writer:
            begin(writer)
            writer.execute("ROLLBACK")
    except sqlite3.Error as error:
        told = problem(error, path)
        return Soundness(problem=told.message, remedy=told.hint, passes=True)
    except JournalProblem as refused:
        return Soundness(problem=refused.message, remedy=refused.hint, passes=True)
    return Soundness()
