"""Clearing up never loses work that was not delivered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.aee.sandbox.select import select
from workbench.aee.trash import Trash
from workbench.aee.workspaces import SharedClones
from workbench.model.errors import NotFound
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

BRANCH = "workbench/m/m.1"
NOW = 1_790_000_000.0
DAY = 86400.0


class Place:
    """A store, clones with one run's workspace, and the trash, at a settable time."""

    def __init__(self, tmp_path: Path) -> None:
        self.now = NOW
        self.repo = Repo(tmp_path / "checkout")
        self.base = self.repo.commit({"a.txt": "one\n", ".gitignore": "build\n"})
        self.store = Store.open(tmp_path / "store.git", source=self.repo.path / ".git")
        self.clones = SharedClones(
            tmp_path / "w", store=self.store, sandbox=select("none", allow_none=True), checkout=self.repo.path
        )
        self.trash = Trash(tmp_path / "trash", clones=self.clones, store=self.store, now=lambda: self.now)
        self.clone = Path(self.clones.prepare(run="m.1", base_commit=self.base, branch=BRANCH).path)

    def agent(self, *words: str) -> str:
        env = {"PATH": os.environ["PATH"], "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a", "HOME": "/dev/null"}
        env |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}
        done = subprocess.run(words, cwd=self.clone, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, name: str = "new.txt") -> str:
        (self.clone / name).write_text("new\n")
        self.agent("git", "add", "-A")
        self.agent("git", "commit", "-qm", "work")
        return self.agent("git", "rev-parse", "HEAD")

    def gc(self, *, live: tuple[str, ...] = (), delivered: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        items = self.trash.plan(live=live, delivered=delivered)
        done = self.trash.carry_out(items)
        assert not [one.problem for one in done if one.problem]
        return [(item.act, item.subject) for item in items]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = Place(tmp_path)
    yield made
    made.store.close()


def test_a_live_run_is_left_alone(place: Place) -> None:
    """What still goes on is not cleared, whatever it holds."""
    place.commit()
    assert place.gc(live=("m.1",)) == [("keep", "m.1")]
    assert place.clones.runs() == ["m.1"]


def test_delivered_work_frees_its_workspace_without_a_copy(place: Place) -> None:
    """When all of a run's commits are merged and fetched, its clone goes back to the pool."""
    place.commit()
    place.clones.fetch(run="m.1", branch=BRANCH)
    assert place.gc(delivered=("m.1",)) == [("reuse", "m.1")]
    assert place.clones.runs() == [] and place.trash.copies() == []


WAYS: dict[str, tuple[bool, Callable[[Place], object]]] = {
    "never-merged": (False, lambda place: place.clones.fetch(run="m.1", branch=BRANCH)),
    "never-fetched": (True, lambda place: place.agent("git", "status")),
    "dirty": (True, lambda place: (place.clones.fetch(run="m.1", branch=BRANCH), (place.clone / "x").write_text("x"))),
    "other-branch": (
        True,
        lambda place: (
            place.clones.fetch(run="m.1", branch=BRANCH),
            place.agent("git", "checkout", "-qb", "side"),
            place.commit("side.txt"),
        ),
    ),
    "damaged": (True, lambda place: (place.clone / ".git" / "HEAD").unlink()),
}


@pytest.mark.parametrize("way", WAYS)
def test_undelivered_work_is_copied_before_its_workspace_goes(place: Place, tmp_path: Path, way: str) -> None:
    """Commits and files that exist nowhere else are in the trash, and come back from it."""
    delivered, happen = WAYS[way]
    head = place.commit()
    happen(place)
    (place.clone / "draft").write_text("mine")
    assert place.gc(delivered=("m.1",) if delivered else ()) == [("trash", "m.1")]
    [kept] = place.trash.copies()
    assert kept.run == "m.1" and kept.why
    if way != "damaged":
        assert place.store.refs()[kept.ref] in (kept.head, head)
        assert place.store.has(kept.head)
    place.trash.restore("m.1", tmp_path / "back")
    assert (tmp_path / "back" / "draft").read_text() == "mine"
    assert (tmp_path / "back" / "new.txt").read_text() == "new\n"
    assert place.clones.runs() == []


def test_a_plan_changes_nothing(place: Place) -> None:
    """`gc --dry-run` shows what would go, why and how much."""
    place.commit()
    [item] = place.trash.plan(live=(), delivered=())
    assert (item.act, item.subject) == ("trash", "m.1") and item.bytes > 0 and item.why
    assert place.clones.runs() == ["m.1"] and place.trash.copies() == []


def test_work_that_appears_after_the_plan_is_still_kept(place: Place) -> None:
    """A stale plan does not lose what was written since."""
    items = place.trash.plan(live=(), delivered=("m.1",))
    assert items[0].act == "reuse"
    (place.clone / "late").write_text("x")
    [done] = place.trash.carry_out(items)
    assert done.kept_at and len(place.trash.copies()) == 1


def test_copies_expire_after_their_days(place: Place) -> None:
    """The trash keeps a copy for thirty days, then lets go of it and its ref."""
    place.commit()
    place.gc()
    place.now = NOW + 29 * DAY
    assert place.gc() == []
    place.now = NOW + 31 * DAY
    assert [act for act, _ in place.gc()] == ["expire"]
    assert place.trash.copies() == []
    assert not [ref for ref in place.store.refs() if "/kept/" in ref]


def test_a_copy_follows_no_link(place: Place, tmp_path: Path) -> None:
    """F1: a link in a workspace is kept as a link; what it points at is not copied, and not written on the way back."""
    secret = tmp_path / "secret"
    secret.write_text("canary")
    (place.clone / "link").symlink_to(secret)
    os.mkfifo(place.clone / "pipe")
    place.gc()
    [kept] = place.trash.copies()
    archive = tmp_path / "trash" / kept.ref.rpartition("/")[2] / "files.tar.gz"
    listed = subprocess.run(["tar", "-xzOf", archive], capture_output=True, check=True).stdout
    assert b"canary" not in listed


def test_a_copy_that_cannot_be_made_leaves_the_work(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """D7: with a full disk nothing is removed and the reason is said."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    place.commit()
    monkeypatch.setattr("tarfile.TarFile.add", full)
    [done] = place.trash.carry_out(place.trash.plan(live=(), delivered=()))
    assert "No space left" in done.problem
    assert place.clones.runs() == ["m.1"] and place.trash.copies() == []


def test_nothing_in_the_trash_is_said(place: Place, tmp_path: Path) -> None:
    """Asking for a copy that does not exist says so."""
    with pytest.raises(NotFound):
        place.trash.restore("m.9", tmp_path / "x")
