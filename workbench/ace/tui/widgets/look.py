"""The palette of the application that a widget lives in."""

from __future__ import annotations

from typing import Protocol, cast

from textual.widget import Widget

from workbench.ace.tui.palette import Palette


class _HasPalette(Protocol):
    @property
    def palette(self) -> Palette: ...


def look_of(widget: Widget) -> Palette:
    """The styles of the theme in force."""
    return cast(_HasPalette, widget.app).palette
