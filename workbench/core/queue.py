"""What a merge queue does next: which union to try, who is to blame for a red one, what may be carried over. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from workbench.core.stack import parents_first
from workbench.core.state import PackState
from workbench.model.errors import Refused

RANKS = ("not-ready", "needs-human", "ready")


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """How one pack left the queue. `state`: merged | red (it breaks the union) | conflict | held (for `reason`)."""

    pack: str
    state: str
    reason: str = ""
    commit: str = ""
    before: tuple[str, ...] = ()  # of a red or conflicting one: those that it does not go with


def culprit(count: int, is_red: Callable[[int], bool]) -> int:
    """Of `count` packs in order, of which all together are red: the place of one with which red begins.

    `is_red(n)` tells of the first n, for 1 < n < count; the first alone is green. It is asked a logarithm of times.
    """
    green, red = 1, count
    while red - green > 1:
        middle = (green + red) // 2
        if is_red(middle):
            red = middle
        else:
            green = middle
    return red - 1


def why_not_queued(pack: PackState) -> str:
    """Why a pack cannot stand in the queue; empty if it can."""
    if pack.state != "approved":
        return f"it is {pack.state}, not approved"
    if not pack.into:
        return "it has no branch to merge into"
    if pack.verdict == "not-ready":
        return f"it was approved in spite of its verdict: workbench merge {pack.id} merges it by itself"
    if pack.outside is not None:
        return f"it waits outside, at {pack.outside.where}"
    return ""


def require_carried(old: PackState, new: PackState) -> None:
    """Raise Refused where an approval of `old` says nothing about `new`, its evidence on a base that the queue moved.

    Base and result are others; the commits, the policy and the brief must be the same, and the verdict no worse.
    """
    bound = (
        ("its commits", old.head, new.head),
        ("the policy", old.policy_digest, new.policy_digest),
        ("the brief", old.brief_digest, new.brief_digest),
    )
    changed = [what for what, before, after in bound if before != after]
    if changed:
        raise Refused(f"{' and '.join(changed)} changed", hint=f"decide on {new.id}")
    if new.state != "submitted" or _rank(new) < _rank(old):
        said = new.headline or new.reason or new.state
        raise Refused(f"on the new base it is {new.verdict or new.state}: {said}", hint=f"decide on {new.id}")


def _rank(pack: PackState) -> int:
    return RANKS.index(pack.verdict) if pack.verdict in RANKS else -1


def in_order(packs: Sequence[PackState], order: Sequence[str], needs: Mapping[str, str]) -> list[PackState]:
    """The packs as the forecast would merge their runs; what it does not know comes last.

    No pack comes before that of the run that it `needs`, by its id.
    """
    place = {run: number for number, run in enumerate(order)}
    found = sorted(packs, key=lambda pack: place.get(pack.run, len(place)))
    by_run = {pack.run: pack for pack in found}
    return [by_run[run] for run in parents_first(tuple(by_run), {p.run: needs.get(p.id, "") for p in found})]


def hanging(line: Sequence[PackState], needs: Mapping[str, str], merged: Collection[str] = ()) -> list[PackState]:
    """Those in line that need a run which is neither in it nor `merged`, and those that stand on them."""
    kept, found = list(line), list[PackState]()
    while True:
        there = {pack.run for pack in kept}.union(merged)
        out = [pack for pack in kept if needs.get(pack.id, "") and needs[pack.id] not in there]
        if not out:
            return found
        found += out
        kept = [pack for pack in kept if pack not in out]
