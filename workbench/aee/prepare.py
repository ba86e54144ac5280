"""The prepare step: what a project's tests need, installed once per digest of its lock files, in its own sandbox.

It owns the prepared places and who may fill them. It must not know runs; the journal tells it what a person trusts.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path

import msgspec

from workbench.aee.workspaces import UNMAPPED
from workbench.artifacts.configuration import Prepare
from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import EnvironmentProblem, NeedsHuman, Refused
from workbench.model.events import TrustGranted
from workbench.ports import Completed, Environment, Job, Journal, Limits, Mount, Sandbox, Workspace, Workspaces
from workbench.repository.store import Store
from workbench.repository.trees import remove_tree, staging

TRUST_STREAM = "repository/trust"
TRUST_USE = "prepare"
LOCK_FILES = (
    "requirements*.txt", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "package-lock.json", "pnpm-lock.yaml",
    "yarn.lock", "Cargo.lock", "go.sum",
)  # fmt: skip
WITH_LOCK = ("pyproject.toml", "package.json", "Cargo.toml", "go.mod")  # say what a lock file beside them is for


class PrepareStep(msgspec.Struct, frozen=True, kw_only=True):
    """The step as trusted configuration gives it. `outputs` are paths below the checkout that it fills."""

    command: tuple[str, ...]
    outputs: tuple[str, ...]
    lock_files: tuple[str, ...] = ()  # empty: by convention
    network: bool = False
    timeout_s: float = 1800.0


def step_from(settings: Prepare) -> PrepareStep | None:
    """The step that trusted configuration describes; None when it names no command."""
    if not settings.command:
        return None
    command = settings.command
    return PrepareStep(
        command=("/bin/sh", "-c", command) if isinstance(command, str) else tuple(command),
        outputs=settings.outputs,
        lock_files=settings.lock_files,
        network=settings.network,
        timeout_s=float(settings.timeout_s),
    )


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a prepared place was made from."""

    digest: str
    command: tuple[str, ...]
    outputs: tuple[str, ...]
    lock_files: tuple[str, ...]
    network: bool


