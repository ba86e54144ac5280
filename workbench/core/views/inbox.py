"""The rows of the inbox, and what can be typed about each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from workbench.core.attention import AEE_DOWN, FAILED, MERGE_OPEN, RESTING, Concern
from workbench.model.instants import seconds_between


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that needs a person, as `workbench inbox --json` prints it. `age_s` is whole seconds."""

    id: str
    kind: Literal["crp", "mrp", "alert"]
    category: str
    mission: str
    run: str
    title: str
    blocking: bool
    age_s: int
    held_runs: int
    next: str
    facts: str = ""
    schema: int = 1


def inbox_rows(concerns: Iterable[Concern], *, now: str) -> list[InboxRow]:
    """A row for each concern, in the order given."""
    return [_row(concern, now) for concern in concerns]


def _row(concern: Concern, now: str) -> InboxRow:
    return InboxRow(
        id=concern.id,
        kind=concern.kind,
        category=concern.category,
        mission=concern.mission,
        run=concern.run,
        title=concern.title,
        blocking=concern.blocking,
        age_s=max(0, int(seconds_between(concern.since, now))),
        held_runs=concern.held_runs,
        next=_next(concern),
        facts=concern.facts,
    )


def _next(concern: Concern) -> str:
    if concern.next:
        return concern.next
    if concern.kind == "crp":
        return f"workbench show {concern.id}"
    if concern.kind == "mrp":
        return f"workbench {'merge' if concern.category == 'approved' else 'mrp show'} {concern.id}"
    if concern.category == AEE_DOWN:
        return "workbench aee start"
    if concern.category == MERGE_OPEN:
        return "workbench wait"
    if concern.category == RESTING:
        return f"workbench resume {concern.id}"
    return f"workbench log {concern.run}" if concern.category == FAILED else f"workbench show {concern.id}"
