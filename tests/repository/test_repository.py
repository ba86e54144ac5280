"""Opening and reading the person's repository."""

from __future__ import annotations

import os
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from workbench.model.errors import NotFound, RepositoryProblem, UsageError
from workbench.repository import git as git_room
from workbench.repository.repository import GitRepository, open_repository
from workbench.testing.repositories import Repo


def test_opens_from_a_directory_below_the_checkout(repo: Repo) -> None:
    """Workbench finds the repository from anywhere inside the checkout."""
    with open_repository(repo.path / "dir") as opened:
        assert opened.checkout == repo.path
        assert opened.common_dir == repo.path / ".git"
        assert opened.resolve("HEAD") == repo.head
        assert opened.head_ref() == "refs/heads/main"


def test_no_repository_is_said_with_the_remedy(tmp_path: Path) -> None:
    """Outside of a repository the person is told how to get one."""
    with pytest.raises(RepositoryProblem) as caught:
        open_repository(tmp_path)
    assert "git init" in caught.value.hint


def test_no_commit_yet_is_said_with_the_remedy(tmp_path: Path) -> None:
    """A repository without a commit has no base to work from."""
    Repo(tmp_path / "fresh")
    with pytest.raises(RepositoryProblem, match="no commit yet"):
        open_repository(tmp_path / "fresh")


