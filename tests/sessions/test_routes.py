"""Ways between screens: what a key or a row leads to, and that nothing is lost on the way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from ace_world import World

from workbench.ace.tui import routes
from workbench.ace.wiring.levels import bubblewrap_problem
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.presence import end
from workbench.testing.stage import stage


@pytest.fixture
def ended(repository: Path) -> Iterator[None]:
    """An AEE that a test started is ended."""
    yield
    assert end(Workplace(repository).presence(), 20.0)


def test_the_places_are_two_keys_away(repository: Path) -> None:
    """Inbox, missions and scripts are reached from anywhere, and Esc leads home from each."""

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            for letter, where in (("m", "missions"), ("s", "scripts"), ("i", "inbox")):
                await person.press("g", letter)
                assert person.screen.where == where
            assert len(person.app.screen_stack) == 1
            await person.press("g", "s", "g", "m", "escape")
            assert person.screen.where == "inbox"

    asyncio.run(session())


def test_a_thing_opens_what_shows_it(repository: Path, world: World) -> None:
    """Runs, missions, questions and packs each open their own screen; an alert opens the run that it is about."""
    (run,) = world.mission()
    pack = world.pack(run)
    question = world.question(run)

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            for kind, id, where in (
                ("run", run, "run"),
                ("mission", "prices", "missions"),
                ("crp", question, "consultation"),
                ("mrp", pack, "review"),
                ("alert", run, "run"),
            ):
                routes.open_thing(person.app, kind, id)
                await person.settled()
                assert person.screen.where == where, kind
                await person.press("escape")
            routes.open_thing(person.app, "moon", "1")
            await person.settled()
            person.sees("nothing shows a moon")

    asyncio.run(session())


@pytest.mark.skipif(shutil.which("bwrap") is None or bubblewrap_problem() is not None, reason="bubblewrap is needed")
@pytest.mark.usefixtures("ended")
def test_the_alert_that_no_aee_runs_starts_one(repository: Path, world: World) -> None:
    """Runs wait and nothing serves them: opening that row starts an AEE, and says how it went."""
    world.mission()

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            person.sees("no AEE serves this repository; 1 run waits")
            await person.press("enter")
            await person.until_sees("AEE running (pid")

    asyncio.run(session())
