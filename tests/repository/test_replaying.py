"""Commits put on another base: who made them and what they say stays, and nothing is made twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.repository.objects import Conflicted
from workbench.repository.replaying import MOST_ALONE, Replayed, replay
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

LINES = "".join(f"line {number}\n" for number in range(1, 10))
HOSTILE = "* merge=evil filter=evil diff=evil\n"


class Bed:
    """A repository whose branch `theirs` goes on from where ours began, and its store."""

    def __init__(self, root: Path) -> None:
        self.repo = Repo(root / "repo")
        self.base = self.repo.commit({"a.txt": LINES, ".gitattributes": HOSTILE})
        self.store = Store.open(root / "store.git", source=root / "repo" / ".git")

    def arm(self, trace: Path) -> None:
        """From here on git in the repository runs programs that leave a trace."""
        for kind in ("merge.evil.driver", "filter.evil.clean", "filter.evil.smudge"):
            self.repo.git("config", kind, f"touch {trace}")

    def commit(self, files: dict[str, str | bytes | None], at: str, message: str = "Change") -> str:
        self.repo.git("checkout", "-q", "--detach", at)
        made = self.repo.commit(files, message)
        self.store.pin(made)
        return made

    def replay(self, upstream: str, head: str, onto: str) -> Replayed | Conflicted:
        return replay(self.store, upstream=upstream, head=head, onto=onto)


@pytest.fixture
def bed(tmp_path: Path) -> Iterator[Bed]:
    made = Bed(tmp_path)
    yield made
    made.store.close()


def test_commits_stay_what_they_are_on_another_base(bed: Bed, tmp_path: Path) -> None:
    """Author, message and number stay; equal inputs give the same commits; no driver of the repository runs."""
    onto = bed.commit({"a.txt": LINES.replace("line 2", "line II")}, bed.base)
    one = bed.commit({"a.txt": LINES.replace("line 8", "line VIII")}, bed.base, "One\n\nWith a body.")
    two = bed.commit({"b.txt": "new\n"}, one, "Two")
    bed.arm(tmp_path / "ran")
    made = bed.replay(bed.base, two, onto)
    assert isinstance(made, Replayed) and made == bed.replay(bed.base, two, onto)
    git = bed.store.git
    assert git.text("log", "--format=%an %s", f"{onto}..{made.head}") == "Ada Example Two\nAda Example One"
    assert git.text("log", "-1", "--format=%b|%cn", f"{made.head}^") == "With a body.\n|Workbench"
    both = LINES.replace("line 2", "line II").replace("line 8", "line VIII").encode()
    assert bed.store.read_file(made.head, "a.txt") == both and not (tmp_path / "ran").exists()
    git.run("fsck", "--strict", "--no-dangling", made.head)


def test_what_conflicts_is_named_and_what_is_there_already_is_left_out(bed: Bed) -> None:
    """A commit that the new base has, in whatever other commit, does not come a second time."""
    mine = bed.commit({"a.txt": LINES.replace("line 2", "line two")}, bed.base)
    other = bed.commit({"a.txt": LINES.replace("line 2", "line II"), "b.txt": "new\n"}, bed.base)
    assert bed.replay(bed.base, mine, other) == Conflicted(paths=("a.txt",))
    squashed = bed.commit({"a.txt": LINES.replace("line 2", "line two"), "c.txt": "more\n"}, bed.base)
    assert bed.replay(bed.base, mine, squashed) == Replayed(head=squashed)


def test_what_has_merges_becomes_one_commit(bed: Bed) -> None:
    """Nothing of it is lost: a merge may hold what neither of its sides has."""
    onto = bed.commit({"a.txt": LINES.replace("line 9", "line IX")}, bed.base)
    one = bed.commit({"b.txt": "b\n"}, bed.base)
    other = bed.commit({"c.txt": "c\n"}, bed.base)
    bed.repo.git("checkout", "-q", "--detach", one)
    bed.repo.git("merge", "-q", "--no-commit", "--no-ff", other)
    head = bed.repo.commit({"evil.txt": "only here\n"}, "Merge")
    bed.store.pin(head)
    made = bed.replay(bed.base, head, onto)
    assert isinstance(made, Replayed) and made.joined == 3
    assert bed.store.list_files(made.head) == [".gitattributes", "a.txt", "b.txt", "c.txt", "evil.txt"]
    assert bed.store.count_commits(onto, made.head) == 1 and MOST_ALONE > 3
