"""Versions side by side: the matrix, what differs between two, one picked, a new one composed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from ace_world import World

from tests.sessions.reviewed import without_blobs
from workbench.ace.tui import routes
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.pack_parts import Change
from workbench.testing.stage import Session, stage

TAX = "def tax(price):\n    return price // 5\n"


def compare(repository: Path, act: Callable[[Session], Awaitable[None]], *, size: tuple[int, int] = (120, 40)) -> None:
    """Go to the versions of the mission, and act there."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as person:
            await person.press("g", "m")
            await person.do("compare-versions")
            await act(person)

    asyncio.run(session())


@pytest.fixture
def packs(world: World) -> list[str]:
    """Three versions: two with packs that change files of the same names, one at work."""
    one, two, _ = world.mission(runs=3)
    files = (Change(path="shop.py", added=1, removed=1), Change(path="tax.py", status="A", added=2))
    return [
        world.pack(one, files={"shop.py": "PRICE = 2\n", "tax.py": TAX}, changes=files),
        world.pack(
            two,
            files={"shop.py": "PRICE = 3\n", "tax.py": f"{TAX}\n\nRATE = '\x1b[2J'\n"},
            changes=files,
            verdict="needs-human",
        ),
    ]


def test_one_version_is_picked_with_one_reason(repository: Path, world: World, packs: list[str]) -> None:
    """The matrix shows what each has; picking says what is left behind, asks why, and closes the others."""

    async def person(session: Session) -> None:
        session.sees(
            "3 versions", "prices.1", "prices.2", "○ queued", "EVIDENCE", "verdict", "FILES", "NOT CHECKED", "+2 -0"
        )
        await session.do("next-version", "next-version", "pick-version")
        session.sees("pick: this version has no pack yet")
        await session.do("previous-version", "toggle-differences")
        session.sees_not("tokens")
        await session.do("pick-version")
        session.sees("PICK", packs[1], "It needs a person", "prices.1, prices.3")
        await session.do("confirm")
        session.sees("say why")
        await session.type("It rounds well")
        await session.do("confirm")
        session.sees(f"{packs[1]} is picked", "superseded", "approved")

    compare(repository, person)
    taken, left = world.journal.pack(packs[1]), world.journal.pack(packs[0])
    assert taken is not None and left is not None
    assert (taken.decisions[-1]["decision"], taken.decisions[-1]["left_behind"]) == ("select", [packs[0], "prices.3"])
    assert (taken.state, left.state) == ("approved", "superseded")
    assert [run.outcome for run in world.journal.runs(mission="prices")] == ["superseded", "", "superseded"]


def test_two_versions_are_read_side_by_side_and_parts_are_marked(
    repository: Path, packs: list[str], world: World
) -> None:
    """Enter shows what one has otherwise than the other, in the diff of a review; Space takes a file for a new one."""

    async def person(session: Session) -> None:
        await session.do("compose-version")
        session.sees("nothing is marked yet")
        await session.do("mark-row")
        session.sees("only files can be taken")
        await session.do("next-version", "last-line", "previous-line")
        await session.do("open-row")
        await session.settled()
        session.sees("prices.1 - and + prices.2", "2 files differ", "+ RATE = '\\x1b[2J'")
        await session.do("next-hunk", "comment")
        session.sees("tax.py", f"and of {packs[0]}")
        await session.type("which of you?")
        await session.do("confirm")
        await session.until(
            lambda: all(getattr(world.journal.pack(one), "comments", ()) for one in packs), "both have it"
        )
        await session.do("go-back", "go-back")
        session.sees("FILES")
        await session.do("mark-row")
        session.sees("1 file for a new version")
        await session.do("mark-row", "mark-row", "compose-version")
        session.sees("COMPOSE", f"of {packs[1]}: tax.py", "as the base has them: shop.py")
        await session.do("go-back", "mark-row", "show-hunks")
        await session.until_sees("it has no hunks to choose from")
        await session.do("previous-line", "show-hunks")
        await session.until_sees("2 hunks; Space takes one")
        session.sees("1 PRICE = 2", "1 PRICE = 3")
        await session.do("next-line")
        session.sees("line 1 PRICE = 2")
        await session.do("previous-version", "mark-row")
        session.sees("1 part for a new version")
        await session.do("next-version", "next-line", "mark-row")
        session.sees("take: what is taken of prices.1 changes line 1 otherwise")
        await session.do("previous-line", "mark-row", "next-line", "mark-row")
        session.sees("1 part for a new version")
        await session.do("compose-version")
        session.sees(f"of {packs[1]}: shop.py, line 1: PRICE = 3", "as the base has them: tax.py")
        await session.do("go-back", "show-hunks")
        session.sees_not("1 PRICE = 3")

    compare(repository, person, size=(80, 24))
    assert len(world.journal.runs(mission="prices")) == 3


@pytest.mark.usefixtures("packs")
def test_versions_that_cannot_be_read_are_said_to_be_so(repository: Path, world: World) -> None:
    """Nothing seems to be on its way."""
    without_blobs(world)

    async def person(session: Session) -> None:
        session.sees("there is no blob")
        session.sees_not("reading the versions")

    compare(repository, person)


def test_a_mission_with_one_version_says_so(repository: Path, world: World) -> None:
    """There is nothing to compare, and the screen that somebody opened all the same says how several are started."""
    world.mission()

    async def person(session: Session) -> None:
        session.sees("prices has one version")
        routes.compare(session.app, "prices")
        await session.settled()
        session.sees("--versions N")
        await session.do("open-row", "pick-version", "run-crossed")

    compare(repository, person)
