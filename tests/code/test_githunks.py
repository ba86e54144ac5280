"""Hunks are known by their content: found again wherever they stand, and put into other states of their file."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from workbench.code.githunks import GitHunk, Kept, found, hunk_at, hunks_of, kept, named
from workbench.code.grafting import Ungraftable, grafted
from workbench.code.unified import FileDiff

LONG = [f"value_{number} = compute({number}, with_some='words')" for number in range(60)]


class Differ:
    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def __call__(self, old: Sequence[str], new: Sequence[str], *, around: int = 3, end: str = "\n") -> FileDiff:
        for name, lines in (("old", old), ("new", new)):
            (self._directory / name).write_bytes(("\n".join(lines) + (end if lines else "")).encode())
        words = ("git", "diff", "--no-index", "--no-color", "--full-index", f"-U{around}", "--", "old", "new")
        return FileDiff(subprocess.run(words, cwd=self._directory, capture_output=True, check=False).stdout)


@pytest.fixture
def differ(tmp_path: Path) -> Differ:
    return Differ(tmp_path)


def edited(lines: Sequence[str], changes: dict[int, list[str]]) -> list[str]:
    """Lines with each of the numbered ones (from 0) replaced."""
    return [line for at, old in enumerate(lines) for line in changes.get(at, [old])]


def read(diff: FileDiff, marks: Sequence[Kept]) -> list[bool]:
    """Of each hunk, whether all of it was marked."""
    hunks = hunks_of(diff)
    standing = found(hunks, marks)
    return [hunk.numbers <= standing for hunk in hunks]


def marks_of(hunks: Sequence[GitHunk], *numbers: int) -> tuple[Kept, ...]:
    return kept(hunks, [block for at in numbers for block in hunks[at].blocks])


def test_hunks_are_those_that_git_shows_however_much_is_around_them(differ: Differ) -> None:
    """With three lines around, one for each `@@`; the same ones, of the same names, within the whole file."""
    new = edited(LONG, {3: ["x = 1"], 9: [], 20: ["y = 1", "z = 2"], 28: ["w = 4"], 59: ["last"]})
    short, whole = differ(LONG, new), differ(LONG, new, around=1000)
    hunks = hunks_of(short)
    assert len(hunks) == len(short.hunks) == 4
    assert len(whole.hunks) == 1
    assert [one.name for one in hunks_of(whole)] == [one.name for one in hunks]
    assert [(one.line, one.added, one.removed) for one in hunks] == [(4, 1, 2), (20, 2, 1), (29, 1, 1), (60, 1, 1)]
    for head, line in enumerate(short.hunks):
        assert [hunk_at(short, hunks, at) for at in (line, line + 1)] == [head, head]
    assert hunk_at(differ(LONG, LONG), (), 0) == -1


def test_a_mark_stays_while_its_lines_stand(differ: Differ) -> None:
    """Whatever comes, goes or changes around them, joined to another hunk or not; gone when one of them changes."""
    changes = {10: ["a_rather_long_line = that(tells)"], 30: ["another_long_line = that(tells)"], 50: ["x"]}
    marks = marks_of(hunks_of(differ(LONG, edited(LONG, changes))), 0, 1, 2)
    moved = {**changes, 2: ["# new", "# new too"], 31: [], 33: ["joined"], 41: ["b"]}
    assert read(differ(LONG, edited(LONG, moved)), marks) == [False, True, False, False, True]
    assert read(differ(LONG, edited(LONG, {**changes, 10: ["a_rather_long_line = that(Tells)"]})), marks) == [
        False, True, True,
    ]  # fmt: skip
    assert read(differ(["# of the base", *LONG], ["# of the base", *edited(LONG, changes)]), marks) == [True] * 3


def test_one_of_several_like_hunks_is_told_by_what_is_around_it_or_by_nothing(differ: Differ) -> None:
    """A mark is lost rather than put on lines that nobody read."""
    same = "return the_same_long_value(of_everything)"
    changes = {10: [same], 30: [same], 50: [same]}
    marks = marks_of(hunks_of(differ(LONG, edited(LONG, changes))), 1)
    assert read(differ(LONG, edited(LONG, changes)), marks) == [False, True, False]
    assert read(differ(LONG, edited(LONG, {10: [same], 50: [same]})), marks) == [False, False]
    assert read(differ(LONG, edited(LONG, {**changes, 20: [same]})), marks) == [False, False, True, False]
    blank = ["pass"] * 60
    twins = edited(blank, {10: [same, same], 40: [same, same]})
    hunks = hunks_of(differ(blank, twins))
    assert read(differ(blank, twins), marks_of(hunks, 1)) == [False, True]
    assert read(differ(blank, edited(blank, {10: [same, same]})), marks_of(hunks, 1)) == [False]
    brief = marks_of(hunks_of(differ(LONG, edited(LONG, {5: [LONG[5], "x = 1"]}))), 0)
    assert read(differ(LONG, edited(LONG, {40: [LONG[40], "x = 1"]})), brief) == [False]


def test_names_are_of_content(differ: Differ) -> None:
    """Two that are quite like each other share one, which then names neither alone."""
    new = edited(LONG, {5: ["one"], 30: ["two"], 50: ["one"]})
    hunks = hunks_of(differ([*LONG[:5], "old", *LONG[6:50], "old", *LONG[51:]], new))
    assert len({one.name for one in hunks}) == 3
    assert [named(hunks, one.name) for one in hunks] == [[one] for one in hunks]
    assert named(hunks, hunks[1].name[:6]) == [hunks[1]]
    assert named(hunks, hunks[0].content[:12]) == [hunks[0], hunks[2]]
    assert named(hunks, "") == named(hunks, hunks[1].name[:5]) == named(hunks, "f" * 13) == []


def test_random_changes_neither_lose_nor_misplace_a_mark(differ: Differ) -> None:
    """After edits elsewhere a mark is on the lines that were read; after edits of them it is nowhere."""
    rng = random.Random(7)
    for _ in range(6):
        places = sorted(rng.sample(range(60), 6))
        changes = {at: [f"changed_{at} = something_of(its, own)"] for at in places}
        hunks = hunks_of(differ(LONG, edited(LONG, changes)))
        marked = rng.randrange(len(hunks))
        words = {block.content for block in hunks[marked].blocks}
        others = {at: [f"other_{at}", "more"] for at in rng.sample([at for at in range(60) if at not in places], 4)}
        apart = {at: lines for at, lines in others.items() if at - 1 not in changes and at + 1 not in changes}
        later = hunks_of(differ(LONG, edited(LONG, {**changes, **apart})))
        standing = found(later, marks_of(hunks, marked))
        assert {block.content for hunk in later for block in hunk.blocks if block.at in standing} == words
        gone = {at: [*lines, "and more"] for at, lines in changes.items()}
        assert not found(hunks_of(differ(LONG, edited(LONG, gone))), marks_of(hunks, marked))


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_hunks_of_two_changes_come_together(differ: Differ, end: str) -> None:
    """On the base of both, with what the ground has already; the same lines changed twice are refused."""
    base = (("\n".join(LONG)) + end).encode()
    one, two = edited(LONG, {3: ["one"], 20: ["twenty"]}), edited(LONG, {40: [], 45: [LONG[45], "more"], 59: ["end"]})
    ground, other = differ(LONG, one, end=end), differ(LONG, two, end=end)
    wanted = hunks_of(other)
    both = edited(LONG, {3: ["one"], 20: ["twenty"], 40: [], 45: [LONG[45], "more"], 59: ["end"]})
    assert grafted(base, ground, [(other, hunk) for hunk in wanted]) == ("\n".join(both) + end).encode()
    assert grafted(base, ground, [(ground, hunks_of(ground)[0])]) == ("\n".join(one) + end).encode()
    assert grafted(base, FileDiff(b""), []) == base
    against = differ(LONG, edited(LONG, {20: ["zwanzig"]}), end=end)
    with pytest.raises(Ungraftable, match="line 21"):
        grafted(base, ground, [(against, hunks_of(against)[0])])


def test_a_hunk_at_the_very_edges(differ: Differ) -> None:
    """A file that was empty, or is now, is one hunk; so is a first line."""
    for old, new in (([], ["a"]), (["a"], []), (["b"], ["a", "b"])):
        diff = differ(old, new)
        (hunk,) = hunks_of(diff)
        text = "".join(f"{line}\n" for line in new).encode()
        assert grafted("".join(f"{line}\n" for line in old).encode(), FileDiff(b""), [(diff, hunk)]) == text
