"""A person speaks to an agent on its run's screen: queue, steer, interrupt, and what waits above the line."""

from __future__ import annotations

from pathlib import Path

from ace_world import World

from tests.sessions.test_run import SMALL, append, at
from workbench.core.decide.message import give_messages
from workbench.core.messages import waiting
from workbench.core.state import RunState
from workbench.model import events as e
from workbench.testing.stage import Session

HOSTILE = "\x1b]52;c;aGk=\x07[b]$(x)[/b]\u202e!"


def state(world: World, run: str) -> RunState:
    found = world.journal.run(run)
    assert found is not None
    return found


def give(world: World, run: str) -> None:
    """The agent is given what waits."""
    now = state(world, run)
    world.journal.append(give_messages(now, waiting(now), how="turn").events)


def test_words_are_sent_in_the_mode_that_is_spelt_out(repository: Path, world: World) -> None:
    """`i` opens the line, Tab changes its mode, Enter sends; above it stands what waits, and when it was given."""
    (run,) = world.mission()
    world.at_work(run)

    async def person(session: Session) -> None:
        session.sees("[queue]", "i writes to the agent")
        await session.press("i")
        session.sees("given when its present turn ends", "Enter send", "Esc leave")
        await session.type("Mind the docs")
        await session.press("tab")
        session.sees("queue  [steer]  interrupt")
        await session.press("enter")
        assert "○ waiting" in session.line_with("steer     #1")
        session.sees(f"MSG-{run}-1: given after the act that is under way")
        (message,) = state(world, run).messages
        assert (message.mode, message.text) == ("steer", "Mind the docs")
        assert message.author == "human:Ada Coach <ada@example.org>"
        give(world, run)
        await session.until_sees("✓ given 0s ago")

    at(repository, run, person)


def test_a_message_that_waits_is_changed_and_taken_back(repository: Path, world: World) -> None:
    """Enter on its row edits it, `u` takes it back, and its words are not lost; of what was given, neither can be."""
    (run,) = world.mission()
    append(world, e.MessageSent(run=run, message=f"MSG-{run}-1", mode="queue", text="Mnd the docs"))

    async def person(session: Session) -> None:
        await session.press("tab", "tab", "enter")
        session.sees(f"changes MSG-{run}-1; given")
        await session.press("ctrl+a", "ctrl+k")
        await session.type("Mind")
        await session.press("enter")
        (message,) = state(world, run).messages
        assert (message.text, message.revision) == ("Mind", 2)
        await session.press("escape", "u")
        assert not state(world, run).messages
        session.sees("was taken back", "[queue]", " Mind")
        await session.press("i", "enter", "escape")
        give(world, run)
        await session.until_sees("✓ given")
        await session.press("tab", "tab", "enter")
        session.sees("the agent was given it already")

    at(repository, run, person)


def test_a_draft_outlives_the_screen(repository: Path, world: World) -> None:
    """Esc leaves the line and keeps what is written there, many pasted lines as one; so does leaving the screen."""
    (run,) = world.mission()

    async def writes(session: Session) -> None:
        await session.press("i", "tab", "tab")
        await session.paste(f"one\n{HOSTILE}\nthree")
        await session.press("escape")
        session.sees("[interrupt]", "three")
        assert not state(world, run).messages

    async def finds(session: Session) -> None:
        await session.until_sees("was not sent; i goes on with it")
        session.sees("[interrupt]", "three")
        await session.press("i", "enter")
        (message,) = state(world, run).messages
        assert message.text.splitlines()[::2] == ["one", "three"] and "\x1b" not in message.text

    at(repository, run, writes, SMALL)
    at(repository, run, finds, SMALL)


def test_words_of_others_are_shown_as_what_they_are(repository: Path, world: World) -> None:
    """Control characters and markup in a message are seen, never obeyed."""
    (run,) = world.mission()
    append(world, e.MessageSent(run=run, message=f"MSG-{run}-1", mode="queue", text=HOSTILE))

    async def person(session: Session) -> None:
        session.sees("\\x1b]52;c;aGk=\\x07[b]$(x)[/b]\\u202e!")
        assert not {"\x1b", "\x07", "\u202e"} & set(session.text)

    at(repository, run, person, SMALL)


def test_a_run_that_is_over_says_why_it_hears_nothing(repository: Path, world: World) -> None:
    """What was never given says so; the line is gone, and `i` says why."""
    (run,) = world.mission()
    append(world, e.MessageSent(run=run, message=f"MSG-{run}-1", mode="queue", text="Too late"))
    append(world, e.RunStopped(run=run, reason="enough"))

    async def person(session: Session) -> None:
        assert "✗ not given" in session.line_with("queue     Too late")
        await session.press("i")
        session.sees("is over (stopped)")

    at(repository, run, person, SMALL)
