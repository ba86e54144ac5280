"""What needs a person, and in which order: by what waiting costs. It knows the folded states and no screen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import msgspec
from msgspec.structs import replace

from workbench.core.next_step import next_step
from workbench.core.plugins import Failing
from workbench.core.staleness import base_moved
from workbench.core.state import MAX_STEP_FAILURES, ConsultationState, Outside, PackState, RunState
from workbench.core.status import taken_back
from workbench.model.instants import seconds_between

Kind = Literal["crp", "mrp", "alert"]
AEE_DOWN, RESTING, FAILED = "aee-down", "resting", "failed"
ADRIFT = "adrift"  # a run whose footing will not be merged
PLUGIN_FAILED = "plugin-failed"
AEE, PLUGIN = "aee", "plugin/"  # ids of what is of the house: the AEE, and a plugin by its name
STALE = "stale"  # an approved pack whose base moved
NO_TIPS: Mapping[str, str] = MappingProxyType({})
NO_PLUGINS: Mapping[str, Failing] = MappingProxyType({})
OUTSIDE = "waiting-outside"  # an approved pack that was pushed, for others to merge
MERGE_OPEN = "merge-open"  # a merge or undo without an outcome: it goes on right now, or was interrupted

_BLOCKED, _TO_DECIDE, _ADVISORY, _TO_KNOW = range(4)  # groups of the inbox, first one first


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that wants a person. `held_runs` cannot go on before it is settled; `since` is an instant."""

    kind: Kind
    id: str
    category: str
    mission: str
    run: str
    title: str
    since: str
    group: int
    held_runs: int = 0
    facts: str = ""  # of a pack: its criteria and size, or why it is not ready
    next: str = ""  # what to type about it, where the category alone does not tell

    @property
    def blocking(self) -> bool:
        """Whether agents stand still until it is settled."""
        return self.group == _BLOCKED


def concerns(
    *,
    runs: Sequence[RunState],
    consultations: Iterable[ConsultationState],
    packs: Iterable[PackState],
    aee_running: bool,
    now: str,
    over: Collection[str] = (),
    tips: Mapping[str, str] = NO_TIPS,
    plugins: Mapping[str, Failing] = NO_PLUGINS,
    aee_trouble: str = "",
) -> list[Concern]:
    """Everything that needs a person, most costly wait first. What failed in a mission that is `over` is history.

    `tips` maps branches to the commits at which they stand, as far as that is known. `plugins` are those that failed;
    `aee_trouble` is why the AEE ended by itself.
    """
    undone = {run.id for run in runs if run.outcome}
    ended = {run.id for run in runs if run.outcome not in ("", "failed")}
    found = [_question(item, runs) for item in consultations if item.state == "open" and item.run not in ended]
    packs = list(packs)
    back = taken_back(runs, packs)
    unmerged = {run.id: run for run in runs if run.outcome != "merged" or run.id in back}
    stands_on = {run.id: run.on for run in runs if run.on}
    found += [
        _above(
            _stale(concern, pack, is_over=pack.run in undone) if base_moved(pack, tips) else concern,
            unmerged.get(pack.on or stands_on.get(pack.run, "")),
        )
        for pack in packs
        if not (pack.state == "submitted" and pack.run in ended) and (concern := _pack(pack)) is not None
    ]
    found += [concern for run in runs if (concern := _run(run)) is not None]
    found += [_plugin(name, failing) for name, failing in plugins.items()]
    found = [item for item in found if item.category != FAILED or item.mission not in over]
    held = [run for run in runs if _needs_an_aee(run)]
    if not aee_running and (held or aee_trouble):
        found.append(_aee_down(held, aee_trouble, now))
    return order(found, now)


def order(found: Iterable[Concern], now: str) -> list[Concern]:
    """Blocked agents first, by held runs times age; then packs, advisory questions and alerts, oldest first."""
    return sorted(found, key=lambda item: (item.group, -waiting_cost(item, now), item.since, item.id))


def waiting_cost(concern: Concern, now: str) -> float:
    """Run-seconds that the wait has cost so far; for what holds no run, its age."""
    return max(1, concern.held_runs) * max(0.0, seconds_between(concern.since, now))


def _question(item: ConsultationState, runs: Sequence[RunState]) -> Concern:
    return Concern(
        kind="crp",
        id=item.id,
        category=item.category,
        mission=item.mission,
        run=item.run,
        title=item.title,
        since=item.raised_at,
        group=_BLOCKED if item.mode == "blocking" else _ADVISORY,
        held_runs=sum(item.id in run.waiting_for for run in runs),
    )


def _pack(pack: PackState) -> Concern | None:
    """A pack of a mission that is to decide, or to merge; those of `mrp build` answer to whoever asked for them.

    Of one that failed its run speaks.
    """
    pushes = pack.delivering is not None and pack.state == "approved"  # what was decided otherwise since is settled
    if pack.merging is not None or pack.undoing is not None or pushes:
        return _open_merge(pack)
    if not pack.mission or pack.state not in ("submitted", "approved"):
        return None
    if pack.state == "approved" and pack.outside is not None:
        return _outside(pack, pack.outside)
    return Concern(
        kind="mrp",
        id=pack.id,
        category="approved" if pack.state == "approved" else pack.verdict,
        mission=pack.mission,
        run=pack.run,
        title=pack.title or pack.headline or pack.id,
        since=pack.submitted_at or pack.requested_at,
        group=_TO_DECIDE,
        facts=pack_facts(pack),
    )


