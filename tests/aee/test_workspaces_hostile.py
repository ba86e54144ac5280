"""What an agent leaves in its clone never runs on the host: each vector alone, and each shown to work unhindered."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workbench.aee.sandbox.select import probe, select
from workbench.aee.workspaces import SharedClones
from workbench.model.errors import RepositoryProblem
from workbench.ports import Job, Mount, Sandbox
from workbench.repository.change import StoreChange
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

BRANCH = "workbench/m/m.1"
BESIDE = "workbench/m/m.2"
ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/dev/null",
    "GIT_AUTHOR_NAME": "agent",
    "GIT_AUTHOR_EMAIL": "a@b",
    "GIT_COMMITTER_NAME": "agent",
    "GIT_COMMITTER_EMAIL": "a@b",
}

# Each: what the agent leaves, and a command that a person or a tool might run there. Only one thing can leave the mark.
_EVIL_GIT = "[core]\\n\\trepositoryformatversion = 0\\n\\tfsmonitor = touch {mark}; false\\n"
ATTACKS = {
    "G1-fsmonitor": ("git config core.fsmonitor 'touch {mark}; false'", "git status"),
    "G1-hook": (
        "mkdir -p .git/hooks && printf '#!/bin/sh\\ntouch {mark}\\n' > .git/hooks/post-checkout && "
        "chmod +x .git/hooks/post-checkout",
        "git checkout -q -b y",
    ),
    "G1-hooksPath": (
        "mkdir h && printf '#!/bin/sh\\ntouch {mark}\\n' > h/reference-transaction && chmod +x h/* && "
        'git config core.hooksPath "$PWD/h"',
        "git update-ref refs/heads/y HEAD",
    ),
    "G1-include": (
        "printf '[core]\\n\\tfsmonitor = touch {mark}; false\\n' > evil && git config include.path ../evil",
        "git status",
    ),
    "G1-config.worktree": (
        "git config extensions.worktreeConfig true && "
        "printf '[core]\\n\\tfsmonitor = touch {mark}; false\\n' > .git/config.worktree",
        "git status",
    ),
    "G1-gpg": (
        "printf '#!/bin/sh\\ntouch {mark}\\n' > gpg && chmod +x gpg && git config gpg.program \"$PWD/gpg\" && "
        "git config commit.gpgSign true",
        "git commit --allow-empty -qm x",
    ),
    "G1-alternateRefs": ("git config core.alternateRefsCommand 'touch {mark}; true'", "git fetch -q {repo} later"),
    "G1-upload-pack": (
        "git config remote.o.url {repo} && git config remote.o.uploadpack 'touch {mark}; git-upload-pack'",
        "git fetch -q o",
    ),
    "G2-clean": (
        "git config filter.x.clean 'touch {mark}; cat' && echo '*.txt filter=x' > .gitattributes && echo 2 >> a.txt",
        "git add -A",
    ),
    "G2-smudge": (
        "git config filter.x.smudge 'touch {mark}; cat' && echo '*.txt filter=x' > .gitattributes && rm a.txt",
        "git checkout -q -- a.txt",
    ),
    "G2-process": (
        "git config filter.x.process 'touch {mark}; cat' && echo '*.txt filter=x' > .gitattributes && rm a.txt",
        "git checkout -q -- a.txt",
    ),
    "G2-textconv": (
        "git config diff.x.textconv 'touch {mark}; cat' && echo '*.txt diff=x' > .gitattributes && echo 2 >> a.txt",
        "git diff",
    ),
    "G2-diff": (
        "git config diff.x.command 'touch {mark}; true' && echo '*.txt diff=x' > .gitattributes && echo 2 >> a.txt",
        "git diff",
    ),
    "G2-merge": (
        "git config merge.x.driver 'touch {mark}; true' && mkdir -p .git/info && "
        "echo '*.txt merge=x' > .git/info/attributes && git checkout -q -b y HEAD~1 && echo 2 > new.txt && "
        "git add new.txt && git commit -qm y",
        "git merge -q -m z -",
    ),
    "G3-gitfile": (
        f"mv .git moved && printf '{_EVIL_GIT}' > moved/config && echo 'gitdir: moved' > .git",
        "git status",
    ),
    "G3-nested-bare": (
        "git init -q --bare nested && git -C nested config core.bare false && git -C nested config core.worktree . && "
        "git --git-dir=nested config core.fsmonitor 'touch {mark}; false'",
        "cd nested && git status",
    ),
    "G3-gitlink": (
        "git init -q sub && git -C sub commit -q --allow-empty -m x && git add sub && git commit -qm link && "
        "git -C sub config core.fsmonitor 'touch {mark}; false'",
        "git status",
    ),
    "G4-renamed": (
        f"cp -r .git other && mv .git old && mv other .git && printf '{_EVIL_GIT}' > .git/config",
        "git status",
    ),
    "G5-commondir": (
        f"mkdir evil && cp -r .git/objects .git/refs evil/ && printf '{_EVIL_GIT}' > evil/config && "
        "echo ../evil > .git/commondir",
        "git status",
    ),
    "G7-nested": (
        "git init -q vendor && mkdir -p vendor/.git/hooks && "
        "printf '#!/bin/sh\\ntouch {mark}\\n' > vendor/.git/hooks/pre-commit && chmod +x vendor/.git/hooks/*",
        "cd vendor && git commit -q --allow-empty -m x",
    ),
}
# Those that our own question to the clone would set off, if it were asked on the host.
ASKED = ("G1-fsmonitor", "G1-include", "G1-config.worktree", "G3-gitfile", "G4-renamed", "G5-commondir")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "checkout")
    base = made.commit({"a.txt": "one\n", "dir/b.txt": "b\n"}, "First")
    made.branch("later")
    made.commit({"later.txt": "l\n"})
    made.git("checkout", "-q", "main")
    assert made.head == base
    return made


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as made:
        yield made


@pytest.fixture
def bubblewrap() -> Sandbox:
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)
    return select("bubblewrap", allow_none=False)


class Scene:
    """A run's clone in which an agent did something, and a mark outside that only the agent's program leaves."""

    def __init__(self, tmp_path: Path, repo: Repo, store: Store, sandbox: Sandbox) -> None:
        self.mark = tmp_path / "mark"
        self.repo = repo
        self.store = store
        self.sandbox = sandbox
        self.clones = SharedClones(tmp_path / "w", store=store, sandbox=sandbox, checkout=repo.path)
        self.workspace = self.clones.prepare(run="m.1", base_commit=repo.head, branch=BRANCH)
        self.clone = Path(self.workspace.path)
        self.plain("echo new > new.txt && git add -A && git commit -qm work")

    def plain(self, script: str, *, check: bool = True) -> None:
        """A shell in the clone, on the host, with none of our defences."""
        words = script.replace("{mark}", str(self.mark)).replace("{repo}", str(self.repo.path))
        subprocess.run(["/bin/sh", "-c", words], cwd=self.clone, env=ENV, check=check, capture_output=True)

    def attack(self, name: str) -> str:
        """Lay out the attack; the command that would set it off."""
        script, trigger = ATTACKS[name]
        self.plain(script)
        self.mark.unlink(missing_ok=True)
        return trigger

    def whole_life(self) -> None:
        """Everything that Workbench ever does with a run's clone and its commits."""
        for act in (lambda: self.clones.state("m.1"), self._examine):
            try:
                act()
            except RepositoryProblem as problem:  # an agent may break its own clone, and nothing more
                assert "workspace" in problem.message
        self.clones.retire("m.1")
        self.clones.prepare(run="m.2", base_commit=self.repo.head, branch=BESIDE)

    def _examine(self) -> None:
        head = self.clones.fetch(run="m.1", branch=BRANCH)
        change = StoreChange(self.store, base=self.repo.head, head=head)
        change.added_lines()
        self.store.diff(self.repo.head, head)
        self.clones.release(self.clones.verification(commit=change.result))


