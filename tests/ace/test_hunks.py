"""What was read of a pack, said and asked on the command line: by file, by hunk and by line."""

from __future__ import annotations

from pathlib import Path

import msgspec
from ace_world import Call, World, git

from workbench.ace.wiring import reading
from workbench.ace.wiring.differing import changed_files
from workbench.ace.wiring.workplace import Workplace

LINES = [f"value_{number} = compute({number}, with_some='words')" for number in range(40)]


def text(**changes: str) -> str:
    return "".join(f"{changes.get(f'n{at}', line)}\n" for at, line in enumerate(LINES))


def read(call: Call, pack: str) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for row in call("mrp", "diff", pack, "--json").rows:
        found.setdefault(row["path"], []).append(row["read"])
    return found


def test_marks_are_of_files_hunks_and_lines_and_stay_while_these_stand(
    call: Call, world: World, repository: Path
) -> None:
    """In a later revision, too; under another name of the file as well, which is then news itself."""
    world.base = world.commit("main", {"shop.py": text()})
    git(repository, "reset", "-q", "--hard", world.base)
    (run,) = world.mission()
    new = "def added(to, the):\n    return shop\n"
    files = {"shop.py": text(n5="five = of_these(words)", n30="thirty = of_these(words)"), "new.py": new, "bin": "\0"}
    pack = world.pack(run, files=files)
    rows = call("mrp", "diff", pack, "--json").rows
    assert [(row["path"], row["line"], row["added"], row["note"]) for row in rows] == [
        ("bin", 0, None, "binary"), ("new.py", 1, 2, ""), ("shop.py", 6, 1, ""), ("shop.py", 31, 1, ""),
    ]  # fmt: skip
    assert "+five = of_these(words)" in rows[2]["lines"]
    assert {row["path"] for row in call("mrp", "diff", pack, "*.py", "bin", "--json").rows} == {
        "bin",
        "new.py",
        "shop.py",
    }
    marked = call("mrp", "mark", pack, f"shop.py#{rows[2]['hunk']}", "bin", "new.py:2", "--json").rows
    assert [(row["path"], row["read"], row["read_hunks"], row["hunks"]) for row in marked] == [
        ("shop.py", False, 1, 2), ("bin", True, 0, 0), ("new.py", True, 1, 1),
    ]  # fmt: skip
    assert call("mrp", "mark", pack, "shop.py:31", "--json").one["read"] is True
    assert call("mrp", "mark", pack, "shop.py:6", "--undo", "--json").one["read_hunks"] == 1
    assert read(call, pack) == {"bin": [True], "new.py": [True], "shop.py": [False, True]}
    for wrong, told in (("shop.py#abcdef", "no hunk"), ("shop.py:20", "in no hunk"), ("../x", "does not change")):
        said = call("mrp", "mark", pack, "shop.py", wrong, "--json")
        assert (said.code, told in said.error["message"]) == (2, True)
    later = world.pack(run, revision=2, files={"shop.py": "import os\n" + files["shop.py"], "other.py": new})
    assert read(call, later) == {"other.py": [True], "shop.py": [False, True]}
    state = world.journal.pack(later)
    assert state is not None
    with Workplace(repository) as place:
        shown = changed_files(place, state.base_commit, state.tree)
        known = reading.reading_of(place, state, shown)
        assert (known.read, known.looked) == (frozenset(), "")
        (shop,) = (file for file in shown if file.path == "shop.py")
        moved = msgspec.structs.replace(shop, path="store.py", status="R")
        assert len(reading.reading_of(place, state, [moved]).marks["store.py"]) == 1
        other = msgspec.structs.replace(shop, new_mode="100755")
        reading.keep_read(place, state, shop, read=True)
        _progress, whole = reading.progress_of(place, state, [other], reading.reading_of(place, state, [other]))
        assert whole == frozenset()
    told = call("mrp", "diff", later, "shop.py", "--names").out
    assert "shop.py" in told.splitlines()[0]
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["read"] * 2
    assert call("mrp", "diff", later, "shop.py", "--unread").out == ""
