"""What the composition root itself decides: no sandbox is lowered against the policy, and leftovers are cleared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.aee.drivers.acp.desk import desk_of
from workbench.aee.tidying import tidy
from workbench.aee.wiring import HOMES, SCRATCH, WORKSPACES, ChildGround, open_child_ground, open_ground
from workbench.core.decide.decision import on_run
from workbench.core.state import RunState
from workbench.journal.clock import SystemClock
from workbench.journal.store import open_journal
from workbench.model import events as e
from workbench.model.errors import SandboxProblem
from workbench.repository.locate import STORE
from workbench.repository.repository import open_repository
from workbench.repository.store import Store

FORBIDS = "sandbox:\n  allow_none: false\n"


class Place:
    """A repository with one commit, and a journal with one run in it."""

    def __init__(self, root: Path, *, policy: str = "", sandbox: str = "none") -> None:
        self.repository, self.directory = root / "shop", root / "journal"
        (self.repository / ".workbench").mkdir(parents=True)
        (self.repository / ".workbench" / "policy.yaml").write_text(f"id: policy\nversion: 1\n{policy}")
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "First")
        self.base = self._git("rev-parse", "HEAD")
        queued = e.RunQueued(
            run="m.1", mission="m", agent="a", driver="scripted", branch="b", base_commit=self.base, sandbox=sandbox
        )
        with open_journal(self.directory, clock=SystemClock()) as journal:
            journal.append([on_run("m.1", queued)])
            found = journal.run("m.1")
            assert found is not None
            self.run: RunState = found

    def _git(self, *words: str) -> str:
        said = subprocess.run(["git", *words], cwd=self.repository, check=True, capture_output=True, text=True)
        return said.stdout.strip()

    def ground(self) -> Iterator[ChildGround]:
        with open_child_ground(self.directory, self.repository, None) as ground:  # type: ignore[arg-type]  # unused
            yield ground


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in [name for name in os.environ if name.startswith(("GIT_", "WORKBENCH_"))]:
        monkeypatch.delenv(name)


def test_a_run_child_refuses_what_the_policy_of_base_forbids(tmp_path: Path) -> None:
    """Whoever queued the run without a sandbox: the child reads the policy itself."""
    place = Place(tmp_path, policy=FORBIDS)
    for ground in place.ground():
        with pytest.raises(SandboxProblem, match="forbids to run without a sandbox"):
            ground.sandbox(place.run)


def test_without_that_policy_the_same_run_goes_on(tmp_path: Path) -> None:
    """The positive control: it is the policy that refuses."""
    place = Place(tmp_path)
    for ground in place.ground():
        assert ground.sandbox(place.run).level == "none"


def test_tidying_asks_no_clone_in_a_lower_sandbox(tmp_path: Path) -> None:
    """A run whose level does not work here is kept, with the reason."""
    place = Place(tmp_path, sandbox="microvm")
    (place.directory / WORKSPACES / "runs" / "m.1").mkdir(parents=True)
    with open_repository(place.repository) as person:
        Store.open(place.directory / STORE, source=person.common_dir).close()
    (row,) = tidy(place.directory, place.repository, days=30, dry_run=False)
    assert (row["act"], row["id"]) == ("keep", "m.1")
    assert "its sandbox (microvm) does not work now" in row["why"]


def test_an_aee_that_starts_clears_what_killed_ones_left(tmp_path: Path) -> None:
    """Checkouts, outboxes, old locks on refs and sockets of agents go; caches, young locks and others' sockets stay."""
    place = Place(tmp_path)
    with open_repository(place.repository) as person:
        Store.open(place.directory / STORE, source=person.common_dir).close()
    old, young = (place.directory / STORE / "refs" / name for name in ("old.lock", "young.lock"))
    kept = place.directory / SCRATCH / "tools"
    left = [place.directory / SCRATCH / "out-1", place.directory / WORKSPACES / "verification" / "v1"]
    mine, others = desk_of(place.directory / HOMES / "m.1"), desk_of(tmp_path / HOMES / "m.1")
    for path in (kept, *left, mine, others):
        path.mkdir(parents=True)
    (mine / "acp").touch()
    old.touch()
    os.utime(old, (0, 0))
    young.touch()
    with open_ground(place.directory, place.repository) as ground:
        ground.clear_leftovers()
    assert [path.exists() for path in (*left, old, mine)] == [False] * 4
    assert [path.exists() for path in (young, kept, others)] == [True] * 3
    others.rmdir()


def test_no_process_but_a_run_child_loads_the_sdk_of_a_model() -> None:
    """It takes a second and 80 MB: neither the service, nor the ground that every child stands on, imports it."""
    names = "workbench.aee.service, workbench.aee.steps, workbench.aee.wiring, workbench.ace.wiring.agentry"
    check = f"import sys, {names}; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
    control = "import sys, workbench.aee.drivers.native.opening; sys.exit('anthropic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", control], check=False).returncode == 1
