"""`journal backup | backups | restore | adopt`: copies of the event log, and the log of a repository that moved."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from workbench.ace.cli.options import speaks
from workbench.ace.cli.output import Output
from workbench.ace.cli.table import Column
from workbench.ace.wiring.workplace import Workplace

_DIRECTORY = click.Path(path_type=Path)
Row = dict[str, object]
COLUMNS = (
    Column[Row]("made", lambda row: str(row["at"])),
    Column[Row]("events", lambda row: str(row["events"]), right=True),
    Column[Row]("directory", lambda row: str(row["directory"]), grow=True),
)


@click.command()
@click.argument("directory", required=False, type=_DIRECTORY)
@speaks
def backup(place: Workplace, out: Output, directory: Path | None) -> None:
    """Copy the journal, its blobs and what agents delivered to DIRECTORY, which must not exist; agents work on.

    Without DIRECTORY it lies beside the journal. Clones that agents work in are not in it: they are made anew.
    """
    from workbench.ace.wiring import backups

    where, manifest = backups.backup(place, None if directory is None else place.directory / directory)
    told = f"{manifest.events} events and {manifest.blobs} blobs as of {manifest.at}"
    out.one(_row(where, manifest), [str(where), f"  {told}"])
    if manifest.damaged:
        out.warn(f"{len(manifest.damaged)} blobs were damaged before: workbench journal verify names the events")
    if not out.as_json:
        out.say("next, when it is needed: workbench journal restore DIRECTORY")


@click.command("backups")
@speaks
def listed(place: Workplace, out: Output) -> None:
    """Backups that lie beside the journal, newest first."""
    from workbench.ace.wiring import backups

    rows = [_row(where, manifest) for where, manifest in backups.backups(place)]
    out.rows(rows, COLUMNS, empty="No backups. next: workbench journal backup")


@click.command()
@click.argument("directory", type=_DIRECTORY)
@speaks
def restore(place: Workplace, out: Output, directory: Path) -> None:
    """Let the journal be what the backup in DIRECTORY holds. The AEE must be stopped.

    It may also be the file journal.sqlite3.before-N that an upgrade left, to go back to an older Workbench.

    The backup is checked whole before anything changes, and what is there now is backed up first.
    """
    from workbench.ace.wiring import backups

    done = backups.restore(place, place.directory / directory)
    row = {"schema": 1, "kind": "restored", "id": place.journal_directory.name, **msgspec.to_builtins(done)}
    out.one(row, [f"{done.events} events as of {done.at}"])
    if out.as_json:
        return
    if done.kept:
        out.say(f"what was there before: {done.kept}")
    if done.set_aside:
        out.say(f"workspaces of runs that it does not know lie there, too: {', '.join(done.set_aside)}")
    if done.anew:
        out.say(f"their clones are made anew, without what was not delivered yet: {', '.join(done.anew)}")
    out.say("next: workbench journal verify, then workbench aee start: runs go on from there")


@click.command()
@click.argument("directory", type=_DIRECTORY)
@speaks
def adopt(place: Workplace, out: Output, directory: Path) -> None:
    """Let the journal in DIRECTORY be this repository's, after the repository was moved or renamed."""
    from workbench.ace.wiring import moved

    where = moved.adopt(place, place.directory / directory)
    out.one({"schema": 1, "kind": "journal", "id": where.name, "directory": str(where)}, [str(where)])
    if not out.as_json:
        out.say("next: workbench inbox")


def _row(where: Path, manifest: object) -> Row:
    found: Row = msgspec.to_builtins(manifest)
    del found["checkpoint"]
    return {"schema": 1, "kind": "journal-backup", "id": where.name, "directory": str(where), **found}
