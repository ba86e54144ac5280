"""What was typed for decisions on one pack and not sent: for the dialogs, and on this person's desk within a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.ace.tui.drafting import Keeper
from workbench.ace.wiring.attending import Desk, Draft, desk_of
from workbench.ace.wiring.workplace import Workplace

DECISIONS = ("approve", "request-changes", "reject", "select", "compose")
Start = Callable[[Callable[[], None]], object]  # runs a function in a thread


class Typed:
    """What was typed for one decision: the reason, and the changes where they are asked for."""

    def __init__(self, about: str, start: Start) -> None:
        self._about = about
        self._fields: dict[str, str] = {}
        self._desk: Desk | None = None
        self._keeper = Keeper(start)
        self._unkept = False

    def get(self, field: str) -> str:
        """What stands in a field."""
        return self._fields.get(field, "")

    def put(self, field: str, text: str) -> None:
        """It was typed; `keep` has it written."""
        self._unkept = self._unkept or self.get(field) != text
        self._fields[field] = text

    def take(self, desk: Desk, found: Draft | None) -> None:
        """What was typed before, unless something was typed since."""
        self._desk = desk
        if found is not None and not any(self._fields.values()):
            self._fields = {"why": found.reason, "changes": found.conditions}

    def keep(self) -> None:
        """Have it written; returns at once."""
        if self._desk is not None and self._unkept:
            self._unkept = False
            self._keeper.keep(self._desk, self._draft())

    def finish(self) -> None:
        """Write it here and now."""
        if self._desk is not None and self._unkept:
            self._unkept = False
            self._keeper.finish(self._desk, self._draft())

    def clear(self) -> None:
        """It was sent."""
        self._fields, self._unkept = {}, True
        self.keep()

    def _draft(self) -> Draft:
        return Draft(question=self._about, reason=self.get("why"), conditions=self.get("changes"))


class DecisionDrafts:
    """All decisions on one pack."""

    def __init__(self, pack: str, start: Start) -> None:
        self._pack = pack
        self._typed = {decision: Typed(_about(pack, decision), start) for decision in DECISIONS}

    def of(self, decision: str) -> Typed:
        """What was typed for one."""
        return self._typed[decision]

    def read(self, place: Workplace) -> tuple[Desk, Mapping[str, Draft | None]]:
        """What is on the desk; to be called beside the event loop, and handed to `take`."""
        desk = desk_of(place)
        return desk, {decision: desk.draft(_about(self._pack, decision)) for decision in DECISIONS}

    def take(self, found: tuple[Desk, Mapping[str, Draft | None]]) -> None:
        """What was read."""
        desk, drafts = found
        for decision, draft in drafts.items():
            self._typed[decision].take(desk, draft)


def _about(pack: str, decision: str) -> str:
    return f"{pack} {decision}"
