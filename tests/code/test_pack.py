"""What a pack tells of a structural change, and where it puts mechanical edits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from workbench.ace.cli.showing import _change
from workbench.artifacts.mergepack import Change as FileChange
from workbench.core.reading import reading_list
from workbench.evidence.structure import Structure
from workbench.ports import Change

OLD = "def total(rows):\n    found = 0\n    for row in rows:\n        found += row.price\n    return found\n"
FILES = {
    "calls.py": (
        "from prices import total\n\nprint(total([]))\n",
        "from prices import total_price\n\nprint(total_price([]))\n",
    ),
    "edited.py": ("def rate():\n    return 1\n", "def rate(day):\n    return 2\n"),
    "prices.py": (OLD, OLD.replace("def total(", "def total_price(")),
}


def change() -> Change:
    """A change of which only the files are there."""
    return cast(
        Change,
        SimpleNamespace(
            base="b" * 40, head="h" * 40, result="r" * 40, tree="t" * 40,
            changed_paths=lambda: [("M", path) for path in FILES],
            base_file=lambda path: FILES[path][0].encode(),
            result_file=lambda path: FILES[path][1].encode(),
        ),
    )  # fmt: skip


def told() -> tuple[Structure, tuple[FileChange, ...]]:
    structure = Structure()
    collected = structure.collect(change())
    assert [(each.kind, each.state) for each in collected.evidence] == [("structure", "passed")]
    assert "mechanical lines folded" in collected.evidence[0].summary
    return structure, structure.told([FileChange(path=path, added=1, removed=1, kind="source") for path in FILES])


def test_mechanical_files_are_read_last_and_say_so() -> None:
    """A file that only says a new name stands below the one that does something else, with the reason."""
    _, changes = told()
    read = list(reading_list(changes, [], uncovered={}))
    assert read[0].path == "edited.py"
    assert {item.path for item in read if item.why.startswith("mechanical")} == {"prices.py", "calls.py"}


def test_a_pack_names_what_became_of_entities() -> None:
    """Each changed entity is one line, as `mrp show` prints it, and what others notice is told apart."""
    structure, changes = told()
    lines = [line for each in changes for line in _change(cast(Any, {"path": each.path, "structure": each.structure}))]
    assert "prices.py: renamed function total_price, was total (names)" in lines
    assert any(line.startswith("edited.py: modified function rate (signature, body)") for line in lines)
    assert any("rate is called otherwise" in line for line in structure.surface())
