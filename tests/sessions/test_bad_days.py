"""Screens that stay open on a bad day: they tell what happened, and go on when it is over."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from ace_world import World

from workbench.ace.wiring import backups
from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import stage


def journal_gone(world: World) -> None:
    shutil.rmtree(world.journal.directory)


def repository_gone(world: World) -> None:
    shutil.rmtree(world.repository)


def repository_moved(world: World) -> None:
    world.repository.rename(world.repository.with_name("away"))


DAYS = {
    "journal gone": (journal_gone, "gone"),
    "repository gone": (repository_gone, "gone"),
    "repository moved": (repository_moved, "gone"),
}


@pytest.mark.parametrize("day", DAYS)
def test_open_screens_tell_what_happened(world: World, day: str) -> None:
    """They neither crash nor show what was known last as if all were well."""
    harm, told = DAYS[day]
    world.question(world.mission("prices")[0])
    world.journal.close()

    async def sit() -> None:
        async with stage(Workplace(world.repository)) as session:
            session.sees("Cents or euros?")
            harm(world)
            session.app.bridge.look_now()
            await session.until_sees(told)
            session.sees("Cents or euros?")

    asyncio.run(sit())


def test_open_screens_follow_a_journal_that_is_restored(world: World, tmp_path: Path) -> None:
    """What happened after the backup is gone from the screens, too."""
    _run, other = world.mission("prices", runs=2)
    place = Workplace(world.repository)
    kept, _ = backups.backup(place, tmp_path / "backup")
    world.question(other)
    world.journal.close()

    async def sit() -> None:
        async with stage(Workplace(world.repository)) as session:
            session.sees("Cents or euros?")
            backups.restore(place, kept)
            await session.until_sees("1 new or settled")
            await session.press("full_stop")
            session.sees_not("Cents or euros?")

    asyncio.run(sit())
    place.close()
