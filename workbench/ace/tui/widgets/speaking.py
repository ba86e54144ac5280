"""The line in which a person speaks to an agent, its mode spelt out, and above it what was said and waits.

It knows no run and no journal: it takes rows, and tells what a person wants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import TextArea

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Piece, line, piece
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.field import Field
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.words import lasting
from workbench.core.messages import MODES
from workbench.core.views.messages import MessageRow

MOST_ROWS = 5  # on screen at once
STATE_CELLS, NUMBER_CELLS, BY_CELLS = 15, 4, 16
NEW_LINE = "ctrl+j"  # what a terminal sends for Ctrl+Enter, if it tells it from Enter at all


class SayField(Field):
    """Enter sends, Tab changes the mode; a paste of many lines stays one message."""

    KEYS_LEFT: ClassVar[tuple[str, ...]] = ("escape", "ctrl+s")

    class Sent(Message):
        """Enter was pressed."""

    class Turned(Message):
        """Tab was pressed: `by` 1, or with Shift -1."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    async def _on_key(self, event: events.Key) -> None:
        wanted: dict[str, Message] = {"enter": self.Sent(), "tab": self.Turned(1), "shift+tab": self.Turned(-1)}
        if event.key in wanted:
            event.stop()
            event.prevent_default()
            self.post_message(wanted[event.key])
        elif event.key == NEW_LINE:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        else:
            await super()._on_key(event)


class Speaking(Vertical):
    """Rows of messages, then the line. `mode` is spelt out; `editing` is the id of the message that is changed."""

    DEFAULT_CSS = """
    Speaking { height: auto; max-height: 60%; border-top: $pane-line $surface; }
    Speaking #messages { display: none; }
    Speaking #messages.-something { display: block; }
    Speaking Horizontal { height: auto; }
    Speaking #mode { width: 28; }
    Speaking #when { display: none; background: $surface; }
    Speaking #when.-something { display: block; }
    """

    class Changed(Message):
        """The words or the mode are others."""

    class Wanted(Message):
        """A person wants these words said, or the message `editing` changed to them."""

        def __init__(self, text: str, mode: str, editing: str) -> None:
            super().__init__()
            self.text, self.mode, self.editing = text, mode, editing

    def __init__(self, glyphs: Callable[[], Glyphset], *, id: str) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self.mode: str = MODES[0]
        self.editing = ""
        self._before = ""  # the draft that an edit stands in for
        self._rows: tuple[MessageRow, ...] = ()

    def compose(self) -> ComposeResult:
        """Rows, the line, and when the words will be heard."""
        empty: Sheet[MessageRow] = Sheet((), key=lambda row: row.id)
        yield RowsView(empty, painter(self._columns()), text=lambda row: f"{row.mode} {row.text}", id="messages")
        with Horizontal(id="line"):
            yield Bar(id="mode")
            yield SayField("i writes to the agent", id="words")
        yield Bar(id="when")

    def on_mount(self) -> None:
        """Spell the mode out."""
        self._show_mode()

    # --- what is shown ---

    @property
    def messages(self) -> RowsView[MessageRow]:
        """The rows."""
        return self.query_one("#messages", RowsView)

    @property
    def field(self) -> SayField:
        """Where words are written."""
        return self.query_one("#words", SayField)

    @property
    def text(self) -> str:
        """The words as they stand."""
        return self.field.text

    def show_rows(self, rows: Sequence[MessageRow]) -> None:
        """What was said to the agent."""
        if tuple(rows) == self._rows:
            return
        self._rows = tuple(rows)
        self.messages.take(Sheet(self._rows, key=lambda row: row.id))
        self.messages.let_in()
        self.messages.set_class(bool(rows), "-something")
        self.messages.styles.height = min(MOST_ROWS, len(rows))

    def show_line(self, *, shown: bool) -> None:
        """The line is there only where somebody hears."""
        self.query_one("#line", Horizontal).display = shown

    def show_when(self, words: str) -> None:
        """When the words will be heard; nothing while nobody writes."""
        bar = self.query_one("#when", Bar)
        bar.set_class(bool(words), "-something")
        bar.show([Part(line(piece(words, "dim")))])

    @property
    def draft(self) -> str:
        """The words of a message that was not sent: of an edit, those that it stands in for."""
        return self._before if self.editing else self.text

    # --- writing ---

    def write(self) -> None:
        """Let keys go to the line."""
        self.field.focus()

    def put(self, text: str, mode: str) -> None:
        """Go on with what was written before."""
        self.set_mode(mode)
        self.field.put(text)

    def edit(self, row: MessageRow) -> None:
        """Change a message that waits; what was being written comes back afterwards."""
        if not self.editing:
            self._before = self.text
        self.editing = row.id
        self.put(row.text, row.mode)
        self.write()

    def done(self) -> None:
        """It was sent, or an edit was given up."""
        before, self._before = (self._before, "") if self.editing else ("", "")
        self.editing = ""
        self.field.put(before)
        self._show_mode()

    def keep_as_draft(self) -> None:
        """What was edited cannot be changed any more: its words stay, as words of a new message."""
        self.editing, self._before = "", ""
        self._show_mode()

    def set_mode(self, mode: str) -> None:
        """Another mode."""
        self.mode = mode if mode in MODES else MODES[0]
        self._show_mode()
        self.post_message(self.Changed())

    def on_say_field_turned(self, message: SayField.Turned) -> None:
        """The next mode, or the one before."""
        message.stop()
        self.set_mode(MODES[(MODES.index(self.mode) + message.by) % len(MODES)])

    def on_say_field_sent(self, message: SayField.Sent) -> None:
        """Send."""
        message.stop()
        self.send()

    def send(self) -> None:
        """Tell what is wanted."""
        self.post_message(self.Wanted(self.text, self.mode, self.editing))

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """The mouse chose a mode."""
        message.stop()
        self.set_mode(message.action)
        self.write()

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Something was typed."""
        message.stop()
        self.post_message(self.Changed())

    def _show_mode(self) -> None:
        parts = [Part(line(self._mode(mode)), action=mode) for mode in MODES]
        self.query_one("#mode", Bar).show(parts)

    def _mode(self, mode: str) -> Piece:
        if mode != self.mode:
            return piece(mode, "dim")
        return piece(f"[{mode}]", "needs-you" if mode == "interrupt" else "accent")

    # --- rows ---

    def _columns(self) -> tuple[Column[MessageRow], ...]:
        return (
            Column[MessageRow](self._state, STATE_CELLS),
            Column[MessageRow](lambda row: piece(row.mode, "dim"), max(map(len, MODES))),
            Column[MessageRow](lambda row: piece(_number(row), "dim"), NUMBER_CELLS, spare=2),
            Column[MessageRow](lambda row: piece(row.text, "dim" if row.given_s >= 0 else "plain"), 0, least=40),
            Column[MessageRow](lambda row: piece(row.author, "dim"), BY_CELLS, spare=1),
        )

    def _state(self, row: MessageRow) -> Line:
        words = f"given {lasting(row.given_s)} ago" if row.given_s >= 0 else row.state
        sign = self._glyphs().sign(row.state)
        return line(sign, piece(f" {words}", sign.role))


def _number(row: MessageRow) -> str:
    return f"#{row.id.rpartition('-')[2]}"
