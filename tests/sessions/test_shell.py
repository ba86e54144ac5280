"""The shell around every screen: palette, help, the person's own theme and keys, glyphs, notifications."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from ace_world import World

from workbench.ace.tui import routes
from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import stage


def config(home: Path, text: str) -> None:
    path = home / "config" / "workbench" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_the_palette_finds_an_action_by_parts_of_its_name(repository: Path) -> None:
    """`^P`, parts of a name and Enter carry the action out on the screen below."""

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("ctrl+p")
            await person.type("mou")
            person.sees("DO WHAT?", "Leave the mouse")
            await person.press("enter")
            person.sees("the mouse is the terminal's")
            person.sees_not("DO WHAT?")
            await person.press("ctrl+p")
            await person.type("merge what")
            person.sees("no such action here; elsewhere: merge (review)")

    asyncio.run(session())


def test_help_lists_the_keys_of_this_screen(repository: Path) -> None:
    """`?` shows every key of the screen, at 80x24, too; `Esc` closes it, and `?` again does."""

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            await person.press("?")
            person.sees("KEYS", "INBOX", "snooze", "Esc back")
            await person.press("escape")
            person.sees_not("KEYS")
            await person.press("?")
            await person.press("?")
            person.sees_not("KEYS")

    asyncio.run(session())


def test_a_slow_line_gets_as_many_frames_as_the_person_says(repository: Path, home: Path) -> None:
    """`screens.fps` bounds how often a screen is painted, however much changes."""
    config(home, "[screens]\nfps = 4\n")

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            assert person.screen._update_timer._interval == 0.25
            assert person.screen._frame_s == 0.25

    asyncio.run(session())


def test_a_person_rebinds_keys_and_chooses_a_theme(repository: Path, home: Path) -> None:
    """What their own configuration says holds: another key opens the palette, the old one does not."""
    config(home, '[screens]\ntheme = "workbench-light"\n[screens.bindings]\nshow-palette = ["f9"]\n')

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            assert person.app.theme == "workbench-light"
            await person.press("ctrl+p")
            person.sees_not("DO WHAT?")
            await person.press("f9")
            person.sees("DO WHAT?")

    asyncio.run(session())


def test_a_slip_in_the_configuration_is_said_and_keeps_nothing_from_opening(repository: Path, home: Path) -> None:
    """An unknown theme and an unknown action are named on the screen."""
    config(home, '[screens]\ntheme = "none"\nfps = "many"\n[screens.bindings]\nfly = ["x"]\n')

    async def session() -> None:
        async with stage(Workplace(repository), size=(300, 30)) as person:
            person.sees("no theme 'none'", "screens.fps", "no action: 'fly'")

    asyncio.run(session())


def test_a_repository_cannot_rebind_keys(repository: Path) -> None:
    """What `.workbench/config.toml` says of keys is not followed."""
    (repository / ".workbench").mkdir()
    (repository / ".workbench" / "config.toml").write_text('[screens.bindings]\nshow-palette = ["j"]\n')

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            await person.press("j")
            person.sees_not("DO WHAT?")

    asyncio.run(session())


@pytest.mark.parametrize("name", ["workbench-dark", "workbench-light", "terminal"])
def test_every_shipped_theme_paints(name: str, repository: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question is read in each of them."""
    monkeypatch.setenv("WORKBENCH_SCREENS_THEME", name)
    monkeypatch.delenv("NO_COLOR")
    world.question(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository), size=(160, 45)) as person:
            person.sees("Cents or euros?")
            assert person.app.theme == name

    asyncio.run(session())


def test_ascii_glyphs_where_nothing_else_can_be_shown(
    repository: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Unicode cannot be shown every mark of ours is ASCII."""
    monkeypatch.setenv("WORKBENCH_SCREENS_GLYPHS", "ascii")
    asking, done = world.mission(runs=2)
    question, pack = world.question(asking), world.pack(done)

    async def session() -> None:
        async with stage(Workplace(repository), size=(80, 24)) as person:
            assert person.text.isascii(), person.text
            await person.press("?")  # a dialog with a border, and a bar beside what scrolls
            person.sees("KEYS")
            assert person.text.isascii(), person.text
        async with stage(Workplace(repository), size=(160, 45)) as person:  # panes beside each other
            assert person.text.isascii(), person.text
            for kind, thing in (("crp", question), ("mrp", pack), ("run", done)):
                routes.open_thing(person.app, kind, thing)
                await person.settled()
                await person.settled()
                assert person.text.isascii(), person.text

    asyncio.run(session())


def test_who_looks_elsewhere_is_called_once(repository: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new question rings while the terminal is not in front, and does not while it is."""
    first, second, third = world.mission(runs=3)
    world.question(first)

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            rung: list[int] = []
            monkeypatch.setattr(person.app, "bell", lambda: rung.append(1))
            world.question(second)
            await person.settled()
            assert rung == []
            person.app.app_focus = False
            world.question(third)
            await person.settled()
            assert rung == [1]

    asyncio.run(session())
