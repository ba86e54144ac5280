"""What a diff view needs of a line: which words differ, and which characters play which role."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.code.highlight import highlight
from workbench.code.languages import LANGUAGES
from workbench.code.words import words

TEXTS = {
    "python": 'def f(a):\n    return f"x {a} é" + g(1)  # why\n',
    "javascript": "function f(a) {\n  return `x ${a} é` + g(1) // why\n}\n",
    "typescript": "function f(a: number) {\n  return `x ${a} é` + g(1) // why\n}\n",
    "tsx": "function f(a: number) {\n  return `x ${a} é` + g(1) // why\n}\n",
    "go": 'package p\nfunc f(a int) {\n\treturn "x é" + g(1) // why\n}\n',
    "rust": 'fn f(a: u8) {\n    return g("x é", 1); // why\n}\n',
}


def test_only_what_differs_in_a_line_is_marked() -> None:
    """The words that differ are marked on both sides; lines with little in common are not."""
    found = words("total = price * rate", "total = price * (rate + 1)")
    assert "".join("total = price * (rate + 1)"[start:end] for start, end in found.new) == "( + 1)"
    assert found.old == ()
    assert words("return None", "x = yield from all_of(them)") == words("", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_roles(language: str) -> None:
    """Keywords, strings, functions and comments are told apart; what is put into a string is no string."""
    text = TEXTS[language]
    found = highlight(language, text.encode(), 1, 9)
    lines = text.splitlines()
    said = {(lines[each.line - 1][each.start : each.end], each.role) for each in found}
    assert {("return", "keyword"), ("g", "function"), ("1", "number")} <= said
    assert any(role == "comment" and part.endswith("why") for part, role in said)
    assert any(role == "string" and "é" in part for part, role in said)
    assert not any(role == "string" and "{a}" in part for part, role in said)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(LANGUAGES), st.text(max_size=80), st.integers(-3, 9), st.integers(-3, 9))
def test_roles_stay_within_their_line(language: str, text: str, first: int, last: int) -> None:
    """Whatever the text is, spans are within the lines asked for, in order, and do not overlap."""
    found = highlight(language, text.encode(), first, last)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for each in found:
        assert first <= each.line <= last
        assert 0 <= each.start < each.end <= len(lines[each.line - 1])
    places = [(each.line, each.start, each.end) for each in found]
    assert all(one[0] < two[0] or one[2] <= two[1] for one, two in itertools.pairwise(places))
