"""Lines that are as high as what they say, take no keys and do not scroll: facts above panes, words in a dialog."""

from __future__ import annotations

from textual.geometry import Size

from workbench.ace.tui.widgets.lines import LinesView, Source


class StillLines(LinesView, can_focus=False):
    """Shows a `Source` whole."""

    DEFAULT_CSS = "StillLines { height: auto; max-height: 60%; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - of a Widget
        """As many lines as it has at that width."""
        return len(self._source.laid(width)) if width else 0

    def show(self, source: Source, *, keep_place: bool = True) -> None:
        """Show something else, and be as high as that."""
        before = len(self._lines)
        super().show(source, keep_place=keep_place)
        if len(self._lines) != before or not before:
            self.refresh(layout=True)
