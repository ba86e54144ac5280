"""What `doctor` says of the journal: whether it is sound and this repository's, and whether there is a copy of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator

from workbench.ace.wiring import inheritance, moved
from workbench.ace.wiring.check import Check, nearest
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.location import DATABASE, check_file_system
from workbench.journal.soundness import soundness
from workbench.model.errors import WorkbenchError

SALVAGE = "salvage"  # make a journal of the same events anew; only where none of them is damaged


def journal(place: Workplace) -> Iterator[Check]:
    """Where it lies, and what is wrong with it."""
    directory = place.journal_directory
    check_file_system(directory)
    where = nearest(directory)
    if not os.access(where, os.W_OK):
        remedy = "make it writable, or set XDG_STATE_HOME or WORKBENCH_JOURNAL to a directory on a local disk"
        yield Check(id="journal", state="fail", text=f"{where} cannot be written", remedy=remedy)
        return
    if not (directory / DATABASE).exists():
        yield _absent(place)
        return
    found = soundness(directory, clock=place.clock)
    if found.problem:
        yield Check(
            id="journal",
            state="warn" if found.passes else "fail",
            text=found.problem,
            remedy=_remedy(place, is_damaged=found.is_damaged) or found.remedy,
            mend=SALVAGE if found.is_damaged else "",
        )
        return
    with place.reading() as ledger:
        inherited = inheritance.told(place, ledger)
    if inherited:
        yield Check(id="journal", state="fail", text=inherited, remedy=inheritance.remedy(place))
        return
    yield Check(id="journal", state="ok", text=str(directory))


def _absent(place: Workplace) -> Check:
    text = f"{place.journal_directory} (not begun yet)"
    try:
        left = moved.left_behind(place)
    except WorkbenchError:
        left = []
    if not left:
        return Check(id="journal", state="ok", text=text)
    told = f"{text}; {left[0]} has missions of this repository, which seems to have been moved"
    return Check(id="journal", state="warn", text=told, remedy=f"workbench journal adopt {shlex.quote(str(left[0]))}")


def _remedy(place: Workplace, *, is_damaged: bool) -> str:
    """For a damaged journal: mend it without a loss, or go back to the newest backup."""
    if not is_damaged:
        return ""
    from workbench.ace.wiring.backups import backups as kept

    whole = kept(place)
    mend = "workbench aee stop && workbench doctor --fix makes it anew if all its events can still be read"
    if not whole:
        return f"{mend}; there is no backup"
    where, manifest = whole[0]
    return f"{mend}; else go back to {manifest.at}: workbench journal restore {shlex.quote(str(where))}"


def backups(place: Workplace) -> Iterator[Check]:
    """Whether there is a copy of the journal; none is no fault."""
    from workbench.ace.wiring.backups import backups as kept

    whole = kept(place)
    text = f"newest of {len(whole)}: {whole[0][0]}" if whole else "none here (workbench journal backup makes one)"
    yield Check(id="backups", state="ok", text=text)
