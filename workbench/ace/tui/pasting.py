"""Keeps a paste one text: an escape sequence within what is pasted is text, and never becomes keys that were pressed.

Textual's parser gives such sequences to the screen as keys. It knows nothing of screens.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.drivers import linux_driver
from textual.message import Message

from workbench.model.text import visible

ESCAPE = "\x1b"


class PasteGuard:
    """Rewrites what a terminal sends, piece by piece, however the pieces are cut."""

    def __init__(self) -> None:
        self._pasting = False
        self._tail = ""  # outside a paste: the last that went on, in which a mark may have begun
        self._held = ""  # within a paste: the start of what may be its end, until more of it comes

    def passed(self, data: str) -> str:
        """What of it goes on to the parser now."""
        done: list[str] = []
        while data:
            part, data = self._within(data) if self._pasting else self._outside(data)
            done.append(part)
        return "".join(done)

    def _outside(self, data: str) -> tuple[str, str]:
        """Keys go on at once, for `Esc` alone is one of them."""
        seen = self._tail + data
        at = seen.find(BRACKETED_PASTE_START)
        if at < 0:
            self._tail = seen[1 - len(BRACKETED_PASTE_START) :]
            return data, ""
        cut = at + len(BRACKETED_PASTE_START) - len(self._tail)
        self._pasting, self._tail = True, ""
        return data[:cut], data[cut:]

    def _within(self, data: str) -> tuple[str, str]:
        seen, self._held = self._held + data, ""
        text, end, rest = seen.partition(BRACKETED_PASTE_END)
        if end:
            self._pasting = False
        else:
            text, self._held = _without_start(text, BRACKETED_PASTE_END)
        return text.replace(ESCAPE, visible(ESCAPE)) + end, rest


def _without_start(text: str, mark: str) -> tuple[str, str]:
    """A text without the start of a mark at its end, and that start."""
    sizes = range(len(mark) - 1, 0, -1)
    size = next((size for size in sizes if text.endswith(mark[:size])), 0)
    return (text[:-size], text[-size:]) if size else (text, "")


class GuardedParser(XTermParser):
    """Textual's parser behind the guard."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._guard = PasteGuard()

    def feed(self, data: str) -> Iterable[Message]:
        """What was read, as messages; nothing read is the end."""
        passed = self._guard.passed(data) if data else data
        return super().feed(passed) if passed or not data else ()


def guard_pastes() -> None:
    """Have the terminal's driver read through the guard; it offers no other place to say so."""
    vars(linux_driver)["XTermParser"] = GuardedParser
