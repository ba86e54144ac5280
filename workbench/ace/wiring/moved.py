"""Journals of this repository from before it was moved: found by the commits that runs began from, and adopted."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from workbench.ace.wiring.inheritance import LOOKED_AT, holds
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.location import DATABASE, OVERRIDE, journal_directory, noted_repository, state_home
from workbench.journal.store import open_journal
from workbench.model.errors import NotFound, Refused, WorkbenchError
from workbench.repository.git import is_commit_id

MOST = 50  # journals that are looked into


def left_behind(place: Workplace) -> list[Path]:
    """Journals whose repository is no longer where it was, and whose commits are in this one; newest first.

    Empty where this repository has a journal of its own.
    """
    if os.environ.get(OVERRIDE) or (place.journal_directory / DATABASE).exists():
        return []
    found = (state_home() / "workbench").glob(f"*/{DATABASE}")
    newest = sorted(found, key=_changed_at, reverse=True)[:MOST]
    return [path.parent for path in newest if not path.parent.is_symlink() and _is_of(place, path.parent)]


def told(place: Workplace) -> str:
    """What to say where nothing is known of a repository that has such a journal; empty if there is none."""
    try:
        found = left_behind(place)
    except (WorkbenchError, OSError):
        return ""
    if not found:
        return ""
    stood = noted_repository(found[0])
    was = f" (it was at {stood.parent if stood.name == '.git' else stood})" if stood else ""
    return f"Was this repository moved{was}? Its missions are in {found[0]}. next: workbench journal adopt {found[0]}"


def adopt(place: Workplace, directory: Path) -> Path:
    """Let the journal in `directory` be this repository's from now on; it stays where it is."""
    own = journal_directory(place.located.common_dir)
    if not (directory / DATABASE).exists():
        raise NotFound(f"there is no journal in {directory}", hint="workbench doctor names journals left behind")
    if (own / DATABASE).exists() or own.is_symlink():
        raise Refused(f"this repository has a journal already: {own}", hint="workbench doctor says what is in it")
    if not _is_of(place, directory):
        hint = "only the journal of a repository that was moved here can be adopted"
        raise Refused(f"{directory} is the journal of another repository, or of one that still stands", hint=hint)
    own.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        own.rmdir()  # an empty one
    own.symlink_to(directory.resolve(), target_is_directory=True)
    return directory.resolve()


def _is_of(place: Workplace, directory: Path) -> bool:
    stood = noted_repository(directory)
    if stood is not None and stood.exists() and stood.resolve() != place.located.common_dir.resolve():
        return False
    try:
        with open_journal(directory, clock=place.clock, read_only=True) as journal:
            runs = journal.runs()[-LOOKED_AT:]
    except WorkbenchError:
        return False
    return any(is_commit_id(run.base_commit) and holds(place.repository.git, run.base_commit) for run in runs)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
