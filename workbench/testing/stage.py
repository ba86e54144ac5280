"""The session language: drives the real screens without a terminal, by action ids and keys, and reads what they show.

    async with stage(place) as session:
        await session.do("open-row")
        session.sees("MRP-parser-fix")

A session waits until all that was decided has reached the screens, then asserts once; it never sleeps for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from textual import events
from textual.pilot import Pilot

from workbench.ace.tui.app import WorkbenchApp
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.wiring.workplace import Workplace

PATIENCE_S = 20.0  # before a session says what it waited for in vain


class Session:
    """One person at the screens."""

    def __init__(self, app: WorkbenchApp, pilot: Pilot[int]) -> None:
        self.app, self._pilot = app, pilot

    @property
    def screen(self) -> WorkScreen:
        """The screen on top."""
        screen = self.app.work_screen
        assert isinstance(screen, WorkScreen), "no screen of ours is on top"
        return screen

    @property
    def lines(self) -> list[str]:
        """What a person reads, line by line, without blanks at the ends."""
        return [strip.text.rstrip() for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    async def settled(self) -> None:
        """Wait until the journal of this moment is on screen and nothing is being carried out."""
        bridge = self.app.bridge
        is_quiet = False
        while not is_quiet:  # what arrives may set off work, and what that finds or records arrives in its turn
            await self._pilot.pause()
            is_quiet = not self._works()
            await self._look()
            await self.until(lambda: bridge.is_settled and not self._works(), "what arrived is on screen")
            await self._pilot.pause()
            is_quiet = is_quiet and bridge.is_settled and not self._works()

    async def press(self, *keys: str) -> None:
        """Press keys as a person would, and wait."""
        await self._pilot.press(*keys)
        await self.settled()

    async def type(self, text: str) -> None:
        """Type a text into the field that has the focus."""
        names = {" ": "space", "\n": "enter"}
        await self._pilot.press(*(names.get(char, char) for char in text))
        await self._pilot.pause()

    async def paste(self, text: str) -> None:
        """Paste a text into the field that has the focus, as a terminal with bracketed paste sends it."""
        self.app.post_message(events.Paste(text))
        await self._pilot.pause()
        await self.settled()

    async def do(self, *action_ids: str) -> None:
        """Carry out actions by their ids, as their keys would, and wait after each."""
        for action_id in action_ids:
            self.screen._changed_at = 0.0  # a person would have waited out the moment after a change
            self.screen.perform_id(action_id)
            await self._pilot.pause()
            await self.settled()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds. Raises AssertionError with the screen when it does not in time."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > give_up:
                raise AssertionError(f"waited in vain until {what}:\n{self.text}")
            await asyncio.sleep(0.01)

    async def until_sees(self, words: str) -> None:
        """Wait until the screen shows these words."""
        await self.until(lambda: words in self.text, f"the screen shows {words!r}")

    def sees(self, *words: str) -> None:
        """Assert that the screen shows each of these words."""
        missing = [word for word in words if word not in self.text]
        assert not missing, f"the screen lacks {missing}:\n{self.text}"

    def sees_not(self, *words: str) -> None:
        """Assert that the screen shows none of these words."""
        there = [word for word in words if word in self.text]
        assert not there, f"the screen shows {there}:\n{self.text}"

    def line_with(self, words: str) -> str:
        """The only line that contains these words."""
        found = [line for line in self.lines if words in line]
        assert len(found) == 1, f"{len(found)} lines contain {words!r}:\n{self.text}"
        return found[0]

    async def _look(self) -> None:
        bridge = self.app.bridge
        looks = bridge.looks
        bridge.look_now()
        await self.until(lambda: bridge.looks > looks, "the bridge looks at the journal")

    def _works(self) -> bool:
        return any(not worker.is_finished for worker in self.app.workers)


@asynccontextmanager
async def stage(place: Workplace, *, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Session]:
    """The screens of a place, opened and settled."""
    app = WorkbenchApp(place)
    async with app.run_test(size=size) as pilot:
        session = Session(app, pilot)
        await session.settled()
        yield session
