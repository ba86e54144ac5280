"""Merging into the person's repository and taking merges back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workbench.model.errors import Refused, RepositoryProblem, UsageError
from workbench.repository.merging import Merger, Mode, Plan, drift, message_for
from workbench.repository.objects import Merged, Signature
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

MAIN = "refs/heads/main"
ADA = Signature(name="Ada", email="ada@example.org", seconds=1_790_000_000)
VCR = {".workbench/resolutions/VCR-1.md": b"yes\n"}


@pytest.fixture
def opened(repo: Repo) -> Iterator[GitRepository]:
    with open_repository(repo.path) as repository:
        yield repository


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as made:
        yield made


@pytest.fixture
def merger(opened: GitRepository, store: Store) -> Merger:
    return Merger(opened, store)


def work(repo: Repo, store: Store, files: dict[str, str | bytes | None]) -> str:
    """A branch of an agent that exists only in the store."""
    base = repo.head
    repo.branch("scratch")
    head = repo.commit(files, "Work")
    store.pin(head)
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-D", "scratch")
    assert repo.head == base
    return head


def plan(merger: Merger, store: Store, repo: Repo, head: str, mode: Mode = "merge", **more: object) -> Plan:
    base = repo.git("rev-parse", MAIN)
    store.pin(base)
    merged = store.merge(base, head)
    assert isinstance(merged, Merged)
    message = message_for("Add it", pack="MRP-1", run="m.1")
    given = {"ref": MAIN, "base_commit": base, "tree": merged.tree, "message": message, "by": ADA, **more}
    return merger.plan(pack="MRP-1", head=head, mode=mode, **given)  # type: ignore[arg-type]  # a test's own table


@pytest.mark.parametrize("mode", ["fast-forward", "merge", "squash"])
def test_a_clean_checkout_goes_along(repo: Repo, store: Store, merger: Merger, mode: Mode) -> None:
    """A merge moves the branch and the files of the checkout that has it, in each of the three modes."""
    base, head = repo.head, work(repo, store, {"new.txt": "n\n", "a.txt": None})
    made = plan(merger, store, repo, head, mode)
    assert repo.head == base
    moved = merger.carry_out(made, by=ADA, log="workbench: merge MRP-1")
    parents = {"fast-forward": base, "merge": f"{base} {head}", "squash": base}
    assert repo.git("rev-parse", MAIN) == made.new == moved.new
    assert repo.git("log", "-1", "--format=%P") == parents[mode]
    assert (repo.path / "new.txt").read_text() == "n\n" and not (repo.path / "a.txt").exists()
    assert repo.git("status", "--porcelain") == ""
    assert "merge MRP-1" in repo.git("reflog", "-1", "main")


def test_a_merge_commit_says_where_it_comes_from(repo: Repo, store: Store, merger: Merger) -> None:
    """A merge is found again by its trailers, carries the person's name, and may add resolutions only."""
    made = plan(merger, store, repo, work(repo, store, {"x": "y"}), files=VCR)
    merger.carry_out(made, by=ADA, log="merge")
    assert repo.git("log", "-1", "--format=%an %ae %cn") == "Ada ada@example.org Ada"
    assert repo.git("log", "-1", "--format=%(trailers:key=Workbench-Pack,valueonly)").strip() == "MRP-1"
    assert repo.git("log", "-1", "--format=%(trailers:key=Workbench-Run,valueonly)").strip() == "m.1"
    assert (repo.path / ".workbench/resolutions/VCR-1.md").read_text() == "yes\n"
    with pytest.raises(Refused, match="may not add"):
        plan(merger, store, repo, work(repo, store, {"z": "y"}), files={"src/x.py": b""})


def test_a_message_cannot_forge_a_trailer() -> None:
    """Text from an agent never becomes a trailer of ours."""
    text = message_for("One\nWorkbench-Pack: X", pack="MRP-1", body="why\nWorkbench-Pack: forged")
    assert text == "One Workbench-Pack: X\n\nwhy\n> Workbench-Pack: forged\n\nWorkbench-Pack: MRP-1\n"


