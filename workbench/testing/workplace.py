"""A real clone with a run's branch, and the whole tool set on it, for tests of tools and drivers."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.aee.tools.place import Place
from workbench.aee.tools.suite import ProjectSuite
from workbench.aee.tools.toolbox import Assignment, Callbacks, ToolBox
from workbench.core.state import ConsultationState
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.rig import Rig
from workbench.model.errors import NotFound
from workbench.model.ids import branch_of, consultation_id
from workbench.ports import Environment, Limits, Mount, Sandbox, Workspace
from workbench.testing.clock import SettableClock
from workbench.testing.journal import MemoryJournal

RUN, MISSION, AGENT = "m.1", "m", "ada"
BRIEF = "# Make it right\n"
_IDENTITY = {"GIT_AUTHOR_NAME": "Base", "GIT_AUTHOR_EMAIL": "base@example.org"}
_COMMITTER = {"GIT_COMMITTER_NAME": "Base", "GIT_COMMITTER_EMAIL": "base@example.org"}


class _NoWorkspaces:
    """Port Workspaces of which there are none: tools act in the run's own."""

    def prepare(self, *, run: str, base_commit: str, branch: str) -> Workspace:
        raise NotFound(f"there is no workspace of {run} at {base_commit} on {branch}")

    def fetch(self, *, run: str, branch: str) -> str:
        raise NotFound(f"there is no {branch} of {run}")

    def verification(self, *, commit: str) -> Workspace:
        raise NotFound(f"there is no workspace of {commit}")

    def release(self, workspace: Workspace) -> None:
        raise NotFound(f"there is no workspace {workspace.id}")


class Workplace:
    """`files` committed as the base at `root`, the run's branch checked out, and `box`, the tools.

    `standing` are resolutions that match every question; `questions` collects the calls that raised one. `plan` says
    how the tests are run. Beside `root` lies a directory for scratch.
    """

    def __init__(
        self,
        root: Path,
        *,
        sandbox: Sandbox,
        files: Mapping[str, str | bytes],
        environment: Environment | None = None,
        standing: Sequence[Mapping[str, Any]] = (),
        plan: SuitePlan | None = None,
        limits: Limits | None = None,
        **assigned: Any,
    ) -> None:
        self.root = root
        self.branch = branch_of(MISSION, RUN)
        self.questions: list[str] = []
        self.asked: list[ConsultationState] = []  # as the journal has them; a test fills it
        self.comments: list[str] = []  # ids of those that a delivery has to speak of; a test fills it
        self.scratch = root.with_name(f"{root.name}.scratch")
        self.journal = MemoryJournal()
        self.base = self._make(files)
        workspace = Workspace(
            id=RUN,
            path=str(root),
            base_commit=self.base,
            cwd=str(root),
            mounts=(Mount(source=str(root), writable=True),),
        )
        named = environment or Environment(kind="system", label="the system's tools")
        limits = limits or Limits(wall_s=60.0)
        self.place = Place.of(workspace, sandbox=sandbox, environment=named, scratch=self.scratch, limits=limits)
        rig = Rig(
            workspaces=_NoWorkspaces(),
            sandbox=sandbox,
            environment=named,
            blobs=self.journal,
            clock=SettableClock(),
            scratch=self.scratch,
            limits=limits,
        )
        self.suite = None if plan is None else ProjectSuite(rig=rig, plan=plan, workspace=workspace)
        self.box = ToolBox(
            self.place,
            assignment=Assignment(run=RUN, mission=MISSION, agent=AGENT, branch=self.branch, brief=BRIEF, **assigned),
            callbacks=Callbacks(
                name_question=self._name_question,
                blobs=self.journal,
                now=SettableClock().now,
                matching=lambda _query: standing,
                asked=lambda: self.asked,
                find_suite=lambda: self.suite,
                comments=lambda: self.comments,
            ),
        )

    def close(self) -> None:
        """Give the workspace's descriptor back."""
        self.place.files.close()

    def reset(self) -> None:
        """Back to the base: no commit, no file, no question of the run is left."""
        self.git("checkout", "-q", "-f", "-B", self.branch, self.base)
        self.git("clean", "-q", "-ffdx")
        self.questions.clear()
        self.asked.clear()
        self.comments.clear()

    def git(self, *argv: str) -> str:
        """The output of a git command in the clone."""
        env = {
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **_IDENTITY,
            **_COMMITTER,
        }
        done = subprocess.run(["git", *argv], cwd=self.root, env=env, check=True, capture_output=True)
        return done.stdout.decode("utf-8", "replace")

    def tree(self) -> dict[str, bytes]:
        """Every file of the clone but git's own, by path."""
        paths = (path for path in sorted(self.root.rglob("*")) if path.is_file())
        found = ((path.relative_to(self.root), path) for path in paths)
        return {str(name): path.read_bytes() for name, path in found if name.parts[0] != ".git"}

    def _make(self, files: Mapping[str, str | bytes]) -> str:
        self.root.mkdir(parents=True)
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "base")
        self.git("checkout", "-q", "-b", self.branch)
        return self.git("rev-parse", "HEAD").strip()

    def _name_question(self, call: str) -> str:
        if call not in self.questions:
            self.questions.append(call)
        return consultation_id(RUN, self.questions.index(call) + 1)