@pytest.fixture
def scene(tmp_path: Path, repo: Repo, store: Store, bubblewrap: Sandbox) -> Scene:
    return Scene(tmp_path, repo, store, bubblewrap)


@pytest.fixture
def bare_scene(tmp_path: Path, repo: Repo, store: Store) -> Scene:
    return Scene(tmp_path, repo, store, select("none", allow_none=True))


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_that_an_agent_left_runs_on_the_host(scene: Scene, name: str) -> None:
    """G1-G5, G7: asking, fetching, judging, checking out, pooling and reusing runs nothing of the agent's."""
    scene.attack(name)
    scene.whole_life()
    assert not scene.mark.exists()


@pytest.mark.parametrize("name", ATTACKS)
def test_plain_git_there_runs_it(bare_scene: Scene, name: str) -> None:
    """G1-G5, G7, control: one ordinary command in that clone runs the agent's program, by this vector alone."""
    trigger = bare_scene.attack(name)
    assert not bare_scene.mark.exists()
    bare_scene.plain(trigger, check=False)
    assert bare_scene.mark.exists()


@pytest.mark.parametrize("name", ASKED)
def test_our_own_question_asked_on_the_host_runs_it(bare_scene: Scene, name: str) -> None:
    """G1, G3-G5, control: the very same code without a sandbox does run the agent's program."""
    bare_scene.attack(name)
    bare_scene.clones.state("m.1")
    assert bare_scene.mark.exists()


