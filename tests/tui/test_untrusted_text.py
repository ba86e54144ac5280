"""Whatever an agent writes is shown as what it is: no control byte, no markup, no hidden character is ever painted."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.strip import Strip

from workbench.ace.tui.palette import Palette
from workbench.ace.tui.prose import Prose, bullet, facts, heading, paragraph
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, cut, line, padded, piece, safe, safe_line, safe_lines, width_of, wrapped
from workbench.ace.tui.themes import DEFAULT, read_theme, shipped_directory, theme_files
from workbench.ace.tui.widgets.bar import Bar, Part
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView

STRINGS = 100_000
PARTS = (
    "\x1b]52;c;aGk=\x07", "\x1b]8;;http://example.org\x1b\\", "\x1b]0;t\x07", "\x1b[2J", "\x1bP+q\x1b\\", "\x9b31m",
    "\x1bc", "\x1b[6n", "\r", "\n", "\t", "\b", "\x00", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\u2066",
    "\u200b", "\ufeff", "\U000e0041", "\udc80", "\ufe0f", "\u00ad", "[red]", "[/]", "[@click=app.quit]",
    "[bold", "]", "\\[", "[link=x]", "$error", "名前", "e\u0301", "👩‍💻", "a", "word ", " ", "…", "│", "x" * 90,
)  # fmt: skip


def generated(count: int, seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(chance.choices(PARTS, k=chance.randint(0, 6)))


def is_harmless(text: str) -> bool:
    """Nothing that a terminal obeys or hides."""
    return all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co") for char in text)


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    return int(getattr(request.config.option, "randomly_seed", 1) or 1)


def test_no_string_gets_through_the_gate_as_it_is(seed: int) -> None:
    """A hundred thousand strings, as words and as lines of a file: harmless, each on one line."""
    for text in generated(STRINGS, seed):
        words = safe(text)
        assert is_harmless(words), (text, words)
        assert is_harmless(safe_line(text))


def test_laying_out_keeps_to_the_cells(seed: int) -> None:
    """However words are cut, padded and wrapped, no line is wider than its pane and none gains a hidden character."""
    for text in generated(STRINGS // 20, seed):
        for cells in (8, 20, 79):
            made: list[Line] = [cut(line(piece(text), " ", piece(text)), cells), (padded(piece(text), cells),)]
            made += wrapped(piece(text), cells, indent=2)
            for words in made:
                assert width_of(words) <= cells, (text, words)
                assert all(is_harmless(part.text) for part in words)


def test_wrapping_loses_nothing(seed: int) -> None:
    """All that was said is still there, but for blanks."""
    for text in generated(STRINGS // 20, seed):
        kept = "".join(part.text for words in wrapped(piece(text), 30) for part in words)
        assert kept.replace(" ", "") == safe(text).replace(" ", "")


class Painted(App[None]):
    """Each widget of ours around one text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = text
        self.palette = Palette(read_theme(theme_files(shipped_directory())[DEFAULT]).colors)

    def compose(self) -> ComposeResult:
        columns = (Column[str](piece, 12), Column[str](piece, 0), Column[str](lambda _: piece("end"), 3))
        yield Bar()
        yield RowsView(Sheet([self.words], key=str, group=safe), painter(columns), text=str)
        yield LinesView()

    def on_mount(self) -> None:
        self.query_one(Bar).show([Part(line(piece(self.words)))], [Part(line(piece(self.words, "failed")))])
        self.query_one(RowsView).let_in()
        blocks = [heading(self.words), paragraph(self.words), bullet(self.words), facts(self.words, piece(self.words))]
        self.query_one(LinesView).show(Prose(blocks))

    @property
    def strips(self) -> list[Strip]:
        return self.screen._compositor.render_strips()


def test_every_widget_paints_text_as_text(seed: int) -> None:
    """Rows, lines and bars, with all of the attacks at once: nothing but printable characters, no style of theirs."""

    async def session(text: str) -> None:
        app = Painted(text)
        async with app.run_test(size=(60, 20)) as pilot:
            await pilot.pause()
            for strip in app.strips:
                assert is_harmless(strip.text), (text, strip.text)
                assert all(segment.style is None or segment.style.link is None for segment in strip)
                assert not any(segment.style and segment.style.meta.get("@click") for segment in strip)

    for text in ("".join(PARTS), *generated(20, seed)):
        asyncio.run(session(text))


@pytest.mark.parametrize("at", range(1, len(b"\x1b]52;c;aGk=\x07")))
def test_a_sequence_split_anywhere_is_still_shown(at: int) -> None:
    """Pieces that arrive one by one are each made safe: joined they are no sequence."""
    sequence = "\x1b]52;c;aGk=\x07"
    joined = safe(sequence[:at]) + safe(sequence[at:])
    assert is_harmless(joined)
    assert "\\x1b" in joined


def test_lines_of_a_file_keep_their_indentation() -> None:
    """Code is read as it stands; tabs become blanks and a line that never ends is cut, with its length said."""
    assert list(safe_lines("def f():\n\treturn 1\r\n")) == ["def f():", "    return 1", ""]
    assert safe_line("y" * 5_000).endswith("[… 5000 characters]")


def test_the_gate_is_the_type(tmp_path: Path) -> None:
    """A plain text where a safe one is wanted does not pass the type check (positive control of the lint)."""
    code = tmp_path / "around.py"
    code.write_text("from workbench.ace.tui.text import Piece\n\nPiece('from an agent')\n")
    checked = subprocess.run([sys.executable, "-m", "mypy", "--strict", str(code)], capture_output=True, text=True)
    assert 'has incompatible type "str"; expected "Safe"' in checked.stdout, checked.stdout
