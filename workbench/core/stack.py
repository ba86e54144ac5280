"""Missions that stand on another's head: where that stands now, and what follows for the one above. Pure.

It knows folded states alone; how commits are put elsewhere is `workbench.repository.replaying`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from workbench.core.state import PackState, RunState

_DELIVERED = ("submitted", "approved", "changes-requested", "merged", "rejected", "superseded")
_GONE = {"rejected": "was rejected", "stopped": "was stopped", "superseded": "gave way to another version"}


class Footing(msgspec.Struct, frozen=True, kw_only=True):
    """What a run stands on. `state`: stands (at `head`) | merged (its branch has it) | gone (for `reason`)."""

    parent: str
    state: Literal["stands", "merged", "gone"]
    head: str = ""
    pack: str = ""  # the newest pack of the parent
    merged_as: str = ""  # the commit with which it was merged
    reverted: str = ""  # the commit that took its merge out of the branch again, which has its commits then
    outside: str = ""  # where its approved pack waits for others to merge it
    reason: str = ""


def newest_head(run: RunState, pack: PackState | None) -> str:
    """The commit on which others may stand: what the run's newest pack is of, else what it fetched last."""
    return pack.head if pack is not None and pack.state in _DELIVERED else run.head


def footing(name: str, run: RunState | None, pack: PackState | None) -> Footing:
    """How the run `name` stands for those above it. `pack` is its newest one."""
    if run is None:
        return Footing(parent=name, state="gone", reason=f"{name} is not in the journal")
    head, shown = newest_head(run, pack), run.pack
    if pack is not None and pack.state == "merged" and pack.merge is not None:
        return Footing(parent=name, state="merged", head=head, pack=shown, merged_as=pack.merge.new)
    if pack is not None and pack.reverted:
        why = f"{name} was merged, and taken out again by {pack.reverted[:12]}"
        return Footing(parent=name, state="gone", head=head, pack=shown, reverted=pack.reverted, reason=why)
    if run.outcome in _GONE:
        why = f": {run.reason}" if run.reason else ""
        return Footing(parent=name, state="gone", head=head, pack=shown, reason=f"{name} {_GONE[run.outcome]}{why}")
    outside = pack.outside.where if pack is not None and pack.outside is not None else ""
    return Footing(parent=name, state="stands", head=head, pack=shown, outside=outside)


def footing_of(
    name: str, run_of: Callable[[str], RunState | None], pack_of: Callable[[str], PackState | None]
) -> Footing:
    """The same, asked of whoever knows runs and packs by their names."""
    run = run_of(name)
    return footing(name, run, pack_of(run.pack) if run is not None and run.pack else None)


def why_not_yet(pack: str, below: Footing) -> str:
    """Why a pack that stands on this cannot be merged; empty if that does not prevent it."""
    if below.state == "merged":
        return ""
    if below.state == "gone":
        return f"{pack} stands on {below.parent}, and {below.reason}"
    return f"{pack} stands on {below.parent}, which is not merged: its commits would go along"


def remedy_of(below: Footing, *, pack: str, into: str) -> str:
    """What to type about that."""
    if below.state == "gone":
        what = "Without what was taken out" if below.reverted else "With the commits below it, on purpose"
        return f"{what}: workbench mrp build --base {into.removeprefix('refs/heads/')} --head {pack}"
    if not below.pack:
        return f"workbench wait {below.parent}"
    if below.outside:
        return (
            f"{below.pack} waits outside, at {below.outside}: workbench deliver {below.pack} says how it stands there"
        )
    return f"workbench merge {below.pack} comes first; its evidence is made anew by itself then"


def in_words(below: Footing, commit: str, *, moved: str = "old: it stands") -> str:
    """How what has the base `commit` stands on this, for a line of facts. `moved`: how it is told that this is old."""
    name = f"{below.parent}@{commit[:12]}"
    if below.state == "merged":
        return f"{name} (merged)"
    if below.state == "gone":
        return f"{name} ({below.reason})"
    return f"{name} (current)" if commit == below.head else f"{name} ({moved} at {below.head[:12]})"


def parents_first(order: tuple[str, ...], on: Mapping[str, str]) -> tuple[str, ...]:
    """The same order, in which nothing comes before what it stands on."""
    waiting: dict[str, list[str]] = {}
    done: set[str] = set()
    known = set(order)

    def out(first: str) -> Iterator[str]:
        going = [first]
        while going:
            name = going.pop()
            done.add(name)
            yield name
            going += reversed(waiting.pop(name, []))

    found: list[str] = []
    for name in order:
        below = on.get(name, "")
        if below in known and below not in done:
            waiting.setdefault(below, []).append(name)
        else:
            found += out(name)
    return (*found, *(name for left in waiting.values() for name in left))
