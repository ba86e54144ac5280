"""What was read of a change, hunk by hunk: marked, folded, gone on from, and found again in a later revision."""

from __future__ import annotations

from pathlib import Path

import pytest
from ace_world import World, git

from tests.sessions.reviewed import review
from workbench.testing.stage import Session

LINES = [f"value_{number} = compute({number}, with_some='words')" for number in range(1, 61)]
EDITED = {4: "first_edit = of_these(lines)", 30: "second_edit = of_these(lines)", 56: "third_edit = of_these(lines)"}


def text(changes: dict[int, str], *, above: str = "") -> str:
    """The lines with those of these numbers replaced."""
    return above + "".join(f"{changes.get(number, line)}\n" for number, line in enumerate(LINES, 1))


@pytest.fixture
def run(repository: Path, world: World) -> str:
    world.base = world.commit("main", {"shop.py": text({}), "tax.py": text({})})
    git(repository, "reset", "-q", "--hard", world.base)
    return world.mission()[0]


def test_hunks_are_marked_one_by_one(repository: Path, world: World, run: str) -> None:
    """`U` and `r` lead from one to the next across files; marks outlast the screen, and a later revision."""
    first = world.pack(run, files={"shop.py": text(EDITED), "tax.py": text({9: "tax_edit = of_this(line)"})})

    async def read(person: Session) -> None:
        await person.do("next-unread")
        await person.until_sees("▌@@ -1,7 +1,7 @@")
        await person.do("mark-reviewed")
        person.sees("1 of 3 hunks read", "✓ read, line 4, +1 -1", "+ second_edit", "unread 2/2 files, 3/4 hunks")
        await person.do("next-unread", "mark-reviewed")
        person.sees("2 of 3 hunks read")
        await person.until_sees("+ tax_edit")
        await person.do("mark-reviewed")
        await person.until_sees("▌@@ -27,7 +27,7 @@")
        person.sees("unread 1/2 files, 1/4 hunks")

    review(repository, first, read, size=(80, 26))
    changed = {**EDITED, 30: "second_edit = of_those(lines)", 34: "beside_it = new(line)"}
    second = world.pack(run, files={"shop.py": text(changed, above="import os\n"), "tax.py": text({})}, revision=2)

    async def again(person: Session) -> None:
        await person.until_sees("unread, 1 of 3 hunks read")
        person.sees("+ import os", "✓ read, line 5, +1 -1", "+ second_edit", "1/3")
        await person.do("next-unread", "mark-reviewed", "mark-reviewed")
        person.sees("all files read")
        await person.do("mark-reviewed")
        person.sees("1 of 1 file unread, 2 of 3 hunks read")

    review(repository, second, again, size=(160, 45))
