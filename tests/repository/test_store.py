"""The bare store and the commits that are made in it without a working tree."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.model.errors import Refused, RepositoryProblem
from workbench.repository.change import StoreChange
from workbench.repository.objects import Conflicted, Merged, Signature, revert
from workbench.repository.store import BASES, Store
from workbench.testing.repositories import Repo


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state" / "store.git", source=repo.path / ".git") as opened:
        yield opened


def test_only_the_pinned_commit_and_its_history_are_copied(repo: Repo, store: Store) -> None:
    """The store holds what agents may see: no stash, no tag, no other branch."""
    base = repo.head
    repo.git("tag", "v1")
    repo.branch("private")
    secret = repo.commit({"secret.txt": "s"})
    repo.write({"secret.txt": "stashed"})
    repo.git("stash", "push", "-q")
    store.pin(base)
    assert store.refs("refs") == {f"{BASES}/{base}": base}
    assert store.has(base) and not store.has(secret)
    assert not store.has(repo.git("rev-parse", "refs/stash"))


def test_pinning_needs_no_source_the_second_time(repo: Repo, store: Store) -> None:
    """A pinned base stays, also when the person's repository is gone."""
    base = repo.head
    store.pin(base)
    repo.path.rename(repo.path.with_name("moved"))
    assert store.pin(base) == f"{BASES}/{base}"
    assert store.read_file(base, "a.txt") == b"one\ntwo\nthree\n"


def test_many_processes_may_open_the_store_at_once(repo: Repo, tmp_path: Path) -> None:
    """Opening a store that somebody else makes at the same moment gives the one store."""
    path = tmp_path / "shared" / "store.git"

    def use(_: int) -> str:
        with Store.open(path, source=repo.path / ".git") as opened:
            return opened.pin(repo.head)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(use, range(4)))) == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["store.git"]


def test_a_shallow_repository_can_be_worked_on(repo: Repo, tmp_path: Path) -> None:
    """A base with cut history is pinned and read like any other."""
    repo.commit({"a.txt": "2"})
    shallow = tmp_path / "shallow"
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(shallow))
    with Store.open(tmp_path / "s.git", source=shallow / ".git") as cut:
        cut.pin(repo.head)
        assert cut.read_file(repo.head, "a.txt") == b"2"


def test_odd_paths_hold_a_store(tmp_path: Path) -> None:
    """Spaces, quotes and letters beyond ASCII in the repository's path do not matter."""
    made = Repo(tmp_path / "ä 'b\" $(c)")
    base = made.commit({"x": "y"})
    with Store.open(tmp_path / "st öre.git", source=made.path / ".git") as odd:
        odd.pin(base)
        assert odd.read_file(base, "x") == b"y"


def test_sha256_repositories_have_a_sha256_store(tmp_path: Path) -> None:
    """A repository with the newer object format is worked on like any other."""
    made = Repo(tmp_path / "new", object_format="sha256")
    base = made.commit({"x": "y"})
    with Store.open(tmp_path / "s.git", source=made.path / ".git", object_format="sha256") as newer:
        newer.pin(base)
        assert newer.read_file(base, "x") == b"y"


def test_a_merge_is_made_without_a_working_tree_and_always_the_same(repo: Repo, store: Store) -> None:
    """The result of merging is a function of base and head alone."""
    base = repo.head
    repo.branch("work")
    head = repo.commit({"dir/b.txt": "B\n"})
    repo.branch("main", at=base)
    moved = repo.commit({"a.txt": "zero\none\ntwo\nthree\n"})
    store.pin(moved), store.pin(head)
    first, second = store.merge(moved, head), store.merge(moved, head)
    assert isinstance(first, Merged) and first == second
    assert store.read_file(first.commit, "dir/b.txt") == b"B\n"
    assert store.read_file(first.commit, "a.txt") == b"zero\none\ntwo\nthree\n"


def test_conflicts_are_named_by_path(repo: Repo, store: Store) -> None:
    """A merge that needs a person says where."""
    base = repo.head
    repo.branch("work")
    head = repo.commit({"a.txt": "ours\n"})
    repo.branch("main", at=base)
    moved = repo.commit({"a.txt": "theirs\n"})
    store.pin(moved), store.pin(head)
    assert store.merge(moved, head) == Conflicted(paths=("a.txt",))
    with pytest.raises(Refused):
        StoreChange(store, base=moved, head=head)


