"""Merge and undo where the checkout is: intent, effect, outcome, each recorded."""

from __future__ import annotations

import msgspec

from workbench.ace.wiring import approving, stacking, things, weighing
from workbench.ace.wiring.bench import Bench, as_plan, carry_out, finish_merge, on_bench
from workbench.ace.wiring.bench import settle as settle_all
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide.decision import Decision
from workbench.core.state import Outside, PackState
from workbench.model.errors import Refused
from workbench.repository.merging import RESOLUTIONS, Mode, Moved, Plan, message_for

MERGED_OUTSIDE = "outside"  # the mode of a merge that others made
OVERRIDE = "override: "  # how an approval says that it overrode something, in words that only Workbench writes
_VERDICT, _APPROVALS = f"{OVERRIDE}the verdict was ", f"{OVERRIDE}approvals were missing: "


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


def merge_pack(place: Workplace, wanted: str, *, mode: str = "", override: str = "") -> Outcome:
    """Merge an approved pack; with `override`, a reason, also one that is not ready or lacks an approval by role.

    Raises Refused, and has moved nothing, when the pack is not approved, the policy lets nobody override, its base
    moved, or a checkout is not clean.
    """
    with on_bench(place) as bench:
        # To override is to decide, so it takes the pack that a person read; to merge, what was approved is enough.
        pack = bench.pack(things.reviewed(bench.journal, wanted) if override else wanted)
        stacking.require_footing(bench.journal, pack)  # before anything is recorded
        if weighing.verdict(place, bench.journal, pack) == "not-ready" and not is_overridden(pack):
            approve_override(place, bench.journal, pack, reason=override)
            pack = bench.pack(pack.id)
        require_mergeable(pack)
        pack = with_approvals(bench, pack, reason=override)
        plan = planned(bench, pack, mode or place.settings()[0].merge.mode)
        decide(bench.journal, lambda states: _intent(things.pack(states, pack.id), plan, place.actor))
        moved = carry_out(bench, pack.id, plan, log=f"workbench: merge {pack.id}", abandon=packs.abandon_merge)
        point = finish_merge(bench, pack.id, plan)
    done = _outcome(pack.id, plan, moved)
    notes = (*done.notes, *point.notes)
    return msgspec.structs.replace(done, proof=point.proof, checkpoint=point.checkpoint, notes=notes)


def undo_merge(place: Workplace, wanted: str, *, revert: bool = False) -> Outcome:
    """Take a merge back: the branch moves back if nobody else can have it; else, with `revert`, by a revert commit."""
    with on_bench(place) as bench:
        pack = bench.pack(wanted)
        if pack.merge is None and pack.outside is not None:
            pack = _back_from_outside(bench, pack, pack.outside)
        if pack.merge is None:
            raise Refused(f"{pack.id} is {pack.state}, not merged.", hint="workbench mrp list shows what was merged.")
        message = message_for(f"Revert {pack.title or pack.id}", pack=pack.id, run=pack.run)
        plan = bench.merger.plan_undo(as_plan(pack.merge), pack=pack.id, message=message, by=bench.by)
        if plan.mode == "revert" and not revert:
            raise Refused(
                f"The branch cannot simply be moved back: {plan.reason}.",
                hint=f"workbench undo {pack.id} --revert makes a commit that takes the change out again.",
            )
        decide(bench.journal, lambda states: _undo_intent(things.pack(states, pack.id), plan, place.actor))
        moved = carry_out(bench, pack.id, plan, log=f"workbench: undo {pack.id}", abandon=packs.abandon_undo)
        decide(bench.journal, lambda states: packs.finish_undo(things.pack(states, pack.id), actor=place.actor))
        above = stacking.taken_from_under(bench.journal, bench.pack(pack.id))
    done = _outcome(pack.id, plan, moved)
    return msgspec.structs.replace(done, notes=(*done.notes, *above))


def settle(place: Workplace) -> list[str]:
    """Settle merges and undos that were interrupted; a sentence about each."""
    with on_bench(place, settle_first=False) as bench:
        return settle_all(bench)


def settle_outside(bench: Bench, pack: PackState, outside: Outside) -> bool:
    """Whether the person's own branch has by now what others were to merge; the pack is merged then."""
    plan = Plan(ref=pack.into, old=outside.base, new=outside.commit, mode=MERGED_OUTSIDE)
    if pack.state != "approved" or not pack.into or bench.merger.stands(plan) not in ("new", "beyond"):
        return False
    decide(bench.journal, lambda states: _intent(things.pack(states, pack.id), plan, bench.place.actor))
    finish_merge(bench, pack.id, plan)
    return True


def _back_from_outside(bench: Bench, pack: PackState, outside: Outside) -> PackState:
    if settle_outside(bench, pack, outside):
        return bench.pack(pack.id)
    target, branch = (ref.removeprefix("refs/heads/") for ref in (outside.target, outside.ref))
    raise Refused(
        f"{pack.id} waits outside, at {outside.where}; {target} here does not have it.",
        hint=f"If it was merged there, git pull it, then undo it. Else close the request, and: "
        f"git push {outside.remote} --delete {branch}",
    )


def is_overridden(pack: PackState) -> bool:
    """Whether the approval that stands says that it overrode the verdict."""
    return _says(pack, _VERDICT)


def _says(pack: PackState, beginning: str) -> bool:
    said = (words for document in weighing.approvals(pack) for words in document.get("conditions", []))
    return any(str(words).startswith(beginning) for words in said)


def override_condition(verdict: str) -> str:
    """How an approval records what it overrode."""
    return f"{_VERDICT}{verdict}"


def require_overridable(place: Workplace, ledger: Ledger, pack: PackState) -> None:
    """Raise Refused where the policy that bound the pack lets nobody override a verdict or a missing approval."""
    policy = weighing.binding_policy(place, ledger, pack)
    if policy.rigor == "strict" or not policy.allow_override:
        what = "is not ready" if pack.verdict == "not-ready" else "lacks an approval"
        why = "is strict" if policy.rigor == "strict" else "says `allow_override: false`"
        raise Refused(
            f"{pack.id} {what}, and the policy that binds it {why}: nobody may override that.",
            hint=f"workbench request-changes {pack.id} --why TEXT",
        )


def with_approvals(bench: Bench, pack: PackState, *, reason: str) -> PackState:
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


def require_mergeable(pack: PackState) -> None:
    """Raise Refused unless a person approved the pack and there is a branch for it."""
    if pack.state == "merged":
        raise Refused(f"{pack.id} is merged already.", hint=f"workbench undo {pack.id} takes it back.")
    if pack.state != "approved":
        raise Refused(
            f"{pack.id} is {pack.state}, not approved.", hint=f"workbench approve {pack.id} --why TEXT comes first."
        )
    if not pack.into:
        raise Refused(f"{pack.id} has no branch to merge into.", hint="Start the mission with --into BRANCH.")


def planned(bench: Bench, pack: PackState, mode: str) -> Plan:
    """The merge of a pack as objects; no branch moves.

    Raises Refused where its evidence is stale, or where it stands on what is not merged.
    """
    stacking.require_footing(bench.journal, pack)
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


def _outcome(name: str, plan: Plan, moved: Moved) -> Outcome:
    return Outcome(
        pack=name, ref=plan.ref, old=plan.old, new=moved.new, how=plan.mode, updated=moved.updated, notes=moved.notes
    )
