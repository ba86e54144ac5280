"""What do you have to say? A comment on lines, on a thing, or on a whole pack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from textual.widget import Widget
from textual.widgets import TextArea

from workbench.ace.tui.decisiondrafts import Typed
from workbench.ace.tui.prose import Prose, paragraph
from workbench.ace.tui.screens.dialog import Dialog
from workbench.ace.tui.widgets.field import Field
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.wiring import commenting
from workbench.ace.wiring.attending import desk_of
from workbench.ace.wiring.workplace import Workplace
from workbench.core.comments import Placed
from workbench.core.decide.comment import place_of
from workbench.model.errors import WorkbenchError

QUOTED = 4  # lines that are shown above the field


class CommentDialog(Dialog):
    """One comment; what was typed and not sent is there again the next time."""

    title_words = "COMMENT"
    main = "#comment"
    DEFAULT_CSS = """
    CommentDialog StillLines { background: $surface; margin: 0 0 1 0; }
    CommentDialog Field { min-height: 3; max-height: 12; }
    """

    def __init__(
        self,
        pack: str,
        target: Mapping[str, Any],
        quoted: Sequence[str],
        sent: Callable[[Placed], None],
        *,
        also: str = "",
    ) -> None:
        super().__init__()
        self._pack, self._target, self._quoted, self._sent, self._also = pack, target, quoted, sent, also
        self._where = place_of(target)
        self._is_sending = False
        about = f"{pack} comment {target.get('side', '')} {self._where} {also}".rstrip()
        self._typed = Typed(about, lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))
        self._about = about

    def body(self) -> Iterator[Widget]:
        """What it is on, and the words."""
        yield StillLines(id="says")
        yield Field("it goes to the agent with your next request for changes; Ctrl+S keeps it", id="comment")

    def on_mount(self) -> None:
        """Say what it is on; go on with what was written before."""
        about = self._where or f"the whole of {self._pack}"
        about += f", and of {self._also}" if self._also else ""
        quoted = [paragraph(text, "dim") for text in self._quoted[:QUOTED]]
        self.query_one("#says", StillLines).show(Prose([paragraph(about, "strong"), *quoted]))
        about_draft = self._about
        self.workbench.carry_out(lambda place: (desk_of(place), desk_of(place).draft(about_draft)), self._take_up)

    def _take_up(self, found: tuple[Any, Any]) -> None:
        self._typed.take(*found)
        field = self.query_one(Field)
        if self._typed.get("why") and not field.text:
            field.put(self._typed.get("why"))

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        """Keep what is typed."""
        message.stop()
        self._typed.put("why", message.text_area.text)
        self._typed.keep()

    def off_confirm(self) -> str:
        """Words are needed."""
        if self._is_sending:
            return "it is being recorded"
        return "" if self._typed.get("why").strip() else "say something first"

    def act_confirm(self) -> None:
        """Record it."""
        self._is_sending = True
        pack, target, text, also = self._pack, self._target, self._typed.get("why"), self._also
        self.workbench.carry_out(lambda place: _make(place, pack, target, text, also), self._made)

    def _made(self, made: Placed) -> None:
        self._typed.clear()
        self.dismiss(None)
        self._sent(made)

    def tell_problem(self, problem: WorkbenchError) -> None:
        """It was not recorded; what was written stays."""
        self._is_sending = False
        super().tell_problem(problem)


def _make(place: Workplace, pack: str, target: Mapping[str, Any], text: str, also: str) -> Placed:
    if target.get("kind") == "lines":
        where = f"{target['path']}:{target['first']}-{target['last']}"
        return commenting.add(place, pack, where, text, old=target.get("side") == "old", also=also)
    if also:
        return commenting.make_on_both(place, (pack, also), target, text)
    return commenting.make(place, pack, target, text)