@pytest.mark.parametrize("files", [{}, {"a.txt": "1\n"}], ids=["empty", "with files"])
@pytest.mark.parametrize("made", [False, True], ids=["no repository", "no commit"])
def test_the_remedy_can_be_typed_as_it_stands(repo: Repo, tmp_path: Path, files: dict[str, str], made: bool) -> None:
    """Whoever types what the error says has a repository to work in, also where there is no file yet."""
    at = tmp_path / "new"
    at.mkdir()
    for name, text in files.items():
        (at / name).write_text(text)
    if made:
        repo.git("init", "-q", str(at))
    with pytest.raises(RepositoryProblem) as caught:
        open_repository(at)
    typed = caught.value.hint.partition(": ")[2]
    names = {f"GIT_{role}_{what}": "ada@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(typed, shell=True, cwd=at, env={**os.environ, **names}, check=True, capture_output=True)
    with open_repository(at) as opened:
        assert all(opened.read_file(opened.resolve("HEAD"), name) == text.encode() for name, text in files.items())


def test_a_bare_repository_is_said_with_the_remedy(tmp_path: Path) -> None:
    """A bare repository has no checkout to merge into."""
    Repo(tmp_path / "bare.git", bare=True)
    with pytest.raises(RepositoryProblem, match="bare"):
        open_repository(tmp_path / "bare.git")


def test_missing_git_is_said_with_the_remedy(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without git the person is told to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryProblem, match="not installed"):
        open_repository(repo.path)


def test_an_old_git_is_said_with_the_remedy(repo: Repo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Git before 2.38 cannot merge without a working tree and is refused."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho git version 2.30.1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(RepositoryProblem, match=r"2\.30\.1 is too old"):
        open_repository(repo.path)


def test_a_detached_head_is_known(repo: Repo) -> None:
    """A detached head has no branch, and still a commit."""
    repo.git("checkout", "-q", "--detach")
    with open_repository(repo.path) as opened:
        assert opened.is_detached and opened.branch() == ""
        assert opened.resolve("HEAD") == repo.head


def test_a_shallow_clone_is_known(repo: Repo, tmp_path: Path) -> None:
    """A clone with cut history is recognised, a full one is not."""
    repo.commit({"a.txt": "2"})
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    with open_repository(tmp_path / "shallow") as cut, open_repository(repo.path) as full:
        assert cut.is_shallow and not full.is_shallow


def test_a_linked_worktree_shares_its_repository(repo: Repo, tmp_path: Path) -> None:
    """A linked worktree has a checkout and head of its own and the common directory of its repository."""
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    with open_repository(tmp_path / "linked") as opened:
        assert opened.located.git_dir != opened.located.common_dir
        assert opened.common_dir == repo.path / ".git"
        assert opened.branch() == "side"


def test_another_owner_is_refused_until_trusted(repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's repository is opened only when the person's own git trusts it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a directory to another user")
    os.chown(repo.path / ".git", 12345, 12345)
    monkeypatch.delenv("SUDO_UID", raising=False)
    with pytest.raises(RepositoryProblem, match="another user"):
        open_repository(repo.path)
    (home / ".gitconfig").write_text(f"[safe]\n\tdirectory = {repo.path}\n")
    open_repository(repo.path).close()


def test_uncommitted_work_is_listed(repo: Repo) -> None:
    """What no commit holds is named, ignored files are not."""
    repo.commit({".gitignore": "*.log\n"})
    repo.write({"a.txt": "changed", "näw file.txt": "x", "x.log": "ignored"})
    with open_repository(repo.path) as opened:
        assert opened.uncommitted() == ["a.txt", "näw file.txt"]


def test_files_of_a_commit_are_read_as_they_stand_there(repo: Repo) -> None:
    """Reading goes to the commit, whatever the checkout holds, for any name that a tree can hold."""
    names: dict[str, str | bytes | None] = {
        "sp ace/ünï.txt": "1",
        "new\nline.txt": "2",
        "crlf.txt": b"a\r\nb\r\n",
        "-dash": "3",
    }
    commit = repo.commit(names)
    repo.write({"crlf.txt": "other"})
    with open_repository(repo.path) as opened:
        assert set(names) < set(opened.list_files(commit))
        assert opened.read_file(commit, "crlf.txt") == b"a\r\nb\r\n"
        assert opened.read_file(commit, "new\nline.txt") == b"2"
        assert opened.read_file("main", "sp ace/ünï.txt") == b"1"
        assert opened.read_file(commit, "missing") is None
        assert opened.read_file(commit, "dir") is None
        assert opened.read_file(commit, "../a.txt") is None
        assert opened.list_files(commit, "dir") == ["dir/b.txt"]


def test_a_missing_commit_is_not_an_empty_file(repo: Repo) -> None:
    """A file that is absent differs from a commit that is absent."""
    with open_repository(repo.path) as opened, pytest.raises(NotFound):
        opened.read_file("1" * 40, "a.txt")


@pytest.mark.parametrize("name", ["--upload-pack=x", "-h", "", "a..b", "a b", "x\ny"])
def test_a_ref_is_never_an_option(repo: Repo, name: str) -> None:
    """P4: a value that git would read as an option, a range or two words is refused."""
    with open_repository(repo.path) as opened, pytest.raises(UsageError):
        opened.resolve(name)


def test_an_option_shaped_ref_would_be_obeyed_otherwise(repo: Repo, tmp_path: Path) -> None:
    """P4, control: plain git takes such a value as an option and writes where it says."""
    victim = tmp_path / "victim"
    repo.git("diff-tree", "-p", f"--output={victim}", "HEAD")
    assert victim.exists()


def test_an_unknown_ref_is_not_found(repo: Repo) -> None:
    """A name without a commit says so."""
    with open_repository(repo.path) as opened, pytest.raises(NotFound):
        opened.resolve("nowhere")


def test_identity_is_the_persons_own(repo: Repo, home: Path) -> None:
    """Merges are made in the name that the person gave to git."""
    repo.git("config", "--unset", "user.name")
    (home / ".gitconfig").write_text("[user]\n\tname = Grace\n\temail = grace@example.org\n")
    with open_repository(repo.path) as opened:
        assert (opened.identity().name, opened.identity().email) == ("Grace", "ada@example.org")


def test_an_unknown_identity_is_said_with_the_remedy(repo: Repo) -> None:
    """Without a name git cannot commit; the person is told how to give one."""
    repo.git("config", "--unset", "user.name")
    with open_repository(repo.path) as opened, pytest.raises(RepositoryProblem) as caught:
        opened.identity()
    assert "user.name" in caught.value.hint


def test_inherited_git_variables_do_not_reach_git(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """G1: what a shell or hook exported for git changes nothing here; plain git obeys it."""
    mark = tmp_path / "mark"
    (repo.path / "a.txt").write_text("changed")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {mark}; false")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    with open_repository(repo.path) as opened:
        assert opened.uncommitted() == ["a.txt"]
    assert not mark.exists()


ARMED = {
    "fsmonitor": [("core.fsmonitor", "touch {mark}; false")],
    "filter": [("filter.evil.clean", "touch {mark}; cat"), ("filter.evil.smudge", "touch {mark}; cat")],
    "process": [("filter.evil.process", "touch {mark}; cat"), ("filter.evil.required", "true")],
}


def _arm(repo: Repo, attack: str, mark: Path) -> None:
    repo.commit({".gitattributes": "*.txt filter=evil\n"})
    for name, value in ARMED[attack]:
        repo.git("config", name, value.format(mark=mark))
    repo.write({"a.txt": "ONE\ntwo\nthree\n"})


@pytest.mark.parametrize("attack", ARMED)
def test_looking_at_the_checkout_runs_nothing(repo: Repo, tmp_path: Path, attack: str) -> None:
    """G1, G2: no program that the repository configures runs when uncommitted work is listed."""
    mark = tmp_path / "mark"
    _arm(repo, attack, mark)
    with open_repository(repo.path) as opened:
        assert opened.uncommitted() == ["a.txt"]
    assert not mark.exists()


@pytest.mark.parametrize("attack", ARMED)
def test_plain_git_runs_what_the_repository_configures(repo: Repo, tmp_path: Path, attack: str) -> None:
    """G1, G2, control: plain git status runs each of these programs."""
    mark = tmp_path / "mark"
    _arm(repo, attack, mark)
    with suppress(subprocess.CalledProcessError):  # the attack may also break git; what counts is that it ran
        repo.git("status")
    assert mark.exists()


def test_lfs_pointers_and_submodules_are_known(repo: Repo, tmp_path: Path) -> None:
    """The person can be told what agents will not see whole."""
    Repo(tmp_path / "inner").commit({"x": "y"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "inner"), "sub")
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"
    commit = repo.commit({"big.bin": pointer, "about.md": f"A pointer begins with:\n{pointer}"})
    with open_repository(repo.path) as opened:
        assert opened.submodules(commit) == ["sub"]
        assert opened.lfs_files(commit) == ["big.bin"]  # and not the text that quotes one


def test_a_read_only_repository_is_said_with_the_remedy(repo: Repo) -> None:
    """Reading works; writing is refused beforehand."""
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    (repo.path / ".git" / "refs").chmod(stat.S_IRUSR | stat.S_IXUSR)
    with open_repository(repo.path) as opened:
        assert opened.read_file("HEAD", "a.txt")
        with pytest.raises(RepositoryProblem, match="cannot be written"):
            opened.require_writable()


def test_reads_end_their_process(repo: Repo) -> None:
    """Closing leaves no reader behind; the next read starts one."""
    opened: GitRepository = open_repository(repo.path)
    assert opened.read_file("HEAD", "a.txt")
    opened.close()
    assert opened.read_file("HEAD", "a.txt")
    opened.close()
    assert git_room.git_version() >= git_room.OLDEST_GIT
