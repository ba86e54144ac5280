"""Suites in the real sandbox, mounted at the checkout's path: what an editable install leads to is the workspace."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from projects import Project

from workbench.aee.sandbox.select import select
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.environment import discover
from workbench.evidence.outcomes import TestsCollector
from workbench.model.errors import WorkbenchError
from workbench.ports import Mount, Sandbox, Workspace

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
BASE = {
    "src/adder/__init__.py": "def add(a, b):\n    return a + b\n",
    "tests/test_adder.py": "from adder import add\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}


@pytest.fixture
def bubblewrap() -> Sandbox:
    """The sandbox of that level, where it works."""
    try:
        return select("bubblewrap", allow_none=False)
    except WorkbenchError as error:
        pytest.skip(f"no bubblewrap here: {error}")


def confined(tmp_path: Path, sandbox: Sandbox, edits: dict[str, str]) -> tuple[Project, Path]:
    """A project whose verification workspaces are seen at the path of a checkout that holds base."""
    checkout = tmp_path / "checkout"
    for path, text in BASE.items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        (checkout / path).write_text(text)
    project = Project(tmp_path, BASE, edits)
    plain = project.commits.verification

    def mounted(*, commit: str) -> Workspace:
        made = plain(commit=commit)
        mount = Mount(source=made.path, target=str(checkout), writable=True)
        return Workspace(id=made.id, path=made.path, base_commit=commit, cwd=str(checkout), mounts=(mount,))

    project.commits.verification = mounted  # type: ignore[method-assign]  # the same checkout, seen elsewhere
    environment = discover(checkout, caller={"VIRTUAL_ENV": sys.prefix, "PATH": "/usr/bin"})
    project.rig = replace(project.rig, sandbox=sandbox, environment=environment)
    return project, checkout


def test_a_broken_head_fails_at_the_checkouts_path(tmp_path: Path, bubblewrap: Sandbox) -> None:
    """The checkout on the host holds working code; the run in the sandbox sees the broken result all the same."""
    project, checkout = confined(tmp_path, bubblewrap, {"src/adder/__init__.py": "def add(a, b):\n    return 0\n"})
    collected = TestsCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change)
    assert [evidence.state for evidence in collected.evidence] == ["passed", "failed", "failed"]
    assert collected.evidence[1].facts["project_modules"] >= 1
    assert "return a + b" in (checkout / "src/adder/__init__.py").read_text()


def test_the_runner_is_read_only(tmp_path: Path, bubblewrap: Sandbox) -> None:
    """Test code in the sandbox cannot rewrite the witness's program or plan."""
    test = "import sys\n\ndef test_a():\n    open(sys.orig_argv[-1], 'w').write('x')\n"
    project, _ = confined(tmp_path, bubblewrap, {"tests/test_more.py": test})
    collected = TestsCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change)
    assert collected.evidence[1].facts["failed"] == ["tests/test_more.py::test_a"]
