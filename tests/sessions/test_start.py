"""Starting a mission from the screens: what will happen is said before it does, and what is wrong at its field."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from ace_world import World, git

from workbench.ace.wiring.levels import bubblewrap_problem
from workbench.ace.wiring.workplace import Workplace
from workbench.journal.presence import end
from workbench.testing.stage import Session, stage

CONFIG = """
[agents.robin]
driver = "scripted"
script = ".workbench/robin.yaml"
"""
SCRIPT = """
agent: robin
turns:
  - - say: Nothing to do.
"""


@pytest.fixture
def project(repository: Path) -> Iterator[Path]:
    """A repository with an agent; an AEE that a test started is ended."""
    place = Workplace(repository)
    (repository / ".workbench").mkdir()
    (repository / ".workbench/config.toml").write_text(CONFIG)
    (repository / ".workbench/robin.yaml").write_text(SCRIPT)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Agents")
    yield repository
    assert end(place.presence(), 20.0)


def at(repository: Path, person: Callable[[Session], Awaitable[None]], size: tuple[int, int] = (160, 45)) -> None:
    """A session that begins at the form."""

    async def session() -> None:
        async with stage(Workplace(repository), size=size) as opened:
            await opened.press("+")
            await opened.until_sees("WHAT WILL HAPPEN")
            await person(opened)

    asyncio.run(session())


def write_brief(repository: Path, name: str, text: str) -> None:
    path = repository / f".workbench/briefs/{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


BRIEF = """---
id: cents
version: "1"
title: Use cents
status: ready
goal: {objective: Use cents}
success_criteria:
  definition_of_done:
    - {id: DOD-1, text: All prices are in cents.}
---
"""


def test_it_says_what_will_happen(project: Path) -> None:
    """Before anything starts: branch and commit, agent, sandbox, policy, and what agents cannot see."""
    (project / "draft 漢字.py").write_text("")
    commit = git(project, "rev-parse", "HEAD")[:12]

    async def person(session: Session) -> None:
        session.sees(f"main at {commit}", "robin (scripted)", "default 1, standard", "sandbox      bubblewrap")
        session.sees("NOT COMMITTED, SO AGENTS CANNOT SEE IT (1)", "draft 漢字.py", "will be started")

    at(project, person)


def test_nothing_starts_without_words(project: Path) -> None:
    """Sending an empty form says what is missing."""

    async def person(session: Session) -> None:
        await session.do("start-now")
        session.sees("start: say what is to be done")

    at(project, person)


def test_what_is_wrong_stands_at_its_field(project: Path) -> None:
    """A wrong name is told beneath the field it is in, with what there is instead; then nothing can be started."""

    async def person(session: Session) -> None:
        await session.type("Use cents everywhere")
        await session.press("tab")
        await session.type("nobody")
        await session.until_sees("there is no agent 'nobody' - one of: robin")
        lines = session.lines
        assert "nobody" in next(line for line in lines if line.startswith(" Agent"))
        await session.do("start-now")
        session.sees("start: there is no agent 'nobody'")
        await session.press("tab")
        await session.type("nowhere")
        await session.until_sees("'nowhere'")

    at(project, person)


def test_versions_are_a_number(project: Path) -> None:
    """Letters in the number of versions are told beside what is wrong with another field."""

    async def person(session: Session) -> None:
        await session.type("cents")
        await session.press("tab", "tab", "tab", "tab", "tab")
        await session.type("many")
        await session.until_sees("a number from 1 to 50 is wanted")
        await session.until_sees("two words or more make a light brief")

    at(project, person)


def test_a_sandbox_of_none_is_a_danger(project: Path) -> None:
    """Working unconfined is named a danger before it happens."""

    async def person(session: Session) -> None:
        await session.type("Use cents everywhere")
        await session.press("tab", "tab", "tab", "tab", "tab", "tab")
        await session.type("none")
        await session.until_sees("DANGER: agents reach all that you can")

    at(project, person)


def test_a_brief_is_taken_with_its_title(project: Path) -> None:
    """Briefs are listed; Enter on one takes it, and its title and problems show."""
    write_brief(project, "cents", BRIEF)
    write_brief(project, "broken", "---\nid: broken\ntitle: [red]evil\x1b[2J\n---\n")

    async def person(session: Session) -> None:
        session.sees("cents", "ready  Use cents")
        assert "problem" in session.line_with("broken")
        session.screen.query_one("#briefs").focus()
        await session.press("enter")
        await session.until_sees("Use cents")
        await session.until(lambda: "Use cents" in session.lines[2], "the outlook is of the brief")
        assert "\x1b" not in session.text

    at(project, person)


def test_it_can_stand_on_the_head_of_another(project: Path, world: World) -> None:
    """The form offers what has delivered and is not merged; From and Into are that one's, no others."""
    (run,) = world.mission()
    world.mission("idle")
    world.pack(run)

    async def person(session: Session) -> None:
        await session.until_sees("MISSIONS TO STAND ON")
        assert session.line_with("Do prices").split("│")[0].split() == ["▌prices", "ready", "Do", "prices"]
        session.sees_not("idle")
        await session.type("Use cents everywhere")
        await session.press("tab", "tab", "tab", "tab")
        session.sees("Esc back", "Tab next field")
        await session.press("tab", "tab", "tab")
        session.sees("Enter take", "? help")
        await session.press("enter")
        await session.until_sees("main, after that one")
        session.sees("starts from  prices.1 at ")
        await session.press("shift+tab")
        await session.type("main")
        await session.until_sees("From and Into empty")

    at(project, person)


def test_a_broken_brief_cannot_be_started(project: Path) -> None:
    """The first problem stands at the field, with its line and column."""
    write_brief(project, "broken", "---\nid: broken\n---\n")

    async def person(session: Session) -> None:
        await session.type("broken")
        await session.until_sees("briefs/broken.md:")
        session.sees("g s shows")
        await session.do("start-now")
        session.sees("start: .workbench/briefs/broken.md:")

    at(project, person)


def test_what_was_typed_is_kept(project: Path) -> None:
    """Leaving the form loses nothing: it is there when one comes back."""

    async def person(session: Session) -> None:
        await session.type("Use cents everywhere")
        await session.press("escape")
        session.sees("Nothing needs you.")
        await session.press("+")
        await session.until_sees("Use cents everywhere")

    at(project, person)


def test_eighty_columns_show_form_and_outlook(project: Path) -> None:
    """At 80x24 the outlook stands beneath the form."""

    async def person(session: Session) -> None:
        session.sees(" What", " Versions", "WHAT WILL HAPPEN", "^S start")
        assert max(map(len, session.lines)) <= 80

    at(project, person, size=(80, 24))


@pytest.mark.skipif(shutil.which("bwrap") is None or bubblewrap_problem() is not None, reason="bubblewrap is needed")
def test_starting_goes_to_the_run(project: Path) -> None:
    """Ctrl+S starts the mission and an AEE, and shows the run as it begins to work."""

    async def person(session: Session) -> None:
        await session.type("Use cents everywhere")
        await session.until_sees("A light brief is made of this sentence")
        await session.do("start-now")
        await session.until_sees("was started")
        session.sees("use-cents-everywhere", "queued for robin")
        await session.until_sees("workspace prepared")

    at(project, person)
