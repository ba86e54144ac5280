"""The dialogs in which one version is picked, or a new one composed: what is left behind, then the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from workbench.ace.tui.decisiondrafts import Typed
from workbench.ace.tui.prose import Block, blank, bullet, paragraph
from workbench.ace.tui.screens.decision import NAMED, DecisionDialog
from workbench.ace.wiring import choosing
from workbench.ace.wiring.choosing import Composed
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState


class PickDialog(DecisionDialog):
    """Approve one version, and close the others."""

    title_words = "PICK"
    decision = "select"

    def __init__(
        self,
        pack: PackState,
        typed: Typed,
        decided: Callable[[PackState], None],
        *,
        mission: str,
        others: Sequence[str],
    ) -> None:
        super().__init__(pack, typed, decided)
        self._mission, self._others = mission, others

    def says(self) -> list[Block]:
        """What becomes of the others."""
        verdict = "It is ready." if self.pack.verdict == "ready" else f"It needs a person: {self.pack.headline}"
        return [
            paragraph(f"{self.pack.id}  {self.pack.title}", "strong"),
            paragraph(verdict, "proven" if self.pack.verdict == "ready" else "needs-you"),
            paragraph(f"This approves it. Left behind, closed and kept: {', '.join(self._others)}."),
            blank(),
        ]

    def send(self, why: str) -> None:
        """Put it into the journal."""
        mission, name = self._mission, self.pack.id
        self.workbench.carry_out(lambda place: choosing.pick(place, mission, name, why=why), self._sent)


class ComposeDialog(DecisionDialog):
    """Put a new version together, and close the others."""

    title_words = "COMPOSE"
    decision = "compose"

    def __init__(
        self,
        pack: PackState,
        typed: Typed,
        composed: Callable[[Composed], None],
        *,
        mission: str,
        parts: Mapping[str, Sequence[str]],
        words: Mapping[str, str],
        left: Sequence[str],
    ) -> None:
        super().__init__(pack, typed, lambda _: None)
        self._composed, self._mission, self._parts, self._left = composed, mission, parts, left
        self._words = words  # what those parts are that a name does not tell

    def says(self) -> list[Block]:
        """What is taken of which, and what of none."""
        taken = [bullet(f"of {pack}: {words}") for pack, paths in self._parts.items() for words in self._told(paths)]
        named = ", ".join(self._left[:NAMED]) + (" …" if len(self._left) > NAMED else "")
        left = [paragraph(f"Taken of none, so as the base has them: {named}", "needs-you")] if self._left else []
        return [
            paragraph("A new version of these parts, with evidence of its own:", "strong"),
            *taken,
            *left,
            paragraph("All other versions are closed and kept.", "dim"),
            blank(),
        ]

    def _told(self, names: Sequence[str]) -> Iterator[str]:
        """The files of one version in one line, and its hunks in one line each."""
        files = [name for name in names if name not in self._words]
        if files:
            yield ", ".join(files[:NAMED]) + (" …" if len(files) > NAMED else "")
        yield from (self._words[name] for name in names if name in self._words)

    def send(self, why: str) -> None:
        """Put it into the journal."""
        mission, specs = self._mission, [f"{pack}:{path}" for pack, paths in self._parts.items() for path in paths]
        self.workbench.carry_out(lambda place: _compose(place, mission, specs, why), self._made)

    def _made(self, made: Composed) -> None:
        self._typed.clear()
        self.dismiss(None)
        self._composed(made)


def _compose(place: Workplace, mission: str, specs: Sequence[str], why: str) -> Composed:
    made = choosing.compose(place, mission, specs, why=why)
    choosing.serve(place)
    return made
