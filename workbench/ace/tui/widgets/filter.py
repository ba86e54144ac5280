"""The line in which a person types what a list is filtered by; it knows no list."""

from __future__ import annotations

from textual.message import Message
from textual.widgets import Input


class FilterLine(Input):
    """Hidden until asked for; `Enter` keeps the filter and gives the keys back, `Esc` takes it away."""

    DEFAULT_CSS = """
    FilterLine { display: none; height: 1; border: none; padding: 0 1; background: $surface; }
    FilterLine:focus { border: none; }
    FilterLine.-open { display: block; }
    """

    class Filtered(Message):
        """The words to filter by now."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Left(Message):
        """The keys belong to the list again."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(placeholder="filter: words that a line must contain", id=id, compact=True)

    def open(self) -> None:
        """Show it, and take the keys."""
        self.add_class("-open")
        self.focus()

    def close(self) -> None:
        """Take the filter away."""
        self.value = ""
        self._leave()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        event.stop()
        self.post_message(self.Filtered(self.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self._leave()

    def _leave(self) -> None:
        self.set_class(bool(self.value), "-open")
        self.post_message(self.Left())
