"""The merge queue: packs that hold together are merged one after the other; who breaks the union is named and left.

It keeps nothing of its own. Each merge is one like any other, with its own decision, and what was interrupted goes on
when the queue is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from workbench.ace.wiring import foreseeing, gating, merging, stacking, things, trial, weighing
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.trial import Clashing
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import pack as packs
from workbench.core.decide.decision import Decision
from workbench.core.queue import Turn, culprit, hanging, in_order, require_carried, why_not_queued
from workbench.core.state import PackState
from workbench.model.errors import Refused, WorkbenchError
from workbench.model.ids import pack_id

RED = "not-ready"
RENEWALS = 3  # of one pack, where its base moved again meanwhile


class Examiner(Protocol):
    """Evidence for the queue."""

    def union(self, packs: Sequence[PackState]) -> PackState:
        """The pack of several deliveries together. Raises Clashing."""
        ...

    def renewed(self, pack: PackState) -> PackState:
        """The pack of one delivery on its base as it stands now."""
        ...


class AeeExaminer:
    """Evidence that the AEE makes."""

    def __init__(self, place: Workplace, *, timeout: float | None = None, say: Callable[[str], None] = print) -> None:
        self._place, self._timeout, self._say = place, timeout, say

    def union(self, packs: Sequence[PackState]) -> PackState:
        """A trial merge."""
        united = trial.unite(self._place, packs)
        self._say(f"Trying {', '.join(united.packs)} together.")
        return trial.examine(self._place, united, timeout=self._timeout)

    def renewed(self, pack: PackState) -> PackState:
        """The next revision of the pack, or the one that the AEE made by itself meanwhile."""
        self._say(f"Examining {pack.id} on what is merged by now.")
        tip = self._place.repository.resolve(pack.into)
        for _ in range(RENEWALS):
            with self._place.reading() as ledger:
                pack = ledger.packs(run=pack.run)[-1]
            if pack.state == "submitted" and pack.base_commit == tip:
                break
            asked = gating.renew(self._place, pack.run)
            pack = gating.await_pack(self._place, asked.run, revision=asked.revision, timeout=self._timeout)
        return pack


def queued(place: Workplace, wanted: Sequence[str]) -> tuple[list[PackState], list[Turn]]:
    """The packs of the queue in the order of the forecast, and those that cannot stand in it.

    Nothing named: all that are approved. They must be for one branch.
    """
    with place.reading() as ledger:
        names = wanted or [pack.id for pack in ledger.packs(state="approved") if pack.into]
        found = things.distinct(ledger, names)
        dropped = [] if wanted else list(_dropped(ledger))
        held = [Turn(pack=pack.id, state="held", reason=why) for pack in found if (why := why_not_queued(pack))]
        free = [pack for pack in found if not why_not_queued(pack)]
        needs = stacking.needs(ledger, free)
        above = hanging(free, needs)
        held += [_held(pack, refused) for pack in above if (refused := stacking.obstacle(ledger, pack)) is not None]
    free = [pack for pack in free if pack not in above]
    things.require_one_branch(pack.into for pack in free)
    return in_order(free, foreseeing.foresee(place).order, needs), [*held, *dropped]


def _held(pack: PackState, problem: WorkbenchError) -> Turn:
    return Turn(pack=pack.id, state="held", reason=" ".join(problem.in_line.split()))


def _dropped(ledger: Ledger) -> Iterator[Turn]:
    """Packs whose evidence a queue renewed, and which ended before it carried the approval over: nobody's yet."""
    packs = {pack.id: pack for pack in ledger.packs()}
    for new in packs.values():
        old = packs.get(pack_id(new.run, new.revision - 1)) if new.state == "submitted" and new.into else None
        if old is None or old.state != "superseded" or not weighing.approvals(old):
            continue
        try:
            require_carried(old, new)
        except Refused:
            continue
        reason = f"{old.id} was approved, and this took its place: workbench approve {new.id} --why TEXT"
        yield Turn(pack=new.id, state="held", reason=reason)


