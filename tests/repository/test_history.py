"""What each commit of a branch adds is read one by one, in real git, whatever names and contents look like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.repository import history
from workbench.repository.change import StoreChange
from workbench.repository.git import Git
from workbench.repository.store import Store
from workbench.testing.repositories import Repo


class Scene:
    def __init__(self, repo: Repo, store: Store) -> None:
        self.repo, self.store = repo, store
        self.base = repo.commit({"a.py": "one\n", "link": "x\n"}, "Base")

    def change(self) -> StoreChange:
        self.store.pin(self.base), self.store.pin(self.repo.head)
        return StoreChange(self.store, base=self.base, head=self.repo.head)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    repo = Repo(tmp_path / "repo")
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as store:
        yield Scene(repo, store)


def test_a_line_that_a_later_commit_removes_is_in_the_history(scene: Scene) -> None:
    """What came and went shows in the history; control: the result has no trace of it."""
    first = scene.repo.commit({"a.py": "one\nsecret\n", "b": "1\n2\n"}, "Add")
    second = scene.repo.commit({"a.py": "one\n"}, "Remove")
    change = scene.change()
    assert "a.py" not in change.added_lines()
    added = change.history_added_lines().added
    assert added[first] == {"a.py": ((2, "secret"),), "b": ((1, "1"), (2, "2"))}
    assert added[second] == {"a.py": ()}


@pytest.mark.parametrize("name", ["sp ace", "tab\t", 'quo"te\\', "new\nline", "ü", "a b/a b/x", "esc\x1b[2J"])
def test_odd_names_come_back_exactly(scene: Scene, name: str) -> None:
    """A path is told as it is, with content that looks like git's own headers."""
    odd = "++ x\n-- y\n@@ -1 +9 @@\ndiff --git a/x b/x\n" + "0" * 40 + "\n"
    commit = scene.repo.commit({name: odd, f"{name}.empty": ""}, "Odd")
    added = scene.change().history_added_lines().added
    assert added == {commit: {name: tuple(enumerate(odd.splitlines(), 1)), f"{name}.empty": ()}}


def test_a_merge_adds_only_what_no_parent_has(scene: Scene) -> None:
    """A merge commit that brings a line of its own is seen with it, and not blamed for what it merges."""
    scene.repo.branch("side", at=scene.base)
    scene.repo.commit({"side.py": "side\n"}, "Side")
    scene.repo.branch("main", at=scene.base)
    scene.repo.commit({"main.py": "main\n"}, "Main")
    scene.repo.git("merge", "-q", "--no-commit", "side")
    (scene.repo.path / "evil.py").write_text("evil\n")
    (scene.repo.path / "side.py").write_text("side\nevil\n")
    (scene.repo.path / "a.py").write_text("one\nevil\n")
    merge = scene.repo.commit({}, "Merge")
    added = scene.change().history_added_lines().added[merge]
    assert added["evil.py"] == ((1, "evil"),)
    assert added["a.py"] == ((2, "evil"),)
    assert "main.py" not in added


def test_what_is_beyond_the_bounds_is_said(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many commits, lines or bytes are left out, and the history says so."""
    for number in range(4):
        scene.repo.commit({"n.txt": "".join(f"{number}-{line}\n" for line in range(50))}, "More")
    assert scene.change().history_added_lines().left_out == ()
    for name, bound, said in (("MAX_COMMITS", 2, "2 earlier commits"), ("MAX_LINES", 60, "added lines"),
                              ("MAX_BYTES", 900, "added lines")):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setattr(history, name, bound)
            assert said in scene.change().history_added_lines().left_out[0]


def test_commits_are_told_raw(scene: Scene) -> None:
    """Author and message come as the object has them, control characters included."""
    eve = "--author=E\x1b[2Jve <e@x>"
    scene.repo.git("commit", "-q", "--allow-empty", eve, "-m", "a\x1b]0;b\n\nc")
    (commit,) = scene.change().commits()
    assert commit.author == "E\x1b[2Jve <e@x>"
    assert commit.committer == "Ada Example <ada@example.org>"
    assert commit.message == "a\x1b]0;b\n\nc\n"


def test_links_modules_and_executables_have_their_modes(scene: Scene) -> None:
    """A link in a file's place, a submodule and an executable are told apart by mode."""
    repo = scene.repo
    (repo.path / "link").unlink()
    (repo.path / "link").symlink_to("/etc/passwd")
    (repo.path / "a.py").chmod(0o755)
    repo.git("add", "-A")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{scene.base},module")
    repo.git("commit", "-q", "-m", "Modes")
    change = scene.change()
    assert change.modes() == {"a.py": ("100644", "100755"), "link": ("100644", "120000"), "module": ("", "160000")}
    assert change.result_file("link") == b"/etc/passwd"


def test_what_is_mended_often_is_counted(scene: Scene) -> None:
    """Of the late commits that touched a file, those whose subject says so mended something; odd names come back."""
    for number, subject in enumerate(("Fix the bug", "Add", "Revert it", "prefix the suffix"), 1):
        scene.repo.commit({"a.py": f"{number}\n", "od\nd": f"{number}\n"}, subject)
    found = history.often_mended(Git(scene.repo.path / ".git"), scene.repo.head, ["a.py", "od\nd", "link", "none"])
    assert found == {"a.py": (4, 2), "od\nd": (4, 2)}
