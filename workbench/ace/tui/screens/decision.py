"""The dialogs in which a pack is approved, sent back or rejected: what it means in words, then the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual import events
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from workbench.ace.tui.bridge import View
from workbench.ace.tui.decisiondrafts import Typed
from workbench.ace.tui.prose import Block, Prose, blank, paragraph
from workbench.ace.tui.screens.dialog import Dialog
from workbench.ace.tui.standing import meanwhile
from workbench.ace.tui.text import Role
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.tui.words import count
from workbench.ace.wiring.reviewing import decide_on_pack
from workbench.core.state import PackState
from workbench.model.errors import WorkbenchError
from workbench.model.text import one_line, visible

NAMED = 6  # of things that are listed; more are counted
OVERRIDE_WORD = "override"
KEEP_S = 0.3  # after the last key, before what was typed is written


class DecisionDialog(Dialog):
    """One decision on one pack. Nothing is closed or lost before it is in the journal."""

    DEFAULT_CSS = """
    DecisionDialog > Vertical { overflow-y: auto; scrollbar-size-vertical: 0; }
    DecisionDialog StillLines { background: $surface; }
    DecisionDialog #says { max-height: 44vh; }
    DecisionDialog Input { border: none; height: 1; padding: 0 1; background: $panel; }
    DecisionDialog TextArea { border: none; height: 5; padding: 0 1; background: $panel; }
    DecisionDialog #problem { display: none; }
    DecisionDialog #problem.-something { display: block; }
    """
    decision: ClassVar[str] = ""
    main = "#why"

    def __init__(self, pack: PackState, typed: Typed, decided: Callable[[PackState], None]) -> None:
        super().__init__()
        self.pack, self._typed, self._decided = pack, typed, decided
        self._newest = pack
        self._sending = False
        self._timer: Timer | None = None  # until what was typed is kept

    # --- to be filled in ---

    def says(self) -> list[Block]:
        """What is said before the reason is asked for."""
        return []

    def fields(self) -> Iterator[Widget]:
        """Fields after the reason."""
        yield from ()

    def missing(self) -> str:
        """What is not filled in yet, besides the reason."""
        return ""

    # --- the dialog ---

    def body(self) -> Iterator[Widget]:
        """Words, the reason, further fields, and what went wrong."""
        yield StillLines(id="says")
        yield from _asked("Why? It is kept with the decision.")
        yield _Words(self._typed.get("why"), id="why", placeholder="the reason")
        yield from self.fields()
        yield StillLines(id="problem")

    def on_mount(self) -> None:
        """Say what it means."""
        super().on_mount()
        self.query_one("#says", StillLines).show(Prose(self.says()))
        for label in self.query(_Label):
            label.show(Prose([paragraph(label.words, "title")]))
        if self._typed.get("why") or self._typed.get("changes"):
            self.tell("this is what you wrote before; it was not sent", "dim")

    def on_unmount(self) -> None:
        """What was not sent is kept."""
        self._typed.finish()

    def views(self) -> dict[str, View]:
        """The pack, for others may decide on it meanwhile."""
        name = self.pack.id
        return {"pack": lambda moment: moment.mirror.packs.get(name)}

    def arrived(self, name: str, value: PackState | None) -> None:  # noqa: ARG002 - there is one view
        """The pack as it stands: what somebody else decided is said, and nothing is sent before it could be read."""
        self._newest = value or self._newest
        if self._take_newest():
            self.settle()
            self.complain(meanwhile(self.pack))

    def _take_newest(self) -> bool:
        """Go by the pack as it stands, unless this person's own decision is on its way; whether others decided."""
        if self._sending or len(self._newest.decisions) <= len(self.pack.decisions):
            return False
        self.pack = self._newest
        return True

    @property
    def pane(self) -> LinesView:
        """Up and down move the words, also while one types."""
        return self.query_one("#says", LinesView)

    def typed(self, field: str) -> str:
        """What stands in a field."""
        widget = self.query_one(f"#{field}")
        return widget.text if isinstance(widget, TextArea) else widget.value if isinstance(widget, Input) else ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed."""
        self._put(str(event.input.id), event.value)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Keep what is typed."""
        self._put(str(event.text_area.id), event.text_area.text)

    def _put(self, field: str, text: str) -> None:
        self._typed.put(field, text)
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(KEEP_S, self._typed.keep)

    def on_input_submitted(self) -> None:
        """`Enter` goes to the next field, and sends from the last one."""
        fields = [widget for widget in self.query("Input, TextArea") if widget.can_focus]
        at = fields.index(self.focused) if self.focused in fields else len(fields) - 1
        if at + 1 < len(fields):
            fields[at + 1].focus()
        else:
            self.perform_id("confirm")

    def _go_to_empty(self) -> None:
        """Put the cursor where something is still to be written."""
        fields = (widget for widget in self.query("Input, TextArea") if widget.can_focus)
        empty = next((widget for widget in fields if not self.typed(str(widget.id)).strip()), None)
        if empty is not None:
            empty.focus()

    def act_confirm(self) -> None:
        """Decide."""
        why = self.typed("why").strip()
        wrong = "say why" if not why else self.missing()
        if wrong:
            self.complain(wrong)
            self._go_to_empty()
        elif not self._sending:
            self._sending = True
            self.complain("")
            self.send(why)

    def send(self, why: str) -> None:
        """Put it into the journal."""
        name, decision = self.pack.id, self.decision
        changes, override, seen = self.required_changes(), self.overrides(), len(self.pack.decisions)
        self.workbench.carry_out(
            lambda place: decide_on_pack(
                place, name, decision=decision, why=why, changes=changes, override=override, seen=seen
            ),
            self._sent,
        )

    def required_changes(self) -> tuple[str, ...]:
        """What must be changed."""
        return ()

    def overrides(self) -> bool:
        """Whether a verdict of not-ready is overridden."""
        return False

    def complain(self, words: str, role: Role = "needs-you") -> None:
        """Say what is wrong, whole."""
        place = self.query_one("#problem", StillLines)
        place.set_class(bool(words), "-something")
        place.show(Prose([paragraph(words, role)] if words else []))

    def tell_problem(self, problem: WorkbenchError) -> None:
        """It was not decided: everything typed stays."""
        self._sending = False
        self._take_newest()
        self.complain(problem.in_line, "failed")

    def _sent(self, pack: PackState) -> None:
        self._typed.clear()
        self.dismiss(None)
        self._decided(pack)


