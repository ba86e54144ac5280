"""A consultation: what is asked, what it is about, and the answer that a person composes.

It paints and routes; `consulting` lays out, `answering` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.containers import Horizontal
from textual.timer import Timer
from textual.widget import Widget

from workbench.ace.tui import consulting
from workbench.ace.tui.actions import Action
from workbench.ace.tui.bridge import View
from workbench.ace.tui.consulting import LEVELS, SCOPES, Asked, Looks, QuestionView
from workbench.ace.tui.drafting import Keeper
from workbench.ace.tui.prose import Block, Prose, blank, heading, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.answer import AnswerPane
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.choice import Choice
from workbench.ace.tui.widgets.field import Field
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.words import since
from workbench.ace.wiring.answering import answer_question
from workbench.ace.wiring.attending import Draft
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import ConsultationState
from workbench.model.errors import WorkbenchError

WIDE = 110  # cells from which on the clauses stand beside the question
PATIENCE_S = 0.2  # before it says what it waits for
DRAFT_S = 0.3  # after the last key, before a draft is written
ALLOW, DENY = "allow", "deny"  # the options of a request for permission


class ConsultationScreen(WorkScreen):
    """One question."""

    where = "consultation"
    main = "#case"
    DEFAULT_CSS = """
    ConsultationScreen #banner { display: none; background: $surface; }
    ConsultationScreen #case { width: 2fr; padding: 0 1; }
    ConsultationScreen #aside { width: 1fr; max-width: 70; border-left: $pane-line $surface; padding: 0 1; }
    """

    def __init__(self, question: str) -> None:
        super().__init__()
        self._about = question
        self._asked: Asked | None = None
        self._level = consulting.SCREEN
        self._draft = Draft(question=question)
        self._is_sent = False
        self._was_open = False  # it was open when this screen first showed it
        self._keeper = Keeper(lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))
        self._timer: Timer | None = None  # until what was written is kept

    # --- the frame ---

    def body(self) -> Iterator[Widget]:
        """The case, what is at stake, and below them the answer."""
        with Horizontal():
            yield LinesView(id="case")
            yield LinesView(id="aside")
        yield Bar(id="banner")
        yield AnswerPane(self._about, tuple(SCOPES.items()), id="answer")

    def views(self) -> dict[str, View]:
        """The question."""
        return {"question": QuestionView(self._about)}

    def on_mount(self) -> None:
        """Say what is waited for, if that takes a while."""
        self.set_timer(PATIENCE_S, self._show_waiting)

    def on_unmount(self) -> None:
        """What was not sent is kept."""
        if self._timer is not None and self._asked is not None and not self._is_sent:
            self._keeper.finish(self._asked.desk, self._draft)

    def on_resize(self) -> None:
        """With little room one pane is shown at a time."""
        self._show_panes(aside=self.query_one("#aside").has_focus)

    def _show_panes(self, *, aside: bool) -> None:
        wide = self.size.width >= WIDE
        self.query_one("#aside").display = wide or aside
        self.query_one("#case").display = wide or not aside

    def _show_waiting(self) -> None:
        if self._asked is None:
            self._show("#case", [paragraph(f"Reading {self._about} and the code that it cites …", "dim")])

    def arrived(self, name: str, value: Asked) -> None:  # noqa: ARG002 - there is one view
        """The question, or what became of it."""
        before, self._asked = self._asked, value
        if before is None:
            self._was_open = value.question is not None and value.question.state == "open"
            self.run_worker(partial(self._read_draft, value), thread=True, exit_on_error=False)
        self._show_case()
        self._show_banner()
        self.show_footer()

    @property
    def _question(self) -> ConsultationState | None:
        return self._asked.question if self._asked is not None else None

    @property
    def _answer(self) -> AnswerPane:
        return self.query_one(AnswerPane)

    def copied(self) -> str:
        """The question's id."""
        return self._about

    def footer_actions(self) -> list[Action]:
        """There are no rows to open here."""
        return [action for action in super().footer_actions() if action.id != "open-row"]

    # --- showing ---

    def _show_case(self) -> None:
        if self._asked is not None:
            looks = Looks(self._level, self._answer.draft.option, is_news=self._was_open)
            glyphs = self.workbench.glyphs
            self._show("#case", [*consulting.case_blocks(self._asked, looks, glyphs), *self._unsent()])
            self._show("#aside", list(consulting.aside_blocks(self._asked, looks, glyphs)))

    def _show(self, pane: str, blocks: list[Block]) -> None:
        self.query_one(pane, LinesView).show(Prose(blocks))

    def _unsent(self) -> Iterator[Block]:
        """What was written before another answered."""
        question, draft = self._question, self._answer.draft
        if question is not None and question.state != "open" and not self._is_sent and not draft.is_empty:
            yield blank()
            yield heading("YOUR DRAFT, NOT SENT")
            yield paragraph(draft.alternative or draft.option, "strong", indent=2)
            yield paragraph(draft.reason, indent=2)

    def _show_banner(self) -> None:
        """What happened to the question while it was looked at."""
        asked, question = self._asked, self._question
        words = ""
        if asked is not None and question is not None and self._was_open and not self._is_sent:
            typed = not self._answer.draft.is_empty
            then = f"while you {'typed' if typed else 'looked'}{'; your draft is kept' if typed else ''}."
            if question.state == "resolved":
                words = f"Answered by {question.decided_by} {since(question.decided_at, asked.now)} ago, {then} G: how"
            elif question.state != "open":
                words = f"It was {question.state} {then}"
        banner = self.query_one("#banner", Bar)
        banner.display = bool(words)
        banner.show([Part(line(piece(words, "needs-you")))])

    def _label(self, name: str) -> str:
        found = [one for one in self._options() if str(one.get("id")) == name]
        return f"{name}  {found[0].get('label', '')}" if found else "in words of your own"

    def _options(self) -> list[Any]:
        return list(consulting.options(self._question)) if self._question is not None else []

    # --- drafts ---

    def _read_draft(self, asked: Asked) -> None:
        """In a thread."""
        found = asked.desk.draft(self._about)
        if found is not None:
            self.app.call_from_thread(self._take_up, found)

    def _take_up(self, draft: Draft) -> None:
        """Go on with what was written before, unless a person was quicker."""
        if not self._answer.draft.is_empty or not self.is_mounted:
            return
        self._answer.put(draft)
        if self._question is not None and self._question.state == "open":
            self._answer.show(self._label(draft.option))
            self.tell("this is what you wrote before; it was not sent", "accent")
        self._show_case()
        self.show_footer()

    def on_answer_pane_changed(self) -> None:
        """Something was written: keep it soon."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DRAFT_S, self._keep_draft)
        self._draft = self._answer.draft
        self.show_footer()

    def _keep_draft(self) -> None:
        if self._timer is not None and self._asked is not None and not self._is_sent:
            self._timer.stop()
            self._timer = None
            self._keeper.keep(self._asked.desk, self._draft)

    # --- moving ---

    def act_next_pane(self) -> None:
        """The next pane or field."""
        self._go_pane(1)

    def act_previous_pane(self) -> None:
        """The one before."""
        self._go_pane(-1)

    def _go_pane(self, step: int) -> None:
        names = ["case", "aside", *self._answer.fields()]
        focused = self.focused.id if self.focused is not None else ""
        at = names.index(focused) if focused in names else -step
        name = names[(at + step) % len(names)]
        if name in ("case", "aside"):
            self._show_panes(aside=name == "aside")
        self.query_one(f"#{name}").focus()

    def act_go_back(self) -> None:
        """Out of a field first; then off the screen, and the draft is kept."""
        if isinstance(self.focused, Field | Choice):
            self._show_panes(aside=False)
            self.query_one("#case").focus()
        else:
            super().act_go_back()

    def act_change_zoom(self) -> None:
        """The next level."""
        self._level = self._level % consulting.EVERYTHING + 1
        self._show_case()
        self.tell(f"{LEVELS[self._level]} ({self._level} of {consulting.EVERYTHING})", "dim")

    # --- answering ---

    def off_choose_option(self) -> str:
        """Why it cannot be answered now."""
        question = self._question
        if question is None:
            return "it is being read" if self._asked is None else "there is no such question"
        if question.state == "resolved":
            return f"it was answered by {question.decided_by}"
        return "" if question.state == "open" else f"it was {question.state}"

    off_write_alternative = off_choose_option

    def act_choose_option(self) -> None:
        """Choose the option of the key that was pressed; then say why."""
        names = [str(one.get("id", "")) for one in self._options()]
        number = int(self.pressed_key) if self.pressed_key.isdigit() else 0
        if 1 <= number <= len(names):
            self._choose(names[number - 1])
        else:
            known = f"its options are 1 to {len(names)}" if names else "it names none; o answers in your own words"
            self.tell(f"there is no option {self.pressed_key}: {known}", "needs-you")

    def act_write_alternative(self) -> None:
        """An answer in words of one's own."""
        self._choose("")

    def _choose(self, name: str) -> None:
        self._answer.choose(name, self._label(name))
        self._show_case()

    def off_allow_once(self) -> str:
        """Only what asks for permission can be allowed."""
        return self.off_choose_option() or self._lacks(ALLOW)

    def off_deny(self) -> str:
        """The same."""
        return self.off_choose_option() or self._lacks(DENY)

    def _lacks(self, name: str) -> str:
        question = self._question
        fits = question is not None and question.category == "permission" and name in question.options
        return "" if fits else "this is no request for permission"

    def act_allow_once(self) -> None:
        """Allow it, this time."""
        self._choose(ALLOW)

    def act_deny(self) -> None:
        """Deny it."""
        self._choose(DENY)

    def off_add_condition(self) -> str:
        """A condition and a scope belong to an answer."""
        return self.off_choose_option() or ("" if self._answer.is_open else "choose an option first (1-9), or o")

    off_change_scope = off_add_condition

    def act_add_condition(self) -> None:
        """A field for conditions."""
        self._answer.add_condition()

    def act_change_scope(self) -> None:
        """The next scope."""
        self._answer.step_scope()

    def off_send_answer(self) -> str:
        """What is missing still."""
        return self.off_choose_option() or ("it is being recorded" if self._is_sent else self._answer.missing)

    def act_send_answer(self) -> None:
        """Record it."""
        assert self._asked is not None
        draft, desk, conditions = self._answer.draft, self._asked.desk, self._answer.conditions

        def command(place: Workplace) -> ConsultationState:
            answered = answer_question(
                place,
                draft.question,
                why=draft.reason,
                option=draft.option,
                alternative=draft.alternative if draft.is_own else "",
                conditions=conditions,
                applies_to=draft.applies_to,
            )
            desk.drop_draft(draft.question)
            return answered

        if self._timer is not None:
            self._timer.stop()
        self._is_sent = True
        self.tell("recording your answer …", "dim")
        self.workbench.carry_out(command, self._sent)

    def _sent(self, answered: ConsultationState) -> None:
        """Back to where one came from, which says what was recorded."""
        if self._asked is not None:  # after any write of a draft that is still on its way
            self._keeper.keep(self._asked.desk, Draft(question=self._about))
        if self.is_current:
            self.app.pop_screen()
        if (screen := self.workbench.work_screen) is not None:
            goes = f"{answered.run} goes on" if answered.mode == "blocking" else "the agent is told"
            screen.tell(f"recorded {answered.resolution}: {goes}", "proven")

    def perform(self, action: Action) -> None:
        """An answer that lacks something leads to where it is written."""
        super().perform(action)
        if action.id == "send-answer" and not self.off_choose_option() and self._answer.missing:
            self._answer.go_to_missing()

    def tell_problem(self, problem: WorkbenchError) -> None:
        """It was not recorded: nothing that was written is lost."""
        if self._is_sent:
            self._is_sent = False
            self.on_answer_pane_changed()
        super().tell_problem(problem)
        self._show_case()
        self._show_banner()
        self.show_footer()
