"""The directory with the sockets and scripts of one turn of a program: short in path, and nobody else's."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from workbench.repository.trees import remove_tree

TEMPORARY = "/tmp"  # paths of sockets have at most 107 bytes: a deep TMPDIR is no place for them


@contextmanager
def desk(home: Path) -> Iterator[Path]:
    """A directory that nobody else enters; what a killed turn of the same run left there is removed."""
    known = desk_of(home)
    _remove(known)
    try:
        known.mkdir(mode=0o700)
    except FileExistsError:  # somebody else's
        known = Path(tempfile.mkdtemp(prefix="workbench-", dir=TEMPORARY))
    try:
        yield known
    finally:
        remove_tree(known)


def desk_of(home: Path) -> Path:
    """Where the turns of the run with this home have it."""
    return Path(TEMPORARY) / f"{_prefix()}{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"


def clear_desks(homes: Iterable[Path]) -> None:
    """Remove what killed turns of these runs left; none of them may be at work."""
    left = {place.name for place in Path(TEMPORARY).glob(f"{_prefix()}*")}
    if left:
        for place in (desk_of(home) for home in homes):
            if place.name in left:
                _remove(place)


def _prefix() -> str:
    return f"workbench-{os.getuid()}-"


def _remove(place: Path) -> None:
    """Only a directory of our own: the name can be guessed, and anybody may write there."""
    with suppress(FileNotFoundError):
        found = place.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
            remove_tree(place)