# --- G4, G5, G7: what lies beside the clone ------------------------------------------------------------------


def inside(scene: Scene, script: str, *, more: tuple[Mount, ...] = ()) -> str:
    """What a sandboxed agent's shell says."""
    env = {**scene.workspace.env, "PATH": "/usr/bin:/bin"}
    mounts = (*scene.workspace.mounts, *more)
    job = Job(argv=("/bin/sh", "-c", script), cwd=scene.workspace.cwd, mounts=mounts, env=env)
    return scene.sandbox.run(job).stdout.text.strip()


TAKE_OVER = "mv .git kept; mkdir -p .git; touch .git/config && echo free"


def test_nothing_that_the_host_trusts_lies_where_an_agent_renames(scene: Scene) -> None:
    """G4: an agent moves all it can reach; what the host knows of its clone stands beside it and is the same."""
    before = scene.clones.seat("m.1")
    where = scene.clone.parent
    inside(scene, f"{TAKE_OVER}; mv '{where}' '{where}.x'; echo '{{}}' > '{where}/seat.json'; rm '{where}/index'; :")
    assert scene.clones.seat("m.1") == before
    assert (where / "index").stat().st_size > 0


def test_a_read_only_file_inside_falls_to_a_rename(scene: Scene) -> None:
    """G4, control: protecting `.git/config` by a read-only mount would have been no protection."""
    config = scene.clone / ".git" / "config"
    guard = Mount(source=str(config), target=f"{scene.workspace.cwd}/.git/config")
    assert "free" not in inside(scene, "echo x >> .git/config && echo free", more=(guard,))
    assert "free" in inside(scene, TAKE_OVER, more=(guard,))


ABSENT = {
    ".worktreeinclude": "*.env\n",
    ".git/info/attributes": "*.txt filter=x\n",
    ".git/info/grafts": "0" * 40 + "\n",
    ".git/shallow": "{head}\n",
    ".git/objects/info/alternates": "{victim}/.git/objects\n",
}


@pytest.mark.parametrize("name", ABSENT)
def test_a_file_that_was_absent_is_obeyed_only_inside(scene: Scene, tmp_path: Path, name: str) -> None:
    """G5: what an agent creates where there was nothing changes neither the next run nor what is let in."""
    victim = Repo(tmp_path / "victim")
    secret = victim.commit({"secret.txt": "canary\n"})
    scene.repo.write({"dev.env": "canary", ".git/info/exclude": "*.env\n"})
    text = ABSENT[name].replace("{victim}", str(victim.path)).replace("{head}", scene.repo.head)
    (scene.clone / name).parent.mkdir(parents=True, exist_ok=True)
    (scene.clone / name).write_text(text)
    scene.whole_life()
    later = scene.clone.parents[1] / "m.2" / "clone"
    assert not (later / "dev.env").exists() and not scene.store.has(secret)
    assert (later / name).exists() == (name == ".git/objects/info/alternates")
    assert "victim" not in (later / ".git/objects/info/alternates").read_text()


def test_an_alternate_would_hand_over_the_objects(bare_scene: Scene, tmp_path: Path) -> None:
    """G5, control: without a sandbox a forged alternates file makes git there read another repository."""
    victim = Repo(tmp_path / "victim")
    secret = victim.commit({"secret.txt": "canary\n"})
    (bare_scene.clone / ".git/objects/info/alternates").write_text(f"{victim.path}/.git/objects\n")
    bare_scene.plain(f"git cat-file -p {secret}:secret.txt > {bare_scene.mark}")
    assert bare_scene.mark.read_text() == "canary\n"


