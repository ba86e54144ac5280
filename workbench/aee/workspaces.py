"""Port `Workspaces`: runs' clones of the store, pooled, and clean checkouts for evidence.

The host makes a clone, and from then on never runs git in it: whatever must be asked of it is asked in the sandbox,
and what comes back is a pack that the store checks. It must not know what agents do.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from workbench.model.errors import NotFound, RepositoryProblem, SandboxProblem
from workbench.model.ids import is_id
from workbench.ports import Completed, Job, Limits, Mount, Sandbox, Workspace
from workbench.repository.clone import age, git_dir_for, lay_out, settle
from workbench.repository.git import checked_ref
from workbench.repository.included import copy_included
from workbench.repository.repository import GitRepository
from workbench.repository.store import Store, run_ref
from workbench.repository.trees import is_deeper, remove_tree, staging

POOLED_CLONES = 8  # kept for the next runs; more would only hold disk space
DEEPEST_POOLED = 100  # directories; git takes minutes to clean what an agent nested a thousand deep
LARGEST_DELIVERY = 1 << 30  # bytes of one run's new objects
LARGEST_ANSWER = 1 << 22  # bytes that git may say of a clone's files or commits
GIT_WALL_S = 300.0  # for one git job in a sandbox
SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin"

# What git inside a sandbox goes by. The user there may differ from the owner of the files.
GIT_ENV = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.directory",
    "GIT_CONFIG_VALUE_0": "*",
}
UNMAPPED = ("landlock", "sandbox-exec", "container", "none")  # levels at which every path is the host's own

_PACK = """set -e
head=$(git rev-parse --verify --quiet "refs/heads/$1^{commit}")
printf '%s\\n^%s\\n' "$head" "$2" | git pack-objects --revs --thin --delta-base-offset --stdout -q > "$3/pack"
printf '%s\\n' "$head" > "$3/head"
"""
# Git leaves alone what lies in a submodule's directory, so a base with submodules never gets a used clone.
_RESET = """set -e
git reset --quiet --hard
git clean -ffdxq &
test -z "$(git ls-files --stage | sed -n '/^160000 /{p;q}')"
wait $!
"""
_REFRESH = "git update-index -q --refresh || :"  # 1 says that a file differs from what git would check out
# Of rules for what to ignore, those in the tree alone count, and no file is spared a look: what is here is asked for.
# Git looks into no submodule from outside: one that was filled may hold anything.
_STATE = """set -e
git status --porcelain -z --untracked-files=no --ignore-submodules=dirty > "$1/status"
git ls-files -z --others --exclude-per-directory=.gitignore > "$1/others"
git ls-files -v | sed -n 's/^[a-zS] //p' > "$1/unwatched"
git -c core.quotePath=false ls-files --stage | sed -n 's/^160000 [0-9a-f]* [0-3].//p' | while IFS= read -r path; do
  case $path in \\"*) ;; *) [ ! -e "$path" ] || { inside=$(ls -A -- "$path") && [ -z "$inside" ]; } && continue ;; esac
  printf '%s\\n' "$path"
done > "$1/filled"
[ ! -e .git/modules ] || echo .git/modules >> "$1/filled"
git for-each-ref --format='%(objectname) %(refname)' > "$1/refs"
git rev-list --no-walk --reflog --all > "$1/reached"
"""


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """What the host remembers of a run's clone, beside it and out of the agent's reach."""

    run: str
    base_commit: str
    branch: str
    level: str = ""  # of the sandbox that the run was made for
    included: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's clone holds, as git in the sandbox tells it: a claim, good enough for saying what to keep."""

    dirty: tuple[str, ...]
    refs: dict[str, str]
    reached: tuple[str, ...] = ()  # commits that HEAD, a ref or any reflog names


