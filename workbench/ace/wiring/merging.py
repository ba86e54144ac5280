"""Merge and undo where the checkout is: intent, effect, outcome, each recorded; an interrupted one is settled first.

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

from workbench.ace.wiring import approving, checkpointing, proving, things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.gating import STORE
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide.decision import Decision
from workbench.core.state import Merge, PackState
from workbench.journal.store import SqliteJournal
from workbench.model.errors import Refused, WorkbenchError
from workbench.proof.filing import Filed
from workbench.repository.merging import RESOLUTIONS, Merger, Mode, Moved, Plan, message_for
from workbench.repository.objects import Signature
from workbench.repository.store import Store

LOCK = "merge.lock"
LOCK_WAIT_S = 10.0  # a merge takes well under a second
LOCK_POLL_S = 0.02
BEFORE = "interrupted before the branch moved"
OVERRIDE = "override: "  # how an approval says that it overrode something, in words that only Workbench writes
_VERDICT, _APPROVALS = f"{OVERRIDE}the verdict was ", f"{OVERRIDE}approvals were missing: "


class Abandon(Protocol):
    """Which decision says that an intent moved nothing."""

    def __call__(self, pack: PackState, /, *, reason: str, actor: str) -> Decision:
        """The decision."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A ref that moved for a pack. `how`: fast-forward, merge, squash, move-back or revert."""

    pack: str
    ref: str
    old: str
    new: str
    how: str
    updated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    proof: str = ""  # the commit that proves the merge; empty: none could be made
    checkpoint: str = ""  # the commit that says where the journal stood after the merge; empty: none could be made


class Witnessed(NamedTuple):
    """What was left in git about a merge: commits, empty where there is none, and what is to be said."""

    proof: str
    checkpoint: str
    notes: tuple[str, ...] = ()


class _Bench:
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


def merge_pack(place: Workplace, wanted: str, *, mode: str = "", override: str = "") -> Outcome:
    """Merge an approved pack; with `override`, a reason, also one that is not ready or lacks an approval by role.

    Raises Refused, and has moved nothing, when the pack is not approved, the policy lets nobody override, its base
    moved, or a checkout is not clean.
    """
    with _bench(place) as bench:
        # To override is to decide, so it takes the pack that a person read; to merge, what was approved is enough.
        pack = bench.pack(things.reviewed(bench.journal, wanted) if override else wanted)
        if pack.verdict == "not-ready" and not is_overridden(pack):
            approve_override(place, bench.journal, pack, reason=override)
            pack = bench.pack(pack.id)
        _require_mergeable(pack)
        pack = _with_approvals(bench, pack, reason=override)
        plan = _plan(bench, pack, mode or place.settings()[0].merge.mode)
        decide(bench.journal, lambda states: _intent(things.pack(states, pack.id), plan, place.actor))
        moved = _carry_out(bench, pack.id, plan, log=f"workbench: merge {pack.id}", abandon=packs.abandon_merge)
        _finish_merge(bench, pack.id)
        point = _witnessed(bench, pack.id, plan)
    done = _outcome(pack.id, plan, moved)
    notes = (*done.notes, *point.notes)
    return msgspec.structs.replace(done, proof=point.proof, checkpoint=point.checkpoint, notes=notes)


def undo_merge(place: Workplace, wanted: str, *, revert: bool = False) -> Outcome:
    """Take a merge back: the branch moves back if nobody else can have it; else, with `revert`, by a revert commit."""
    with _bench(place) as bench:
        pack = bench.pack(wanted)
        if pack.merge is None:
            raise Refused(f"{pack.id} is {pack.state}, not merged.", hint="workbench mrp list shows what was merged.")
        message = message_for(f"Revert {pack.title or pack.id}", pack=pack.id, run=pack.run)
        plan = bench.merger.plan_undo(_as_plan(pack.merge), pack=pack.id, message=message, by=bench.by)
        if plan.mode == "revert" and not revert:
            raise Refused(
                f"The branch cannot simply be moved back: {plan.reason}.",
                hint=f"workbench undo {pack.id} --revert makes a commit that takes the change out again.",
            )
        decide(bench.journal, lambda states: _undo_intent(things.pack(states, pack.id), plan, place.actor))
        moved = _carry_out(bench, pack.id, plan, log=f"workbench: undo {pack.id}", abandon=packs.abandon_undo)
        decide(bench.journal, lambda states: packs.finish_undo(things.pack(states, pack.id), actor=place.actor))
    return _outcome(pack.id, plan, moved)


def settle(place: Workplace) -> list[str]:
    """Settle merges and undos that were interrupted; a sentence about each."""
    with _bench(place, settle_first=False) as bench:
        return _settle(bench)


def is_overridden(pack: PackState) -> bool:
    """Whether the approval that stands says that it overrode the verdict."""
    return _says(pack, _VERDICT)


