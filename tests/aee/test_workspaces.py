"""Runs' clones: made, fetched from, pooled; what agents do in them never runs or writes outside."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from workbench.aee.sandbox.select import probe, select
from workbench.aee.workspaces import SharedClones
from workbench.model.errors import NotFound, Refused, RepositoryProblem, UsageError
from workbench.ports import Job, Sandbox
from workbench.repository.repository import GitRepository, open_repository
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

BRANCH = "workbench/m/m.1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "my checkout")
    made.commit({"a.txt": "one\n", "dir/b.txt": "b\n", ".gitignore": "*.env\nbuild/\n"}, "First")
    return made


@pytest.fixture
def opened(repo: Repo) -> Iterator[GitRepository]:
    with open_repository(repo.path) as repository:
        yield repository


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "state" / "store.git", source=repo.path / ".git") as made:
        yield made


@pytest.fixture(params=["none", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    found = probe(request.param)
    if not found.works:
        pytest.skip(found.reason)
    return select(request.param, allow_none=True)


@pytest.fixture
def clones(store: Store, sandbox: Sandbox, opened: GitRepository, repo: Repo, tmp_path: Path) -> SharedClones:
    return SharedClones(
        tmp_path / "state" / "workspaces", store=store, sandbox=sandbox, checkout=repo.path, repository=opened
    )


def agent(path: str | Path, *command: str) -> str:
    """What an agent does in its clone, here by plain git without any of the host's defences."""
    env = {"PATH": os.environ["PATH"], "HOME": "/dev/null", "GIT_AUTHOR_NAME": "agent", "GIT_AUTHOR_EMAIL": "a@b"}
    env |= {"GIT_COMMITTER_NAME": "agent", "GIT_COMMITTER_EMAIL": "a@b"}
    return subprocess.run(command, cwd=path, env=env, check=True, capture_output=True, text=True).stdout.strip()


def commit(path: str | Path, name: str = "new.txt", content: str = "new\n") -> str:
    Path(path, name).write_text(content)
    agent(path, "git", "add", "-A")
    agent(path, "git", "commit", "-qm", "work")
    return agent(path, "git", "rev-parse", "HEAD")


def test_a_runs_commits_come_back_into_the_store(repo: Repo, clones: SharedClones, store: Store) -> None:
    """The agent commits on its branch; the store then holds the commits under the run's ref, and nothing else."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    assert agent(workspace.path, "git", "status", "--porcelain", "--branch") == f"## {BRANCH}"
    head = commit(workspace.path)
    agent(workspace.path, "git", "tag", "mine")
    agent(workspace.path, "git", "branch", "other")
    assert clones.fetch(run="m.1", branch=BRANCH) == head
    assert store.refs("refs/workbench/runs") == {"refs/workbench/runs/m.1": head}
    assert store.read_file(head, "new.txt") == b"new\n"
    assert set(store.refs("refs")) == {"refs/workbench/runs/m.1", f"refs/workbench/bases/{repo.head}"}


def test_a_fetch_may_be_repeated_and_may_bring_nothing_new(repo: Repo, clones: SharedClones) -> None:
    """Fetching twice, or before the first commit, gives where the branch stands."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    assert clones.fetch(run="m.1", branch=BRANCH) == repo.head
    head = commit(workspace.path)
    assert [clones.fetch(run="m.1", branch=BRANCH) for _ in range(2)] == [head, head]
    agent(workspace.path, "git", "commit", "-q", "--amend", "-m", "rewritten")
    assert clones.fetch(run="m.1", branch=BRANCH) == agent(workspace.path, "git", "rev-parse", "HEAD") != head


def test_the_same_run_gets_the_same_clone(repo: Repo, clones: SharedClones) -> None:
    """A repeated preparation keeps what the agent has done so far."""
    first = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    Path(first.path, "draft").write_text("x")
    again = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    assert again == first and Path(again.path, "draft").exists()