class SharedClones:
    """Workspaces below `root`. `checkout` is the path at which sandboxed commands see their workspace.

    `repository` names the person's checkout for `.worktreeinclude`; without it nothing is copied.
    """

    def __init__(
        self,
        root: Path,
        *,
        store: Store,
        sandbox: Sandbox,
        checkout: Path,
        repository: GitRepository | None = None,
    ) -> None:
        self.root = root
        self._store = store
        self._sandbox = sandbox
        self._checkout = checkout
        self._repository = repository
        for name in ("runs", "pool", "verification"):
            (root / name).mkdir(parents=True, exist_ok=True)

    def prepare(self, *, run: str, base_commit: str, branch: str) -> Workspace:
        """The run's clone with `branch` checked out at `base_commit`; the same one again when it exists."""
        checked_ref(branch)
        place = self._place(run)
        with self._locked(run):
            if not place.exists():
                self._store.pin(base_commit)
                self._make(place, Seat(run=run, base_commit=base_commit, branch=branch, level=self._sandbox.level))
            return self._workspace(f"run-{run}", place / "clone", self.seat(run).base_commit)

    def fetch(self, *, run: str, branch: str) -> str:
        """Bring the run's commits into the store and return the branch's head there."""
        seat = self.seat(run)
        with self._locked(run), self._asked(run, _PACK, checked_ref(branch), seat.base_commit) as answers:
            head = _read_small(answers / "head").strip()
            with _open_plain(answers / "pack") as pack:
                self._store.take_pack(pack, head=head, ref=run_ref(run), largest=LARGEST_DELIVERY)
        return head

    def verification(self, *, commit: str) -> Workspace:
        """A clean checkout of `commit`, made by the host, for evidence. Give it back with `release`."""
        place = Path(tempfile.mkdtemp(prefix="v", dir=self.root / "verification"))
        try:
            lay_out(self._store, place / "clone", commit=commit)
        except BaseException:
            remove_tree(place)
            raise
        return self._workspace(f"verification-{place.name}", place / "clone", commit)

    def release(self, workspace: Workspace) -> None:
        """A verification workspace is no longer needed."""
        place = Path(workspace.path).parent
        if place.parent != self.root / "verification":
            raise NotFound(f"{workspace.id} is no verification workspace", hint="workbench gc clears runs' workspaces")
        remove_tree(place)

    def seat(self, run: str) -> Seat:
        """What the host knows of the run's clone. Raises NotFound."""
        try:
            return msgspec.json.decode((self._place(run) / "seat.json").read_bytes(), type=Seat)
        except FileNotFoundError:
            raise NotFound(f"run {run} has no workspace", hint="it is made when the run starts") from None
        except msgspec.DecodeError:
            raise RepositoryProblem(f"what was noted of run {run} is damaged", hint="workbench gc copies it") from None

    def runs(self) -> list[str]:
        """Runs that have a workspace."""
        return sorted(entry.name for entry in (self.root / "runs").iterdir() if not entry.name.startswith("."))

    def state(self, run: str) -> State:
        """Uncommitted files and refs of the run's clone, asked in the sandbox."""
        with self._locked(run), self._asked(run, _STATE) as answers:
            dirty = [entry[3:] for entry in _read_small(answers / "status").split("\0") if len(entry) > 3]
            others = {path for path in _read_small(answers / "others").split("\0") if path}
            unseen = [line for name in ("unwatched", "filled") for line in _read_small(answers / name).splitlines()]
            lines = [line.split(" ", 1) for line in _read_small(answers / "refs").splitlines() if " " in line]
            reached = tuple(_read_small(answers / "reached").split())
        refs = {name: commit for commit, name in lines}
        dirty += [*sorted(others - set(self.seat(run).included)), *unseen]
        return State(dirty=tuple(dirty), refs=refs, reached=reached)

    def clear_leftovers(self) -> list[str]:
        """Remove what a killed process left half made, and verification checkouts. Call it when no step is at work."""
        half_made = [*(self.root / "runs").glob(".making-*"), *self.root.glob("answers-*")]
        left = [*half_made, *(self.root / "verification").iterdir()]
        for place in left:
            remove_tree(place)
        return sorted(place.name for place in left)

    def retire(self, run: str) -> None:
        """Hand the run's clone to the pool. What it holds beyond the store is lost: `trash` asks first."""
        with self._locked(run):
            pool = self.root / "pool"
            place = self._place(run)
            if len(list(pool.iterdir())) >= POOLED_CLONES or is_deeper(place, DEEPEST_POOLED):
                remove_tree(place.rename(self.root / "runs" / f".making-{run}-{os.getpid()}"))
            else:
                place.rename(pool / run)

    def _make(self, place: Path, seat: Seat) -> None:
        making = self._from_pool(seat) or self._fresh(seat)
        try:
            seat = self._with_included(making / "clone", seat)
            _keep_index(making)
            (making / "seat.json").write_bytes(msgspec.json.encode(seat))
            making.rename(place)
        except BaseException:
            remove_tree(making)
            raise

    def _fresh(self, seat: Seat) -> Path:
        making = staging(self.root / "runs")
        try:
            lay_out(self._store, making / "clone", commit=seat.base_commit, branch=seat.branch)
            if self._sandbox.level in UNMAPPED:
                settle(making / "clone")
            else:
                age(making / "clone")
                self._see_from_inside(making / "clone")
        except BaseException:
            remove_tree(making)
            raise
        return making

    def _see_from_inside(self, clone: Path) -> None:
        """Let the index name the files' owner as the sandbox shows it; to git there, every file had changed else."""
        done = self._git_job(clone, _REFRESH)
        if done.exit_code or done.state != "exited":
            said = done.stderr.text.strip()[:400] or done.state
            raise RepositoryProblem(f"git cannot read the new clone in the sandbox: {said}", hint="workbench doctor")

    def _from_pool(self, seat: Seat) -> Path | None:
        """A pooled clone as good as new: its git directory remade by the host, its files reset in the sandbox.

        None when the pool is empty or the clone resists.
        """
        making = self._taken()
        if making is None:
            return None
        clone = making / "clone"
        remove_tree(clone / ".git")
        git_dir_for(self._store, making / "git", commit=seat.base_commit, branch=seat.branch)
        with suppress(FileNotFoundError):
            (making / "index").rename(making / "git" / "index")
        (making / "git").rename(clone / ".git")
        done = self._git_job(clone, _RESET)
        if done.exit_code == 0 and done.state == "exited":
            return making
        remove_tree(making)
        return None

    def _taken(self) -> Path | None:
        for pooled in sorted((self.root / "pool").iterdir()):
            making = self.root / "runs" / f".making-{pooled.name}-{os.getpid()}"
            with suppress(FileNotFoundError):  # somebody else took it: go on with the next
                return pooled.rename(making)
        return None

    def _with_included(self, clone: Path, seat: Seat) -> Seat:
        if self._repository is None:
            return seat
        included = copy_included(self._repository, clone)
        lines = "".join(f"/{_escaped(path)}\n" for path in included.copied)
        (clone / ".git" / "info" / "exclude").write_bytes(os.fsencode(lines))
        return msgspec.structs.replace(seat, included=included.copied, left_out=included.left_out)

    @contextmanager
    def _asked(self, run: str, script: str, *args: str) -> Iterator[Path]:
        """The directory with the answers of a script that ran in the sandbox, in the run's clone."""
        clone = self._place(run) / "clone"
        self._require_confined(run)
        answers = tempfile.mkdtemp(prefix="answers-", dir=self.root)
        try:
            done = self._git_job(clone, script, *args, answers, mounts=(Mount(source=answers, writable=True),))
            if done.exit_code or done.state != "exited":
                raise RepositoryProblem(
                    f"git in the workspace of run {run} failed: {done.stderr.text.strip()[:400] or done.state}",
                    hint="the agent may have damaged its clone: look at the run's log, then stop the run",
                )
            yield Path(answers)
        finally:
            remove_tree(Path(answers))  # not TemporaryDirectory: older ones follow links when they mend permissions

    def _require_confined(self, run: str) -> None:
        """An agent that was held by a sandbox must not get out by way of a git that is held by none."""
        if self._sandbox.level == "none" and self.seat(run).level not in ("", "none"):
            raise RepositoryProblem(
                f"the workspace of run {run} may only be asked in a sandbox, and none works here now",
                hint="see workbench doctor",
            )

    def _git_job(self, clone: Path, script: str, *args: str, mounts: tuple[Mount, ...] = ()) -> Completed:
        """One start of the sandbox, whose shell runs all of `script`."""
        job = Job(
            argv=("/bin/sh", "-c", script, "sh", *args),
            cwd=str(clone),
            env={**GIT_ENV, "PATH": SEARCH_PATH, "HOME": "/tmp", "LC_ALL": "C"},
            mounts=(Mount(source=str(clone), writable=True), self._store_mount(), *mounts),
            limits=Limits(wall_s=GIT_WALL_S, file_bytes=LARGEST_DELIVERY),
        )
        done = self._sandbox.run(job)
        if done.state == "failed-to-start":
            raise SandboxProblem("git cannot be started in the sandbox", hint="install git below /usr")
        return done

    def _store_mount(self) -> Mount:
        return Mount(source=str(self._store.path))

    def _workspace(self, name: str, clone: Path, commit: str) -> Workspace:
        mapped = self._sandbox.level not in UNMAPPED
        cwd = str(self._checkout if mapped else clone)
        mounts = (Mount(source=str(clone), target=cwd, writable=True), self._store_mount())
        return Workspace(id=name, path=str(clone), base_commit=commit, cwd=cwd, mounts=mounts, env=dict(GIT_ENV))

    def _place(self, run: str) -> Path:
        if not is_id(run):
            raise NotFound(f"{run!r} is no run", hint="workbench runs lists them")
        return self.root / "runs" / run

    @contextmanager
    def _locked(self, run: str) -> Iterator[None]:
        (self.root / "locks").mkdir(exist_ok=True)
        with (self.root / "locks" / run).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _keep_index(making: Path) -> None:
    """Remember how git saw the clean files, where no agent can change it: a reset then rereads only what changed."""
    with _open_plain(making / "clone" / ".git" / "index") as index, (making / "index").open("wb") as kept:
        shutil.copyfileobj(index, kept)


def _open_plain(path: Path) -> BinaryIO:
    """A plain file that untrusted hands may have made: no link is followed, no pipe waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise RepositoryProblem(
            f"{path.name} of a workspace cannot be read: {os.strerror(error.errno or 0)}",
            hint="look at the run's log, then stop the run",
        ) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RepositoryProblem(
            f"{path.name} of a workspace is no plain file", hint="look at the run's log, then stop the run"
        )
    return os.fdopen(descriptor, "rb")


def _read_small(path: Path) -> str:
    with _open_plain(path) as file:
        data = file.read(LARGEST_ANSWER + 1)
    if len(data) > LARGEST_ANSWER:
        raise RepositoryProblem(
            f"git has more than {LARGEST_ANSWER >> 20} MB to say of it", hint="workbench gc copies it"
        )
    return os.fsdecode(data)


def _escaped(path: str) -> str:
    """A path as a gitignore pattern that matches it alone."""
    return re.sub(r"([\\*?\[\]! #])", r"\\\1", path)
