"""`workbench gc` as a process of the agents' wing: `python -m workbench.aee.tidying --journal DIR --repository PATH`.

It tells the trash which runs go on and which were delivered, prints one JSON row for each item.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from workbench.aee.lock import lock_file
from workbench.aee.sandbox.select import select
from workbench.aee.trash import KEEP_DAYS, Done, Item, Trash
from workbench.aee.wiring import HOMES, TIDYING_LOCK, WORKSPACES
from workbench.aee.workspaces import SharedClones
from workbench.core.state import RunState
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model.errors import NotFound, Refused, SandboxProblem, WorkbenchError
from workbench.model.ids import is_id
from workbench.ports import DEMO_LEVEL, Sandbox, States
from workbench.repository.clone import lay_out
from workbench.repository.locate import STORE
from workbench.repository.merging import bring
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store, run_ref
from workbench.repository.trees import remove_tree, require_absent, staging

TRASH = "trash"
BEST = ""  # of the levels, whichever works here
LOCK_WAIT_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Plan, and unless told otherwise carry out; 0, or the exit code of what went wrong."""
    parser = argparse.ArgumentParser(prog="workbench-tidying", description=__doc__)
    parser.add_argument("--journal", required=True, type=Path)
    parser.add_argument("--repository", required=True, type=Path)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--days", type=float, default=KEEP_DAYS)
    parser.add_argument("--restore", default="", metavar="ID")
    parser.add_argument("--to", type=Path, metavar="DIRECTORY")
    options = parser.parse_args(arguments)
    try:
        if options.restore:
            rows = [restore(options.journal, options.repository, subject=options.restore, target=options.to)]
        else:
            rows = list(tidy(options.journal, options.repository, days=options.days, dry_run=options.dry_run))
    except WorkbenchError as problem:
        sys.stderr.write(f"{problem.in_line}\n")
        return problem.exit_code
    for row in rows:
        sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    return 0


def tidy(directory: Path, repository: Path, *, days: float, dry_run: bool) -> Iterator[dict[str, Any]]:
    """A row for each item: what is, or was, done about it, and why.

    Whatever is asked of a run's clone is asked in a sandbox of the level that the run had, never in a lower one.
    """
    if not (directory / STORE).exists():
        return
    with _opened(directory, repository, days=days) as house:
        for trash, items in (*house.runs(), house.copies()):
            if dry_run or trash is None:
                yield from (_row(item) for item in items)
            else:
                yield from (_row(done.item, done) for done in trash.carry_out(items))


def restore(directory: Path, repository: Path, *, subject: str, target: Path) -> dict[str, Any]:
    """Take a copy back from the trash: its files into `target`, its commits as a ref of the person's repository."""
    if not (directory / STORE).exists():
        raise NotFound("The trash is empty: no agent has worked here yet.", hint="See workbench gc --dry-run.")
    with _opened(directory, repository, days=KEEP_DAYS) as house:
        return house.restore(subject, target)


@contextmanager
def _opened(directory: Path, repository: Path, *, days: float) -> Iterator[House]:
    with (
        open_journal(directory, clock=SystemClock(), read_only=True) as journal,
        opened(directory, repository, journal, days=days) as house,
    ):
        yield house


@contextmanager
def opened(directory: Path, repository: Path, states: States, *, days: float = KEEP_DAYS) -> Iterator[House]:
    """The workspaces as `states` know them, with nobody else tidying. Raises Refused where somebody does."""
    with ExitStack() as stack:
        stack.enter_context(_alone(directory))
        person = stack.enter_context(open_repository(repository, allow_bare=True))
        store = Store.of(person, directory / STORE)
        stack.enter_context(store)
        yield House(directory, store=store, person=person, states=states, days=days)


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """An AEE that starts clears nothing away under our hands."""
    lock = lock_file(directory / TIDYING_LOCK, wait_s=LOCK_WAIT_S)
    if lock is None:
        raise Refused("Somebody else tidies this journal.", hint="Try again when it is done.")
    try:
        yield
    finally:
        os.close(lock)


