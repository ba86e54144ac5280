"""A run's timeline: what the agent did, act by act, followed as it happens and opened in place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from ace_world import World

from workbench.ace.tui.screens.run import RunScreen
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide.decision import on_run
from workbench.model import events as e
from workbench.testing.stage import Session, stage

WIDE, SMALL = (160, 45), (80, 24)
Person = Callable[[Session], Awaitable[None]]


def at(repository: Path, run: str, person: Person, size: tuple[int, int] = WIDE) -> None:
    """A session that begins at a run."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as opened:
            opened.app.push_screen(RunScreen(run))
            await opened.settled()
            await person(opened)

    asyncio.run(session())


def append(world: World, *payloads: e.Payload) -> None:
    """Events of the run that each payload names."""
    world.journal.append([on_run(payload.run, payload) for payload in payloads])  # type: ignore[attr-defined]  # all name one


def call(
    run: str, number: int, tool: str, about: str = "", *, arguments: dict[str, Any] | None = None, **fields: Any
) -> list[e.Payload]:
    """A tool call and its return."""
    name = f"{number}.{tool}"
    given = arguments if arguments is not None else {"path": about}
    called = e.ToolCalled(run=run, call=name, tool=tool, title=f"{tool} {about}".strip(), arguments=given)
    returned: dict[str, Any] = {"state": "ok", "summary": f"{about}: done", "duration_ms": 1234} | fields
    return [called, e.ToolReturned(run=run, call=name, tool=tool, **returned)]


def thoughts(run: str, count: int, start: int = 1) -> Sequence[e.Payload]:
    return [e.ThoughtRecorded(run=run, text=f"thought number {number}") for number in range(start, start + count)]


def test_each_act_is_one_line_of_its_kind(repository: Path, world: World) -> None:
    """A call and its return are one line with what came of it; several reads in a row are one line."""
    (run,) = world.mission()
    append(world, *thoughts(run, 1), *call(run, 1, "read", "a.py"), *call(run, 2, "read", "b.py"))
    append(world, *call(run, 3, "edit", "a.py", arguments={"path": "a.py", "old": "1\n", "new": "2\n"}))
    append(world, *call(run, 4, "run", "make", summary="exit 2: make", data={"exit_code": 2, "stderr": "boom"}))

    async def person(session: Session) -> None:
        assert "thought" in session.line_with("thought number 1")
        assert "read" in session.line_with("2 reads: a.py, b.py")
        assert session.line_with(" edit ").split("│")[0].rstrip().endswith("done   1.2s")
        assert "✗ command" in session.line_with("exit 2")

    at(repository, run, person)


def test_an_act_opens_in_place(repository: Path, world: World) -> None:
    """Enter shows beneath an edit what was taken away and what was added; Enter again hides it."""
    (run,) = world.mission()
    append(world, *call(run, 1, "edit", "a.py", arguments={"path": "a.py", "old": "one\n", "new": "two\n"}))

    async def person(session: Session) -> None:
        await session.press("enter")
        session.sees("│ path: a.py", "│ - one", "│ + two", "│ ok: a.py: done")
        await session.press("enter")
        session.sees_not("- one")

    at(repository, run, person)


def test_tests_are_shown_as_data(repository: Path, world: World) -> None:
    """What did not pass is first, with what was expected, what came, and where."""
    (run,) = world.mission()
    bad = {
        "id": "t.test_sum",
        "state": "failed",
        "expected": "3",
        "actual": "4",
        "frame": "assert f(1)",
        "path": "t.py",
    }
    tests = [{"id": "t.test_ok", "state": "passed"}, bad | {"line": 7}]
    data = {"state": "failed", "tests": tests}
    append(world, *call(run, 1, "test", "", arguments={}, summary="1 failed, 1 passed", data=data))

    async def person(session: Session) -> None:
        assert "✗ test" in session.line_with("1 failed, 1 passed")
        await session.press("enter")
        session.sees("failed t.test_sum  t.py:7", "expected: 3", "actual: 4", "frame: assert f(1)", "passed t.test_ok")

    at(repository, run, person)


def test_a_long_output_is_cut_and_says_so(repository: Path, world: World) -> None:
    """A kept output is shown with its full size; what is cut is said, with the name under which all of it is kept."""
    (run,) = world.mission()
    output = b"".join(b"line %d\n" % number for number in range(1, 2001))
    blob = world.journal.blobs.put(output)
    append(world, *call(run, 1, "run", "make", blob=blob, full_bytes=len(output), data={"exit_code": 0}))

    async def person(session: Session) -> None:
        await session.press("enter")
        session.sees("OUTPUT (18.5 kB)", "│ line 1")
        await session.press("G")
        session.sees("│ line 400", f"[first 400 lines of 2000; all of it is kept as {blob}"[:60])

    at(repository, run, person)


def test_what_happens_is_followed_until_somebody_scrolls(repository: Path, world: World) -> None:
    """The newest act comes into sight by itself; moved up, the screen stands still and counts; `f` follows again."""
    (run,) = world.mission()
    append(world, *thoughts(run, 100))

    async def person(session: Session) -> None:
        session.sees("thought number 100")
        append(world, *thoughts(run, 1, start=101))
        await session.until_sees("thought number 101")
        await session.press("k", "k")
        append(world, *thoughts(run, 12, start=102))
        await session.until_sees("12 new below - f follows")
        session.sees_not("thought number 113")
        await session.press("f")
        session.sees("thought number 113")
        session.sees_not("new below")

    at(repository, run, person)