def test_uncommitted_work_never_gets_in(repo: Repo, clones: SharedClones) -> None:
    """Agents see the base commit, not what lies about in the person's checkout."""
    base = repo.head
    repo.write({"a.txt": "draft\n", "b.txt": "draft\n"})
    workspace = clones.prepare(run="m.1", base_commit=base, branch=BRANCH)
    assert Path(workspace.path, "a.txt").read_text() == "one\n"
    assert not Path(workspace.path, "b.txt").exists()


def test_the_clone_is_seen_at_the_path_of_the_checkout(repo: Repo, clones: SharedClones, sandbox: Sandbox) -> None:
    """In the sandbox the clone stands where the person's checkout stands, writable, and git works there."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    script = "pwd; git log --format=%s; echo x > written && git add written && git diff --cached --name-only"
    env = {**workspace.env, "PATH": "/usr/bin:/bin"}
    job = Job(argv=("/bin/sh", "-c", script), cwd=workspace.cwd, mounts=workspace.mounts, env=env)
    done = sandbox.run(job)
    where = repo.path if sandbox.level == "bubblewrap" else workspace.path
    assert done.stdout.text.splitlines() == [str(where), "First", "written"], done.stderr.text
    assert Path(workspace.path, "written").exists() and not (repo.path / "written").exists()


def test_only_what_an_agent_changed_is_stored_again(repo: Repo, clones: SharedClones, sandbox: Sandbox) -> None:
    """At once after the checkout, git in the clone sees each edit, also one of equal size, and copies nothing else."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    script = "printf 'two\\n' > a.txt; git add -A; git diff --cached --name-only; git count-objects"
    env = {**workspace.env, "PATH": "/usr/bin:/bin"}
    job = Job(argv=("/bin/sh", "-c", script), cwd=workspace.cwd, mounts=workspace.mounts, env=env)
    said = sandbox.run(job).stdout.text.splitlines()
    assert said[0] == "a.txt" and said[1].startswith("1 objects")


