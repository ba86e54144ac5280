"""A file's diff as lines: numbers as git counts them, and content that poses as git's own words changes nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.ace.tui.difflines import DiffLines, Shown
from workbench.ace.tui.text import safe_line, shifted
from workbench.code.unified import FileDiff
from workbench.model.text import cell_width

LINES = st.lists(
    st.sampled_from(["a", "b", "@@ -1,2 +1,2 @@", "diff --git a/x b/x", "+plus", "-minus", "\\ No newline", "", " "]),
    max_size=14,
)


def diff_of(directory: Path, old: list[str], new: list[str], *, last: str = "\n") -> FileDiff:
    """What git says of two texts."""
    for name, lines in (("old", old), ("new", new)):
        (directory / name).write_text("\n".join(lines) + last)
    words = ("git", "diff", "--no-index", "--no-color", "--", "old", "new")
    return FileDiff(subprocess.run(words, cwd=directory, capture_output=True, check=False).stdout)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("diff")


@given(old=LINES, new=LINES)
def test_every_line_has_the_number_and_words_of_its_file(directory: Path, old: list[str], new: list[str]) -> None:
    """A numbered line is that line of the file before or after, whatever it contains."""
    diff = diff_of(directory, old, new)
    before, after = "\n".join(old).split("\n"), "\n".join(new).split("\n")
    for at in range(len(diff)):
        was, now = diff.numbers(at)
        assert not was or before[was - 1] == diff.text(at)
        assert not now or after[now - 1] == diff.text(at)
    added = [diff.text(at) for at in range(len(diff)) if chr(diff.kind(at)) == "+"]
    removed = [diff.text(at) for at in range(len(diff)) if chr(diff.kind(at)) == "-"]
    assert len(after) - len(before) == len(added) - len(removed)


def test_a_line_number_finds_its_line(directory: Path) -> None:
    """Findings name lines of the result; one between two hunks leads to the next."""
    old = [str(number) for number in range(100)]
    diff = diff_of(directory, old, [*old[:10], "ten", *old[11:80], "eighty", *old[81:]])
    assert diff.text(diff.place_of(11)) == "ten"
    assert diff.text(diff.place_of(81)) == "eighty"
    assert diff.numbers(diff.place_of(50))[1] > 50
    assert len(diff.hunks) == 2


def test_a_missing_line_end_is_shown(directory: Path) -> None:
    """It is a change that no line would tell."""
    diff = diff_of(directory, ["a"], ["b"], last="")
    assert [chr(diff.kind(at)) for at in range(len(diff))] == ["@", "-", "\\", "+", "\\"]


def test_a_changed_line_end_is_seen() -> None:
    """A carriage return at the end of a line is shown, for it may be all that changed."""
    diff = FileDiff(b"@@ -1 +1 @@\n-a\n+a\r\n")
    lines = DiffLines((), Shown(diff), 100)
    texts = ["".join(part.text for part in lines[at]) for at in range(len(lines))]
    assert texts[1].rstrip().endswith("a") and texts[2].rstrip().endswith("a\\r")


@given(text=st.text(alphabet="ab名数é \t", max_size=20), cells=st.integers(0, 30))
def test_moving_sideways_keeps_columns(text: str, cells: int) -> None:
    """After a move, what was at cell n stands at cell n minus the move."""
    words = safe_line(text)
    assert cell_width(shifted(words, cells)) == max(0, cell_width(words) - cells)
