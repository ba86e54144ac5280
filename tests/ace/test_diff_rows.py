"""Rows of a diff: every line stands in one, folded lines in one together, notes below theirs."""

from __future__ import annotations

import difflib

from hypothesis import given
from hypothesis import strategies as st

from workbench.ace.tui.difffold import Fold, folds_of
from workbench.ace.tui.difflines import DiffLines, Look, Note, Shown
from workbench.ace.tui.diffrows import NONE, Pairs, Rows
from workbench.ace.tui.diffshade import Tones, toned
from workbench.ace.tui.text import Safe, line, piece, safe_line
from workbench.code.compare import structural_diff
from workbench.code.model import FileSides
from workbench.code.unified import FileDiff
from workbench.model.text import cell_width

TEXTS = st.lists(st.sampled_from("abcdef"), max_size=25)


def diff_of(old: str, new: str) -> FileDiff:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), n=3)
    return FileDiff("".join(lines).encode())


def shown(diff: FileDiff, rows: Rows) -> list[int]:
    """The lines of the diff in the order of the rows."""
    found: list[int] = []
    for row in (rows[at] for at in range(len(rows))):
        found += sorted({row.old, row.new} - {NONE})
    return found


@given(old=TEXTS, new=TEXTS)
def test_every_line_of_a_diff_stands_in_one_row_in_either_way(old: list[str], new: list[str]) -> None:
    """Unified and side by side show the same lines, and each can be gone to."""
    diff = diff_of("\n".join(old) + "\n", "\n".join(new) + "\n")
    for pairs in (None, Pairs(diff)):
        rows = Rows(diff, pairs, (), ())
        assert sorted(shown(diff, rows)) == list(range(len(diff)))
        for at in range(len(diff)):
            row = rows[rows.row_of(at)]
            assert at in (row.old, row.new)


@given(old=TEXTS, new=TEXTS)
def test_a_line_of_a_diff_has_the_numbers_that_it_has_in_the_files(old: list[str], new: list[str]) -> None:
    """What a diff numbers n is the n-th line of that side; what it removes or adds has no number on the other."""
    sides = ([*old, "end"], [*new, "end"])
    diff = diff_of("\n".join(sides[0]) + "\n", "\n".join(sides[1]) + "\n")
    for at in range(len(diff)):
        numbered = [(side, number) for side, number in zip(sides, diff.numbers(at), strict=True) if number]
        assert len(numbered) == {"@": 0, "-": 1, "+": 1, " ": 2}[chr(diff.kind(at))]
        assert all(side[number - 1] == diff.text(at) for side, number in numbered)
        assert all(number <= 10**diff.widest_number for _, number in numbered)


@given(data=st.data(), old=TEXTS, new=TEXTS)
def test_folds_and_notes_hide_nothing_else(data: st.DataObject, old: list[str], new: list[str]) -> None:
    """What is in no closed fold is shown; each note stands once, below its line or the fold that it is in."""
    diff = diff_of("\n".join(old) + "\n", "\n".join(new) + "\n")
    if not len(diff):
        return
    bounds = sorted(data.draw(st.lists(st.integers(0, len(diff) - 1), max_size=6, unique=True)))
    folds = [Fold(first, last - 1, "x") for first, last in zip(bounds[::2], bounds[1::2], strict=False) if last > first]
    notes = sorted(data.draw(st.lists(st.integers(0, len(diff) - 1), max_size=4)))
    hidden = {at for fold in folds for at in range(fold.first, fold.last + 1)}
    for pairs in (None, Pairs(diff)):
        rows = Rows(diff, pairs, folds, range(len(folds)), notes)
        seen = set(shown(diff, rows))
        assert seen | hidden == set(range(len(diff)))
        assert sorted({rows[at].note for at in range(len(rows))} - {NONE}) == list(range(len(notes)))
        assert sum(rows[at].note != NONE for at in range(len(rows))) == len(notes)
        for number, at in enumerate(notes):
            place = rows.row_of(at)
            below = [rows[index].note for index in range(place + 1, min(len(rows), place + 2 + len(notes)))]
            assert number in below
        for at in range(len(diff)):
            row = rows[rows.row_of(at)]
            assert at in (row.old, row.new) or folds[row.fold].first <= at <= folds[row.fold].last


def test_what_is_mechanical_by_proof_is_one_line_until_it_is_opened() -> None:
    """A hunk in which a name is renamed and nothing else folds; one with a changed value does not."""
    old = "def total():\n    prices = load()\n    return sum(prices)\n" + "\n" * 12 + "RATE = 1\n"
    new = old.replace("prices", "amounts").replace("RATE = 1", "RATE = 2")
    diff = diff_of(old, new)
    (change,) = structural_diff([FileSides(path="shop.py", old=old.encode(), new=new.encode())]).files
    folds = folds_of(diff, change.hunks)
    assert [fold.words for fold in folds] == ["renamed prices to amounts, 4 lines"]
    told = Shown(diff, folds=folds, pairs=Pairs(diff))
    folded = DiffLines((), told, 80, look=Look(closed=frozenset({0})))
    texts = ["".join(part.text for part in folded[at]) for at in range(len(folded))]
    assert texts[0].startswith(" = renamed prices to amounts, 4 lines")
    assert any("RATE = 2" in text for text in texts)
    assert not any("sum(" in text for text in texts)
    assert len(DiffLines((), told, 80)) > len(folded)


def test_a_note_stands_below_its_line_in_either_way() -> None:
    """Side by side, too, where the line is in the right half."""
    diff = diff_of("a\nb\nc\n", "a\nB\nc\n")
    told = Shown(diff, pairs=Pairs(diff))
    note = Note(diff.line_of(2), line(piece("why?")))
    for split in (False, True):
        lines = DiffLines((), told, 80, look=Look(split=split), below=[note])
        texts = ["".join(part.text for part in lines[at]) for at in range(len(lines))]
        at = next(at for at, text in enumerate(texts) if "why?" in text)
        assert "B" in texts[at - 1]


@given(text=st.text(alphabet="ab名\t\x1b é", max_size=20), left=st.integers(0, 12), at=st.integers(0, 20))
def test_tones_change_no_character(text: str, left: int, at: int) -> None:
    """However a line is divided by roles and words, what is shown of it is the same, and as wide."""
    tones = Tones(((0, at, "keyword"), (at, at + 3, "string")), ((max(0, at - 1), at + 1),))
    plain = "".join(part.text for part in toned(text, Tones(), role="plain", ground="added", colored=True, left=left))
    parts = list(toned(text, tones, role="plain", ground="added", colored=True, left=left))
    assert cell_width("".join(part.text for part in parts)) == cell_width(Safe(plain))
    if "\t" not in text:
        assert "".join(part.text for part in parts) == plain
    assert all(safe_line(part.text) == part.text for part in parts)