def test_the_store_cannot_be_written_from_the_sandbox(repo: Repo, clones: SharedClones, sandbox: Sandbox) -> None:
    """A sandboxed agent reads the shared objects and cannot change them; without a sandbox it can (control)."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    store_path = workspace.mounts[1].source
    job = Job(argv=("/usr/bin/touch", f"{store_path}/mark"), cwd=workspace.cwd, mounts=workspace.mounts)
    assert (sandbox.run(job).exit_code == 0) == (sandbox.level == "none")


def test_included_files_are_copied_and_never_committed(repo: Repo, clones: SharedClones, tmp_path: Path) -> None:
    """`.worktreeinclude` lets ignored plain files in; links, unlisted and unignored files stay out."""
    (tmp_path / "outside.env").write_text("secret")
    repo.write(
        {
            "dev.env": "K=V",
            "sub/b.env": "2",
            "c.env": "3",
            "draft.txt": "4",
            ".worktreeinclude": "*.env\n!c.env\n*.txt\n",
        }
    )
    (repo.path / "link.env").symlink_to(tmp_path / "outside.env")
    base = repo.head
    workspace = clones.prepare(run="m.1", base_commit=base, branch=BRANCH)
    there = sorted(str(p.relative_to(workspace.path)) for p in Path(workspace.path).rglob("*.env"))
    assert there == ["dev.env", "sub/b.env"]
    assert not Path(workspace.path, "draft.txt").exists()
    assert clones.seat("m.1").left_out == (("link.env", "a symbolic link"),)
    assert agent(workspace.path, "git", "status", "--porcelain") == ""


def test_a_retired_clone_is_reset_for_the_next_run(repo: Repo, clones: SharedClones) -> None:
    """A pooled clone is as good as new, whatever the agent left in its files and its git directory."""
    base = repo.head
    first = clones.prepare(run="m.1", base_commit=base, branch=BRANCH)
    inode = Path(first.path).stat().st_ino
    path = Path(first.path)
    commit(path)
    (path / "a.txt").write_text("changed")
    (path / "x.env").write_text("left")
    (path / "nested").mkdir()
    agent(path / "nested", "git", "init", "-q")
    agent(path, "git", "update-index", "--assume-unchanged", "a.txt")
    agent(path, "git", "config", "core.fsmonitor", "touch /tmp/never")
    (path / ".git" / "hooks").mkdir(exist_ok=True)
    (path / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch ../hooked\n")
    (path / ".git" / "hooks" / "post-checkout").chmod(0o755)
    clones.retire("m.1")
    moved = repo.commit({"dir/b.txt": "moved\n"})
    second = clones.prepare(run="m.2", base_commit=moved, branch="workbench/m/m.2")
    path = Path(second.path)
    assert path.stat().st_ino == inode
    names = {str(p.relative_to(path)) for p in path.rglob("*") if ".git" not in p.parts and p.is_file()}
    assert names == {"a.txt", "dir/b.txt", ".gitignore"}
    assert (path / "a.txt").read_text() == "one\n" and (path / "dir/b.txt").read_text() == "moved\n"
    assert not (path / ".git" / "hooks").exists() and not (path.parent / "hooked").exists()
    assert agent(path, "git", "status", "--porcelain", "-b") == "## workbench/m/m.2"
    with pytest.raises(NotFound):
        clones.seat("m.1")


@pytest.mark.parametrize("trick", ["git-link", "git-file", "no-git", "locked-directory"])
def test_a_clone_that_resists_is_replaced(repo: Repo, clones: SharedClones, tmp_path: Path, trick: str) -> None:
    """Whatever stands in the place of `.git`, the next run gets a sound clone and nothing outside is touched."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "HEAD").write_text("mine")
    path = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    if trick != "locked-directory":
        shutil.rmtree(path / ".git")
    if trick == "git-link":
        (path / ".git").symlink_to(victim)
    if trick == "git-file":
        (path / ".git").write_text(f"gitdir: {victim}\n")
    if trick == "locked-directory":
        (path / "locked" / "in").mkdir(parents=True)
        (path / "locked" / "in" / "x").write_text("")
        (path / "locked").chmod(0)
    clones.retire("m.1")
    second = Path(clones.prepare(run="m.2", base_commit=repo.head, branch="workbench/m/m.2").path)
    assert agent(second, "git", "status", "--porcelain", "--ignored") == ""
    assert (victim / "HEAD").read_text() == "mine"
    assert sorted(p.name for p in victim.iterdir()) == ["HEAD"]


def test_verification_is_a_clean_checkout_that_goes_away(repo: Repo, clones: SharedClones, store: Store) -> None:
    """Evidence runs where no agent ever was; afterwards the place is gone."""
    head = repo.commit({"a.txt": "two\n", "crlf.txt": b"a\r\n", ".gitattributes": "*.txt text eol=crlf\n"})
    store.pin(head)
    workspace = clones.verification(commit=head)
    assert Path(workspace.path, "crlf.txt").read_bytes() == b"a\r\n"
    assert agent(workspace.path, "git", "rev-parse", "HEAD") == head
    clones.release(workspace)
    assert not Path(workspace.path).exists()


def test_only_verification_workspaces_are_released(repo: Repo, clones: SharedClones) -> None:
    """A run's clone is never removed by way of a release."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    with pytest.raises(NotFound):
        clones.release(workspace)
    assert Path(workspace.path).exists()


def test_a_shallow_repository_gives_working_clones(repo: Repo, tmp_path: Path, sandbox: Sandbox) -> None:
    """Cut history is no obstacle: clone, commit, fetch."""
    repo.commit({"a.txt": "2\n"})
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with Store.open(tmp_path / "s.git", source=tmp_path / "shallow" / ".git") as store:
        clones = SharedClones(tmp_path / "w", store=store, sandbox=sandbox, checkout=tmp_path / "shallow")
        workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
        head = commit(workspace.path)
        assert clones.fetch(run="m.1", branch=BRANCH) == head


def test_a_killed_process_leaves_nothing_behind(repo: Repo, clones: SharedClones) -> None:
    """D1: what was half made when the power went is cleared at the next start; runs' clones stay."""
    workspace = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
    clones.verification(commit=repo.head)
    (clones.root / "runs" / ".making-x" / "clone").mkdir(parents=True)
    (clones.root / "answers-y").mkdir()
    assert len(clones.clear_leftovers()) == 3
    assert clones.runs() == ["m.1"] and Path(workspace.path).exists()