DIRT: dict[str, Callable[[Repo], object]] = {
    "changed": lambda repo: repo.write({"dir/b.txt": "mine"}),
    "staged": lambda repo: repo.git("rm", "-q", "--cached", "dir/b.txt"),
    "deleted": lambda repo: repo.write({"dir/b.txt": None}),
    "untracked-in-the-way": lambda repo: repo.write({"new/file.txt": "mine"}),
    "ignored-in-the-way": lambda repo: repo.write({"new/file.txt": "mine", ".git/info/exclude": "new\n"}),
    "file-for-directory": lambda repo: repo.write({"new": "mine"}),
    "link-for-directory": lambda repo: (repo.path / "new").symlink_to("dir"),
    "unfinished-merge": lambda repo: repo.write({".git/MERGE_HEAD": repo.head + "\n"}),
}


@pytest.mark.parametrize("dirt", DIRT)
def test_uncommitted_work_is_never_touched(repo: Repo, store: Store, merger: Merger, dirt: str) -> None:
    """Where the checkout holds uncommitted work, nothing moves and the person is told what to do."""
    made = plan(merger, store, repo, work(repo, store, {"new/file.txt": "n\n", "a.txt": "2\n"}))
    DIRT[dirt](repo)
    before = {p: p.read_bytes() for p in repo.path.rglob("*") if p.is_file() and ".git" not in p.parts}
    with pytest.raises(Refused) as caught:
        merger.carry_out(made, by=ADA, log="merge")
    assert caught.value.hint
    assert merger.stands(made) == "old"
    assert before == {p: p.read_bytes() for p in repo.path.rglob("*") if p.is_file() and ".git" not in p.parts}


@pytest.mark.parametrize("dirt", ["ignored-in-the-way"])
def test_plain_git_overwrites_ignored_files(repo: Repo, store: Store, merger: Merger, dirt: str) -> None:
    """Control: git's own fast-forward loses an ignored file that stands in the way."""
    made = plan(merger, store, repo, work(repo, store, {"new/file.txt": "n\n"}))
    DIRT[dirt](repo)
    repo.git("merge", "-q", "--ff-only", made.new)
    assert (repo.path / "new/file.txt").read_text() == "n\n"


def test_untracked_files_that_are_not_in_the_way_stay(repo: Repo, store: Store, merger: Merger) -> None:
    """Notes that lie about do not stop a merge and survive it."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    repo.write({"notes.txt": "mine"})
    merger.carry_out(made, by=ADA, log="merge")
    assert (repo.path / "notes.txt").read_text() == "mine" and (repo.path / "new.txt").exists()


def test_a_branch_that_is_not_checked_out_moves_under_dirty_work(repo: Repo, store: Store, merger: Merger) -> None:
    """Merging elsewhere needs no clean checkout."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    repo.git("checkout", "-q", "-b", "mine")
    repo.write({"a.txt": "draft"})
    assert merger.carry_out(made, by=ADA, log="merge").updated == ()
    assert repo.git("rev-parse", MAIN) == made.new
    assert (repo.path / "a.txt").read_text() == "draft" and not (repo.path / "new.txt").exists()


