"""What a change brings makes no program run in the person's repository, not even the person's own filters."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.model.errors import Refused, WorkbenchError
from workbench.repository.change import StoreChange
from workbench.repository.merging import Merger, drift, message_for
from workbench.repository.objects import Merged, Signature
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

MAIN = "refs/heads/main"
ADA = Signature(name="Ada", email="ada@example.org", seconds=1_790_000_000)

# Each: the person's own global setting, and a command of plain git that runs it on a change with such attributes.
DRIVERS = {
    "smudge": ("filter.own.smudge", "touch {mark}; cat", "git checkout -q work"),
    "process": ("filter.own.process", "touch {mark}; cat", "git checkout -q work"),
    "clean": ("filter.own.clean", "touch {mark}; cat", "git checkout -q work; echo 2 >> a.txt; git add a.txt"),
    "textconv": ("diff.own.textconv", "touch {mark}; cat", "git checkout -q work; git diff HEAD~1"),
    "diff": ("diff.own.command", "touch {mark}; true", "git checkout -q work; git diff HEAD~1"),
    "merge": ("merge.own.driver", "touch {mark}; true", "git merge -q -m m attributes; git merge -q -m m work"),
}
ATTRIBUTES = "*.txt filter=own diff=own merge=own\n"


class Scene:
    """Main, and a branch `work` that brings attributes which name drivers of the person's global configuration."""

    def __init__(self, repo: Repo, store: Store, home: Path, driver: str) -> None:
        self.repo, self.store, self.mark = repo, store, home / "mark"
        self.key, program, self.trigger = DRIVERS[driver]
        repo.branch("attributes")
        repo.commit({".gitattributes": ATTRIBUTES})
        repo.branch("work")
        self.head = repo.commit({"a.txt": "1\ntwo\nthree\n", "new.txt": "n\n"}, "Work")
        repo.git("checkout", "-q", "main")
        self.base = repo.commit({"a.txt": "one\ntwo\n3\n"}, "Meanwhile")
        for commit in (self.base, self.head):
            store.pin(commit)
        subprocess.run(["git", "config", "--global", self.key, program.format(mark=self.mark)], check=True)

    def plain(self) -> None:
        """The person's own git, with the person's own configuration."""
        env = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "XDG_CONFIG_HOME": "/nowhere"}
        env |= {f"GIT_{role}_{what}": "ada" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        subprocess.run(["/bin/sh", "-c", self.trigger], cwd=self.repo.path, env=env, check=False, capture_output=True)


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as made:
        yield made


@pytest.fixture
def opened(repo: Repo) -> Iterator[GitRepository]:
    with open_repository(repo.path) as repository:
        yield repository


@pytest.fixture
def scene(repo: Repo, store: Store, home: Path, request: pytest.FixtureRequest) -> Scene:
    return Scene(repo, store, home, request.param)


@pytest.mark.parametrize("scene", DRIVERS, indirect=True)
def test_a_change_never_runs_the_persons_own_filters(scene: Scene, opened: GitRepository) -> None:
    """G2: reading, judging and merging run no driver; a file that would need one is left to the person."""
    change = StoreChange(scene.store, base=scene.base, head=scene.head)
    assert change.added_lines() and scene.store.diff(scene.base, scene.head) and not opened.uncommitted()
    merged = scene.store.merge(scene.base, scene.head)
    assert isinstance(merged, Merged)
    merger = Merger(opened, scene.store)
    message = message_for("Add", pack="MRP-1")
    plan = merger.plan(
        pack="MRP-1",
        ref=MAIN,
        base_commit=scene.base,
        head=scene.head,
        tree=merged.tree,
        mode="merge",
        message=message,
        by=ADA,
    )
    if scene.key.startswith("filter."):
        with pytest.raises(Refused, match="filter"):
            merger.carry_out(plan, by=ADA, log="merge")
        assert scene.repo.head == scene.base
    else:
        merger.carry_out(plan, by=ADA, log="merge")
        assert (scene.repo.path / "a.txt").read_text() == "1\ntwo\n3\n"
        assert opened.uncommitted() == []
    assert not scene.mark.exists()


@pytest.mark.parametrize("scene", DRIVERS, indirect=True)
def test_plain_git_runs_the_persons_own_filters(scene: Scene) -> None:
    """G2, control: one ordinary command on the same branch runs the driver."""
    assert not scene.mark.exists()
    scene.plain()
    assert scene.mark.exists()


def test_no_name_is_read_as_a_flag(repo: Repo, store: Store, opened: GitRepository, home: Path) -> None:
    """P4: a base, a branch to merge into, a commit or a pack that is an option of git is no option of ours."""
    mark = home / "mark"
    merger = Merger(opened, store)
    head = repo.head
    moving: dict[str, Any] = {"mode": "merge", "message": "m", "by": ADA}
    acts: list[Callable[[str], object]] = [
        opened.resolve,
        opened.full_ref,
        lambda value: opened.read_file(value, "a.txt"),
        opened.list_files,
        opened.submodules,
        opened.lfs_files,
        lambda value: drift(opened, value, head),
        lambda value: merger.plan(pack="P", ref=value, base_commit=head, head=head, tree=head, **moving),
        lambda value: merger.plan(pack=value, ref=MAIN, base_commit=head, head=head, tree=head, **moving),
    ]
    for value in (f"--output={mark}", f"--upload-pack=touch {mark}", "-h", "--all", f"main --output={mark}"):
        for act in acts:
            with pytest.raises(WorkbenchError):
                act(value)
    assert opened.read_file(repo.head, f"--output={mark}") is None
    assert opened.list_files(repo.head, f"--output={mark}") == []
    assert store.has(f"--output={mark}") is False
    assert not mark.exists()


@pytest.mark.parametrize("command", ["log", "diff-tree -p HEAD", "show"])
def test_plain_git_reads_it_as_a_flag(repo: Repo, home: Path, command: str) -> None:
    """P4, control: handed on as it is, the same value makes git write a file."""
    repo.git(*command.split(), f"--output={home / 'mark'}")
    assert (home / "mark").exists()


def test_a_file_named_like_an_option_is_a_file(repo: Repo, store: Store, opened: GitRepository) -> None:
    """P4: paths of a change may look like options, ranges or pathspec magic and are still paths."""
    names = ("--output=x", "-rf", ":(glob)**", "HEAD", "a..b", "main", "x\ny")
    head = repo.commit(dict.fromkeys(names, "text\n"))
    store.pin(head)
    change = StoreChange(store, base=repo.git("rev-parse", "HEAD~1"), head=head)
    assert {path for _, path in change.changed_paths()} == set(names)
    assert all(change.result_file(name) == b"text\n" for name in names)
    assert change.added_lines() == dict.fromkeys(names, (1,))
    assert all(store.diff(change.base, head, paths=(name,)) for name in names)
    assert opened.uncommitted() == []