@pytest.mark.parametrize("trick", ["symlink", "fifo", "huge-name"])
def test_a_damaged_clone_is_named(repo: Repo, clones: SharedClones, tmp_path: Path, trick: str) -> None:
    """A clone whose git directory an agent broke brings an error that says whose it is, and hangs nobody."""
    path = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    commit(path)
    if trick == "huge-name":
        (path / ".git" / "refs" / "heads" / "workbench" / "m" / "m.1").write_text("0" * 40 + "\n")
    if trick == "symlink":
        shutil.rmtree(path / ".git" / "objects")
        (path / ".git" / "objects").symlink_to(tmp_path)
    if trick == "fifo":
        (path / ".git" / "config").unlink()
        os.mkfifo(path / ".git" / "HEAD2")
        (path / ".git" / "HEAD").unlink()
    with pytest.raises(RepositoryProblem):
        clones.fetch(run="m.1", branch=BRANCH)


HOSTILE_TREES = {
    "dot-git": b"100644 blob %s\t.git\n",
    "gitmodules-link": b"120000 blob %s\t.gitmodules\n",
}


@pytest.mark.parametrize("tree", HOSTILE_TREES)
def test_a_hostile_tree_is_not_fetched(repo: Repo, clones: SharedClones, store: Store, tree: str) -> None:
    """G6: trees that make a checkout write into git's own files are refused on the way in."""
    path = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    head = _hostile(path, HOSTILE_TREES[tree])
    with pytest.raises(RepositoryProblem):
        clones.fetch(run="m.1", branch=BRANCH)
    assert not store.has(head)
    assert not [entry for entry in store.path.iterdir() if entry.name.startswith(".incoming")]


def _hostile(path: Path, line: bytes) -> str:
    blob = agent(path, "git", "hash-object", "-w", "a.txt").encode()
    made = subprocess.run(["git", "mktree", "--missing"], cwd=path, input=line % blob, capture_output=True, check=True)
    head = agent(path, "git", "commit-tree", made.stdout.decode().strip(), "-p", "HEAD", "-m", "x")
    agent(path, "git", "update-ref", f"refs/heads/{BRANCH}", head)
    return head


@pytest.mark.parametrize("tree", HOSTILE_TREES)
def test_a_hostile_tree_is_fetched_by_plain_git(repo: Repo, clones: SharedClones, tmp_path: Path, tree: str) -> None:
    """G6, control: plain git takes the same commit."""
    path = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    head = _hostile(path, HOSTILE_TREES[tree])
    plain = Repo(tmp_path / "plain", bare=True)
    plain.git("fetch", "-q", str(path), BRANCH)
    assert plain.git("cat-file", "-t", head) == "commit"


def test_a_name_that_ends_in_a_carriage_return_is_kept(repo: Repo, clones: SharedClones) -> None:
    """G6: names are bytes; none is shortened or cleaned on its way into a checkout."""
    path = clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path
    commit(path, "cr\r")
    workspace = clones.verification(commit=clones.fetch(run="m.1", branch=BRANCH))
    assert Path(workspace.path, "cr\r").exists() and not Path(workspace.path, "cr").exists()


