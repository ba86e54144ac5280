"""The review: what is proven and what is not, the change in the order to read it, and decisions that are not rushed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ace_world import World

from workbench.ace.tui import routes
from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import Session, stage


async def opened(person: Session, pack: str) -> None:
    """The review of a pack, with its change read."""
    routes.open_thing(person.app, "mrp", pack)
    await person.settled()
    await person.settled()


def test_a_review_shows_verdict_and_change(repository: Path, world: World) -> None:
    """Verdict, what was not checked, criteria and the diff of the first file are there at once."""
    pack = world.pack(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=(160, 45)) as person:
            await opened(person, pack)
            print(person.text)
            person.sees(pack, "✓ READY", "(current)", "NOT CHECKED", "types", "1 of 1 file unread")
            person.sees("shop.py", "+1 -1", "- PRICE = 1", "+ PRICE = 2")

    asyncio.run(session())
