"""What every adapter of port `Change` must do."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.ports import Change
from workbench.repository.change import StoreChange
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

Files = dict[str, bytes]
Make = Callable[[Files, Files], Change]
HAS_FAKE = importlib.util.find_spec("workbench.testing.changes") is not None

BASE: Files = {
    "keep.txt": b"same\n",
    "edit.py": b"one\ntwo\nthree\n",
    "gone.py": b"x = 1\n",
    "no-end.txt": b"last line without end",
    "dir/bin": b"\0\1\2",
    "crlf.txt": b"a\r\nb\r\n",
}
RESULT: Files = {
    "keep.txt": b"same\n",
    "edit.py": b"zero\none\nTWO\nthree\nfour\n",
    "no-end.txt": b"last line without end\nmore",
    "dir/bin": b"\0\1\3",
    "new file ü.py": b"+++ x\n@@ -1 +9 @@\ndiff --git a/x b/x\n",
    "crlf.txt": b"a\r\nB\r\n",
    "empty": b"",
}


@pytest.fixture(params=["store", pytest.param("fake", marks=pytest.mark.skipif(not HAS_FAKE, reason="no fake here"))])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    if request.param == "fake":
        changes = importlib.import_module("workbench.testing.changes")
        yield lambda base, result: changes.TreeChange(base, result)
        return
    repo = Repo(tmp_path / "repo")

    def build(base: Files, result: Files) -> Change:
        first = repo.commit({**base}, "Base")
        head = repo.commit({**dict.fromkeys(set(base) - set(result)), **result}, "Change")
        store.pin(first), store.pin(head)
        return StoreChange(store, base=first, head=head)

    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as store:
        yield build


def test_changed_paths_name_each_path_once_with_its_letter(make: Make) -> None:
    """A collector learns which paths changed and how; an unchanged one is not named."""
    assert sorted(make(BASE, RESULT).changed_paths(), key=lambda pair: pair[1]) == [
        ("M", "crlf.txt"),
        ("M", "dir/bin"),
        ("M", "edit.py"),
        ("A", "empty"),
        ("D", "gone.py"),
        ("A", "new file ü.py"),
        ("M", "no-end.txt"),
    ]


def test_a_rename_is_a_deletion_and_an_addition(make: Make) -> None:
    """A file that moved is seen at both places, so that no check is lost on the way."""
    change = make({"old.py": b"x = 1\n" * 9, "k": b""}, {"new.py": b"x = 1\n" * 9, "k": b""})
    assert sorted(change.changed_paths()) == [("A", "new.py"), ("D", "old.py")]


def test_files_are_read_on_both_sides(make: Make) -> None:
    """Bytes come back exactly; what is not there is None."""
    change = make(BASE, RESULT)
    assert change.base_file("gone.py") == b"x = 1\n"
    assert change.result_file("gone.py") is None
    assert change.base_file("empty") is None
    assert change.result_file("empty") == b""
    assert change.result_file("dir/bin") == b"\0\1\3"
    assert change.result_file("crlf.txt") == b"a\r\nB\r\n"
    assert change.result_file("dir") is None


def test_added_lines_are_those_that_base_has_not(make: Make) -> None:
    """Line numbers are those of the result, whatever the content looks like."""
    added = make(BASE, RESULT).added_lines()
    assert added["edit.py"] == (1, 3, 5)
    assert added["new file ü.py"] == (1, 2, 3)
    assert added["crlf.txt"] == (2,)
    assert set(added) - {"dir/bin"} == {"edit.py", "new file ü.py", "crlf.txt", "no-end.txt"}


def test_a_change_has_its_commits_and_tree(make: Make) -> None:
    """Everything that evidence is bound to has a name."""
    change = make(BASE, RESULT)
    assert all((change.base, change.head, change.result, change.tree))
    assert change.base != change.head


def test_modes_are_told_of_changed_paths(make: Make) -> None:
    """A collector sees the modes on both sides: of plain files, and none where a file is absent."""
    modes = make(BASE, RESULT).modes()
    assert modes["edit.py"] == ("100644", "100644")
    assert modes["gone.py"] == ("100644", "")
    assert modes["empty"] == ("", "100644")
    assert "keep.txt" not in modes


def test_the_history_is_of_the_change_alone(make: Make) -> None:
    """Every commit that is named has an id; none that base holds is among them, and nothing was left out unsaid."""
    change = make(BASE, RESULT)
    known = {commit.id for commit in change.commits()}
    history = change.history_added_lines()
    assert set(history.added) <= known
    assert change.base not in known
    assert history.left_out == ()
