"""Small dialogs of the inbox: the reason for an answer that was chosen there, and how long to put something off."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from textual.widget import Widget
from textual.widgets import TextArea

from workbench.ace.tui.actions import Action, named
from workbench.ace.tui.concernlist import clock_words, in_an_hour, tomorrow
from workbench.ace.tui.consulting import SCOPES
from workbench.ace.tui.drafting import Keeper
from workbench.ace.tui.prose import Block, Prose
from workbench.ace.tui.screens.dialog import Dialog
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import piece
from workbench.ace.tui.widgets.choice import Choice
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.field import Field
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.wiring.answering import Answers, answer_alike
from workbench.ace.wiring.attending import Desk, Draft
from workbench.model.errors import WorkbenchError


class ReasonDialog(Dialog):
    """Why? Then the answer is recorded, for each of several identical questions."""

    title_words = "WHY?"
    main = "#reason"
    DEFAULT_CSS = """
    ReasonDialog StillLines { background: $surface; margin: 0 0 1 0; }
    ReasonDialog Field { min-height: 2; }
    ReasonDialog #scope { display: none; }
    ReasonDialog.-scoped #scope { display: block; }
    """

    def __init__(
        self,
        says: Sequence[Block],
        questions: Sequence[str],
        option: str,
        desk: Desk,
        sent: Callable[[Answers], None],
        *,
        is_scoped: bool = False,
    ) -> None:
        super().__init__()
        self._says, self._questions, self._sent = says, tuple(questions), sent
        self._desk = desk
        self._draft = Draft(question=questions[0], option=option)
        self._is_scoped, self._is_sending = is_scoped, False
        self._keeper = Keeper(lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))

    def body(self) -> Iterator[Widget]:
        """What is answered how, and the reason."""
        yield StillLines(id="says")
        yield Field("the reason is recorded with the answer; Ctrl+S sends", id="reason")
        yield Choice("for", tuple(SCOPES.items()), id="scope")

    def on_mount(self) -> None:
        """Say what is answered; go on with what was written before."""
        self.query_one("#says", StillLines).show(Prose(list(self._says)))
        self.set_class(self._is_scoped, "-scoped")
        if self._is_scoped:
            self.query_one(Choice).choose("mission")
        self.run_worker(partial(self._read_draft), thread=True, exit_on_error=False)

    def _read_draft(self) -> None:
        """In a thread."""
        found = self._desk.draft(self._draft.question)
        if found is not None and found.option == self._draft.option and found.reason:
            self.app.call_from_thread(self._take_up, found)

    def _take_up(self, draft: Draft) -> None:
        field = self.query_one(Field)
        if not field.text:
            field.put(draft.reason)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Keep what is typed, as a draft that the question itself shows, too."""
        message.stop()
        self._draft = Draft(question=self._draft.question, option=self._draft.option, reason=message.text_area.text)
        if self._draft.reason.strip():
            self._keeper.keep(self._desk, self._draft)

    def off_confirm(self) -> str:
        """A reason is needed."""
        if self._is_sending:
            return "it is being recorded"
        return "" if self._draft.reason.strip() else "say why first: an answer needs its reason"

    def act_confirm(self) -> None:
        """Record it."""
        self._is_sending = True
        self.tell("recording …", "dim")
        names, draft = self._questions, self._draft
        scope = self.query_one(Choice).chosen
        self.workbench.carry_out(
            lambda place: answer_alike(place, names, why=draft.reason, option=draft.option, applies_to=scope),
            self._answered,
        )

    def _answered(self, answers: Answers) -> None:
        self._keeper.keep(self._desk, Draft(question=self._draft.question))
        self.dismiss(None)
        self._sent(answers)

    def tell_problem(self, problem: WorkbenchError) -> None:
        """It was not recorded; what was written stays."""
        self._is_sending = False
        super().tell_problem(problem)


class Until(NamedTuple):
    """A choice of how long."""

    name: str
    words: str
    until: str  # an instant; empty: until something changes


class SnoozeDialog(Dialog):
    """Until when?"""

    where = "snooze"
    title_words = "NOT NOW: BRING IT BACK"
    main = "#choices"
    DEFAULT_CSS = "SnoozeDialog RowsView { height: auto; background: $surface; }"

    def __init__(self, now: str, chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._now, self._chosen = now, chosen

    def body(self) -> Iterator[Widget]:
        """The choices."""
        hour, morning = in_an_hour(self._now), tomorrow(self._now)
        rows = (
            Until("1", f"in an hour, at {clock_words(hour, self._now)}", hour),
            Until("2", f"tomorrow, {clock_words(morning, self._now)}", morning),
            Until("3", "when something changes", ""),
        )
        columns = (
            Column[Until](lambda row: piece(row.name, "accent"), 1),
            Column[Until](lambda row: piece(row.words), 0, least=10),
        )
        yield RowsView(
            Sheet(rows, key=lambda row: row.name), painter(columns), text=lambda row: row.words, id="choices"
        )

    def on_mount(self) -> None:
        """Draw them."""
        self._rows.let_in()

    def footer_actions(self) -> list[Action]:
        """Digits choose."""
        return [named("choose-until", self.where), named("go-back", self.where)]

    @property
    def _rows(self) -> RowsView[Until]:
        return self.query_one("#choices", RowsView)

    def on_rows_view_opened(self) -> None:
        """Choose with the mouse."""
        self.act_open_row()

    def act_choose_until(self) -> None:
        """Choose by its digit."""
        if self._rows.go_to_key(self.pressed_key):
            self.act_open_row()

    def act_open_row(self) -> None:
        """Choose."""
        row = self._rows.row
        if row is not None:
            self.dismiss(None)
            self._chosen(row.until)
