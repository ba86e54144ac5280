"""Where remarks stand after other hands changed the text: on their words, or nowhere."""

from __future__ import annotations

import random

import pytest

from workbench.core.anchors import anchor, located

Numbered = list[tuple[str, int]]  # a line, and which line it is: a copy is another one
COMMON = (
    "    return None", "    }", "", "    if not items:", "        return 0", "    for item in items:", "    pass",
    "def f(x):", "import os", "    total += item", "    x = 1", "    log.info('done with %s', x)",
)  # fmt: skip
EDITS = 1_000


class Hands:
    """Somebody who inserts, deletes, changes, moves and copies lines of a very repetitive text."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = 0

    def line(self) -> tuple[str, int]:
        self.made += 1
        own = f"    value_{self.random.randrange(60)} = call({self.random.randrange(9)})"
        return (self.random.choice(COMMON) if self.random.random() < 0.6 else own), self.made

    def lines(self, most: int) -> Numbered:
        return [self.line() for _ in range(self.random.randint(1, most))]

    def edited(self, lines: Numbered) -> Numbered:
        text = list(lines)
        for _ in range(self.random.randint(1, 12)):
            at, size = self.random.randrange(len(text) + 1), self.random.randint(1, 10)
            match self.random.choice(("insert", "delete", "change", "move", "copy")):
                case "insert":
                    text[at:at] = self.lines(5)
                case "delete":
                    del text[at : at + size // 2]
                case "change":
                    text[at : at + 1] = self.lines(1)
                case "move":
                    block = text[at : at + size]
                    del text[at : at + size]
                    there = self.random.randrange(len(text) + 1)
                    text[there:there] = block
                case "copy":
                    block = [(words, self.line()[1]) for words, _ in text[at : at + size]]
                    there = self.random.randrange(len(text) + 1)
                    text[there:there] = block
        return text


def test_a_remark_stands_on_its_words_or_nowhere_after_a_thousand_edits_by_other_hands() -> None:
    """It never stands on other words, nor on a twin of its line while that stands among the same lines as before."""
    found = there = 0
    for seed in range(EDITS):
        hands = Hands(seed)
        before = hands.lines(120)
        first = hands.random.randint(1, len(before))
        last = min(len(before), first + hands.random.choice((0, 0, 0, 1, 2, 5)))
        after = hands.edited(before)
        place = located(anchor([words for words, _ in before], first, last), [words for words, _ in after])
        spoken_of = before[first - 1 : last]
        around = ends(before)[max(0, first - 2) : last + 3]
        there += _stands(spoken_of, after)
        if place is None:
            continue
        shown = after[place[0] - 1 : place[1]]
        assert [words for words, _ in shown] == [words for words, _ in spoken_of], seed
        assert shown == spoken_of or not _stands(around, ends(after)), seed
        found += shown == spoken_of
    assert found > there * 0.75


def ends(text: Numbered) -> Numbered:
    """A text with its beginning and its end, which are surroundings, too."""
    return [("", -1), *text, ("", -2)]


def _stands(block: Numbered, text: Numbered) -> bool:
    return any(text[at : at + len(block)] == block for at in range(len(text)))


def test_a_remark_follows_its_lines_when_others_are_put_above_them() -> None:
    """The numbers change, the place does not."""
    text = ["a = 1", "b = 2", "", "return a + b"]
    assert located(anchor(text, 4, 4), ["import os", "", *text]) == (6, 6)


def test_a_remark_whose_line_was_changed_is_lost() -> None:
    """What it was about is gone."""
    assert located(anchor(["total = price * count", "return total"], 1, 1), ["total = price", "return total"]) is None


def test_a_remark_on_one_of_two_twins_does_not_go_over_to_the_other() -> None:
    """The function that was spoken of is deleted; the same lines in the other one are not what was meant."""
    text = ["def f(a):", "    if not a:", "        return 0", "", "def g(b):", "    if not a:", "        return 0", ""]
    assert located(anchor(text, 2, 3), text) == (2, 3)
    assert located(anchor(text, 2, 3), text[4:]) is None


def test_a_range_longer_than_what_is_kept_keeps_its_length() -> None:
    """A remark may be on a whole file."""
    text = [f"line {number} of a long file" for number in range(3_000)]
    assert located(anchor(text, 2, 2_999), ["new", *text]) == (3, 3_000)
    assert located(anchor(text, 2, 2_999), text[:1_000]) is None


def test_an_anchor_of_lines_that_are_not_there_is_refused() -> None:
    """Bad numbers are an error, not a remark that nobody sees."""
    for first, last in ((0, 1), (2, 1), (1, 3)):
        with pytest.raises(ValueError, match="lines"):
            anchor(["a", "b"], first, last)