def test_a_linked_worktree_goes_along_or_refuses(repo: Repo, store: Store, merger: Merger, tmp_path: Path) -> None:
    """The branch may be checked out in another worktree: that one is updated, or protects its work."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    linked = tmp_path / "linked tree"
    repo.git("checkout", "-q", "--detach")
    repo.git("worktree", "add", "-q", str(linked), "main")
    (linked / "a.txt").write_text("draft")
    with pytest.raises(Refused, match="linked tree"):
        merger.carry_out(made, by=ADA, log="merge")
    (linked / "a.txt").write_text("one\ntwo\nthree\n")
    assert merger.carry_out(made, by=ADA, log="merge").updated == (str(linked),)
    assert (linked / "new.txt").exists() and not (repo.path / "new.txt").exists()


def test_a_moved_base_is_refused(repo: Repo, store: Store, merger: Merger) -> None:
    """A decision binds its base: when the branch went on, neither planning nor moving goes through."""
    head = work(repo, store, {"new.txt": "n\n"})
    base, made = repo.head, plan(merger, store, repo, head)
    repo.commit({"a.txt": "later"})
    with pytest.raises(Refused, match="moved"):
        merger.carry_out(made, by=ADA, log="merge")
    with pytest.raises(Refused, match="moved"):
        plan(merger, store, repo, head, base_commit=base)
    assert merger.stands(made) == "elsewhere"


def test_a_commit_in_the_last_moment_is_not_lost(repo: Repo, store: Store, opened: GitRepository) -> None:
    """Somebody commits after the last look at the branch: git itself refuses to move it from where it is not."""

    class Slow(Merger):
        def _swap(self, ref: str, old: str, new: str, *, by: Signature, log: str) -> None:
            repo.commit({"theirs.txt": "1\n"})
            super()._swap(ref, old, new, by=by, log=log)

    merger = Slow(opened, store)
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    with pytest.raises(Refused, match="moved"):
        merger.carry_out(made, by=ADA, log="workbench: merge MRP-1")
    assert repo.git("log", "-1", "--format=%P", MAIN) == made.old
    assert (repo.path / "theirs.txt").read_text() == "1\n"


def test_only_the_examined_tree_is_merged(repo: Repo, store: Store, merger: Merger) -> None:
    """V4: a head whose merge gives other files than those of the evidence is refused."""
    head = work(repo, store, {"new.txt": "n\n"})
    with pytest.raises(Refused, match="other files"):
        plan(merger, store, repo, head, tree="0" * 40)
    with pytest.raises(Refused, match="nothing"):
        plan(merger, store, repo, repo.head)


def test_a_fast_forward_needs_the_current_base(repo: Repo, store: Store, merger: Merger) -> None:
    """If the branch does not start at the base, the person is told which modes would do."""
    head = work(repo, store, {"new.txt": "n\n"})
    repo.commit({"other.txt": "o"})
    with pytest.raises(Refused) as caught:
        plan(merger, store, repo, head, "fast-forward")
    assert "squash" in caught.value.hint


@pytest.mark.parametrize("ref", ["refs/tags/v1", "main", "HEAD", "refs/remotes/o/main"])
def test_only_branches_are_merged_into(repo: Repo, store: Store, merger: Merger, ref: str) -> None:
    """Tags, remotes and abbreviations are no targets."""
    with pytest.raises(UsageError):
        plan(merger, store, repo, work(repo, store, {"n": "n"}), ref=ref)


def test_no_program_of_the_repository_runs_in_a_merge(repo: Repo, store: Store, merger: Merger, tmp_path: Path) -> None:
    """G1, G2: hooks, fsmonitor and merge drivers of the person's repository stay silent; plain git runs them."""
    head = work(repo, store, {"new.txt": "n\n", "a.txt": "1\ntwo\nthree\n"})
    repo.commit({"a.txt": "one\ntwo\n3\n", ".gitattributes": "*.txt merge=x\n"})
    mark = tmp_path / "mark"
    for name in ("reference-transaction", "post-checkout", "post-merge", "post-index-change"):
        hook = repo.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
        hook.chmod(0o755)
    repo.git("config", "merge.x.driver", f"touch '{mark}'; false")
    repo.git("config", "core.fsmonitor", f"touch '{mark}'; false")
    mark.unlink(missing_ok=True)
    made = plan(merger, store, repo, head)
    mark.unlink(missing_ok=True)
    merger.carry_out(made, by=ADA, log="merge")
    assert not mark.exists()
    assert (repo.path / "a.txt").read_text() == "1\ntwo\n3\n"
    repo.git("update-ref", "refs/heads/other", "HEAD")
    assert mark.exists()


def test_filtered_files_are_left_to_the_persons_own_git(repo: Repo, store: Store, merger: Merger) -> None:
    """Where a configured filter (git-lfs) would have to run, the merge is refused with the command to type."""
    repo.git("config", "filter.lfs.smudge", "cat")
    made = plan(merger, store, repo, work(repo, store, {".gitattributes": "*.bin filter=lfs\n", "x.bin": "pointer"}))
    with pytest.raises(Refused) as caught:
        merger.carry_out(made, by=ADA, log="merge")
    assert "git merge --ff-only" in caught.value.hint
    assert merger.stands(made) == "old"


