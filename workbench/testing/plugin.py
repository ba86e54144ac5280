"""What authors of plugins test with: a change, a workshop whose commands really run, and nothing of a repository.

Commands run without a sandbox of their own; `workbench plugin test` runs all of the tests in one.
"""

# ruff: noqa: ARG002 - ports name the arguments
from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from workbench.evidence.rig import Rig
from workbench.model.digests import digest_bytes
from workbench.model.errors import NotFound
from workbench.pluginhost.discovery import shipped_directory
from workbench.pluginhost.hookspecs import Workshop
from workbench.pluginhost.loading import bundle_of
from workbench.pluginhost.manifest import FILE, AgentProgram, read
from workbench.ports import Completed, Environment, Job, Limits, SandboxLevel, Stream, Workspace
from workbench.testing.changes import TreeChange
from workbench.testing.clock import SettableClock

WALL_S = 60.0


class Case(unittest.TestCase):
    """A test case with a directory of its own, gone afterwards."""

    def setUp(self) -> None:
        """A fresh directory."""
        kept = tempfile.TemporaryDirectory(prefix="plugin-")
        self.addCleanup(kept.cleanup)
        self.directory = Path(kept.name)

    def change(self, base: Mapping[str, str], edits: Mapping[str, str]) -> TreeChange:
        """A change of `base`: each of `edits` is a file's new text; "" deletes it."""
        return TreeChange.of(base, edits)

    def workshop(self, change: TreeChange, **settings: Any) -> Workshop:
        """What collectors are made with, for this change; `settings` are those of the plugin."""
        return Workshop(rig=plain_rig(self.directory, change), settings=settings)


def file_of_plugin(module: str, path: str) -> bytes:
    """A file of the plugin that a module is of (`__name__`), by its path below the plugin's directory."""
    return bundle_of(module).files[path]


def shipped_agent(name: str) -> AgentProgram:
    """An agent that a shipped plugin describes, by the plugin's name."""
    manifest, problems = read((shipped_directory() / name / FILE).read_bytes(), FILE)
    if manifest is None:
        raise NotFound(f"the manifest of {name} has problems: {problems}")
    return manifest.agents[name]


def plain_rig(directory: Path, change: TreeChange) -> Rig:
    """A rig over the trees of a change; its commands run as plain processes, with this interpreter on their path."""
    path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"))
    return Rig(
        workspaces=_Checkouts(directory / "checkouts", change),
        sandbox=_PlainProcesses(),
        environment=Environment(kind="caller", label="the test's", env={"PATH": path}),
        blobs=_Kept(),
        clock=SettableClock(),
        scratch=directory / "scratch",
        limits=Limits(wall_s=WALL_S),
    )


class _Checkouts:
    """Port Workspaces for verification alone: a change's trees as directories."""

    def __init__(self, root: Path, change: TreeChange) -> None:
        self._root, self._change = root, change

    def verification(self, *, commit: str) -> Workspace:
        self._root.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=self._root))
        for path, content in self._change.files(commit).items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        return Workspace(id=place.name, path=str(place), base_commit=commit, cwd=str(place))

    def release(self, workspace: Workspace) -> None:
        """Gone with the test's directory."""

    def prepare(self, *, run: str, base_commit: str, branch: str) -> Workspace:
        raise NotFound(f"there is no workspace of {run} at {base_commit} on {branch}")

    def fetch(self, *, run: str, branch: str) -> str:
        raise NotFound(f"there is no {branch} of {run}")


class _PlainProcesses:
    """Port Sandbox by plain processes."""

    level: SandboxLevel = "none"

    def run(
        self,
        job: Job,
        *,
        on_output: Callable[[str, bytes], None] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Completed:
        begun = time.monotonic()
        try:
            process = subprocess.Popen(
                job.argv,
                cwd=job.cwd,
                env=job.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            return _completed("failed-to-start", 127, (b"", str(error).encode()), begun)
        state: Literal["exited", "timed-out"] = "exited"
        try:
            streams = process.communicate(job.stdin, timeout=job.limits.wall_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            state, streams = "timed-out", process.communicate()
        return _completed(state, process.returncode, streams, begun)


def _completed(
    state: Literal["exited", "timed-out", "failed-to-start"], code: int, streams: tuple[bytes, bytes], begun: float
) -> Completed:
    out, err = (Stream(head=data, full_bytes=len(data)) for data in streams)
    spent = int((time.monotonic() - begun) * 1000)
    return Completed(state=state, exit_code=code, stdout=out, stderr=err, duration_ms=spent, level="none")


class _Kept:
    """Port Blobs in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        digest = digest_bytes(data)
        self._kept[digest] = data
        return digest

    def get(self, digest: str) -> bytes:
        if digest not in self._kept:
            raise NotFound(f"nothing was kept as {digest}")
        return self._kept[digest]

    def has(self, digest: str) -> bool:
        return digest in self._kept
