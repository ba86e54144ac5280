"""Backups of a repository's journal, with the store of what agents delivered; it prints nothing."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

from workbench import __version__
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.backup import MANIFEST, Manifest, lone_backup, make_backup, read_manifest
from workbench.journal.restore import Restored
from workbench.journal.restore import restore as put_back
from workbench.model.errors import RepositoryProblem, WorkbenchError
from workbench.repository import bundles
from workbench.repository.locate import STORE

WORKSPACES = Path("workspaces", "runs")  # below the journal's directory: the clones that runs work in


def home(place: Workplace) -> Path:
    """Where backups lie unless a person says otherwise: beside the journal, as it may be deleted whole."""
    return place.journal_directory.with_name(f"{place.journal_directory.name}-backups")


def backups(place: Workplace) -> list[tuple[Path, Manifest]]:
    """The whole ones at home, newest first."""
    found = []
    for path in home(place).glob(f"*/{MANIFEST}"):
        with suppress(WorkbenchError):  # one that cannot be read is none
            found.append((path.parent, read_manifest(path.parent)))
    return sorted(found, key=lambda pair: pair[1].at, reverse=True)


def backup(place: Workplace, target: Path | None) -> tuple[Path, Manifest]:
    """Make one, beside a working AEE; where it lies."""
    where = (target or _unused(home(place) / _stamp(place))).absolute()
    store = place.journal_directory / STORE
    with place.existing() as journal:
        manifest = make_backup(
            journal,
            where,
            clock=place.clock,
            program=__version__,
            put_store=lambda file: bundles.bundle(store, file),
        )
    return where, manifest


def restore(place: Workplace, source: Path) -> Restored:
    """Let this repository's journal be what `source` holds: a backup, or a database that an upgrade left.

    What was there is kept among the backups.
    """
    directory = place.journal_directory
    if source.is_file():
        with tempfile.TemporaryDirectory(prefix="workbench-restore-") as made:
            lone_backup(source.absolute(), Path(made) / "backup", clock=place.clock, program=__version__)
            return restore(place, Path(made) / "backup")
    keep = _unused(home(place) / f"{_stamp(place)}-before-restore")
    return put_back(
        source.absolute(),
        directory,
        clock=place.clock,
        keep=keep,
        keep_whole=lambda target: _keep(place, target),
        take_store=lambda file: bundles.unbundle(
            file, directory / STORE, repository=place.located.common_dir, aside=keep / STORE
        ),
        workspaces=directory / WORKSPACES,
    )


def _keep(place: Workplace, target: Path) -> None:
    """What is there, with its store where that can be read: if not, it stays what it is, or is moved aside whole."""

    def put_store(file: Path) -> bool:
        try:
            return bundles.bundle(place.journal_directory / STORE, file)
        except RepositoryProblem:
            file.unlink(missing_ok=True)
            return False

    with place.existing() as journal:
        make_backup(journal, target, clock=place.clock, program=__version__, put_store=put_store)


def _stamp(place: Workplace) -> str:
    return re.sub(r"[-:]|\.\d+", "", place.clock.now())


def _unused(wanted: Path) -> Path:
    names = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(1))
    return next(name for name in names if not name.exists())
