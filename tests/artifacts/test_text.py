"""The choke point for untrusted text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.model.text import cell_width, clip, hidden_at, one_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "\\x1b[31m"),
        ("a\tb\nc", "a\tb\nc"),
        ("\r", "\\x0d"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202e\u2066\u061c", "\\u202e\\u2066\\u061c"),
        ("\u200b\ufeff\u00ad\u2060", "\\u200b\\ufeff\\xad\\u2060"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("日本 é ✅", "日本 é ✅"),
    ],
)
def test_hidden_characters_become_escapes(text: str, shown: str) -> None:
    """Control, bidirectional, zero-width, tag characters and lone surrogates are seen; ordinary text is untouched."""
    assert visible(text) == shown


VISIBLE_SIGNS = {  # format characters that have a shape of their own, such as the Arabic number sign
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440),
}  # fmt: skip


def test_no_control_or_format_character_passes() -> None:
    """No control, format, surrogate or separator character of Unicode passes, newline and tab apart."""
    hiding = ("Cc", "Cf", "Cs", "Zl", "Zp")
    passing = {code for code in range(0x110000) if unicodedata.category(chr(code)) in hiding and hidden_at(chr(code))}
    assert passing <= VISIBLE_SIGNS | {0x09, 0x0A}


@given(st.text())
def test_visible_is_idempotent(text: str) -> None:
    """Making visible text visible changes nothing."""
    assert visible(visible(text)) == visible(text) and hidden_at(visible(text)) < 0


@given(st.text(), st.integers(1, 30))
def test_one_line_fits_its_width(text: str, width: int) -> None:
    """A line cut to a width never takes more cells."""
    line = one_line(text, width)
    assert cell_width(line) <= width and "\n" not in line


def test_wide_characters_count_twice() -> None:
    """A cut respects wide characters and says that it cut."""
    assert clip("日本語テキスト", 7) == "日本語…"
    assert clip("日本", 4) == "日本" and clip("日本", 3) == "日…" and clip("abc", 0) == ""
