"""The missions: all agents at a glance, folded and unfolded, held and ended by a key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from ace_world import World

from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import mission as missions
from workbench.model import events as e
from workbench.testing.stage import Session, stage


def at(repository: Path, person: Callable[[Session], Awaitable[None]], size: tuple[int, int] = (120, 40)) -> None:
    """A session that begins at the missions."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as opened:
            await opened.press("g", "m")
            await person(opened)

    asyncio.run(session())


def test_without_missions_it_says_how_to_start(repository: Path) -> None:
    """An empty list is not blank: it names the key that starts a mission."""

    async def person(session: Session) -> None:
        session.sees("No mission was started here yet.", "+ starts one")
        await session.do("open-row")
        session.sees("open: no mission was started here yet")

    at(repository, person)


def test_missions_stand_in_groups_by_who_must_act(repository: Path, world: World) -> None:
    """What needs a person is first, then what is at work, then what is over."""
    world.question(world.mission("asks")[0])
    world.mission("works")
    world.journal.append(_stopped(world, "ends"))

    async def person(session: Session) -> None:
        lines = session.lines
        heads = [line.strip() for line in lines if line.strip() in ("NEEDS YOU", "AT WORK", "DONE")]
        assert heads == ["NEEDS YOU", "AT WORK", "DONE"]
        assert "needs you" in session.line_with("▸ asks")
        assert "queued" in session.line_with("▸ works")
        assert "stopped" in session.line_with("▸ ends")

    at(repository, person)


def test_runs_fold_out_beneath_their_mission(repository: Path, world: World) -> None:
    """Space shows the runs of a mission beneath it, and hides them again."""
    world.mission("prices", runs=3)

    async def person(session: Session) -> None:
        session.sees("○○○")
        await session.do("fold-mission")
        session.sees("▾ prices", "prices.1", "prices.3")
        await session.do("fold-mission")
        session.sees_not("prices.1")

    at(repository, person)


def test_the_list_filters(repository: Path, world: World) -> None:
    """`/` leaves the missions that contain all words, and `Esc` brings the others back."""
    world.mission("prices")
    world.mission("limits")

    async def person(session: Session) -> None:
        await session.press("/")
        await session.type("limit que")
        await session.press("enter")
        session.sees("limits")
        session.sees_not("prices")
        await session.press("escape")
        session.sees("limits", "prices")

    at(repository, person)


def test_a_mission_is_held_and_goes_on_by_the_same_key(repository: Path, world: World) -> None:
    """`p` pauses all live runs of the selected mission; pressed again, they go on."""
    world.mission("prices", runs=2)

    async def person(session: Session) -> None:
        await session.press("p")
        await session.until(lambda: all(run.paused for run in world.journal.runs()), "all runs are paused")
        await session.until_sees("‖ paused")
        await session.press("p")
        await session.until(lambda: not any(run.paused for run in world.journal.runs()), "all runs go on")
        await session.until_sees("prices goes on")

    at(repository, person)


def test_stopping_wants_the_name_typed(repository: Path, world: World) -> None:
    """`S` asks in words; a wrong name stops nothing, the right one ends the mission with the reason given."""
    world.mission("prices")

    async def person(session: Session) -> None:
        await session.press("S")
        session.sees("This ends mission prices and its 1 run.", "Type prices and press Enter")
        await session.type("price")
        await session.press("enter")
        session.sees("that is not prices: nothing was stopped")
        await session.type("s")
        await session.press("tab")
        await session.type("not needed")
        await session.press("enter")
        await session.until(lambda: _outcome(world, "prices") == "stopped", "it is stopped")
        mission = world.journal.mission("prices")
        assert mission is not None
        assert mission.reason == "not needed"
        await session.until_sees("prices was stopped")

    at(repository, person)


def test_leaving_the_question_stops_nothing(repository: Path, world: World) -> None:
    """`Esc` leaves everything as it is."""
    world.mission("prices")

    async def person(session: Session) -> None:
        await session.press("S")
        await session.press("escape")
        session.sees("AT WORK")
        assert _outcome(world, "prices") == ""

    at(repository, person)


def test_a_mission_that_is_over_cannot_be_held(repository: Path, world: World) -> None:
    """A key that does not apply says why."""
    world.journal.append(_stopped(world, "ends"))

    async def person(session: Session) -> None:
        await session.press("p")
        session.sees("pause or go on: ends is over")
        await session.press("S")
        session.sees("stop: ends is over already")

    at(repository, person)


def test_nothing_moves_until_a_person_lets_it(repository: Path, world: World) -> None:
    """A mission that begins to need a person shows it in its place; the list is drawn anew at a key."""
    world.mission("first")
    run = world.mission("second")[0]

    async def person(session: Session) -> None:
        world.question(run)
        await session.until_sees("1 mission changed place - press .")
        assert "needs you" in session.line_with("▸ second")
        session.sees_not("NEEDS YOU")
        await session.press(".")
        session.sees("NEEDS YOU")

    at(repository, person)


def test_hostile_names_paint_no_control(repository: Path, world: World) -> None:
    """Escape sequences, markup and hidden characters in an agent's name are shown, not obeyed."""
    world.mission("prices", agent="evil\x1b[2J[red]x[/]\u202egnp.\u200b漢字")

    async def person(session: Session) -> None:
        await session.do("fold-mission")
        session.sees("\\x1b[2J[red]x[/]\\u202e")
        assert not set(session.text) & {"\x1b", "\u202e", "\u200b"}

    at(repository, person)


def test_eighty_columns_hold_state_name_title_and_age(repository: Path, world: World) -> None:
    """At 80x24 the columns that matter stay, and no line is longer than the screen."""
    world.mission("a-mission-with-quite-a-long-name-漢字漢字漢字".replace("漢字", "x"), runs=12)

    async def person(session: Session) -> None:
        row = session.line_with("Do a-mission-with")
        assert "+6" in row
        assert "▱▱▱▱" in row
        assert row.endswith("s")
        await session.do("fold-mission")
        session.sees("ong-name-xxx.1 ", "ng-name-xxx.12 ")
        assert max(map(len, session.lines)) <= 80

    at(repository, person, size=(80, 24))


def test_a_mission_says_on_which_other_one_it_stands(repository: Path, world: World) -> None:
    """A mark at its title, and the run's name, in the narrowest list, too."""
    (below,) = world.mission("below")
    started = e.MissionStarted(mission="top", title="Go on", brief=e.Pin(id="top"), on=below)
    queued = e.RunQueued(
        run="top.1", mission="top", agent="robin", driver="scripted", branch="b", base_commit=world.base, on=below
    )
    world.append(missions.start(started, [queued], actor="human:ada"))

    async def person(session: Session) -> None:
        session.sees("↳ Go on")
        await session.do("last-line", "fold-mission")
        session.sees("robin on below.1")

    at(repository, person, size=(80, 24))


def _outcome(world: World, name: str) -> str:
    mission = world.journal.mission(name)
    assert mission is not None
    return mission.outcome


def _stopped(world: World, name: str) -> tuple:  # type: ignore[type-arg]  # of proposed events
    world.mission(name)
    mission = world.journal.mission(name)
    assert mission is not None
    return missions.stop(mission, world.journal.runs(mission=name), [], reason="enough", actor="human:ada").events