def _says(pack: PackState, beginning: str) -> bool:
    approvals = [document for document in pack.decisions if document.get("decision") == "approve"]
    return any(str(words).startswith(beginning) for document in approvals for words in document.get("conditions", []))


def override_condition(verdict: str) -> str:
    """How an approval records what it overrode."""
    return f"{_VERDICT}{verdict}"


def require_overridable(place: Workplace, ledger: Ledger, pack: PackState) -> None:
    """Raise Refused where the policy that bound the pack lets nobody override a verdict or a missing approval."""
    policy = approving.binding_policy(place, ledger, pack)
    if policy.rigor == "strict" or not policy.allow_override:
        what = "is not ready" if pack.verdict == "not-ready" else "lacks an approval"
        why = "is strict" if policy.rigor == "strict" else "says `allow_override: false`"
        raise Refused(
            f"{pack.id} {what}, and the policy that binds it {why}: nobody may override that.",
            hint=f"workbench request-changes {pack.id} --why TEXT",
        )


def _with_approvals(bench: _Bench, pack: PackState, *, reason: str) -> PackState:
    """The pack with every approval that its policy asks for, or with the word of who went on without, and why."""
    lacking = approving.missing(bench.place, bench.journal, bench.store, pack)
    if not lacking or _says(pack, _APPROVALS):
        return pack
    if not reason.strip():
        raise Refused(
            f"{pack.id} lacks approvals. {'; '.join(lacking)}.",
            hint=f"Somebody in that role (see people.yaml of the base): workbench approve {pack.id} --why TEXT",
        )
    require_overridable(bench.place, bench.journal, pack)
    _approve(bench.place, bench.journal, pack, reason=reason, condition=f"{_APPROVALS}{'; '.join(lacking)}")
    return bench.pack(pack.id)


def approve_override(place: Workplace, journal: Ledger, pack: PackState, *, reason: str) -> None:
    """Approve a pack in spite of its verdict, for a reason that is recorded. Raises Refused without one."""
    if not reason.strip():
        raise Refused(
            f"{pack.id} is not ready: {pack.headline or 'see its reasons'}.",
            hint=f"workbench mrp show {pack.id}; --override REASON goes on in spite of it, and is recorded.",
        )
    require_overridable(place, journal, pack)
    _approve(place, journal, pack, reason=reason, condition=override_condition(pack.verdict))


def _approve(place: Workplace, journal: Ledger, pack: PackState, *, reason: str, condition: str) -> None:
    run = journal.run(pack.run) if pack.run else None
    decide(
        journal,
        lambda states: packs.decide_pack(
            things.pack(states, pack.id),
            run,
            decision="approve",
            rationale=reason,
            conditions=(condition,),
            decided_by=place.person,
            actor=place.actor,
            at=place.clock.now(),
            further=True,
        ),
    )


@contextmanager
def _bench(place: Workplace, *, settle_first: bool = True) -> Iterator[_Bench]:
    with ExitStack() as stack:
        journal = stack.enter_context(place.writing())
        stack.enter_context(_alone(place))
        repository = place.repository
        path = place.journal_directory / STORE
        store = Store.open(path, source=repository.common_dir, object_format=repository.object_format)
        bench = _Bench(place, journal, stack.enter_context(store))
        if settle_first:
            _settle(bench)
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


def _require_mergeable(pack: PackState) -> None:
    if pack.state == "merged":
        raise Refused(f"{pack.id} is merged already.", hint=f"workbench undo {pack.id} takes it back.")
    if pack.state != "approved":
        raise Refused(
            f"{pack.id} is {pack.state}, not approved.", hint=f"workbench approve {pack.id} --why TEXT comes first."
        )
    if not pack.into:
        raise Refused(f"{pack.id} has no branch to merge into.", hint="Start the mission with --into BRANCH.")


def _plan(bench: _Bench, pack: PackState, mode: str) -> Plan:
    subject = pack.title or pack.id
    body = "\n".join(str(document.get("rationale", "")) for document in pack.decisions[-1:])
    try:
        return bench.merger.plan(
            pack=pack.id,
            ref=pack.into,
            base_commit=pack.base_commit,
            head=pack.head,
            tree=pack.tree,
            mode=_mode(mode),
            message=message_for(
                subject,
                pack=pack.id,
                run=pack.run,
                digest=pack.digest,
                decisions=[str(document.get("id", "")) for document in pack.decisions],
                body=body,
            ),
            by=bench.by,
            files={} if mode == "fast-forward" else _resolution_files(bench.place, pack),
        )
    except Refused as refused:
        if "current" in refused.data:
            refused.hint = f"The evidence is stale. Renew it on the new base: workbench mrp build {pack.id}"
        raise


def _mode(word: str) -> Mode:
    modes: dict[str, Mode] = {"fast-forward": "fast-forward", "merge": "merge", "squash": "squash"}
    return modes[word]