def _outside(pack: PackState, outside: Outside) -> Concern:
    return Concern(
        kind="mrp",
        id=pack.id,
        category=OUTSIDE,
        mission=pack.mission,
        run=pack.run,
        title=pack.title or pack.headline or pack.id,
        since=pack.submitted_at or pack.requested_at,
        group=_TO_KNOW,
        facts=outside.where,
        next=f"workbench deliver {pack.id}",
    )


def _stale(concern: Concern, pack: PackState, *, is_over: bool) -> Concern:
    """The same, where the base moved: such a pack can be merged only after its evidence was renewed."""
    if concern.category in (MERGE_OPEN, OUTSIDE) or pack.verdict == "not-ready":
        return concern
    renew = f"workbench mrp build {pack.id}"
    if is_over:  # of a merge that was taken back: the run cannot be asked any more
        renew = f"workbench mrp build --base {pack.into.removeprefix('refs/heads/')} --head {pack.id}"
    category = STALE if pack.state == "approved" else concern.category
    facts = "; ".join(part for part in ("its base moved", concern.facts) if part)
    return replace(concern, category=category, facts=facts, next=renew)


def _above(concern: Concern, below: RunState | None) -> Concern:
    """The same, where it stands on a run that is not merged: that one comes first."""
    if below is None or concern.category in (MERGE_OPEN, OUTSIDE):
        return concern
    facts = "; ".join(part for part in (f"on {below.id}", concern.facts) if part)
    first = f"workbench mrp show {below.pack}" if below.pack and concern.category in ("approved", STALE) else ""
    return replace(concern, facts=facts, next=first or concern.next)


def pack_facts(pack: PackState) -> str:
    """A pack in a few words beside its verdict: why it is not ready, else how far it is proven and how large it is."""
    return (pack.headline or pack.facts) if pack.verdict == "not-ready" else (pack.facts or pack.headline)


def _open_merge(pack: PackState) -> Concern:
    return Concern(
        kind="alert",
        id=pack.id,
        category=MERGE_OPEN,
        mission=pack.mission,
        run=pack.run,
        title=f"{'a merge' if pack.merging else 'an undo' if pack.undoing else 'a push'} has no outcome yet",
        since=pack.submitted_at or pack.requested_at,
        group=_TO_KNOW,
        next=f"workbench deliver {pack.id}" if pack.delivering and not (pack.merging or pack.undoing) else "",
    )


def _run(run: RunState) -> Concern | None:
    if not run.mission or (run.outcome and run.outcome != "failed"):
        return None
    if run.lost and run.paused:
        adrift = _run_alert(run, ADRIFT, f"it stands on another's work: {run.lost}")
        return replace(adrift, group=_TO_KNOW if run.to_decide else _BLOCKED, held_runs=int(not run.to_decide))
    if run.resting:
        return _run_alert(run, RESTING, run.reason or "the agent ended without delivering")
    if run.outcome == "failed" or run.failures >= MAX_STEP_FAILURES:
        return _run_alert(run, FAILED, run.reason or "a step failed too often")
    return None


def _run_alert(run: RunState, category: str, title: str) -> Concern:
    return Concern(
        kind="alert",
        id=run.id,
        category=category,
        mission=run.mission,
        run=run.id,
        title=title,
        since=run.last_at or run.queued_at,
        group=_TO_KNOW,
    )


def _plugin(name: str, failing: Failing) -> Concern:
    first = failing.failed
    more = f" (and {failing.count - 1} more)" if failing.count > 1 else ""
    what = "overran in" if first.state == "timed-out" else "failed in"
    return Concern(
        kind="alert",
        id=f"{PLUGIN}{name}",
        category=PLUGIN_FAILED,
        mission="",
        run="",
        title=f"plugin {name} {what} {first.hook}: {first.reason}{more}",
        since=failing.at,
        group=_TO_KNOW,
        next=f"workbench plugin disable {name}",
    )


def _needs_an_aee(run: RunState) -> bool:
    """Whether it would go on; one whose step was at work when its AEE was killed waits as a queued one does."""
    return next_step(run) is not None or (run.step is not None and not run.outcome)


def _aee_down(held: Sequence[RunState], trouble: str, now: str) -> Concern:
    count = len(held)
    waiting = f"{count} {'run waits' if count == 1 else 'runs wait'}"
    return Concern(
        kind="alert",
        id=AEE,
        category=AEE_DOWN,
        mission="",
        run="",
        title=f"the AEE ended: {trouble}; {waiting}" if trouble else f"no AEE serves this repository; {waiting}",
        since=min((run.last_at or run.queued_at for run in held), default=now),
        group=_BLOCKED,
        held_runs=count,
        next="workbench doctor" if trouble else "",
    )
