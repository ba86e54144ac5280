"""A field for words of a person: several lines, wrapped, growing as they are written."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.widgets import TextArea

from workbench.model.text import visible


class Field(TextArea):
    """Enter begins another line. Pasted hidden characters are shown, so that nobody sends what they never saw."""

    KEYS_LEFT: ClassVar[tuple[str, ...]] = ("escape", "ctrl+s", "tab", "shift+tab")  # which actions still have
    DEFAULT_CSS = """
    Field { height: auto; min-height: 1; max-height: 6; border: none; padding: 0 1; background: $panel; }
    Field:focus { border: none; }
    Field .text-area--placeholder { color: $faint; }
    """

    def __init__(self, hint: str, *, id: str) -> None:
        super().__init__(
            id=id, placeholder=hint, compact=True, highlight_cursor_line=False, tab_behavior="focus", soft_wrap=True
        )

    async def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert(visible(event.text.replace("\r\n", "\n").replace("\r", "\n")))

    def put(self, text: str) -> None:
        """Show a text that was kept, with the cursor at its end."""
        self.load_text(visible(text))
        self.move_cursor(self.document.end)