def test_a_history_that_was_rewritten_from_its_root_is_named(repo: Repo, store: Store) -> None:
    """What shares no commit with the base is told as that, with what to do; a missing object is another trouble."""
    delivered = repo.commit({"a.txt": "1"})
    repo.git("checkout", "-q", "--orphan", "anew")
    anew = repo.commit({"b.txt": "1"})
    for commit in (delivered, anew):
        store.pin(commit)
    with pytest.raises(RepositoryProblem, match="they share no commit") as told:
        store.merge(anew, delivered)
    assert "as it is now" in told.value.hint
    with pytest.raises(RepositoryProblem, match="git merge-base failed"):
        store.merge(anew, "0" * 40)


def test_files_are_added_as_a_commit_of_their_own(repo: Repo, store: Store) -> None:
    """A resolution enters a run's branch without a checkout, once."""
    base = repo.head
    store.pin(base)
    files = {".workbench/resolutions/VCR-1.md": b"yes\n"}
    added = store.add_files(base, files, message="Record VCR-1")
    assert store.list_files(added, ".workbench") == [".workbench/resolutions/VCR-1.md"]
    assert store.read_file(added, "a.txt") == b"one\ntwo\nthree\n"
    assert store.add_files(added, files, message="again") == added
    assert store.add_files(base, files, message="Record VCR-1") == added


@pytest.mark.parametrize("path", ["../out", ".git/config", "a/../../b", ".GIT/hooks/x"])
def test_no_file_is_added_outside_of_the_tree(repo: Repo, store: Store, path: str) -> None:
    """G6: a name that would leave the tree or reach git's own files is refused."""
    store.pin(repo.head)
    with pytest.raises(RepositoryProblem):
        store.add_files(repo.head, {path: b"x"}, message="m")


def test_a_merge_is_reverted_as_objects_under_later_work(repo: Repo, store: Store) -> None:
    """Taking a merge back keeps what came after it; if that is impossible, it says so."""
    before = repo.head
    merged = repo.commit({"new.txt": "n"})
    tip = repo.commit({"a.txt": "later\n"})
    store.pin(tip)
    ada = Signature(name="Ada", email="ada@example.org")
    made = revert(store.git, tip=tip, merged=merged, before=before, message="Revert", author=ada)
    assert store.list_files(made) == ["a.txt", "dir/b.txt"]
    assert store.read_file(made, "a.txt") == b"later\n"
    clash = repo.commit({"new.txt": "changed"})
    store.pin(clash)
    with pytest.raises(Refused, match="same lines"):
        revert(store.git, tip=clash, merged=merged, before=before, message="Revert", author=ada)


def test_only_our_own_refs_are_kept_or_forgotten(repo: Repo, store: Store) -> None:
    """The store's refs below refs/workbench are all that it manages."""
    store.pin(repo.head)
    with pytest.raises(Refused):
        store.keep("refs/heads/main", repo.head)
    store.keep("refs/workbench/kept/x", repo.head)
    store.forget("refs/workbench/kept/x")
    assert list(store.refs()) == [f"{BASES}/{repo.head}"]


def test_a_crafted_commit_is_not_taken(repo: Repo, store: Store) -> None:
    """G6: a tree that git's own check calls dangerous does not enter the store."""
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n')
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\t.gitmodules\n".encode())
    evil = repo.git("commit-tree", tree, "-m", "evil")
    with pytest.raises(RepositoryProblem, match="gitmodules"):
        store.pin(evil)
    assert not store.has(evil)


def test_a_crafted_commit_is_taken_without_the_check(repo: Repo, tmp_path: Path) -> None:
    """G6, control: plain git fetch takes the same commit."""
    blob = repo.git("hash-object", "-w", "--stdin", stdin=b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n')
    tree = repo.git("mktree", stdin=f"100644 blob {blob}\t.gitmodules\n".encode())
    evil = repo.git("commit-tree", tree, "-m", "evil")
    plain = Repo(tmp_path / "plain", bare=True)
    plain.git("fetch", "-q", str(repo.path), evil)
    assert plain.git("cat-file", "-t", evil) == "commit"


def test_what_killed_gits_left_is_cleared(repo: Repo, store: Store) -> None:
    """D1: a lock file of a killed git stops nobody for ever; one that may be in use stays."""
    store.pin(repo.head)
    lock = store.path / "refs" / "workbench" / "kept.lock"
    lock.touch()
    (store.path / ".incoming-x" / "pack").mkdir(parents=True)
    assert store.clear_stale() == []
    assert store.clear_stale(older_than_s=-1) == [".incoming-x", "kept.lock"]
    assert store.has(repo.head)
