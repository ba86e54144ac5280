"""How a person's decision reaches the journal: decided on what stands now, appended, or decided anew."""

from __future__ import annotations

from collections.abc import Callable

from workbench.ace.wiring.unwritten import Ledger
from workbench.core.decide.decision import Decision
from workbench.model.errors import Conflict, JournalProblem
from workbench.model.events import Event

ATTEMPTS = 50  # a person decides rarely; this many lost races in a row mean that something spins


def decide(ledger: Ledger, deciding: Callable[[Ledger], Decision]) -> list[Event]:
    """Append what `deciding` makes of the states; when another was first, it is asked again with theirs.

    Raises what `deciding` raises: AlreadyResolved reaches the person who came second.
    """
    for _ in range(ATTEMPTS):
        decision = deciding(ledger)
        try:
            return ledger.append(decision.events, expect=decision.expect)
        except Conflict:
            continue
    raise JournalProblem(
        "the journal changed under every attempt to decide", hint="try again; see `workbench doctor` if it goes on"
    )
