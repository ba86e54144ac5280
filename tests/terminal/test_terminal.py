"""In a real terminal: opened, resized, ended and lost, the screens leave it as they found it, and agents go on."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ace_world import World
from pseudo import PseudoTerminal

LEFT = b"\x1b[?1049l"  # the alternate screen was left
CURSOR_SHOWN = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"

Open = Callable[..., PseudoTerminal]


@pytest.fixture
def opened(repository: Path) -> Open:
    """`workbench` in a terminal at the repository."""

    def make(*words: str, size: tuple[int, int] = (120, 40), **variables: str) -> PseudoTerminal:
        env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "TMUX")}
        return PseudoTerminal(repository, {**env, "COLORTERM": "truecolor", **variables}, *words, size=size)

    return make


def restored(terminal: PseudoTerminal) -> None:
    """The terminal is as it was before."""
    assert LEFT in terminal.raw
    assert terminal.raw.rfind(CURSOR_SHOWN) > terminal.raw.rfind(b"\x1b[?25l")
    assert MOUSE_OFF in terminal.raw
    assert terminal.modes == terminal.modes_before


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_it_opens_and_leaves_the_terminal_as_it_was(size: tuple[int, int], opened: Open, world: World) -> None:
    """Home shows what needs a person; `q` leaves."""
    world.question(world.mission()[0])
    with opened(size=size) as terminal:
        terminal.sees("BLOCKING NOW", "Cents or euros?")
        terminal.type("q")
        assert terminal.ends() == 0
        restored(terminal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_ended_restores_the_terminal(number: signal.Signals, opened: Open) -> None:
    """A signal that asks to end is a leaving like any other."""
    with opened() as terminal:
        terminal.sees("Nothing needs you.")
        os.kill(terminal.process.pid, number)
        assert terminal.ends() == 128 + number
        restored(terminal)


def test_after_a_suspension_all_is_painted_anew(opened: Open, world: World) -> None:
    """Back from the shell, the whole screen is there, not only what changed meanwhile."""
    world.question(world.mission()[0])
    with opened() as terminal:
        terminal.sees("BLOCKING NOW", "Cents or euros?")
        os.kill(terminal.process.pid, signal.SIGTSTP)
        terminal.until(lambda: LEFT in terminal.raw, "the terminal is given back")
        terminal.until(lambda: _is_stopped(terminal.process.pid), "it stands still")
        terminal.screen.reset()
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.sees("BLOCKING NOW", "Cents or euros?", "? help")


def _is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_losing_the_terminal_ends_the_screens(opened: Open) -> None:
    """When ssh drops, no process stays behind."""
    with opened() as terminal:
        terminal.sees("Nothing needs you.")
        terminal.lose()
        terminal.process.wait(timeout=20)


def test_it_follows_the_window(opened: Open, world: World) -> None:
    """Narrow, the preview goes; wide, it is there again."""
    world.question(world.mission()[0])
    with opened(size=(80, 24)) as terminal:
        terminal.sees("Cents or euros?")
        assert "exact" not in terminal.text
        terminal.resize(160, 45)
        terminal.sees("+ exact")
        terminal.resize(40, 8)
        terminal.until(lambda: "exact" not in terminal.text and "BLOCKING" in terminal.text, "it is narrow")


def test_without_colour_none_is_sent(opened: Open, world: World) -> None:
    """`NO_COLOR` holds: states are still told, by glyph and word."""
    world.question(world.mission()[0])
    with opened(NO_COLOR="1") as terminal:
        terminal.sees("Cents or euros?", "need you")
        coloured = re.findall(rb"\x1b\[[0-9;]*?(?:38|48);[25];[0-9;]+m", terminal.raw)
        greys = [found for found in coloured if not _is_grey(found)]
        assert not greys


def _is_grey(sequence: bytes) -> bool:
    numbers = re.findall(rb"(?:38|48);2;(\d+);(\d+);(\d+)", sequence)
    return bool(numbers) and all(red == green == blue for red, green, blue in numbers)


def test_ctrl_c_says_how_to_leave(opened: Open) -> None:
    """It neither ends anything by accident nor stays silent."""
    with opened() as terminal:
        terminal.sees("Nothing needs you.")
        terminal.type("\x03")
        terminal.sees("Esc leaves")


def test_hostile_titles_reach_the_terminal_as_text(opened: Open, world: World) -> None:
    """Sequences in what an agent asks are shown, not obeyed: no title, clipboard or colour of theirs gets through."""
    attack = "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b[31mred\x1b[0m \u202egnp.exe [bold]x[/] [@click=app.quit]y[/]"
    world.question(world.mission()[0], summary=attack)
    with opened(size=(160, 45)) as terminal:
        terminal.sees("\\x1b]0;owned", "[bold]x[/]")
        assert b"]0;owned\x07" not in terminal.raw
        assert b"]52;c;b3duZWQ" not in terminal.raw.replace(b"\\x1b]52;c;b3duZWQ", b"")
        assert "\u202e".encode() not in terminal.raw


def test_a_pasted_sequence_presses_nothing(opened: Open) -> None:
    """What was copied from a raw log may hold sequences and the letter that leaves; it stays a paste."""
    with opened() as terminal:
        terminal.sees("Nothing needs you.")
        terminal.type("\x1b[200~a line \x1b[31mq\x1b[0m and more of it, longer than any sequence\x1b[201~?")
        terminal.sees("KEYS", "EVERYWHERE")


def test_keys_after_the_one_that_leaves_are_for_nobody(opened: Open) -> None:
    """Typing on while the screens close neither fails nor opens them anew."""
    with opened() as terminal:
        terminal.sees("Nothing needs you.")
        terminal.type("q/?jz")
        assert terminal.ends() == 0
        restored(terminal)
    assert not list(Path(os.environ["XDG_STATE_HOME"]).rglob("screens.log"))


def test_a_failing_screen_is_opened_anew(opened: Open, repository: Path, tmp_path: Path) -> None:
    """An error in a screen neither ends Workbench nor covers the terminal with a traceback."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'workbench' in ' '.join(sys.orig_argv):\n"
        "    import workbench.ace.tui.screens.help as module\n"
        "    module.HelpScreen._blocks = lambda self: 1 / 0\n"
    )
    with opened(PYTHONPATH=str(site)) as terminal:
        terminal.sees("Nothing needs you.")
        terminal.type("?")
        terminal.sees("a screen failed and was opened anew")
        assert b"Traceback" not in terminal.raw
        terminal.type("q")
        assert terminal.ends() == 0
        restored(terminal)


def test_not_in_a_terminal_the_inbox_is_printed(repository: Path) -> None:
    """A pipe gets lines, not screens."""
    said = subprocess.run(
        [sys.executable, "-m", "workbench"], cwd=repository, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert said.returncode == 0
    assert "\x1b" not in said.stdout + said.stderr
