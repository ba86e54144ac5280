"""A run's workspace, a store and the trash for tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from workbench.aee.aging import Moment
from workbench.aee.sandbox.select import select
from workbench.aee.trash import Trash
from workbench.aee.workspaces import SharedClones
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

BRANCH = "workbench/m/m.1"
NOW = 1_790_000_000.0
DAY = 86400.0


class Place:
    """A store, clones with one run's workspace, and the trash, at a settable time."""

    def __init__(self, tmp_path: Path) -> None:
        self.now = NOW
        self.up, self.boot = 0.0, "b1"  # as the machine itself knows it
        self.repo = Repo(tmp_path / "checkout")
        self.base = self.repo.commit({"a.txt": "one\n", ".gitignore": "build\n"})
        self.store = Store.open(tmp_path / "store.git", source=self.repo.path / ".git")
        self.clones = SharedClones(
            tmp_path / "w", store=self.store, sandbox=select("none", allow_none=True), checkout=self.repo.path
        )
        self.home = tmp_path / "homes" / "m.1"
        self.trash = Trash(
            tmp_path / "trash",
            clones=self.clones,
            store=self.store,
            homes=self.home.parent,
            now=lambda: Moment(at=self.now, boot=self.boot, up=self.up),
        )
        self.clone = Path(self.clones.prepare(run="m.1", base_commit=self.base, branch=BRANCH).path)

    def passes(self, days: float) -> None:
        """So many days go by."""
        self.now, self.up = self.now + days * DAY, self.up + days * DAY

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
        return [(item.act, item.subject) for item in items if item.act != "kept"]


def tmp_root(place: Place) -> Path:
    """Where the trash lies."""
    return place.clones.root.parent / "trash"
