"""Stopping asks in words first, and wants the name typed: it cannot be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.widget import Widget
from textual.widgets import Input

from workbench.ace.tui.prose import Prose, blank, paragraph
from workbench.ace.tui.screens.dialog import Dialog
from workbench.ace.tui.widgets.lines import LinesView


class StopDialog(Dialog):
    """Gives the reason, which may be empty, once the name was typed; None when the person left."""

    main: ClassVar[str] = "#name"
    title_words = "STOP FOR GOOD"
    DEFAULT_CSS = """
    StopDialog LinesView { height: auto; max-height: 12; background: $surface; }
    StopDialog Input { height: 1; border: none; background: $background; margin: 0 0 1 0; padding: 0 1; }
    StopDialog Input:focus { border: none; }
    """

    def __init__(self, name: str, *, what: str) -> None:
        super().__init__()
        self._thing, self._what = name, what

    def body(self) -> Iterator[Widget]:
        """What it means, and the fields."""
        yield LinesView(id="what")
        yield Input(placeholder="its name, to confirm", id="name", compact=True)
        yield Input(placeholder="why (may stay empty)", id="why", compact=True)

    def on_mount(self) -> None:
        """Say what will happen."""
        words = [
            paragraph(self._what),
            paragraph("Commits and packs stay; open questions are withdrawn. It cannot be taken back."),
            blank(),
            paragraph(f"Type {self._thing} and press Enter; Esc leaves everything as it is.", "strong"),
        ]  # fmt: skip
        view = self.query_one("#what", LinesView)
        view.show(Prose(words))
        view.styles.height = sum(len(list(block.lay(self._cells()))) for block in words)

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Enter sends."""
        self.act_confirm()

    def act_confirm(self) -> None:
        """Stop, if the name is right."""
        if self.query_one("#name", Input).value.strip() != self._thing:
            self.tell(f"that is not {self._thing}: nothing was stopped", "needs-you")
            self.query_one("#name", Input).focus()
            return
        self.dismiss(self.query_one("#why", Input).value.strip())

    def _cells(self) -> int:
        return max(20, min(72, int(self.app.size.width * 0.94) - 4))

    def act_go_back(self) -> None:
        """Leave."""
        self.dismiss(None)
