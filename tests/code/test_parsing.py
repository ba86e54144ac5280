"""Text as a tree, whatever somebody put into it."""

from __future__ import annotations

import pytest

from workbench.code import parsing
from workbench.code.compare import structural_diff
from workbench.code.model import FileSides
from workbench.code.parsing import MAX_UNWATCHED, parse

LOOKED_AHEAD = b"def f():\n    pass\n" + b"# a comment that the grammar looks over, again and again\n" * 3_000


def test_a_text_that_takes_the_square_of_its_length_is_left_as_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's grammar looks past all comments after a block at each of them: 150 kB take seconds, and 2 MB an hour."""
    monkeypatch.setattr(parsing, "MAX_S", 0.05)
    given_up = parse(LOOKED_AHEAD, "python")
    assert given_up.tree is None and "to read" in given_up.why
    assert given_up.rows == 3_002


def test_many_such_texts_cost_no_more_together_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the time of all is over, what is left is lines, and says so; a small file is read as ever."""
    monkeypatch.setattr(parsing, "MAX_S", 0.2)
    with parsing.together(0.05):
        reasons = [parse(LOOKED_AHEAD, "python").why for _ in range(3)]
        assert parse(b"x = 1\n", "python").tree is not None
    assert reasons == ["the whole change takes too long to read"] * 3
    assert "more than" in parse(LOOKED_AHEAD, "python").why


def test_a_long_text_is_the_same_tree_as_a_short_one() -> None:
    """What is read piece by piece has each node where it is, with its text, also where two pieces meet."""
    lines = [f"def f{number}(a, b={number}):\n    return 'some text that is long' + a\n" for number in range(1_500)]
    data = "".join(lines).encode()
    tree = parse(data, "python").tree
    assert len(data) > MAX_UNWATCHED and tree is not None
    functions = tree.root_node.children
    assert [node.text for node in functions] == [line.encode().rstrip(b"\n") for line in lines]
    assert tree.root_node.text == data


def test_code_behind_a_carriage_return_is_no_comment() -> None:
    """To Python a line ends there, to its grammar and to git it goes on: such a file is read as lines."""
    sides = FileSides(path="a.py", old=b"x = 1  # note\n", new=b"x = 1  # note\rimport os\n")
    [file] = structural_diff([sides]).files
    assert [hunk.kind for hunk in file.hunks] == ["text"]
    assert parse(b"# a\r\nx = 1\r\n", "python").tree is not None


@pytest.mark.parametrize("space", ["\x0b", "\u200b", "\u2060", "\ufeff"])
def test_space_that_a_grammar_takes_and_python_does_not_is_no_layout(space: str) -> None:
    """A line that Python cannot read any more is not folded."""
    sides = FileSides(path="a.py", old=b"if a:\n    x\n    y\n", new=f"if a:\n    x\n    {space}y\n".encode())
    [file] = structural_diff([sides]).files
    assert not any(hunk.is_mechanical for hunk in file.hunks)