def test_a_commit_that_would_fill_the_disk_is_not_checked_out(
    repo: Repo, clones: SharedClones, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: how much a commit unpacks to is known before anything is written."""
    store.pin(repo.head)
    monkeypatch.setattr("workbench.repository.clone.LARGEST_TREE", 3)
    with pytest.raises(Refused, match="too much to check out"):
        clones.verification(commit=repo.head)


@pytest.mark.parametrize("branch", ["/etc/x", "a/../../b", "--help", "a//b", "x.lock"])
def test_a_branch_is_never_a_path_or_an_option(repo: Repo, clones: SharedClones, tmp_path: Path, branch: str) -> None:
    """P4: a branch of a run consists of ids, so its ref lies inside the clone."""
    with pytest.raises(UsageError):
        clones.prepare(run="m.1", base_commit=repo.head, branch=branch)
    assert clones.runs() == [] and list(clones.root.glob("runs/.making-*")) == []


def test_without_the_check_a_branch_is_a_path(
    repo: Repo, clones: SharedClones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4, control: a branch that is taken as it comes makes a file where its name leads."""
    for check in ("workbench.repository.clone._checked_branch", "workbench.aee.workspaces.checked_ref"):
        monkeypatch.setattr(check, str)
    up = "../" * len(Path("runs/making/clone/.git/refs/heads").parts)
    with suppress(RepositoryProblem):  # git itself refuses the branch, when the file is there
        clones.prepare(run="m.1", base_commit=repo.head, branch=f"{up}outside")
    assert (clones.root / "outside").read_text().strip() == repo.head


def test_without_the_check_a_run_is_a_path(
    repo: Repo, clones: SharedClones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4, control: a run that is taken as it comes makes a file where its name leads."""
    monkeypatch.setattr("workbench.aee.workspaces.is_id", lambda _: True)
    place = tmp_path / "outside"
    with pytest.raises(NotADirectoryError):  # its own lock is there already
        clones.prepare(run=str(place), base_commit=repo.head, branch=BRANCH)
    assert place.is_file()


def test_sha256_repositories_give_working_clones(tmp_path: Path, sandbox: Sandbox) -> None:
    """The newer object format is no obstacle: clone, commit, fetch."""
    made = Repo(tmp_path / "newer", object_format="sha256")
    base = made.commit({"x": "y"})
    with Store.open(tmp_path / "s.git", source=made.path / ".git", object_format="sha256") as store:
        clones = SharedClones(tmp_path / "w", store=store, sandbox=sandbox, checkout=made.path)
        workspace = clones.prepare(run="m.1", base_commit=base, branch=BRANCH)
        assert clones.fetch(run="m.1", branch=BRANCH) == base
        assert (
            clones.fetch(run="m.1", branch=BRANCH) != commit(workspace.path) == clones.fetch(run="m.1", branch=BRANCH)
        )


@pytest.mark.parametrize("run", ["../x", "--help", "a/b", ""])
def test_a_run_is_never_a_path_or_an_option(repo: Repo, clones: SharedClones, run: str) -> None:
    """P4: what is no id names no workspace."""
    with pytest.raises(NotFound):
        clones.prepare(run=run, base_commit=repo.head, branch=BRANCH)


def test_a_used_clone_is_reset_without_writing_what_nobody_changed(
    repo: Repo, clones: SharedClones, tmp_path: Path
) -> None:
    """A pooled clone costs what the earlier agent changed, not the size of the tree, whoever owns files inside."""
    first = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    untouched = (first / "dir/b.txt").stat()
    (first / "a.txt").write_text("changed\n")
    clones.retire("m.1")
    again = Path(clones.prepare(run="m.2", base_commit=repo.head, branch="workbench/m/m.2").path)
    assert (again / "a.txt").read_text() == "one\n"
    assert ((again / "dir/b.txt").stat().st_ino, (again / "dir/b.txt").stat().st_ctime_ns) == (
        untouched.st_ino,
        untouched.st_ctime_ns,
    )


def test_a_base_with_a_submodule_gets_no_used_clone(repo: Repo, clones: SharedClones) -> None:
    """Git leaves alone what lies in a submodule's directory, so an earlier agent's files there never come along."""
    first = Path(clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH).path)
    (first / "sub").mkdir()
    (first / "sub" / "left").write_text("an agent's\n")
    agent(first / "sub", "git", "init", "-q")
    agent(first / "sub", "git", "add", "left")
    agent(first / "sub", "git", "commit", "-qm", "left")
    clones.retire("m.1")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head},sub")
    repo.git("commit", "-qm", "A submodule")
    again = Path(clones.prepare(run="m.2", base_commit=repo.head, branch="workbench/m/m.2").path)
    assert [path.name for path in (again / "sub").iterdir()] == []
