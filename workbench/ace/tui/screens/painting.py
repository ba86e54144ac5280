"""When a screen of ours is painted: at once if it was not painted within a frame, else with the next one.

Textual paints on the grid of a timer, on which a key can wait for two frames. It knows no widget.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, cast

from textual import events
from textual.timer import Timer

from workbench.ace.tui.frame import Frame

if TYPE_CHECKING:
    from workbench.ace.tui.app import WorkbenchApp

FRAMES = 60  # a second, unless the person's `screens.fps` says otherwise


class Painting(Frame):
    """Part of every screen."""

    def __init__(self) -> None:
        super().__init__()
        self._painted_at = time.monotonic()
        self._painter: Timer | None = None

    @property
    def workbench(self) -> WorkbenchApp:
        """The application."""
        return cast("WorkbenchApp", self.app)

    @property
    def _frame_s(self) -> float:
        return 1 / (self.workbench.chosen.screens.fps or FRAMES)

    @property
    def _update_timer(self) -> Timer:
        """What paints when something was painted a moment ago."""
        if self._painter is None:
            self._painter = self.set_interval(self._frame_s, self._on_timer_update, name="screen_update", pause=True)
        return self._painter

    def _on_timer_update(self) -> None:
        self._painted_at = time.monotonic()
        super()._on_timer_update()
        self.workbench.was_painted()

    async def _on_idle(self, _: events.Idle) -> None:
        """Called before Textual's own, which asks its timer to paint what is not painted here."""
        if self._is_due and time.monotonic() - self._painted_at >= self._frame_s:
            self._on_timer_update()

    @property
    def _is_due(self) -> bool:
        if self.app._batch_count or not self.is_current:
            return False
        return bool(self._layout_required or self._scroll_required or self._repaint_required or self._dirty_widgets)
