"""How a person speaks to the agent of a run, on the run's screen: queue, steer or interrupt; drafts are kept.

It routes between the line, the journal and the desk; it decides nothing.
"""

from __future__ import annotations

from textual.timer import Timer

from workbench.ace.tui.drafting import Keeper
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.speaking import SayField, Speaking
from workbench.ace.wiring import steering
from workbench.ace.wiring.attending import Desk, Draft, desk_of
from workbench.core.state import Message, RunState
from workbench.core.views.messages import MessageRow, message_rows, when_given
from workbench.model.errors import WorkbenchError

KEYS = (("Enter", "send"), ("Tab", "queue, steer or interrupt"), ("Ctrl+J", "new line"), ("Esc", "leave"))
DRAFT_S = 0.3  # after the last key, before a draft is written
GIVEN_SHOWN_S = 60  # after it was given, a message is found among the acts
TICK_S = 1.0  # between two looks at how long ago something was given


class SpeakingScreen(WorkScreen):
    """Part of the run's screen: has a `Speaking` as `#speak`, and knows the run as `spoken_to`."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run_id = run
        self._desk: Desk | None = None
        self._draft = Draft(question=f"run/{run}")
        self._is_sending = False
        self._keeper = Keeper(lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))
        self._kept_later: Timer | None = None
        self._ticking: Timer | None = None

    @property
    def spoken_to(self) -> RunState | None:
        """The run as it is known here."""
        raise NotImplementedError

    @property
    def speaking(self) -> Speaking:
        """The line and what is above it."""
        return self.query_one("#speak", Speaking)

    @property
    def is_writing(self) -> bool:
        """Whether keys go to the line."""
        return isinstance(self.focused, SayField)

    def on_mount(self) -> None:
        """Look for what was written before."""
        self.run_worker(self._read_draft, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        """What was not sent is kept."""
        if self._kept_later is not None and self._desk is not None:
            self._keeper.finish(self._desk, self._draft)

    # --- what is shown ---

    def show_messages(self) -> None:
        """What waits for the agent, and what it was given just now."""
        run = self.spoken_to
        if run is None or not self.is_attached:
            return
        rows = [row for row in message_rows(run, now=self.workbench.place.clock.now()) if row.given_s <= GIVEN_SHOWN_S]
        self.speaking.show_rows(rows)
        is_heard = not steering.why_deaf(run)
        self.speaking.display = bool(rows) or is_heard
        self.speaking.show_line(shown=is_heard or bool(self.speaking.text))
        self._show_when()
        is_aging = any(row.given_s >= 0 for row in rows)
        if is_aging and self._ticking is None:
            self._ticking = self.set_interval(TICK_S, self.show_messages)
        elif not is_aging and self._ticking is not None:
            self._ticking.stop()
            self._ticking = None

    def _show_when(self) -> None:
        run, words = self.spoken_to, ""
        if self.is_writing and run is not None:
            about = f"changes {self.speaking.editing}; " if self.speaking.editing else ""
            words = f"{about}given {when_given(run, self.speaking.mode)}"
        self.speaking.show_when(words)

    def show_footer(self) -> None:
        """While somebody writes, the keys of the line."""
        if not self.is_writing:
            super().show_footer()
            return
        parts = [Part(line(piece(key, "accent"), " ", piece(words))) for key, words in KEYS]
        self.query_one("#footer", Bar).show(parts)

    def on_descendant_focus(self) -> None:
        """The line says more while keys go to it."""
        self._show_when()
        self.show_footer()

    on_descendant_blur = on_descendant_focus

    # --- writing ---

    def off_steer(self) -> str:
        """Somebody must be there to hear it."""
        run = self.spoken_to
        return "the run is being read" if run is None else steering.why_deaf(run)

    def act_steer(self) -> None:
        """Let keys go to the line."""
        self.speaking.write()

    def off_confirm(self) -> str:
        """Only what is written can be sent."""
        return "" if self.is_writing else "nothing is written here; i writes to the agent"

    def act_confirm(self) -> None:
        """Send, as Enter does."""
        self.speaking.send()

    def act_go_back(self) -> None:
        """Out of the line first; what is written there stays."""
        if not self.is_writing and not self.speaking.messages.has_focus:
            super().act_go_back()
            return
        if self.is_writing and self.speaking.editing:
            self.speaking.done()
        self.query_one(self.main).focus()

    def on_speaking_wanted(self, message: Speaking.Wanted) -> None:
        """Have it said, or changed."""
        if not message.text.strip():
            self.tell("there are no words to send yet; Esc leaves", "needs-you")
        elif self._is_sending:
            self.tell("it is being sent", "dim")
        elif reason := self.off_steer():
            self.tell(reason, "needs-you")
        else:
            self._is_sending = True
            self._send(message)

    def _send(self, wanted: Speaking.Wanted) -> None:
        run, text, mode, editing = self._run_id, wanted.text, wanted.mode, wanted.editing
        if editing:
            self.workbench.carry_out(
                lambda place: steering.reword(place, run, editing, text=text, mode=mode),
                lambda _: self._sent(f"{editing} was changed"),
            )
        else:
            self.workbench.carry_out(
                lambda place: steering.say(place, run, mode=mode, text=text),
                lambda said: self._sent(_told(*said)),
            )

    def _sent(self, words: str) -> None:
        self._is_sending = False
        if self.is_attached:
            self.speaking.done()
            self._keep_draft()
            self.tell(words, "accent")

    def tell_problem(self, problem: WorkbenchError) -> None:
        """Nothing that was written is lost; an edit that came too late is a new message from here on."""
        if self._is_sending:
            self._is_sending = False
            if self.speaking.editing:
                self.speaking.keep_as_draft()
        super().tell_problem(problem)

    # --- messages that wait ---

    @property
    def _waiting(self) -> MessageRow | None:
        """The message under the cursor of the rows, if it waits."""
        rows = self.speaking.messages
        row = rows.row if rows.has_focus else None
        return row if row is not None and row.state == "waiting" else None

    def edit_message(self) -> None:
        """Change the message under the cursor."""
        row = self._waiting
        if row is None:
            self.tell("the agent was given it already: say something else with i", "needs-you")
        else:
            self.speaking.edit(row)

    def off_undo_last(self) -> str:
        """Only words that the agent was not given yet can be taken back."""
        return "" if self._last_waiting else "no message waits for the agent"

    @property
    def _last_waiting(self) -> str:
        run = self.spoken_to
        row = self._waiting
        names = [row.id] if row is not None else [each.id for each in run.messages if not each.given_at] if run else []
        return names[-1] if names else ""

    def act_undo_last(self) -> None:
        """Take back the message under the cursor, else the newest; its words come back to an empty line."""
        name, run = self._last_waiting, self.spoken_to
        assert run is not None  # there is a message of it
        (message,) = (each for each in run.messages if each.id == name)
        self.workbench.carry_out(
            lambda place: steering.unsay(place, self._run_id, name), lambda _: self._taken_back(message)
        )

    def _taken_back(self, message: Message) -> None:
        if not self.is_attached:
            return
        if not self.speaking.text.strip():
            self.speaking.put(message.text, message.mode)
        if self.speaking.messages.has_focus:
            self.query_one(self.main).focus()
        self.tell(f"{message.id} was taken back; the agent was never given it", "accent")

    # --- drafts ---

    def _written(self) -> Draft:
        """As a draft; while an old message is edited, what was being written before."""
        text = self.speaking.draft
        return Draft(question=f"run/{self._run_id}", option=self.speaking.mode if text.strip() else "", reason=text)

    def _read_draft(self) -> None:
        """In a thread."""
        desk = desk_of(self.workbench.place)
        found = desk.draft(f"run/{self._run_id}")
        self.app.call_from_thread(self._take_up, desk, found)

    def _take_up(self, desk: Desk, draft: Draft | None) -> None:
        """Go on with what was written before, unless a person was quicker."""
        self._desk = desk
        if draft is not None and self.is_attached and not self.speaking.text:
            self.speaking.put(draft.reason, draft.option)
            self.tell("what you wrote to the agent before was not sent; i goes on with it", "accent")

    def on_speaking_changed(self) -> None:
        """Keep it soon."""
        self._draft = self._written()
        self._show_when()
        if self._kept_later is not None:
            self._kept_later.stop()
        self._kept_later = self.set_timer(DRAFT_S, self._keep_draft)

    def _keep_draft(self) -> None:
        if self._kept_later is not None:
            self._kept_later.stop()
            self._kept_later = None
        self._draft = self._written()
        if self._desk is not None:
            self._keeper.keep(self._desk, self._draft)


def _told(run: RunState, message: Message) -> str:
    return f"{message.id}: given {when_given(run, message.mode)}"