class ApproveDialog(DecisionDialog):
    """Approve: first what nobody read and nothing checked."""

    title_words = "APPROVE"
    decision = "approve"

    def __init__(
        self,
        pack: PackState,
        typed: Typed,
        decided: Callable[[PackState], None],
        *,
        unread: list[str],
        files: int,
        not_checked: tuple[str, ...],
        moved: bool,
    ) -> None:
        super().__init__(pack, typed, decided)
        self._unread, self._files, self._not_checked, self._moved = unread, files, not_checked, moved

    def says(self) -> list[Block]:
        """What was not read, not checked, and does not hold any more."""
        blocks = [paragraph(f"{self.pack.id}  {self.pack.title}", "strong")]
        if self._moved:
            blocks.append(
                paragraph("Its base moved: it cannot be merged until its evidence is renewed (x).", "needs-you")
            )
        if self.pack.verdict == "not-ready":
            blocks.append(paragraph(f"NOT READY: {self.pack.headline or 'see its reasons (w)'}", "failed"))
        if self._unread:
            head = f"{len(self._unread)} of {count(self._files, 'file')} not marked as read: "
            blocks.append(paragraph(f"{head}{_named(self._unread, ', ')}", "needs-you"))
        else:
            blocks.append(paragraph(f"All {count(self._files, 'file')} read.", "dim"))
        if self._not_checked:
            blocks.append(paragraph(f"Not checked by anything: {_named(self._not_checked, '; ')}", "needs-you"))
        return [*blocks, blank()]

    def fields(self) -> Iterator[Widget]:
        """A pack that is not ready takes a word typed."""
        if self.pack.verdict == "not-ready":
            yield from _asked(f"It is not ready. Type {OVERRIDE_WORD} to approve in spite of it; it is recorded.")
            yield _Words(id="override")

    def missing(self) -> str:
        """The word, where it is asked for."""
        needed = self.pack.verdict == "not-ready" and self.typed("override").strip() != OVERRIDE_WORD
        return f"type the word {OVERRIDE_WORD}, or Esc" if needed else ""

    def overrides(self) -> bool:
        """Whether the word was asked for and typed."""
        return self.pack.verdict == "not-ready"


class ChangesDialog(DecisionDialog):
    """Send it back to the agent."""

    title_words = "REQUEST CHANGES"
    decision = "request-changes"

    def says(self) -> list[Block]:
        """What it means."""
        return [
            paragraph(f"{self.pack.id}  {self.pack.title}", "strong"),
            paragraph("The same run goes on from your words, and hands in the next revision.", "dim"),
            blank(),
        ]

    def fields(self) -> Iterator[Widget]:
        """The changes."""
        yield from _asked("What must change? One a line; may be empty. Ctrl+S sends.")
        yield _Lines(self._typed.get("changes"), id="changes")

    def required_changes(self) -> tuple[str, ...]:
        """The lines that say something."""
        return tuple(text.strip() for text in self.typed("changes").splitlines() if text.strip())


class RejectDialog(DecisionDialog):
    """Reject it for good."""

    title_words = "REJECT"
    decision = "reject"

    def says(self) -> list[Block]:
        """What it means."""
        return [
            paragraph(f"{self.pack.id}  {self.pack.title}", "strong"),
            paragraph("Its run ends for good. Its commits stay, but nothing of it is merged.", "needs-you"),
            blank(),
        ]

    def fields(self) -> Iterator[Widget]:
        """The name."""
        yield from _asked(f"Type {self.pack.run} to reject it.")
        yield _Words(id="name")

    def missing(self) -> str:
        """The name."""
        return "" if self.typed("name").strip() in (self.pack.run, self.pack.id) else f"type {self.pack.run}, or Esc"


class _Lines(TextArea):
    """A field of several lines; it leaves these keys to the dialog."""

    KEYS_LEFT = ("escape", "ctrl+s", "tab", "shift+tab")

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert(visible(event.text.replace("\r\n", "\n").replace("\r", "\n")))


class _Words(Input):
    """A field of one line. What is hidden in pasted words is shown, so that nobody sends what they never saw."""

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(one_line(event.text.replace("\r", "\n")))  # a terminal pastes line ends as these


class _Label(StillLines):
    """Words above a field."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


def _asked(words: str) -> Iterator[Widget]:
    yield _Label(words)


def _named(texts: Sequence[str], between: str) -> str:
    rest = len(texts) - NAMED
    return between.join((*texts[:NAMED], *([f"and {rest} more"] if rest > 0 else [])))
