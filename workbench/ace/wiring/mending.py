"""What `doctor --fix` can do: each mending loses nothing, or raises and has changed nothing."""

from __future__ import annotations

from collections.abc import Callable

from workbench.ace.wiring.check import Check
from workbench.ace.wiring.journal_checks import SALVAGE
from workbench.ace.wiring.workplace import Workplace


def mend(place: Workplace, check: Check) -> str:
    """Do what the check says can be done; what came of it. Raises WorkbenchError with the remedy where it cannot be."""
    return _MENDS[check.mend](place)


def _salvage(place: Workplace) -> str:
    from workbench.journal.salvage import salvage

    done = salvage(place.journal_directory, clock=place.clock)
    return f"the journal was made anew from all {done.events} events; the damaged file is {done.kept}"


_MENDS: dict[str, Callable[[Workplace], str]] = {SALVAGE: _salvage}