class House:
    """The workspaces of one journal, by the level of the sandbox in which each must be asked."""

    def __init__(self, directory: Path, *, store: Store, person: GitRepository, states: States, days: float) -> None:
        self._directory, self._store, self._person, self._days = directory, store, person, days
        self._present = sorted(place.name for place in (directory / WORKSPACES / "runs").glob("[!.]*"))
        known = [run for name in self._present if (run := states.run(name)) is not None]
        self._live = {run.id for run in known if not run.outcome}
        self._delivered, self._held = _delivered(known, states), _held(known, states)
        self._turned_down = {run.id for run in known if run.outcome in ("rejected", "superseded")}
        self._levels = {run.id: _level(run) for run in known}

    def runs(self) -> Iterator[tuple[Trash | None, list[Item]]]:
        """What is to do about workspaces, with the trash that can do it; None where no sandbox of the level works."""
        levels = {run: self._levels.get(run, BEST) for run in self._present}
        for level in sorted(set(levels.values())):
            mine = {run for run, wanted in levels.items() if wanted == level}
            try:
                trash = self._trash(select(level, allow_none=level == "none"))
            except SandboxProblem as problem:
                why = f"its sandbox ({level or 'the best'}) does not work now: {problem.message}"
                yield None, [Item(act="keep", subject=run, why=why, bytes=0) for run in sorted(mine)]
                continue
            live = self._live | (set(levels) - mine)
            items = trash.plan(live=live, delivered=self._delivered, held=self._held, days=self._days)
            yield trash, [item for item in items if item.subject in mine]

    def over(self) -> set[str]:
        """Runs that have a workspace and nothing more to do in it: merged, rejected, or left behind for another."""
        return (self._delivered | self._turned_down) - self._live - self._held.keys()

    def give_back(self, run: str) -> str:
        """Hand the clone of a run that is over to the pool; why it stays, if it holds what exists nowhere else.

        The commits of one that was not merged stay in the store, from where `restore` takes them.
        """
        if run in self._turned_down and (self._directory / HOMES / run).exists():
            return "it was not merged, and its agent has a home"
        level = self._levels[run]
        return self._trash(select(level, allow_none=level == "none")).give_back(run)

    def copies(self) -> tuple[Trash, list[Item]]:
        """What is to do about copies in the trash; no clone is asked anything."""
        trash = self._trash(select("none", allow_none=True))
        items = trash.plan(live=set(self._present), delivered=(), days=self._days)
        return trash, [item for item in items if item.subject not in self._present]

    def restore(self, subject: str, target: Path) -> dict[str, Any]:
        """A copy taken back, as a row; no clone is asked anything."""
        try:
            back = self._trash(select("none", allow_none=True)).restore(subject, target)
        except NotFound:
            if not (head := self._kept_head(subject)):
                raise
            return self._from_store(subject, head, target)
        left_out = [os.fsencode(name).decode("utf-8", "replace") for name in back.left_out]
        ref = back.kept.ref if back.kept.head else ""
        return self._restored(subject, target, back.kept.run, ref, back.kept.head, back.archive, left_out)

    def _kept_head(self, run: str) -> str:
        """The newest commit that the store has of a run without a workspace; empty for none."""
        return self._store.refs().get(run_ref(run), "") if is_id(run) and run not in self._present else ""

    def _from_store(self, run: str, head: str, target: Path) -> dict[str, Any]:
        """The newest commit of a run whose clone held nothing else when it was given back."""
        require_absent(target)
        making = staging(target.parent)
        try:
            lay_out(self._store, making / "tree", commit=head)
            remove_tree(making / "tree" / ".git")
            (making / "tree").rename(target)
        finally:
            remove_tree(making)
        return self._restored(run, target, run, run_ref(run), head, "", [])

    def _restored(
        self, subject: str, target: Path, run: str, ref: str, commit: str, archive: str, left_out: list[str]
    ) -> dict[str, Any]:
        if ref:
            bring(self._person, self._store, ref)
        row = {"schema": 1, "kind": "restored", "id": subject, "run": run, "directory": str(target)}
        return {**row, "ref": ref, "commit": commit, "archive": archive, "left_out": left_out}

    def _trash(self, sandbox: Sandbox) -> Trash:
        clones = SharedClones(
            self._directory / WORKSPACES,
            store=self._store,
            sandbox=sandbox,
            checkout=self._person.checkout or self._person.common_dir,
            repository=self._person,
        )
        return Trash(self._directory / TRASH, clones=clones, store=self._store, homes=self._directory / HOMES)


def _level(run: RunState) -> str:
    """The level that was recorded when the workspace was made; the best there is for one that was never made."""
    return BEST if run.sandbox == DEMO_LEVEL else run.sandbox


def _held(runs: Iterable[RunState], states: States) -> dict[str, str]:
    """Runs that are over, but to which a person may come back; how each is let go of."""
    failed = {
        run.id: f"the run failed and may be resumed; workbench stop {run.id} ends it for good"
        for run in runs
        if run.outcome == "failed"
    }
    undone = {
        pack.run: f"its merge was taken back; workbench merge {pack.id} or workbench reject {pack.id}"
        for pack in states.packs(state="approved")
        if pack.run
    }
    return {**failed, **undone}


def _delivered(runs: Iterable[RunState], states: States) -> set[str]:
    """Runs whose newest pack is merged; what was merged and taken back is delivered no more."""
    ended = {run.id: states.pack(run.pack) for run in runs if run.outcome == "merged"}
    return {run for run, pack in ended.items() if pack is not None and pack.state == "merged"}


def _row(item: Item, done: Done | None = None) -> dict[str, Any]:
    row = {"schema": 1, "kind": "gc", "id": item.subject, "act": item.act, "why": item.why, "bytes": item.bytes}
    return row if done is None else {**row, "kept_at": done.kept_at, "problem": done.problem}


if __name__ == "__main__":
    sys.exit(main())
