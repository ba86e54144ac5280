"""How a person's decision reaches the journal: decided on what stands now, appended, or decided anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from workbench.ace.wiring.unwritten import Ledger
from workbench.core.decide.decision import Decision
from workbench.model.errors import Conflict, JournalProblem
from workbench.model.events import Event, Proposed

ATTEMPTS = 50  # a person decides rarely; this many lost races in a row mean that something spins


def decide(ledger: Ledger, deciding: Callable[[Ledger], Decision]) -> list[Event]:
    """Append what `deciding` makes of the states; when another was first, it is asked again with theirs.

    Raises what `deciding` raises: AlreadyResolved reaches the person who came second.
    """
    for _ in range(ATTEMPTS):
        decision = deciding(ledger)
        try:
            stored = ledger.append(decision.events, expect=decision.expect)
        except Conflict:
            continue
        if _are_ours(decision.events, stored):
            return stored
    raise JournalProblem(
        "the journal changed under every attempt to decide", hint="try again; see `workbench doctor` if it goes on"
    )


def _are_ours(proposed: Sequence[Proposed], stored: Sequence[Event]) -> bool:
    """A known id is answered with what was stored first: somebody else's words are no success of ours."""
    return all(
        event.payload == ours.payload and event.actor == ours.actor
        for ours, event in zip(proposed, stored, strict=True)
    )