def test_line_ends_follow_the_persons_configuration(repo: Repo, store: Store, merger: Merger) -> None:
    """A checkout with CRLF line ends stays one, and counts as clean."""
    repo.git("config", "core.autocrlf", "true")
    (repo.path / "a.txt").unlink()
    repo.git("checkout", "-q", "--", "a.txt")
    assert (repo.path / "a.txt").read_bytes() == b"one\r\ntwo\r\nthree\r\n"
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "1\n2\n"}))
    merger.carry_out(made, by=ADA, log="merge")
    assert (repo.path / "new.txt").read_bytes() == b"1\r\n2\r\n"
    assert repo.git("status", "--porcelain") == ""


def test_a_crash_after_the_move_is_finished(repo: Repo, store: Store, merger: Merger) -> None:
    """The plan alone tells that the ref moved; the checkout then follows, once."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n", "a.txt": None, "dir/b.txt": "B\n"}))
    assert merger.stands(made) == "old"
    repo.git("update-ref", MAIN, made.new, made.old)
    repo.write({"dir/b.txt": "B\n", "new.txt": "n\n"})  # the kill came while files were written
    assert merger.stands(made) == "new"
    assert merger.finish(made).updated == (str(repo.path),)
    assert repo.git("status", "--porcelain") == ""
    assert merger.finish(made).updated == ()
    repo.commit({"later": "x"})
    assert merger.stands(made) == "beyond"


@pytest.mark.parametrize("path", ["dir/b.txt", "new.txt"])
def test_finishing_never_overwrites_new_work(repo: Repo, store: Store, merger: Merger, path: str) -> None:
    """What a person wrote after the crash is not overwritten by finishing the merge."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n", "dir/b.txt": "B\n"}))
    repo.git("update-ref", MAIN, made.new, made.old)
    repo.write({path: "mine\n"})
    with pytest.raises(Refused):
        merger.finish(made)
    assert (repo.path / path).read_text() == "mine\n"


def test_an_undo_moves_the_branch_back(repo: Repo, store: Store, merger: Merger) -> None:
    """As long as nobody else can have the merge, undoing it leaves no trace on the branch."""
    base = repo.head
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    merger.carry_out(made, by=ADA, log="merge")
    undo = merger.plan_undo(made, pack="MRP-1", message="Revert", by=ADA)
    assert (undo.mode, undo.new) == ("move-back", base)
    merger.carry_out(undo, by=ADA, log="undo")
    assert repo.head == base and not (repo.path / "new.txt").exists()
    assert repo.git("status", "--porcelain") == ""
    with pytest.raises(Refused, match="no longer"):
        merger.plan_undo(made, pack="MRP-1", message="Revert", by=ADA)


