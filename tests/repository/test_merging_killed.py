"""kill -9 at every point of a merge: what a person has is whole, and the same call brings it to its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.points import Points, sampled
from workbench.model.errors import RepositoryProblem
from workbench.repository.merging import Merger, Plan, message_for
from workbench.repository.objects import Merged, Signature
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

MAIN = "refs/heads/main"
ADA = Signature(name="Ada", email="ada@example.org", seconds=1_790_000_000)
ACTS = Points(
    "open", "os.rename", "os.link", "os.remove", "os.mkdir", "subprocess.Popen", "shutil.copyfile", "os.utime"
)
POINTS = 8  # of each kind in one run of the tests; WORKBENCH_SOAK=1 goes through all of them
AFTER = {"a.txt": "1\ntwo\nthree\n", "new/n.txt": "n\n"}


@pytest.fixture
def opened(repo: Repo) -> Iterator[GitRepository]:
    with open_repository(repo.path) as repository:
        yield repository


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as made:
        yield made


def _plan(repo: Repo, store: Store, merger: Merger) -> Plan:
    base = repo.head
    repo.branch("scratch")
    head = repo.commit({**AFTER, "dir/b.txt": None}, "Work")
    store.pin(head)
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "scratch")
    merged = store.merge(base, head)
    assert isinstance(merged, Merged)
    message = message_for("Add", pack="MRP-1")
    return merger.plan(
        pack="MRP-1", ref=MAIN, base_commit=base, head=head, tree=merged.tree, mode="merge", message=message, by=ADA
    )


def _settled(repo: Repo, merger: Merger, plan: Plan) -> None:
    """What the next command does; a lock of a ref that was just left is waited for, here by making it old."""
    for _ in range(2):
        try:
            if merger.stands(plan) == "old":
                merger.carry_out(plan, by=ADA, log="again")
            else:
                merger.finish(plan)
            return
        except RepositoryProblem as problem:
            assert "try again" in problem.hint
            for lock in (repo.path / ".git").rglob("*.lock"):
                os.utime(lock, (1, 1))
    raise AssertionError("the lock stayed")


def _checked(repo: Repo, plan: Plan) -> None:
    assert repo.git("rev-parse", MAIN) == plan.new
    assert repo.git("status", "--porcelain", "--ignored") == "?? notes.txt"
    assert (repo.path / "notes.txt").read_text() == "mine"
    left = [path.name for path in (repo.path / ".git").rglob("*") if path.suffix == ".lock" or "copy" in path.name]
    assert left == ["workbench.lock"]


def test_a_merge_and_an_undo_killed_at_any_point_are_brought_to_their_end(
    repo: Repo, store: Store, opened: GitRepository
) -> None:
    """D1: before, between and after every effect: one merge, one undo, the files along, a person's notes untouched."""
    merger = Merger(opened, store)
    merge = _plan(repo, store, merger)
    repo.write({"notes.txt": "mine"})
    undo = Plan(ref=MAIN, old=merge.new, new=merge.old, mode="move-back")
    counts = {plan.mode: ACTS.count(partial(merger.carry_out, plan, by=ADA, log="x")) for plan in (merge, undo)}
    assert min(counts.values()) > 20
    back = {merge.mode: undo, undo.mode: merge}
    for plan in (merge, undo):
        points = sampled(counts[plan.mode], plan.mode, points=POINTS)
        kills = 0
        for point in points:  # the last ones may lie beyond the end: what was once imported is not opened again
            kills += ACTS.killed_at(point, lambda plan=plan: merger.carry_out(plan, by=ADA, log="killed"))  # type: ignore[misc]
            assert merger.stands(plan) in ("old", "new")
            _settled(repo, merger, plan)
            _checked(repo, plan)
            merger.carry_out(back[plan.mode], by=ADA, log="back")
        assert kills > len(points) / 2
        merger.carry_out(plan, by=ADA, log="on")
