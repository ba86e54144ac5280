"""The rig: the places, tools and limits with which collectors run commands; it knows no kind of evidence."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.evidence.material import strip_bytecode
from workbench.model.evidence import Criterion, Evidence, EvidenceState
from workbench.ports import (
    Blobs,
    Change,
    Clock,
    Completed,
    Environment,
    Job,
    Limits,
    Mount,
    Sandbox,
    Workspace,
    Workspaces,
)

MAX_REPORT_BYTES = 64 << 20  # of one file that a sandboxed command left for us

# One world for every run: no local settings, no byte code, no colours, one time zone, one hash order.
FIXED_ENV = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "TZ": "UTC",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "CI": "1",
}


def never() -> bool:
    """The stop condition of a rig that nobody stops."""
    return False


@dataclass(frozen=True, kw_only=True)
class Rig:
    """What a collector that runs commands is handed. `scratch` is a host directory outside every project."""

    workspaces: Workspaces
    sandbox: Sandbox
    environment: Environment
    blobs: Blobs
    clock: Clock
    scratch: Path
    limits: Limits = field(default_factory=Limits)
    stop: Callable[[], bool] = never

    @contextmanager
    def workspace(self, commit: str) -> Iterator[Workspace]:
        """A clean checkout of `commit` without byte code, given back at the end."""
        workspace = self.workspaces.verification(commit=commit)
        try:
            strip_bytecode(Path(workspace.path))
            yield workspace
        finally:
            self.workspaces.release(workspace)

    @contextmanager
    def outbox(self) -> Iterator[Path]:
        """A fresh host directory in which a command may leave its reports; gone at the end."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        box = Path(tempfile.mkdtemp(prefix="out-", dir=self.scratch))
        for name in ("report", "home", "tmp", "runner"):
            (box / name).mkdir()
        try:
            yield box
        finally:
            shutil.rmtree(box, ignore_errors=True)

    def run(
        self,
        argv: Sequence[str],
        workspace: Workspace,
        *,
        box: Path,
        env: Mapping[str, str] | None = None,
        mounts: Sequence[Mount] = (),
        stdin: bytes = b"",
    ) -> Completed:
        """Run `argv` where the workspace is mounted, with the named environment and nothing inherited."""
        private = [Mount(source=str(box / name), writable=True) for name in ("report", "home", "tmp")]
        job = Job(
            argv=tuple(argv),
            cwd=workspace.cwd,
            env=self._env(workspace, box) | dict(env or {}),
            mounts=(
                *workspace.mounts,
                *self.environment.mounts,
                Mount(source=str(box / "runner")),
                *mounts,
                *private,
            ),
            limits=self.limits,
            stdin=stdin,
        )
        return self.sandbox.run(job, stop=self.stop)

    def _env(self, workspace: Workspace, box: Path) -> dict[str, str]:
        private = {"HOME": str(box / "home"), "TMPDIR": str(box / "tmp")}
        if self.sandbox.level == "bubblewrap":
            private["TMPDIR"] = "/tmp"  # private there, and short enough for sockets
        return workspace.env | self.environment.env | FIXED_ENV | private

    def inputs(self, change: Change) -> dict[str, str]:
        """What evidence about `change` was made from."""
        return {
            "base": change.base,
            "head": change.head,
            "result": change.result,
            "tree": change.tree,
            "environment": self.environment.digest,
        }

    def keep(self, completed: Completed) -> dict[str, str]:
        """Blobs of a command's outputs, by stream name; empty streams are left out."""
        streams = {"stdout": completed.stdout.data, "stderr": completed.stderr.data}
        return {name: self.blobs.put(data) for name, data in streams.items() if data}

    def evidence(
        self,
        change: Change,
        kind: str,
        *,
        criterion: Criterion,
        state: EvidenceState,
        summary: str,
        started_at: str = "",
        **more: Any,
    ) -> Evidence:
        """Evidence of grade `executed` from this rig, bound to `change`; `more` are further fields of it."""
        return Evidence(
            id=kind,
            kind=kind,
            criterion=criterion,
            grade="executed",
            state=state,
            summary=summary,
            inputs=self.inputs(change),
            sandbox=self.sandbox.level,
            environment=self.environment.digest,
            started_at=started_at or self.clock.now(),
            **more,
        )


def read_report(path: Path, *, limit: int = MAX_REPORT_BYTES) -> bytes | None:
    """A file that sandboxed code may have put there: only a regular one, no link followed, no more than `limit`."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):  # of a directory no file can be made
        os.close(fd)
        return None
    with open(fd, "rb") as file:
        if found.st_size > limit or found.st_nlink != 1:
            return None
        return file.read(limit)