class Preparation:
    """Prepared places below `root`, one for each digest."""

    def __init__(
        self, root: Path, *, store: Store, workspaces: Workspaces, sandbox: Sandbox, journal: Journal, checkout: Path
    ) -> None:
        self._root = root
        self._store = store
        self._workspaces = workspaces
        self._sandbox = sandbox
        self._journal = journal
        self._checkout = checkout
        root.mkdir(parents=True, exist_ok=True)

    def digest(self, step: PrepareStep, *, commit: str, base: Environment) -> str:
        """The digest that names the step's result: command, lock files as they stand in `commit`, and tools."""
        locks = {path: digest_bytes(self._store.read_file(commit, path) or b"") for path in self._locks(step, commit)}
        return digest_of({"step": msgspec.to_builtins(step), "locks": locks, "base": base.digest})

    def require_trust(self, step: PrepareStep, *, commit: str, base: Environment) -> None:
        """Raise NeedsHuman unless a person trusts exactly this; without network the sandbox is enough."""
        if not step.network:
            return
        digest = self.digest(step, commit=commit, base=base)
        events = self._journal.read(TRUST_STREAM)
        granted = (event.payload for event in events if isinstance(event.payload, TrustGranted))
        if not any(trust.use == TRUST_USE and trust.digest == digest for trust in granted):
            raise NeedsHuman(
                f"{' '.join(step.command)!r} wants the network to install what the lock files name",
                hint="look at the command and the lock files, then trust them",
                data={"use": TRUST_USE, "digest": digest, "command": list(step.command)},
            )

    def ensure(
        self,
        step: PrepareStep,
        *,
        commit: str,
        base: Environment,
        stop: Callable[[], bool] | None = None,
    ) -> Environment:
        """The environment with the step's outputs, made now if no equal one was. Equal steps run once, whoever asks.

        Raises NeedsHuman (no trust yet) and EnvironmentProblem (the step failed; nothing of it is kept).
        """
        _require_outputs(step.outputs)
        digest = self.digest(step, commit=commit, base=base)
        place = self._root / digest.partition(":")[2]
        with self._locked(place.name):
            if not (place / "manifest.json").is_file():
                self.require_trust(step, commit=commit, base=base)
                self._make(place, step, digest=digest, commit=commit, base=base, stop=stop)
        return self._environment(place, base)

    def _locks(self, step: PrepareStep, commit: str) -> list[str]:
        wanted = step.lock_files or LOCK_FILES
        files = self._store.list_files(commit)
        locks = [path for path in files if any(_matches(path, pattern) for pattern in wanted)]
        beside = {str(Path(path).with_name(name)) for path in locks for name in WITH_LOCK}
        return sorted({*locks, *(beside & set(files))})

    def _make(
        self,
        place: Path,
        step: PrepareStep,
        *,
        digest: str,
        commit: str,
        base: Environment,
        stop: Callable[[], bool] | None,
    ) -> None:
        workspace = self._workspaces.verification(commit=commit)
        making = staging(self._root)
        try:
            done = self._sandbox.run(_job(step, workspace, base), stop=stop)
            if done.state != "exited" or done.exit_code:
                raise _failed(step, done)
            manifest = Manifest(
                digest=digest,
                command=step.command,
                outputs=step.outputs,
                lock_files=tuple(self._locks(step, commit)),
                network=step.network,
            )
            _take_outputs(Path(workspace.path), making / "outputs", step.outputs)
            (making / "manifest.json").write_bytes(msgspec.json.encode(manifest))
            remove_tree(place)
            making.rename(place)
        finally:
            remove_tree(making)
            self._workspaces.release(workspace)

    def _environment(self, place: Path, base: Environment) -> Environment:
        manifest = msgspec.json.decode((place / "manifest.json").read_bytes(), type=Manifest)
        mapped = self._sandbox.level not in UNMAPPED
        made = [(place / "outputs" / name, self._checkout / name) for name in manifest.outputs]
        outputs = [(source, str(target if mapped else source)) for source, target in made]
        mounts = tuple(Mount(source=str(source), target=target) for source, target in outputs)
        programs = [
            f"{target}/{sub}" for source, target in outputs for sub in ("bin", ".bin") if (source / sub).is_dir()
        ]
        env = dict(base.env)
        env["PATH"] = ":".join([*programs, *([env["PATH"]] if env.get("PATH") else [])])
        for source, target in outputs:
            if (source / "pyvenv.cfg").is_file():
                env["VIRTUAL_ENV"] = target
        return Environment(
            kind="prepared",
            label=" ".join(manifest.command),
            env=env,
            mounts=(*base.mounts, *mounts),
            digest=digest_of({"prepared": manifest.digest, "content": _content_digest(place / "outputs")}),
            notes=(*base.notes, f"prepared from {', '.join(manifest.lock_files) or 'no lock file'}", *_moved(mapped)),
        )

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        with (self._root / f"{name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _moved(mapped: bool) -> tuple[str, ...]:
    return () if mapped else ("used beside the checkout, where it was not installed: its scripts may not start",)


def _matches(path: str, pattern: str) -> bool:
    return fnmatch(path, pattern) or (("/" not in pattern) and fnmatch(path.rpartition("/")[2], pattern))


def _require_outputs(outputs: Iterable[str]) -> None:
    for name in outputs:
        parts = name.split("/")
        if not name or any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
            raise Refused(f"{name!r} cannot be an output of the prepare step", hint="name a directory of the checkout")


def _job(step: PrepareStep, workspace: Workspace, base: Environment) -> Job:
    return Job(
        argv=step.command,
        cwd=workspace.cwd,
        env={**workspace.env, **base.env},
        mounts=(*base.mounts, *workspace.mounts),
        network=step.network,
        limits=Limits(wall_s=step.timeout_s),
    )


def _failed(step: PrepareStep, done: Completed) -> EnvironmentProblem:
    said = (done.stderr.text or done.stdout.text).strip()[-600:]
    how = f"ended with exit code {done.exit_code}" if done.state == "exited" else done.state
    return EnvironmentProblem(
        f"the prepare step {' '.join(step.command)!r} {how}: {said}",
        hint="run it by hand in a clean clone; when it works there, ask for the run again",
        data={"state": done.state, "exit_code": done.exit_code},
    )


def _take_outputs(source: Path, target: Path, outputs: Iterable[str]) -> None:
    """Move outputs out of the workspace. One that is a link, or lies behind one, would be somebody else's files."""
    for name in outputs:
        place = source / name
        if place.is_symlink() or not place.is_dir() or place.resolve() != source.resolve() / name:
            raise EnvironmentProblem(
                f"the prepare step made no directory {name!r}", hint="check [prepare] outputs against its command"
            )
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(place, target / name)


def _content_digest(outputs: Path) -> str:
    """What lies there by name, size and link target: enough to tell two results of one step apart, and quick."""
    seen = hashlib.sha256()
    for folder, folders, names in os.walk(outputs):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            what = str(path.readlink()) if path.is_symlink() else str(path.lstat().st_size)
            if not name.endswith(".pyc"):
                seen.update(os.fsencode(f"{path.relative_to(outputs)}\0{what}\n"))
    return seen.hexdigest()
