"""The fields of an answer: what was chosen, an answer in own words, the reason, conditions, how far it applies.

It makes a draft of what a person writes, and knows no question and no journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import TextArea

from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.choice import Choice
from workbench.ace.tui.widgets.field import Field
from workbench.ace.wiring.attending import Draft

FIELDS = ("alternative", "reason", "conditions", "scope")  # in the order of Tab

_HINTS = {
    "alternative": ("answer", "your own answer, in words"),
    "reason": ("because", "why: the reason is recorded with the answer"),
    "conditions": ("provided", "conditions that must hold, one on each line"),
}


class AnswerPane(Vertical):
    """Hidden until something is chosen."""

    DEFAULT_CSS = """
    AnswerPane { display: none; height: auto; max-height: 60%; border-top: solid $surface; }
    AnswerPane Horizontal { height: auto; }
    AnswerPane Horizontal > Bar { width: 12; }
    AnswerPane #row-alternative, AnswerPane #row-conditions { display: none; }
    """

    class Changed(Message):
        """The draft is another one."""

    def __init__(self, question: str, scopes: Sequence[tuple[str, str]], *, id: str) -> None:
        super().__init__(id=id)
        self._scopes = scopes
        self.draft = Draft(question=question)

    def compose(self) -> ComposeResult:
        """The fields."""
        yield Bar(id="chosen")
        for name, (_, hint) in _HINTS.items():
            with Horizontal(id=f"row-{name}"):
                yield Bar(id=f"label-{name}")
                yield Field(hint, id=name)
        yield Choice("applies to", self._scopes, id="scope")

    def on_mount(self) -> None:
        """Name the fields: what is written in one hides its hint."""
        for name, (label, _) in _HINTS.items():
            self.query_one(f"#label-{name}", Bar).show([Part(line(piece(label, "dim")))])

    @property
    def is_open(self) -> bool:
        """Whether something was chosen."""
        return bool(self.draft.option or self.draft.is_own)

    @property
    def missing(self) -> str:
        """What the answer lacks; empty when it can be sent."""
        draft = self.draft
        if not self.is_open:
            return "choose an option first (1-9), or o for words of your own"
        if draft.is_own and not draft.alternative.strip():
            return "write your answer first"
        return "" if draft.reason.strip() else "say why first: an answer needs its reason"

    @property
    def conditions(self) -> list[str]:
        """One text each."""
        return [text.strip() for text in self.draft.conditions.splitlines() if text.strip()]

    def choose(self, option: str, label: str) -> None:
        """An option; then its reason is to be said. Without one: an answer in words of one's own."""
        self.draft = replace(self.draft, option=option, is_own=not option)
        self.show(label)
        self.go_to("reason" if option else "alternative")
        self.post_message(self.Changed())

    def show(self, label: str) -> None:
        """Show the fields that there are by now, beneath the words for what was chosen."""
        self.display = self.is_open
        self._row("alternative").display = self.draft.is_own
        bar = self.query_one("#chosen", Bar)
        bar.show([Part(line(piece("YOUR ANSWER  ", "title"), piece(label, "strong")))])

    def put(self, draft: Draft) -> None:
        """Go on with what was written before."""
        self.draft = draft
        for name, text in (
            ("reason", draft.reason),
            ("alternative", draft.alternative),
            ("conditions", draft.conditions),
        ):
            self._field(name).put(text)
        self._row("conditions").display = bool(draft.conditions.strip())
        self.query_one(Choice).choose(draft.applies_to)

    def add_condition(self) -> None:
        """Open the field for conditions."""
        self._row("conditions").display = True
        self.go_to("conditions")

    def step_scope(self) -> None:
        """Let it apply to the next larger thing."""
        self.query_one(Choice).step()

    def go_to_missing(self) -> None:
        """Put the cursor where something is to be written."""
        if self.is_open:
            own = self.draft.is_own and not self.draft.alternative.strip()
            self.go_to("alternative" if own else "reason")

    def go_to(self, name: str) -> None:
        """Let keys go to a field."""
        self.query_one(f"#{name}").focus()

    def fields(self) -> Iterator[str]:
        """The names of the fields that can be gone to now."""
        if self.display:
            yield from (name for name in FIELDS if name not in _HINTS or self._row(name).display)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Something was typed."""
        message.stop()
        self._gather()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        """It applies to something else."""
        message.stop()
        self._gather()

    def _gather(self) -> None:
        draft = replace(
            self.draft,
            alternative=self._field("alternative").text,
            reason=self._field("reason").text,
            conditions=self._field("conditions").text,
            applies_to=self.query_one(Choice).chosen,
        )
        if draft != self.draft:
            self.draft = draft
            self.post_message(self.Changed())

    def _row(self, name: str) -> Horizontal:
        return self.query_one(f"#row-{name}", Horizontal)

    def _field(self, name: str) -> Field:
        return self.query_one(f"#{name}", Field)
