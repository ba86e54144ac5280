"""What needs a person, as far as a notification tells of it: things that were not there a moment ago."""

from __future__ import annotations

from typing import NamedTuple

from workbench.ace.tui.bridge import Moment

NEEDS = "needs"


class Need(NamedTuple):
    """One thing that waits for a person."""

    id: str
    title: str


def needs_view(moment: Moment) -> frozenset[Need]:
    """All open questions, and packs that nobody decided on."""
    mirror = moment.mirror
    asked = (Need(question.id, question.title) for question in mirror.open_questions())
    packs = (
        Need(pack.id, pack.title or pack.id)
        for pack in mirror.packs.values()
        if pack.mission and pack.state == "submitted"
    )
    return frozenset((*asked, *packs))
