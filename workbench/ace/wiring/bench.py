"""What a merge works on: the journal, the store and a lock, in which interrupted merges and undos are settled first.

One person at a time merges here (a lock beside the journal, dropped by the kernel with its holder), so that an intent
without an outcome that is seen under the lock is always one that was interrupted.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple, Protocol

import msgspec

from workbench.ace.wiring import checkpointing, proving, things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide.decision import Decision
from workbench.core.state import Merge, PackState
from workbench.journal.store import SqliteJournal
from workbench.model.errors import Refused, WorkbenchError
from workbench.proof.filing import Filed
from workbench.repository.locate import STORE
from workbench.repository.merging import Merger, Moved, Plan
from workbench.repository.objects import Signature
from workbench.repository.store import Store

LOCK = "merge.lock"
LOCK_WAIT_S = 10.0  # a merge takes well under a second
LOCK_POLL_S = 0.02
BEFORE = "interrupted before the branch moved"


class Abandon(Protocol):
    """Which decision says that an intent moved nothing."""

    def __call__(self, pack: PackState, /, *, reason: str, actor: str) -> Decision:
        """The decision."""
        ...


class Witnessed(NamedTuple):
    """What was left in git about a merge: commits, empty where there is none, and what is to be said."""

    proof: str
    checkpoint: str
    notes: tuple[str, ...] = ()


class Bench:
    """What a merge works with, while the lock is held."""

    def __init__(self, place: Workplace, journal: SqliteJournal, store: Store) -> None:
        self.place = place
        self.journal = journal
        self.store = store
        self.merger = Merger(place.repository, store)

    @property
    def by(self) -> Signature:
        """The person, now."""
        return msgspec.structs.replace(self.place.repository.identity(), seconds=int(time.time()))

    def pack(self, name: str) -> PackState:
        """The pack as it stands."""
        return things.pack(self.journal, name)


@contextmanager
def on_bench(place: Workplace, *, settle_first: bool = True) -> Iterator[Bench]:
    """The bench, for one person at a time."""
    with ExitStack() as stack:
        journal = stack.enter_context(place.writing())
        stack.enter_context(_alone(place))
        store = Store.of(place.repository, place.journal_directory / STORE)
        bench = Bench(place, journal, stack.enter_context(store))
        if settle_first:
            settle(bench)
        yield bench


@contextmanager
def _alone(place: Workplace) -> Iterator[None]:
    give_up = time.monotonic() + LOCK_WAIT_S
    with (place.journal_directory / LOCK).open("ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise Refused("Somebody else merges right now.", hint="Try again when it is done.") from None
                time.sleep(LOCK_POLL_S)
        yield


def carry_out(bench: Bench, name: str, plan: Plan, *, log: str, abandon: Abandon) -> Moved:
    """Move the branch as planned; where it did not move, the intent is taken back as `abandon` says."""
    try:
        return bench.merger.carry_out(plan, by=bench.by, log=log)
    except WorkbenchError as problem:
        if not _has_moved(bench, plan):
            _abandon(bench, name, abandon, problem.message)
        raise


def finish_merge(bench: Bench, name: str, plan: Plan) -> Witnessed:
    """Prove that the branch moved, record it, and what follows from it for run and mission; then a checkpoint.

    The proof comes first, so that an interrupted merge is settled with one. The merge stands already: what prevents
    proof or checkpoint is only said.
    """
    filed = _proof(bench, name, plan)
    decide(bench.journal, lambda states: _finishing(states, name, bench.place.actor))
    notes = [filed.note] if filed.note else []
    try:
        made = checkpointing.write(bench.place, bench.journal, pack=name, merged=plan.new, proof=filed.commit)
    except (WorkbenchError, OSError) as problem:
        return Witnessed(filed.commit, "", (*notes, f"The journal got no checkpoint: {problem}."))
    if made.note and not filed.note:
        notes.append(f"The checkpoint is unsigned: {made.note}.")
    return Witnessed(filed.commit, made.commit, tuple(notes))


def _finishing(states: Ledger, name: str, actor: str) -> Decision:
    pack = things.pack(states, name)
    runs = states.runs(mission=pack.mission) if pack.mission else []
    return packs.finish_merge(
        pack,
        states.run(pack.run) if pack.run else None,
        states.mission(pack.mission) if pack.mission else None,
        [run for run in runs if run.id != pack.run],
        actor=actor,
    )


def _proof(bench: Bench, name: str, plan: Plan) -> Filed:
    try:
        return proving.of_merge(bench.place, bench.journal, bench.pack(name), plan)
    except (WorkbenchError, OSError, msgspec.MsgspecError) as problem:
        return Filed("", note=f"The merge got no proof: {problem}.")


def _abandon(bench: Bench, name: str, abandon: Abandon, reason: str) -> None:
    actor = bench.place.actor
    decide(bench.journal, lambda states: abandon(things.pack(states, name), reason=reason, actor=actor))


def settle(bench: Bench) -> list[str]:
    """Settle merges and undos that were interrupted; a sentence about each."""
    told = []
    for pack in bench.journal.packs():
        if pack.merging is not None:
            told.append(_settle_merge(bench, pack.id, as_plan(pack.merging)))
        if pack.undoing is not None:
            told.append(_settle_undo(bench, pack.id, as_plan(pack.undoing)))
    return told


def _has_moved(bench: Bench, plan: Plan) -> bool:
    """Whether the effect is there. A branch that went on from a merge contains the commit before it as well, so of an
    undo that moves back only the absence of the merge tells."""
    standing = bench.merger.stands(plan)
    if standing == "beyond" and plan.mode == "move-back":
        return not bench.place.repository.is_ancestor(plan.old, plan.ref)
    return standing in ("new", "beyond")


def _settle_merge(bench: Bench, name: str, plan: Plan) -> str:
    if not _has_moved(bench, plan):
        _abandon(bench, name, packs.abandon_merge, BEFORE)
        return f"An interrupted merge of {name} had moved nothing; it can be merged again."
    if bench.merger.stands(plan) == "new":
        bench.merger.finish(plan)
    finish_merge(bench, name, plan)
    return f"An interrupted merge of {name} is finished: {plan.ref} stands at {plan.new[:12]}."


def _settle_undo(bench: Bench, name: str, plan: Plan) -> str:
    if not _has_moved(bench, plan):
        _abandon(bench, name, packs.abandon_undo, BEFORE)
        return f"An interrupted undo of {name} had moved nothing; the merge stands."
    bench.merger.finish(plan)
    decide(bench.journal, lambda states: packs.finish_undo(things.pack(states, name), actor=bench.place.actor))
    return f"An interrupted undo of {name} is finished."


def as_plan(merge: Merge) -> Plan:
    """A recorded merge as the plan that it was."""
    return Plan(ref=merge.ref, old=merge.old, new=merge.new, mode=merge.mode)
