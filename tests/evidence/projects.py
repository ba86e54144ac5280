"""Small real projects in git, and the plainest adapters that evidence can be collected with."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.evidence.rig import Rig
from workbench.model.digests import digest_bytes
from workbench.model.errors import NotFound
from workbench.ports import Completed, Environment, Job, Limits, Stream, Workspace
from workbench.testing.changes import TreeChange

VENV = Path(sys.prefix)


class Commits:
    """Trees by commit id, checked out as real directories; the port Workspaces for verification alone."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.trees: dict[str, dict[str, bytes]] = {}
        self.made = 0

    def add(self, commit: str, tree: Mapping[str, bytes]) -> None:
        self.trees[commit] = dict(tree)

    def verification(self, *, commit: str) -> Workspace:
        self.made += 1
        path = self.root / f"checkout-{self.made}"
        for name, content in self.trees[commit].items():
            place = path / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        path.mkdir(exist_ok=True)
        return Workspace(id=path.name, path=str(path), base_commit=commit, cwd=str(path))

    def release(self, workspace: Workspace) -> None:
        """Kept: tmp_path goes away as a whole."""

    def prepare(self, *, run: str, base_commit: str, branch: str) -> Workspace:
        raise NotImplementedError

    def fetch(self, *, run: str, branch: str) -> str:
        raise NotImplementedError


class PlainSandbox:
    """The port Sandbox by a plain subprocess in a session of its own; it counts its jobs."""

    level = "none"

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def run(
        self,
        job: Job,
        *,
        on_output: Callable[[str, bytes], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        self.jobs.append(job)
        begun = time.monotonic()
        try:
            process = subprocess.Popen(
                job.argv,
                cwd=job.cwd,
                env=job.env,
                stdin=subprocess.PIPE if job.stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            stderr = Stream(head=str(error).encode(), full_bytes=len(str(error)))
            return self._completed("failed-to-start", 127, begun, streams=(Stream(), stderr))
        try:
            out, err = process.communicate(job.stdin or None, timeout=job.limits.wall_s)
            state = "exited"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            state = "timed-out"
        streams = (Stream(head=out, full_bytes=len(out)), Stream(head=err, full_bytes=len(err)))
        return self._completed(state, process.returncode, begun, streams=streams)

    def _completed(self, state: Any, code: int, begun: float, *, streams: tuple[Stream, Stream]) -> Completed:
        milliseconds = int((time.monotonic() - begun) * 1000)
        return Completed(
            state=state, exit_code=code, stdout=streams[0], stderr=streams[1], duration_ms=milliseconds, level="none"
        )


class MemoryBlobs:
    """The port Blobs in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        self.kept[digest_bytes(data)] = data
        return digest_bytes(data)

    def get(self, digest: str) -> bytes:
        if digest not in self.kept:
            raise NotFound(digest)
        return self.kept[digest]

    def has(self, digest: str) -> bool:
        return digest in self.kept


class StillClock:
    """The port Clock, standing still."""

    def now(self) -> str:
        return "2026-11-22T08:00:00.000Z"

    def monotonic(self) -> float:
        return 0.0


def caller_environment() -> Environment:
    """The environment in which this test runs, named as a caller would."""
    env = {"VIRTUAL_ENV": str(VENV), "PATH": f"{VENV}/bin:/usr/local/bin:/usr/bin:/bin"}
    env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # a third of the start of each run
    return Environment(
        kind="caller", label="the caller's", env=env, digest="sha256:" + hashlib.sha256(b"x").hexdigest()
    )


class Project:
    """A change of a project with everything that collectors need to look at it."""

    def __init__(self, tmp_path: Path, base: Mapping[str, str], edits: Mapping[str, str]) -> None:
        self.change = TreeChange.of(base, edits)
        self.base = {path: text.encode() for path, text in base.items()}
        self.result = {path: text.encode() for path, text in {**base, **edits}.items() if text}
        self.commits = Commits(tmp_path / "checkouts")
        self.commits.add(self.change.base, self.base)
        self.commits.add(self.change.result, self.result)
        self.sandbox = PlainSandbox()
        self.blobs = MemoryBlobs()
        self.rig = Rig(
            workspaces=self.commits,
            sandbox=self.sandbox,
            environment=caller_environment(),
            blobs=self.blobs,
            clock=StillClock(),
            scratch=tmp_path / "scratch",
            limits=Limits(wall_s=60),
        )

    def read_base(self, path: str) -> bytes | None:
        return self.base.get(path)