def test_a_long_run_opens_at_its_newest_part(repository: Path, world: World) -> None:
    """Older acts are read when a person goes there, and what is in sight stays where it is."""
    (run,) = world.mission()
    append(world, *thoughts(run, 5_000))

    async def person(session: Session) -> None:
        screen = session.screen
        assert isinstance(screen, RunScreen)
        assert len(screen.acts.sheet.rows) == 2_000
        await session.press("g", "g")
        await session.until(lambda: len(screen.acts.sheet.rows) > 2_000, "older acts are there")
        session.sees("thought number 3001")
        for _ in range(3):
            await session.press("g", "g")
        await session.until_sees("queued for robin")

    at(repository, run, person)


def test_a_flood_leaves_the_newest_in_sight(repository: Path, world: World) -> None:
    """Of a run that is far ahead, a screen that follows shows the newest part, and holds no more than it needs."""
    (run,) = world.mission()

    async def person(session: Session) -> None:
        for start in range(1, 40_001, 10_000):
            append(world, *thoughts(run, 10_000, start=start))
        await session.until_sees("thought number 40000")
        screen = session.screen
        assert isinstance(screen, RunScreen)
        assert len(screen.acts.sheet.rows) <= 10_000

    at(repository, run, person)


def test_a_question_opens_from_its_act(repository: Path, world: World) -> None:
    """The act that waits names its question; the key on it opens the question."""
    (run,) = world.mission()
    name = world.question(run)

    async def person(session: Session) -> None:
        session.sees("WAITS FOR", f"- {name}", "◐ needs you")
        assert "question" in session.line_with(f"waits for the answer to {name}")
        await session.press("enter")
        await session.until_sees("Cents or euros?")

    at(repository, run, person)


def test_its_newest_pack_opens(repository: Path, world: World) -> None:
    """`r` opens the newest pack, and `c` comments on an act of it; without one they say so."""
    first, second = world.mission(runs=2)
    world.pack(first)

    async def with_pack(session: Session) -> None:
        session.sees("NEWEST PACK", f"MRP-{first}-1")
        await session.press("c")
        await session.type("why so?")
        await session.do("confirm")
        await session.until(lambda: bool(world.journal.pack(f"MRP-{first}-1").comments), "the act is commented on")  # type: ignore[union-attr]
        await session.press("r")
        await session.until(lambda: session.screen.where == "review", "the review is open")

    async def without(session: Session) -> None:
        await session.press("r")
        session.sees("review: it has delivered no pack yet")

    at(repository, first, with_pack)
    at(repository, second, without)


def test_a_run_is_held_let_go_and_stopped(repository: Path, world: World) -> None:
    """`p` holds it and lets it go on, `S` ends it once its name is typed; each shows as an act of that person."""
    (run,) = world.mission()

    async def person(session: Session) -> None:
        await session.press("p")
        await session.until_sees("paused the run")
        await session.press("p")
        await session.until_sees("let the run go on")
        await session.press("S")
        await session.type(run)
        await session.press("enter")
        await session.until_sees("stopped the run")
        await session.press("p")
        session.sees("pause or go on: it is over (stopped)")

    at(repository, run, person)


def test_hostile_words_are_shown_not_obeyed(repository: Path, world: World) -> None:
    """Escape sequences, markup and hidden characters in thoughts, titles, outputs and arguments are painted as text."""
    (run,) = world.mission()
    evil = "\x1b]0;x\x07[red]x[/red]\u202eabc\u200b 漢字 [/]"
    append(world, e.ThoughtRecorded(run=run, text=evil))
    data = {"output": evil, evil: [evil], "tests": [evil, {"id": evil, "state": "failed", "frame": evil}]}
    append(world, *call(run, 1, "test", evil, arguments={evil: evil}, summary=evil, data=data))
    append(world, *call(run, 2, evil, evil, arguments={"old": evil}, state=evil, summary=evil, data={}))

    async def person(session: Session) -> None:
        for _ in range(3):
            await session.press("enter", "g", "g", "j")
        await session.press("g", "g", "enter")
        session.sees("\\x1b]0;x\\x07[red]x[/red]\\u202eabc\\u200b 漢字 [/]")
        assert not set(session.text) & {"\x1b", "\x07", "\u202e", "\u200b"}

    at(repository, run, person)


def test_eighty_columns_show_one_pane_at_a_time(repository: Path, world: World) -> None:
    """At 80x24 the acts have the screen; Tab shows the facts in their place, and the acts again."""
    (run,) = world.mission()
    append(world, *thoughts(run, 3))

    async def person(session: Session) -> None:
        session.sees("thought number 3")
        session.sees_not("SPENT")
        await session.press("tab")
        session.sees("SPENT", "branch  workbench/prices/prices.1")
        session.sees_not("thought number 3")
        await session.press("tab")
        session.sees("thought number 3")

    at(repository, run, person, size=SMALL)


def test_the_timeline_filters(repository: Path, world: World) -> None:
    """`/` leaves the acts that contain the words."""
    (run,) = world.mission()
    append(world, *thoughts(run, 30), *call(run, 1, "edit", "special.py"))

    async def person(session: Session) -> None:
        await session.press("/")
        await session.type("special")
        await session.press("enter")
        session.line_with("edit     special.py")
        session.sees_not("thought number")

    at(repository, run, person)
