"""`workbench gc` as a process of the agents' wing: `python -m workbench.aee.tidying --journal DIR --repository PATH`.

It tells the trash which runs go on and which were delivered, prints one JSON row for each item.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from workbench.aee.sandbox.select import select
from workbench.aee.trash import KEEP_DAYS, Done, Item, Trash
from workbench.aee.wiring import STORE, WORKSPACES
from workbench.aee.workspaces import SharedClones
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model.errors import WorkbenchError
from workbench.ports import States
from workbench.repository.repository import open_repository
from workbench.repository.store import Store

TRASH = "trash"


def main(arguments: list[str] | None = None) -> int:
    """Plan, and unless told otherwise carry out; 0, or the exit code of what went wrong."""
    parser = argparse.ArgumentParser(prog="workbench-tidying", description=__doc__)
    parser.add_argument("--journal", required=True, type=Path)
    parser.add_argument("--repository", required=True, type=Path)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--days", type=float, default=KEEP_DAYS)
    options = parser.parse_args(arguments)
    try:
        rows = list(tidy(options.journal, options.repository, days=options.days, dry_run=options.dry_run))
    except WorkbenchError as problem:
        sys.stderr.write(f"{problem.message} {problem.hint}\n")
        return problem.exit_code
    for row in rows:
        sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    return 0


def tidy(directory: Path, repository: Path, *, days: float, dry_run: bool) -> Iterator[dict[str, Any]]:
    """A row for each item: what is, or was, done about it, and why."""
    if not (directory / STORE).exists():
        return
    with ExitStack() as stack:
        journal = stack.enter_context(open_journal(directory, clock=SystemClock(), read_only=True))
        person = stack.enter_context(open_repository(repository, allow_bare=True))
        store = Store.open(directory / STORE, source=person.common_dir, object_format=person.object_format)
        stack.enter_context(store)
        clones = SharedClones(
            directory / WORKSPACES,
            store=store,
            sandbox=select("", allow_none=True, demo=True),
            checkout=person.checkout or person.common_dir,
            repository=person,
        )
        trash = Trash(directory / TRASH, clones=clones, store=store)
        items = trash.plan(live=_live(journal), delivered=_delivered(journal), days=days)
        if dry_run:
            yield from (_row(item) for item in items)
        else:
            yield from (_row(done.item, done) for done in trash.carry_out(items))


def _live(states: States) -> set[str]:
    """Runs that are not over, and failed ones, which a person may let go on."""
    return {run.id for run in states.runs() if run.outcome in ("", "failed")}


def _delivered(states: States) -> set[str]:
    return {run.id for run in states.runs() if run.outcome == "merged"}


def _row(item: Item, done: Done | None = None) -> dict[str, Any]:
    row = {"schema": 1, "kind": "gc", "id": item.subject, "act": item.act, "why": item.why, "bytes": item.bytes}
    return row if done is None else {**row, "kept_at": done.kept_at, "problem": done.problem}


if __name__ == "__main__":
    sys.exit(main())
