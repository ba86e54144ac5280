"""Where a run's tools act: its files (through `Confined`) and its commands (through the sandbox).

It must not know the journal, the driver or which tools there are.
"""

from __future__ import annotations

import posixpath
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from workbench.aee.confined import Confined
from workbench.aee.workspace_paths import split
from workbench.ports import Completed, Environment, Job, Limits, Mount, Sandbox, Workspace

# What a command sees before the environment and the workspace add theirs; the sandbox passes nothing else on.
BASE_ENV = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",  # private in a sandbox, never the person's
    "LANG": "C.UTF-8",
    "TERM": "dumb",
    "GIT_TERMINAL_PROMPT": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def _silent(_call: str, _stream: str, _chunk: bytes) -> None:
    """Nobody listens."""


def _never() -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Place:
    """One run's files and commands. `on_output(call, stream, chunk)` sees output as it comes."""

    workspace: Workspace
    files: Confined
    sandbox: Sandbox
    environment: Environment
    scratch: Path  # host directory outside of every workspace
    limits: Limits = field(default_factory=Limits)
    on_output: Callable[[str, str, bytes], None] = _silent
    stop: Callable[[], bool] = _never

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        *,
        sandbox: Sandbox,
        environment: Environment,
        scratch: Path,
        limits: Limits | None = None,
        on_output: Callable[[str, str, bytes], None] = _silent,
        stop: Callable[[], bool] = _never,
    ) -> Place:
        """The place of a workspace; close `files` when it is not needed any more."""
        return cls(
            workspace=workspace,
            files=Confined(Path(workspace.path)),
            sandbox=sandbox,
            environment=environment,
            scratch=scratch,
            limits=limits or Limits(),
            on_output=on_output,
            stop=stop,
        )

    def relative(self, path: str) -> str:
        """`path` relative to the workspace, also when the agent names it as its commands see it."""
        for root in (self.workspace.cwd, self.workspace.path):
            if path == root or path.startswith(root.rstrip("/") + "/"):
                return path[len(root.rstrip("/")) :].lstrip("/") or "."
        return path

    def run(
        self,
        argv: Sequence[str],
        *,
        call: str = "",
        cwd: str = "",
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        mounts: Sequence[Mount] = (),
        wall_s: float = 0.0,
    ) -> Completed:
        """Run `argv` in the sandbox, in the workspace or below; `wall_s` can only shorten the limit."""
        job = Job(
            argv=tuple(argv),
            cwd=posixpath.join(self.workspace.cwd, *split(self.relative(cwd), empty=True)),
            env={**BASE_ENV, **self.environment.env, **self.workspace.env, **(env or {})},
            mounts=(*self.workspace.mounts, *self.environment.mounts, *mounts),
            limits=self._within(wall_s),
            stdin=stdin,
        )

        def heard(stream: str, chunk: bytes) -> None:
            self.on_output(call, stream, chunk)

        return self.sandbox.run(job, on_output=heard, stop=self.stop)

    @contextmanager
    def box(self) -> Iterator[Path]:
        """A fresh directory in the scratch; gone at the end."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="box-", dir=self.scratch, ignore_cleanup_errors=True) as box:
            yield Path(box)

    def run_in_box(
        self, argv: Sequence[str], box: Path, *, stdin: bytes = b"", env: Mapping[str, str], wall_s: float
    ) -> Completed:
        """Run `argv` in the sandbox in `box`, where nothing of the workspace is to be seen."""
        job = Job(
            argv=tuple(argv),
            cwd=str(box),
            env={**BASE_ENV, **self.environment.env, **env},
            mounts=(*self.environment.mounts, Mount(source=str(box), writable=True)),
            limits=self._within(wall_s),
            stdin=stdin,
        )
        return self.sandbox.run(job, stop=self.stop)

    def _within(self, wall_s: float) -> Limits:
        limits = self.limits
        shorter = wall_s and (not limits.wall_s or wall_s < limits.wall_s)
        return replace(limits, wall_s=wall_s) if shorter else limits