@pytest.mark.parametrize("why", ["later", "remote"])
def test_an_undo_that_cannot_move_back_offers_a_revert(repo: Repo, store: Store, merger: Merger, why: str) -> None:
    """With later commits, or the merge on a remote, history stays and a revert commit is offered."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    merger.carry_out(made, by=ADA, log="merge")
    if why == "later":
        repo.commit({"later.txt": "l"})
    else:
        repo.git("update-ref", "refs/remotes/origin/main", made.new)
    tip = repo.head
    undo = merger.plan_undo(made, pack="MRP-1", message="Revert", by=ADA)
    assert (undo.mode, undo.old) == ("revert", tip) and undo.reason
    assert repo.head == tip
    merger.carry_out(undo, by=ADA, log="undo")
    assert not (repo.path / "new.txt").exists()
    assert repo.git("log", "-1", "--format=%P") == tip


def test_drift_counts_what_the_base_gained(repo: Repo, opened: GitRepository) -> None:
    """A person sees how far the base went on, and whether it was rewritten."""
    base = repo.head
    assert drift(opened, "main", base).ahead == 0
    repo.commit({"x": "1"})
    assert (drift(opened, "main", base).ahead, drift(opened, "main", base).rewritten) == (1, False)
    repo.git("commit", "-q", "--amend", "-m", "other")
    old = repo.commit({"y": "1"})
    repo.git("reset", "-q", "--hard", base)
    assert drift(opened, "main", old).rewritten


def test_the_store_may_vanish_after_a_merge(repo: Repo, store: Store, merger: Merger) -> None:
    """What was merged is whole in the person's repository and needs nothing of Workbench's."""
    store.pin(repo.head)
    head = store.add_files(repo.head, {"new.txt": b"n\n"}, message="Made in the store alone")
    made = plan(merger, store, repo, head)
    merger.carry_out(made, by=ADA, log="merge")
    store.path.rename(store.path.with_name("gone"))
    repo.git("fsck", "--strict", "--no-dangling")
    assert repo.git("show", "HEAD:new.txt") == "n"


def test_of_two_merges_at_once_one_goes_through(repo: Repo, store: Store, tmp_path: Path) -> None:
    """Two people who merge at the same moment: one branch position, one winner, the other told that it moved."""
    heads = [work(repo, store, {f"{name}.txt": name}) for name in ("x", "y")]
    repo.git("checkout", "-q", "--detach")

    def attempt(number: int) -> str:
        with (
            open_repository(repo.path) as mine,
            Store.open(store.path, source=store.source) as same,
        ):
            try:
                return Merger(mine, same).carry_out(plans[number], by=ADA, log="merge").new
            except Refused as refused:
                assert "moved" in refused.message
                return ""

    with open_repository(repo.path) as mine:
        plans = [
            plan(Merger(mine, store), store, repo, head, message=f"{number}\n") for number, head in enumerate(heads)
        ]
    with ThreadPoolExecutor(2) as pool:
        outcomes = [new for new in pool.map(attempt, (0, 1)) if new]
    assert outcomes == [repo.git("rev-parse", MAIN)]


def test_a_cut_off_write_of_a_file_is_completed(repo: Repo, store: Store, merger: Merger) -> None:
    """D1: a kill leaves a file missing, empty or half written; finishing completes it."""
    files: dict[str, str | bytes | None] = {"a.txt": "1\n2\n3\n", "dir/b.txt": "B\n", "new.txt": "abc\n"}
    made = plan(merger, store, repo, work(repo, store, {**files, "keep.txt": "k"}))
    repo.git("update-ref", MAIN, made.new, made.old)
    repo.write({"a.txt": "1\n2", "dir/b.txt": None, "new.txt": ""})
    assert merger.finish(made).updated == (str(repo.path),)
    assert {name: (repo.path / name).read_text() for name in files} == files
    assert repo.git("status", "--porcelain") == ""


def test_a_lock_that_our_killed_git_left_stops_nobody(repo: Repo, store: Store, merger: Merger) -> None:
    """D1: locks of our own are recognised by what they hold and cleared; those of other gits are respected."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    lock = repo.path / ".git" / "refs" / "heads" / "main.lock"
    lock.write_text("somebody else's")
    os.utime(lock, (1, 1))
    with pytest.raises(RepositoryProblem, match="cannot be moved"):
        merger.carry_out(made, by=ADA, log="merge")
    lock.write_text(made.new + "\n")
    os.utime(lock, (1, 1))
    git_dir = repo.path / ".git"
    (git_dir / "workbench-index-mark").touch()
    os.link(git_dir / "workbench-index-mark", git_dir / "index.lock")
    assert merger.carry_out(made, by=ADA, log="merge").updated == (str(repo.path),)
    assert [p.name for p in git_dir.rglob("*.lock")] == ["workbench.lock"]


def test_another_gits_index_lock_is_respected(repo: Repo, store: Store, merger: Merger) -> None:
    """While somebody's git works on the checkout, the merge is taken back and the person told."""
    made = plan(merger, store, repo, work(repo, store, {"new.txt": "n\n"}))
    (repo.path / ".git" / "index.lock").touch()
    with pytest.raises(Refused, match="another git"):
        merger.carry_out(made, by=ADA, log="merge")
    assert merger.stands(made) == "old" and not (repo.path / "new.txt").exists()
    (repo.path / ".git" / "index.lock").unlink()
    assert repo.git("status", "--porcelain") == ""
