"""A trial merge: several deliveries merged as objects, and examined together like any branch that is handed in.

No branch moves, and nothing of it comes into the person's repository.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.ace.wiring import gating, stacking, things
from workbench.ace.wiring.gating import BuildOrder
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.errors import Refused
from workbench.repository.locate import STORE
from workbench.repository.objects import Conflicted
from workbench.repository.store import BASES, Store

EXAMINED = ("submitted", "approved", "changes-requested", "rejected")


class Union(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries merged one on the other: `commit` on `base`, which is where `target` stands.

    What the runs `along` brought is in it, too: others stand on that, and it is not merged.
    """

    packs: tuple[str, ...]
    target: str
    base: str
    commit: str
    along: tuple[str, ...] = ()


class Clashing(Refused):
    """One of the deliveries conflicts with those before it."""

    def __init__(self, pack: str, before: Sequence[str], paths: Sequence[str]) -> None:
        who = f"{', '.join(before)}" if before else "its target"
        super().__init__(
            f"{pack} conflicts with {who} in {', '.join(paths)}.",
            hint="workbench forecast shows who is in whose way; leave one out, or have one brought up to date.",
            data={"pack": pack, "before": list(before), "paths": list(paths)},
        )
        self.pack, self.before, self.paths = pack, tuple(before), tuple(paths)


def chosen(ledger: Ledger, wanted: Sequence[str]) -> list[PackState]:
    """The packs that are named, each once, which must be for one branch."""
    packs = things.distinct(ledger, wanted)
    things.require_one_branch(target_of(pack) for pack in packs)
    gone = [pack for pack in packs if pack.state in ("merged", "superseded", "rejected", "assembling", "failed")]
    if gone:
        raise Refused(f"{gone[0].id} is {gone[0].state}.", hint="workbench mrp list shows what waits.")
    return packs


def target_of(pack: PackState) -> str:
    """The branch, or else the commit, that a pack is for."""
    return pack.into or pack.base_ref or pack.base_commit


def unite(place: Workplace, packs: Sequence[PackState]) -> Union:
    """Merge the deliveries one on the other, on their target as it stands. Raises Clashing."""
    target = target_of(packs[0])
    with place.reading() as ledger:
        along = stacking.going_along(ledger, packs)
    base = place.repository.resolve(target)
    with Store.of(place.repository, place.journal_directory / STORE) as store:
        store.pin(base)
        commit = base
        for number, pack in enumerate(packs):
            merged = store.merge(commit, pack.head)
            if isinstance(merged, Conflicted):
                raise Clashing(pack.id, _in_the_way(store, pack, packs[:number]), merged.paths)
            commit = merged.commit
        store.keep(f"{BASES}/{commit}", commit)
    return Union(packs=tuple(pack.id for pack in packs), target=target, base=base, commit=commit, along=along)


def _in_the_way(store: Store, pack: PackState, before: Sequence[PackState]) -> list[str]:
    """Those of the ones before it with which it conflicts by itself; all of them where only their union does."""
    alone = [one.id for one in before if isinstance(store.merge(one.head, pack.head), Conflicted)]
    return alone or [one.id for one in before]


def examine(place: Workplace, union: Union, *, timeout: float | None = None) -> PackState:
    """The pack of a union: the one that was made of it before, or a new one. Raises as `gating.await_pack` does."""
    known = _known(place, union)
    if known is not None:
        return known
    order = BuildOrder(
        base=union.target,
        head=f"trial-{'-'.join(union.packs)}",
        commit=union.commit,
        title=f"trial of {', '.join((*union.packs, *union.along))} on {union.target.removeprefix('refs/heads/')}",
    )
    return gating.await_pack(place, gating.request(place, order), timeout=timeout)


def _known(place: Workplace, union: Union) -> PackState | None:
    """A pack of the very same commits; the union's id follows from what it holds."""
    with place.reading() as ledger:
        found = [
            pack
            for pack in ledger.packs()
            if not pack.mission and not pack.into and (pack.head, pack.base_commit) == (union.commit, union.base)
        ]
    return next((pack for pack in reversed(found) if pack.state in EXAMINED), None)
