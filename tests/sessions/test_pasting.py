"""What is pasted is text: nothing in it is a key that somebody pressed, and nothing right behind it decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from ace_world import World
from textual import events
from textual._xterm_parser import XTermParser

from workbench.ace.tui import routes
from workbench.ace.tui.pasting import GuardedParser
from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import stage

START, END = "\x1b[200~", "\x1b[201~"
ATTACK = "looks fine \x1b[31m A \x1bAq\x13 and so on, longer than any sequence of a terminal \x1b["


def heard(parser: XTermParser, pieces: Iterable[str]) -> tuple[list[str], list[str]]:
    """The keys and the pastes that come of what a terminal sends in pieces."""
    found = [message for piece in pieces for message in parser.feed(piece)]
    keys = [message.key for message in found if isinstance(message, events.Key)]
    return keys, [message.text for message in found if isinstance(message, events.Paste)]


def cuts(text: str) -> Iterator[list[str]]:
    """The text in two pieces, cut at each place, and character by character."""
    yield from ([text[:at], text[at:]] for at in range(1, len(text)))
    yield list(text)


def test_a_sequence_in_a_paste_is_text() -> None:
    """However the terminal cuts it, a paste is one text with its sequences shown; keys around it are keys."""
    for pieces in cuts(f"j{START}{ATTACK}{END}k{START}b{END}"):
        keys, pastes = heard(GuardedParser(), pieces)
        assert keys == ["j", "k"], pieces
        assert pastes == [ATTACK.replace("\x1b", "\\x1b"), "b"], pieces


def test_without_the_guard_it_would_press_keys() -> None:
    """The control: the parser alone hands what is pasted to the screen as keys, `Ctrl+S` among them."""
    keys, _ = heard(XTermParser(), [f"{START}{ATTACK}{END}"])
    assert {"A", "q", "ctrl+s"} <= set(keys)


@pytest.mark.parametrize("sequence", ["\x1b[A", "\x1bOP", "\x1b[1;5D"])
def test_keys_outside_a_paste_are_as_they_were(sequence: str) -> None:
    """Arrows and function keys come through, also in pieces."""
    for pieces in cuts(sequence):
        assert heard(GuardedParser(), pieces) == heard(XTermParser(), [sequence])


def test_right_after_a_paste_nothing_is_sent(repository: Path, world: World) -> None:
    """A key within a moment of a paste may have come out of it, so it does not decide; what was pasted stays,
    and its lines are words of one reason."""
    pack = world.pack(world.mission()[0])

    async def session() -> None:
        async with stage(Workplace(repository)) as person:
            routes.open_thing(person.app, "mrp", pack)
            await person.settled()
            await person.do("approve-pack")
            await person.until_sees("APPROVE")
            person.screen._changed_at = 0.0
            person.app.post_message(events.Paste("looks\rfine\r"))
            await person.press("ctrl+s")
            person.sees("APPROVE", "looks fine", "press it again")
            await person.do("confirm")
            person.sees("✓ approved", "looks fine")

    asyncio.run(session())
