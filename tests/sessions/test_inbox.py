"""The inbox: what needs a person, in the order of what waiting costs, and nothing moves while somebody looks."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ace_world import World

from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import stage


def test_an_empty_inbox_says_what_to_do(repository: Path) -> None:
    """Before anything was started, the home screen says how to start."""

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            person.sees("Nothing needs you.", "+ starts one", "shop/main")

    asyncio.run(session())


def test_a_question_shows_what_it_asks(repository: Path, world: World) -> None:
    """The selected question stands beside the list: options, the recommended one marked, and what waiting costs."""
    world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=(160, 45)) as person:
            person.sees("BLOCKING NOW", "Cents or euros?", "*1 A Cents", " 2 B Euros", "1 run stands still")

    asyncio.run(session())


def test_what_arrives_waits_until_it_is_let_in(repository: Path, world: World) -> None:
    """A new question does not move the list: it is announced, and `.` lets it in."""
    first, second = world.mission(runs=2)
    world.question(first)

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            world.question(second, summary="Euros or cents?")
            await person.until_sees("2 new or settled")
            person.sees_not(f" {second}-1")
            await person.press(".")
            person.sees(f" {second}-1")

    asyncio.run(session())


def test_a_filter_shows_only_what_has_its_words(repository: Path, world: World) -> None:
    """`/` narrows the list as one types, `Enter` keeps it in sight and in force, `Esc` shows everything again."""
    first, second = world.mission(runs=2)
    world.question(first, summary="Which cache?")
    world.question(second, summary="日本語の名前 for the table?")

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            await person.press("/")
            await person.type("日本")
            await person.press("enter")
            person.sees("日本語の名前")
            person.sees_not("Which cache?")
            await person.press("escape")
            person.sees("日本語の名前", "Which cache?")

    asyncio.run(session())
