"""Comments in a review: made on what is read, shown where it is, and sent with the request for changes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import World

from tests.sessions.reviewed import HOSTILE, review
from workbench.ace.wiring import commenting
from workbench.ace.wiring.workplace import Workplace
from workbench.testing.stage import Session

SHOP = "".join(f"value_{number} = {number}\n" for number in range(1, 9))


@pytest.fixture
def run(world: World) -> str:
    return world.mission()[0]


def test_a_comment_on_a_line_stands_below_it_and_goes_to_the_agent(repository: Path, world: World, run: str) -> None:
    """From the diff, with the keyboard alone; the request for changes takes it along."""
    pack = world.pack(run, files={"shop.py": SHOP})

    async def act(person: Session) -> None:
        await person.do("next-pane", "next-hunk", "next-line", "next-line", "next-line", "comment")
        person.sees("COMMENT", "shop.py:2", "value_2 = 2")
        await person.type("two of what?")
        await person.do("confirm")
        await person.until_sees("two of what?  (not sent yet)")
        state = world.journal.pack(pack)
        assert state is not None
        (made,) = state.comments
        assert (made.text, made.target["first"], made.target["side"]) == ("two of what?", 2, "new")
        await person.do("explain-verdict")
        person.sees("COMMENTS", "shop.py:2")
        await person.do("request-changes")
        await person.type("see the comment")
        await person.do("confirm")
        await person.until_sees("changes requested")
        decided = world.journal.pack(pack)
        assert decided is not None
        assert decided.decisions[-1]["required_changes"] == [f"[{made.id}] shop.py:2: two of what?"]

    review(repository, pack, act, size=(160, 45))


def test_several_lines_are_taken_together_for_one_comment(repository: Path, world: World, run: str) -> None:
    """`v` where it begins, then move; also at 80x24, where the diff has the screen."""
    pack = world.pack(run, files={"shop.py": SHOP})

    async def act(person: Session) -> None:
        await person.do("next-pane", "next-hunk", "next-line", "next-line", "start-range", "next-line", "next-line")
        await person.do("comment")
        person.sees("shop.py:1-3")
        await person.type("not sent")
        await person.do("go-back", "comment")
        await person.until_sees("not sent")  # what was typed is kept

    review(repository, pack, act, size=(80, 24))


def test_a_comment_on_a_function_stands_at_its_head(repository: Path, world: World, run: str) -> None:
    """`C` on any line of it; in a later revision it is found under another name, above what the diff does not show."""
    text = "def till(amount):\n    total = amount * RATE\n    return total\n"
    first = world.pack(run, files={"shop.py": "RATE = 3\n\n\n" + text})

    async def act(person: Session) -> None:
        await person.do("next-pane", "comment-entity")
        person.sees("go to a line of it first", "r reviewed  U next unread", "C on function", "? help")
        await person.do("next-hunk", "last-line", "comment-entity")
        await person.until_sees("shop.py::till")
        await person.type("why not all?")
        await person.do("confirm")
        await person.until_sees("on till: why not all?  (not sent yet)")
        at = next(number for number, line in enumerate(person.lines) if "def till" in line)
        assert "why not all?" in person.lines[at + 1], person.text

    review(repository, first, act, size=(80, 24))
    second = world.pack(run, files={"shop.py": "RATE = 4\n\n\n" + text.replace("till", "pay")}, revision=2)

    async def again(person: Session) -> None:
        await person.until_sees("on pay: why not all?")
        await person.do("explain-verdict")
        person.sees("COMMENTS", "shop.py::pay")

    review(repository, second, again, size=(160, 45))


def test_comments_of_others_and_of_earlier_revisions_are_shown(repository: Path, world: World, run: str) -> None:
    """At their lines, or above the file as outdated; what they say is not obeyed by the terminal."""
    first = world.pack(run, files={"shop.py": SHOP})
    with Workplace(repository) as place:
        commenting.add(place, first, "shop.py:2", HOSTILE)
        commenting.add(place, first, "shop.py:5-6", "gone in the next")
    second = world.pack(run, files={"shop.py": "import os\n" + SHOP.replace("value_5", "five")}, revision=2)

    async def act(person: Session) -> None:
        await person.until_sees("outdated")
        person.sees("[red]", "PAY", "gone in the next")
        with Workplace(repository) as place:
            commenting.add(place, second, "shop.py:1", "why os?")
        await person.until_sees("why os?")

    review(repository, second, act, size=(160, 45))


def test_what_changed_since_the_last_look_is_one_key_away(repository: Path, world: World, run: str) -> None:
    """A file that stands as it was read keeps its mark in the next revision; one that changed loses it, visibly."""
    files = {"shop.py": SHOP, "tax.py": "TAX = 1\n"}
    first = world.pack(run, files=files)

    async def look(person: Session) -> None:
        await person.do("mark-reviewed", "mark-reviewed")
        person.sees("all files read")

    review(repository, first, look, size=(160, 45))
    second = world.pack(run, files={**files, "shop.py": SHOP.replace("value_7 = 7", "value_7 = 77")}, revision=2)

    async def again(person: Session) -> None:
        await person.until_sees(f"d shows what changed since you looked at {first}")
        person.sees("1 of 2 files unread", "+ value_1 = 1")
        await person.do("since-last-look")
        await person.until_sees("- value_7 = 7")
        person.sees("+ value_7 = 77")
        person.sees_not("+ value_1 = 1", "tax.py")
        await person.do("since-last-look")
        await person.until_sees("+ value_1 = 1")

    review(repository, second, again, size=(160, 45))
