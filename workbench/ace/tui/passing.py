"""A review session in the screens: the next thing to decide, how long it was looked at, and the summary at the end."""

from __future__ import annotations

import textwrap
import time
from typing import TYPE_CHECKING

from workbench.ace.tui import routes
from workbench.ace.wiring import sessions
from workbench.ace.wiring.workplace import Workplace
from workbench.core.review import DECIDED, OPEN, SessionView, summary

if TYPE_CHECKING:
    from workbench.ace.tui.app import WorkbenchApp


CELLS = 70  # of a line of the summary


def go_on(app: WorkbenchApp) -> None:
    """Leave what is in front, and open what comes next in the session; anybody's that is open will do."""
    looking, app.looking = app.looking, None
    app.carry_out(lambda place: _gone_on(place, looking), lambda shown: _open(app, shown))


def _open(app: WorkbenchApp, shown: SessionView) -> None:
    kinds = {item.id: item.kind for item in shown.items}
    if not shown.next:
        told = "everything is decided" if shown.items else "nothing is to decide"
        told_in_full = map(_shown, list(summary(shown))[2:])  # its first head is the title
        lines = [part for text in told_in_full for part in textwrap.wrap(text, CELLS, subsequent_indent="  ") or [""]]
        routes.show_lines(app, f"REVIEW SESSION {shown.id}", lines)
        _tell(app, f"{told}: the session is over")
        return
    app.looking = (shown.id, shown.next, time.monotonic())
    routes.go(app, routes.HOME)
    routes.open_thing(app, kinds[shown.next], shown.next)
    done = sum(item.state != OPEN for item in shown.items)
    decided = sum(item.state == DECIDED for item in shown.items)
    _tell(app, f"review session: {done + 1} of {len(shown.items)}, {decided} decided; g r goes on")


def _shown(text: str) -> str:
    """A line of Markdown as screens have it: a head in capitals."""
    return text.removeprefix("## ").upper() if text.startswith("## ") else text


def _tell(app: WorkbenchApp, words: str) -> None:
    """On the screen that was opened just now, once it is there."""
    screen = app.work_screen
    if screen is not None:
        screen.call_after_refresh(screen.tell, words, "accent")


def _gone_on(place: Workplace, looking: tuple[str, str, float] | None) -> SessionView:
    if looking is not None:
        session, item, since = looking
        sessions.looked(place, session, item, int(time.monotonic() - since))
    shown = sessions.begin(place)
    return shown if shown.next else sessions.end(place, shown.id)
