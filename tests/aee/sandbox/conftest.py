"""Sandboxes for the tests of this room, and the reason why one is skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.aee.sandbox.select import Selected, probe, select
from workbench.ports import Completed, Job, Limits, Mount

Run = Callable[..., Completed]


@pytest.fixture
def bubblewrap() -> Selected:
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)
    return select("bubblewrap", allow_none=False)


@pytest.fixture
def landlock() -> Selected:
    found = probe("landlock")
    if not found.works:
        pytest.skip(found.reason)
    return select("landlock", allow_none=False)


@pytest.fixture
def unconfined() -> Selected:
    return select("none", allow_none=True)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    made = tmp_path / "workspace"
    made.mkdir()
    return made


@pytest.fixture
def run_script(workspace: Path) -> Run:
    """Runs a shell script in a sandbox with the workspace mounted writable, and with more mounts."""

    def run(sandbox: Selected, script: str, *more: Mount, network: bool = False) -> Completed:
        return sandbox.run(
            Job(
                argv=("/bin/bash", "-c", script),
                cwd=str(workspace),
                env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/home/agent"},
                mounts=(Mount(source=str(workspace), writable=True), *more),
                network=network,
                limits=Limits(wall_s=60),
            )
        )

    return run
