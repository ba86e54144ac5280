"""A review session in the screens: the next thing to decide, how long it was looked at, and the summary at the end."""

from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING, NamedTuple

from workbench.ace.tui import routes
from workbench.ace.wiring import sessions
from workbench.ace.wiring.workplace import Workplace
from workbench.core.review import DECIDED, OPEN, SessionView, summary

if TYPE_CHECKING:
    from workbench.ace.tui.app import WorkbenchApp


CELLS = 70  # of a line of the summary


class Looking(NamedTuple):
    """What is in front of a person, and since when, in seconds of the monotonic clock."""

    session: str
    item: str
    since: float


class Pass:
    """One person's way through the session that is open in this repository; anybody's will do."""

    def __init__(self, app: WorkbenchApp) -> None:
        self._app = app
        self._looking: Looking | None = None

    def go_on(self) -> None:
        """Leave what is in front, and open what comes next."""
        looking, self._looking = self._looking, None
        self._app.carry_out(lambda place: _gone_on(place, looking), self._open)

    def _open(self, shown: SessionView) -> None:
        kinds = {item.id: item.kind for item in shown.items}
        if not shown.next:
            told = "everything is decided" if shown.items else "nothing is to decide"
            lines = [
                part for text in summary(shown) for part in textwrap.wrap(text, CELLS, subsequent_indent="  ") or [""]
            ]
            routes.show_lines(self._app, f"REVIEW SESSION {shown.id}", lines)
            self._tell(f"{told}: the session is over")
            return
        self._looking = Looking(shown.id, shown.next, time.monotonic())
        routes.go(self._app, routes.HOME)
        routes.open_thing(self._app, kinds[shown.next], shown.next)
        done = sum(item.state != OPEN for item in shown.items)
        decided = sum(item.state == DECIDED for item in shown.items)
        self._tell(f"review session: {done + 1} of {len(shown.items)}, {decided} decided; g r goes on")

    def _tell(self, words: str) -> None:
        """On the screen that was opened just now, once it is there."""
        screen = self._app.work_screen
        if screen is not None:
            screen.call_after_refresh(screen.tell, words, "accent")


def _gone_on(place: Workplace, looking: Looking | None) -> SessionView:
    if looking is not None:
        seconds = int(time.monotonic() - looking.since)
        known = sessions.looked(place, looking.session, looking.item, seconds)
        if any(item.id == looking.item and item.state == OPEN for item in known.items):
            sessions.looked(place, looking.session, looking.item, 0, skipped=True)
    shown = sessions.begin(place)
    return shown if shown.next else sessions.end(place, shown.id)
