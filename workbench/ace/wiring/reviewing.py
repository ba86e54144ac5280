"""A person's decision on a pack, from the command line and from the screens alike, and what a merge would do.

It prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from workbench.ace.wiring import approving, engine, gating, merging, stacking, things, weighing
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide.decision import Decision
from workbench.core.forecast import FORECAST_STREAM, newest
from workbench.core.state import PackState
from workbench.model.errors import Refused, UsageError, WorkbenchError
from workbench.model.events import Clash
from workbench.repository import checkouts
from workbench.repository.locate import STORE
from workbench.repository.merging import drift, message_for
from workbench.repository.store import Store

SUBJECTS = 20  # of commits that are named; more are counted


def decide_on_pack(
    place: Workplace,
    name: str,
    *,
    decision: str,
    why: str,
    changes: Sequence[str] = (),
    conditions: Sequence[str] = (),
    override: bool = False,
    seen: int | None = None,
) -> PackState:
    """The pack of that id with its resolution: `approve`, `request-changes` or `reject`.

    With `seen`, the number of decisions that the person knew of, it is refused where there are more by now.

    An approved pack takes one more approval where its policy counts people by role.
    With `override` also a pack that is not ready is approved, which is recorded, where the policy lets anybody do that.
    Raises AlreadyResolved, with who decided, for the person who came second, and Refused.
    """

    _refuse_own_words(conditions)
    wanted = Wanted(
        decision=decision, why=why, changes=tuple(changes), conditions=tuple(conditions), override=override, seen=seen
    )
    with place.writing() as journal:
        decide(journal, deciding(place, name, wanted))
        return things.pack(journal, name)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants of a pack."""

    decision: str
    why: str
    changes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    override: bool = False
    seen: int | None = None  # decisions that the person knew of; None: whatever there is


def deciding(place: Workplace, name: str, wanted: Wanted) -> Callable[[Ledger], Decision]:
    """The decision as a function of the states at the moment in which it is appended."""

    def decided(states: Ledger) -> Decision:
        pack = things.pack(states, name)
        _refuse_unseen(pack, wanted.seen)
        approves = wanted.decision == "approve"
        overridden = _overridden(place, states, pack, override=wanted.override) if approves else ()
        siblings = states.runs(mission=pack.mission) if pack.mission else []
        return packs.decide_pack(
            pack,
            states.run(pack.run) if pack.run else None,
            decision=wanted.decision,
            rationale=wanted.why,
            required_changes=wanted.changes,
            conditions=(*wanted.conditions, *overridden),
            decided_by=place.person,
            actor=place.actor,
            at=place.clock.now(),
            mission=states.mission(pack.mission) if pack.mission else None,
            siblings=[run for run in siblings if run.id != pack.run],
            further=approves and approving.may_add(place, states, pack),
        )

    return decided


def why_not_approvable(place: Workplace, name: str) -> str:
    """Why this person's approval cannot be taken, as the policy has it; empty where it can, with `override` at need."""
    with place.reading() as ledger:
        pack = things.pack(ledger, name)
        try:
            if pack.state == "submitted" and weighing.verdict(place, ledger, pack) == "not-ready":
                merging.require_overridable(place, ledger, pack)
        except Refused as refused:
            return refused.message
        if pack.state == "approved" and not approving.may_add(place, ledger, pack):
            return f"{pack.id} is approved already"
    return ""


def _refuse_unseen(pack: PackState, seen: int | None) -> None:
    """Nobody decides over a decision that they did not know of."""
    if seen is not None and len(pack.decisions) > seen:
        last = pack.decisions[-1]
        by = last.get("decided_by")
        who = by.get("who") if isinstance(by, dict) else by
        words = f"{who} decided on {pack.id} in the meantime: {last.get('decision')}."
        raise Refused(words, hint="Look at it, then decide again.")


def _refuse_own_words(conditions: Sequence[str]) -> None:
    """A condition never reads like the record of an override: that is made only where the policy lets it."""
    word = merging.OVERRIDE.strip()
    if any(condition.lstrip().lower().startswith(word) for condition in conditions):
        raise UsageError(f"A condition cannot begin with `{word}`.", hint="Use other words, or --override.")


def _overridden(place: Workplace, ledger: Ledger, pack: PackState, *, override: bool) -> tuple[str, ...]:
    """What an approval of the pack as it stands must record. Raises Refused where it may not be approved."""
    if pack.state != "submitted" or weighing.verdict(place, ledger, pack) != "not-ready":
        return ()
    if not override:
        raise Refused(
            f"{pack.id} is not ready: {pack.headline or 'see its reasons'}.",
            hint=f"workbench mrp show {pack.id}; --override approves in spite of it, and is recorded.",
        )
    merging.require_overridable(place, ledger, pack)
    return (merging.override_condition(pack.verdict),)


class MergePreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge of the pack would do, and what would prevent it. Nothing was made or moved to find it out."""

    pack: str
    ref: str
    base: str
    head: str
    tree: str
    mode: str
    message: str
    current: str  # where the branch stands; empty where there is none
    commits: tuple[str, ...] = ()  # newest first: short id and subject
    commit_count: int = 0
    checkouts: tuple[str, ...] = ()  # that go along
    obstacles: tuple[str, ...] = ()  # sentences; a merge would be refused
    superseded: tuple[str, ...] = ()  # other runs of the mission that end with it
    waiting: tuple[str, ...] = ()  # sentences: who else changes these lines, as last foreseen


def preview_merge(place: Workplace, name: str) -> MergePreview:
    """What merging the pack would do now."""
    with place.reading() as ledger, Store.of(place.repository, place.journal_directory / STORE) as store:
        pack = things.pack(ledger, name)
        siblings = ledger.runs(mission=pack.mission) if pack.mission else []
        waiting = tuple(_waiting(ledger, pack.run))
        lacking = approving.missing(place, ledger, store, pack)
        span = f"{pack.base_commit}..{pack.head}"
        commits = store.git.text("log", f"--max-count={SUBJECTS}", "--format=%h %s", "--end-of-options", span)
        commit_count = store.count_commits(pack.base_commit, pack.head)
        below = stacking.obstacle(ledger, pack)
    current, moved = ("", (below.message.rstrip("."),)) if below is not None else _standing(place, pack)
    going, obstacles = _checkouts(place, pack.into)
    why = str(pack.decisions[-1].get("rationale", "")) if pack.decisions else ""
    return MergePreview(
        pack=pack.id,
        ref=pack.into,
        base=pack.base_commit,
        head=pack.head,
        tree=pack.tree,
        mode=place.settings()[0].merge.mode,
        message=message_for(pack.title or pack.id, pack=pack.id, run=pack.run, body=why),
        current=current,
        commits=tuple(commits.splitlines()),
        commit_count=commit_count,
        checkouts=going,
        obstacles=(*moved, *lacking, *obstacles),
        superseded=tuple(run.id for run in siblings if run.id != pack.run and packs.is_open(run)),
        waiting=waiting,
    )


def _waiting(ledger: Ledger, name: str) -> Iterator[str]:
    """Who else waits with a change of the same lines, of those that are not over."""
    seen = newest(ledger.read_newest(FORECAST_STREAM, limit=1))
    for clash in seen.of((name,)):
        other = clash.first if clash.second == name else clash.second
        run = ledger.run(other) if other else None
        if run is not None and packs.is_open(run):
            yield waits_with(clash, other)


def waits_with(clash: Clash, other: str) -> str:
    """What another branch has to do with one that is to be merged, in words."""
    if clash.kind == "symbol":
        first = f"; {clash.leads} had better go first" if clash.leads else ""
        return f"{other} merges, and may not work with it: {'; '.join(clash.symbols)}{first}"
    return f"{other} changes the same in {', '.join(clash.paths)}, and will conflict once this is merged"


def _standing(place: Workplace, pack: PackState) -> tuple[str, tuple[str, ...]]:
    try:
        found = drift(place.repository, pack.into, pack.base_commit)
    except WorkbenchError as problem:
        return "", (problem.message,)
    if found.current == pack.base_commit:
        return found.current, ()
    return found.current, (f"{_short(pack.into)} moved to {found.current[:12]}: the evidence is stale",)


def _checkouts(place: Workplace, ref: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Checkouts of the branch that go along, and sentences about those that cannot."""
    repository = place.repository
    going: list[str] = []
    obstacles: list[str] = []
    try:
        for checkout in checkouts.on_branch(repository, ref):
            git = repository.worktree_git(checkout.path, checkout.git_dir)
            flags = ("--porcelain=v1", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
            changed = [entry[3:] for entry in git.run("status", *flags).fields]
            if changed:
                named = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
                obstacles.append(f"{checkout.path} has changes that are not committed: {named}")
            else:
                going.append(str(checkout.path))
    except Refused as refused:
        obstacles.append(refused.message)
    return tuple(going), tuple(obstacles)


def renew_evidence(place: Workplace, name: str) -> gating.Renewal:
    """Have the pack's delivery examined again on the base as it stands now; an AEE is started if none serves."""
    renewal = gating.renew(place, name)
    if place.presence().state == "stopped":
        engine.start(place, "--exit-when-idle")
    return renewal


class Undo(msgspec.Struct, frozen=True, kw_only=True):
    """What came of taking a merge back: an outcome, or why only a revert commit can do it."""

    outcome: merging.Outcome | None = None
    needs_revert: str = ""


def undo_merge(place: Workplace, name: str, *, revert: bool = False) -> Undo:
    """Take a merge back. Where the branch cannot be moved back and `revert` was not said, that is told."""
    try:
        return Undo(outcome=merging.undo_merge(place, name, revert=revert))
    except Refused as refused:
        if revert or "--revert" not in refused.hint:
            raise
        return Undo(needs_revert=refused.message)


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