def _resolution_files(place: Workplace, pack: PackState) -> dict[str, bytes]:
    """What people decided on the pack, as files that enter with the merge."""
    from workbench.artifacts import resolution

    if place.settings()[0].resolutions.store != "branch":
        return {}
    return {
        f"{RESOLUTIONS}{document['id']}.md": resolution.render(resolution.of_document(document)).encode()
        for document in pack.decisions
    }


def _intent(pack: PackState, plan: Plan, actor: str) -> Decision:
    return packs.start_merge(pack, old=plan.old, new=plan.new, mode=plan.mode, actor=actor)


def _undo_intent(pack: PackState, plan: Plan, actor: str) -> Decision:
    return packs.start_undo(pack, old=plan.old, new=plan.new, how=plan.mode, actor=actor)


def _carry_out(bench: _Bench, name: str, plan: Plan, *, log: str, abandon: Abandon) -> Moved:
    try:
        return bench.merger.carry_out(plan, by=bench.by, log=log)
    except WorkbenchError as problem:
        if not _has_moved(bench, plan):
            _abandon(bench, name, abandon, problem.message)
        raise


def _finish_merge(bench: _Bench, name: str) -> None:
    def finishing(states: Ledger) -> Decision:
        pack = things.pack(states, name)
        runs = states.runs(mission=pack.mission) if pack.mission else []
        return packs.finish_merge(
            pack,
            states.run(pack.run) if pack.run else None,
            states.mission(pack.mission) if pack.mission else None,
            [run for run in runs if run.id != pack.run],
            actor=bench.place.actor,
        )

    decide(bench.journal, finishing)


def _witnessed(bench: _Bench, name: str, plan: Plan) -> Witnessed:
    """A proof of the merge and a checkpoint of the journal. The merge stands: what prevents one is only said."""
    notes = []
    try:
        filed = proving.of_merge(bench.place, bench.journal, bench.pack(name), plan)
        notes += [filed.note] if filed.note else []
    except (WorkbenchError, OSError, msgspec.DecodeError) as problem:
        filed = Filed("")
        notes.append(f"The merge got no proof: {problem}.")
    try:
        made = checkpointing.write(bench.place, bench.journal, pack=name, merged=plan.new, proof=filed.commit)
    except (WorkbenchError, OSError) as problem:
        return Witnessed(filed.commit, "", (*notes, f"The journal got no checkpoint: {problem}."))
    if made.note and not filed.note:
        notes.append(f"The checkpoint is unsigned: {made.note}.")
    return Witnessed(filed.commit, made.commit, tuple(notes))


def _abandon(bench: _Bench, name: str, abandon: Abandon, reason: str) -> None:
    actor = bench.place.actor
    decide(bench.journal, lambda states: abandon(things.pack(states, name), reason=reason, actor=actor))


def _settle(bench: _Bench) -> list[str]:
    told = []
    for pack in bench.journal.packs():
        if pack.merging is not None:
            told.append(_settle_merge(bench, pack.id, _as_plan(pack.merging)))
        if pack.undoing is not None:
            told.append(_settle_undo(bench, pack.id, _as_plan(pack.undoing)))
    return told


def _has_moved(bench: _Bench, plan: Plan) -> bool:
    """Whether the effect is there. A branch that went on from a merge contains the commit before it as well, so of an
    undo that moves back only the absence of the merge tells."""
    standing = bench.merger.stands(plan)
    if standing == "beyond" and plan.mode == "move-back":
        return not bench.place.repository.is_ancestor(plan.old, plan.ref)
    return standing in ("new", "beyond")


def _settle_merge(bench: _Bench, name: str, plan: Plan) -> str:
    if not _has_moved(bench, plan):
        _abandon(bench, name, packs.abandon_merge, BEFORE)
        return f"An interrupted merge of {name} had moved nothing; it can be merged again."
    if bench.merger.stands(plan) == "new":
        bench.merger.finish(plan)
    _finish_merge(bench, name)
    _witnessed(bench, name, plan)
    return f"An interrupted merge of {name} is finished: {plan.ref} stands at {plan.new[:12]}."


def _settle_undo(bench: _Bench, name: str, plan: Plan) -> str:
    if not _has_moved(bench, plan):
        _abandon(bench, name, packs.abandon_undo, BEFORE)
        return f"An interrupted undo of {name} had moved nothing; the merge stands."
    bench.merger.finish(plan)
    decide(bench.journal, lambda states: packs.finish_undo(things.pack(states, name), actor=bench.place.actor))
    return f"An interrupted undo of {name} is finished."


def _as_plan(merge: Merge) -> Plan:
    return Plan(ref=merge.ref, old=merge.old, new=merge.new, mode=merge.mode)


def _outcome(name: str, plan: Plan, moved: Moved) -> Outcome:
    return Outcome(
        pack=name, ref=plan.ref, old=plan.old, new=moved.new, how=plan.mode, updated=moved.updated, notes=moved.notes
    )