PLANT = "mkdir -p '{there}/.git/hooks' && touch '{there}/.git/hooks/post-checkout' && echo planted"


def test_a_sibling_clone_is_out_of_reach(scene: Scene) -> None:
    """G7: one run plants nothing in the clone of another."""
    other = scene.clones.prepare(run="m.2", base_commit=scene.repo.head, branch=BESIDE)
    assert inside(scene, f"cat '{other.path}/a.txt'") == ""
    inside(scene, PLANT.replace("{there}", other.path))
    assert not Path(other.path, ".git/hooks").exists()


def test_a_sibling_clone_is_in_reach_without_a_sandbox(bare_scene: Scene) -> None:
    """G7, control: the same words without a sandbox plant a hook in the other run's clone."""
    other = bare_scene.clones.prepare(run="m.2", base_commit=bare_scene.repo.head, branch=BESIDE)
    assert inside(bare_scene, PLANT.replace("{there}", other.path)) == "planted"
    assert Path(other.path, ".git/hooks/post-checkout").exists()


# --- G6, F1: what comes back ---------------------------------------------------------------------------------

_FIND_ANSWERS = "place=$(cat /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -m1 '^/.*/answers-[^/]*$')"
TRICKS: dict[str, str] = {
    "link": 'rm -f "$place/refs"; ln -s {secret} "$place/refs"; rm -f "$place/status"; ln -s {secret} "$place/status"',
    "pipe": 'rm -f "$place/status"; mkfifo "$place/status"',
    "directory": 'rm -f "$place/status"; mkdir "$place/status"',
    "nothing": 'rm -f "$place/status"',
}


def _answering(scene: Scene, tmp_path: Path, trick: str) -> Path:
    """A clone whose git, in the sandbox, swaps the answers of a question to it."""
    secret = tmp_path / "secret"
    secret.write_text("?? canary\0")
    script = f"#!/bin/sh\n{_FIND_ANSWERS}\n{TRICKS[trick]}\nfalse\n".replace("{secret}", str(secret))
    (scene.clone / ".git" / "swap").write_text(script)
    (scene.clone / ".git" / "swap").chmod(0o755)
    scene.plain("git config core.fsmonitor .git/swap")
    return secret


@pytest.mark.parametrize("trick", TRICKS)
def test_answers_are_plain_files_or_refused(scene: Scene, tmp_path: Path, trick: str) -> None:
    """F1: where answers were swapped for links or pipes, the host reads nothing else and waits for nothing."""
    _answering(scene, tmp_path, trick)
    with pytest.raises(RepositoryProblem, match="workspace"):
        scene.clones.state("m.1")
    assert list(scene.clones.root.glob("answers-*")) == []


