"""A repository made anew at the path of another: its missions are not mixed with the old ones, and nothing is lost."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ace_world import Call, World, git

from workbench.repository.store import Store

SCRIPT = "agent: robin\nsteps:\n  - think: hello\n"


@pytest.fixture
def before(call: Call, world: World, repository: Path) -> str:
    """A mission of the repository that stood here first; the shell line that keeps its journal aside."""
    (run,) = world.mission("prices")
    world.pack(run)
    return run


def made_anew(repository: Path) -> None:
    """Another project at the same path."""
    shutil.rmtree(repository)
    repository.mkdir()
    (repository / "other.py").write_text("OTHER = 1\n")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "Something else")


def begin(call: Call, repository: Path) -> tuple[int, dict[str, str]]:
    (repository.parent / "robin.yaml").write_text(SCRIPT)
    said = call("run", "Do this", "--script", str(repository.parent / "robin.yaml"), "--no-start", "--json")
    return said.code, said.error if said.code else {}


def test_a_repository_made_anew_is_not_mixed_with_the_old_ones_missions(
    call: Call, before: str, world: World, repository: Path
) -> None:
    """It is said before anything is begun, the remedy works as it is told, and the old journal stays readable."""
    directory = world.journal.directory
    world.journal.close()
    made_anew(repository)
    code, error = begin(call, repository)
    assert (code, error["id"]) == (4, "EnvironmentProblem")
    assert "another repository's" in error["message"]
    build = call("mrp", "build", "--base", "main", "--head", "main", "--sandbox", "none", "--json")
    assert (build.code, build.error["message"]) == (4, error["message"])
    doctor = {row["id"]: row for row in call("doctor", "--json").rows}["journal"]
    assert (doctor["state"], doctor["remedy"]) == ("fail", error["hint"])
    move = error["hint"].partition("&& ")[2].partition(";")[0]
    subprocess.run(["sh", "-c", move], check=True)
    assert begin(call, repository) == (0, {})
    assert [row["id"] for row in call("missions", "--json").rows] == ["do-this"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WORKBENCH_JOURNAL", f"{directory}-before")
        assert [row["id"] for row in call("missions", "--json").rows] == ["prices"]


def test_a_clone_that_was_made_again_keeps_its_journal(call: Call, before: str, world: World, repository: Path) -> None:
    """The same project, though the commit that a mission began from was never pushed: it shares the first commit."""
    git(repository, "commit", "-q", "--allow-empty", "-m", "Never pushed")
    local, root = git(repository, "rev-parse", "HEAD"), world.base
    world.base = local
    world.mission("taxes")
    with Store.open(world.journal.directory / "store.git", source=repository / ".git") as store:
        store.pin(local)
    git(repository, "update-ref", "refs/heads/main", root)
    again = repository.with_name("again")
    git(repository.parent, "clone", "-q", "--no-local", str(repository), str(again))
    shutil.rmtree(repository)
    again.rename(repository)
    assert begin(call, repository) == (0, {})


def test_a_shallow_clone_is_taken_for_what_it_says(call: Call, before: str, repository: Path) -> None:
    """Of a repository without its past nothing can be told, so nothing is refused."""
    made_anew(repository)
    (repository / ".git/shallow").write_text(f"{git(repository, 'rev-parse', 'HEAD')}\n")
    assert begin(call, repository) == (0, {})