def merge_all(place: Workplace, line: Sequence[PackState], examiner: Examiner) -> Iterator[Turn]:
    """Merge what holds together; a turn for each pack, as soon as it is known."""
    with place.reading() as ledger:
        needs = stacking.needs(ledger, line)
    together, left = _agreeing(list(line), needs, examiner)
    yield from left
    base = place.repository.resolve(together[0].into) if together else ""
    stands, merged = base, set[str]()
    for pack in together:
        if hanging([pack], needs, merged):
            yield _left_behind(pack, needs)
            continue
        turn = _merged(place, pack, examiner, base=base, stands=stands)
        stands = turn.commit or stands
        merged |= {pack.run} if turn.commit else set()
        yield turn


# --- what holds together ----------------------------------------------------------------------------------------------


def _agreeing(
    line: list[PackState], needs: Mapping[str, str], examiner: Examiner
) -> tuple[list[PackState], list[Turn]]:
    left: list[Turn] = []
    while len(line) > 1:
        try:
            union = examiner.union(line)
            if not _is_red(union):
                break
            turn = _blamed(line, union, examiner)
        except Clashing as clash:
            turn = Turn(pack=clash.pack, state="conflict", reason=clash.message, before=clash.before)
        left.append(turn)
        line = [pack for pack in line if pack.id != turn.pack]
        above = hanging(line, needs)
        left += [_left_behind(pack, needs) for pack in above]
        line = [pack for pack in line if pack not in above]
    return line, left


def _left_behind(pack: PackState, needs: Mapping[str, str]) -> Turn:
    return Turn(pack=pack.id, state="held", reason=f"it stands on {needs[pack.id]}, which is left")


def _blamed(line: Sequence[PackState], union: PackState, examiner: Examiner) -> Turn:
    seen = {len(line): union}

    def is_red(count: int) -> bool:
        seen[count] = examiner.union(line[:count])
        return _is_red(seen[count])

    at = culprit(len(line), is_red)
    said = seen[at + 1].headline or seen[at + 1].reason
    before = tuple(pack.id for pack in line[:at])
    reason = f"with {', '.join(before)} it is not ready: {said} (workbench mrp show {seen[at + 1].id})"
    return Turn(pack=line[at].id, state="red", reason=reason, before=before)


def _is_red(pack: PackState) -> bool:
    return pack.verdict == RED or pack.state == "failed"


# --- one after the other ----------------------------------------------------------------------------------------------


def _merged(place: Workplace, pack: PackState, examiner: Examiner, *, base: str, stands: str) -> Turn:
    try:
        # The queue itself moved the branch, and nobody else; or it merged what the pack stands on.
        if stands not in (base, pack.base_commit) and (pack.base_commit == base or pack.on):
            pack = _carried(place, pack, examiner)
        done = merging.merge_pack(place, pack.id)
    except WorkbenchError as problem:
        return _held(pack, problem)
    return Turn(pack=pack.id, state="merged", commit=done.new)


def _carried(place: Workplace, old: PackState, examiner: Examiner) -> PackState:
    """The pack on the branch as the queue left it, approved by who runs the queue for the reason that stood."""
    new = examiner.renewed(old)
    require_carried(old, new)
    approvals = weighing.approvals(old)
    if not approvals:
        raise Refused(f"{old.id} has no approval", hint=f"decide on {new.id}")
    last = approvals[-1]
    who = last.get("decided_by", {}).get("who", "somebody")
    rationale = f"{last.get('rationale', '')} (carried over by the merge queue from {last.get('id')} of {who})"

    def deciding(states: Ledger) -> Decision:
        now = things.pack(states, new.id)
        return packs.decide_pack(
            now,
            states.run(now.run) if now.run else None,
            decision="approve",
            rationale=rationale,
            conditions=tuple(str(words) for words in last.get("conditions", [])),
            decided_by=place.person,
            actor=place.actor,
            at=place.clock.now(),
        )

    with place.writing() as journal:
        decide(journal, deciding)
        return things.pack(journal, new.id)