def test_a_followed_link_would_have_been_read(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F1, control: opened the ordinary way, the answer is what the agent chose on the host."""
    _answering(scene, tmp_path, "link")
    monkeypatch.setattr("workbench.aee.workspaces._open_plain", lambda path: path.open("rb"))
    assert scene.clones.state("m.1").dirty == ("canary",)


LINKS = {
    "directory": "mv dir old && ln -s {victim} dir",
    "file": "ln -sf {victim}/b.txt a.txt",
    "hard": "ln -f {victim}/b.txt a.txt",
    "git": "mv .git old && ln -s {victim} .git",
    "index": "ln -sf {victim}/b.txt .git/index",
}


def _victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "b.txt").write_text("mine")
    return victim


@pytest.mark.parametrize("link", LINKS)
def test_resetting_a_clone_writes_through_no_link(bare_scene: Scene, tmp_path: Path, link: str) -> None:
    """G6, F1: links in a used clone, even with no sandbox around git, let the next run's files land nowhere else."""
    victim = _victim(tmp_path)
    bare_scene.plain(LINKS[link].replace("{victim}", str(victim)))
    bare_scene.clones.retire("m.1")
    later = Path(bare_scene.clones.prepare(run="m.2", base_commit=bare_scene.repo.head, branch=BESIDE).path)
    assert [p.name for p in victim.iterdir()] == ["b.txt"] and (victim / "b.txt").read_text() == "mine"
    assert (later / "dir/b.txt").read_text() == "b\n" and not (later / "a.txt").is_symlink()
    assert (later / "a.txt").read_text() == "one\n" and (later / "a.txt").stat().st_nlink == 1


@pytest.mark.parametrize("link", ["directory", "file", "hard"])
def test_writing_files_by_name_would_go_through(bare_scene: Scene, tmp_path: Path, link: str) -> None:
    """G6, F1, control: putting the base's files back by their names overwrites what the links lead to."""
    victim = _victim(tmp_path)
    bare_scene.plain(LINKS[link].replace("{victim}", str(victim)))
    for name in ("a.txt", "dir/b.txt"):
        (bare_scene.clone / name).write_text((bare_scene.repo.path / name).read_text())
    assert (victim / "b.txt").read_text() != "mine"


def _with_submodule(scene: Scene, tmp_path: Path, name: str) -> str:
    """The head of a branch that brings a submodule at `name`, from a repository of the agent's."""
    evil = Repo(tmp_path / "evil")
    commit = evil.commit({"payload": "x\n"})
    url = f'[submodule "s"]\n\tpath = "{name}"\n\turl = {evil.path}\n\tupdate = checkout\n'
    (scene.clone / ".gitmodules").write_text(url.replace("\r", "\\r"))
    subprocess.run(
        ["git", "update-index", "--add", "--cacheinfo", f"160000,{commit},{name}"], cwd=scene.clone, env=ENV, check=True
    )
    scene.plain("git add .gitmodules && git commit -qm sub")
    return scene.clones.fetch(run="m.1", branch=BRANCH)


@pytest.mark.parametrize("name", ["sub", "dir/sub\r"])
def test_a_submodule_is_an_empty_directory(scene: Scene, tmp_path: Path, name: str) -> None:
    """G6: no submodule is ever cloned, whatever its path and address say."""
    head = _with_submodule(scene, tmp_path, name)
    place = scene.clones.verification(commit=head)
    assert list(Path(place.path, name).iterdir()) == []
    assert not Path(place.path, ".git", "modules").exists()


def test_plain_git_clones_a_submodule(bare_scene: Scene, tmp_path: Path) -> None:
    """G6, control: a recursive clone of the same branch brings the other repository's files."""
    _with_submodule(bare_scene, tmp_path, "sub")
    target = tmp_path / "plain"
    words = ["git", "-c", "protocol.file.allow=always", "clone", "-q", "--recurse-submodules", "-b", BRANCH]
    subprocess.run([*words, str(bare_scene.clone), str(target)], env=ENV, check=True, capture_output=True)
    assert (target / "sub" / "payload").exists()


# --- P4 ------------------------------------------------------------------------------------------------------


def test_no_name_is_read_as_a_flag_in_the_store(bare_scene: Scene) -> None:
    """P4: names that are options of git reach none: not as commit, ref, run or branch."""
    value = f"--output={bare_scene.mark}"
    store, clones, head = bare_scene.store, bare_scene.clones, bare_scene.repo.head
    acts: list[Callable[[], object]] = [
        lambda: store.pin(value),
        lambda: store.set_run(value, head),
        lambda: store.keep(value, head),
        lambda: store.keep(f"refs/workbench/{value} x", head),
        lambda: store.merge(head, value),
        lambda: store.add_files(value, {"x": b"y"}, message="m"),
        lambda: clones.verification(commit=value),
        lambda: clones.prepare(run=value, base_commit=head, branch=BESIDE),
        lambda: clones.prepare(run="m.2", base_commit=value, branch=BESIDE),
        lambda: clones.prepare(run="m.2", base_commit=head, branch=value),
        lambda: clones.fetch(run="m.1", branch=value),
    ]
    for act in acts:
        with pytest.raises(Exception) as caught:
            act()
        assert type(caught.value).__module__ == "workbench.model.errors"
    assert not bare_scene.mark.exists() and not store.has(value)


def test_plain_git_takes_it_for_a_flag(bare_scene: Scene) -> None:
    """P4, control: handed on as it is, the same value makes git write a file."""
    bare_scene.plain(f"git log '--output={bare_scene.mark}'")
    assert bare_scene.mark.exists()
