"""The prepare step: once per state of the lock files, trusted by content, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec.structs import replace

from workbench.aee.prepare import TRUST_STREAM, Preparation, PrepareStep, step_from
from workbench.aee.sandbox.select import probe, select
from workbench.aee.workspaces import SharedClones
from workbench.artifacts.configuration import Prepare
from workbench.model.errors import EnvironmentProblem, NeedsHuman, Refused
from workbench.model.events import Proposed, TrustGranted
from workbench.ports import Environment, Job, Sandbox
from workbench.repository.store import Store
from workbench.testing.journal import MemoryJournal
from workbench.testing.repositories import Repo

TOOLS = Environment(kind="system", label="system", env={"PATH": "/usr/bin:/bin"}, digest="sha256:tools")
STEP = PrepareStep(
    command=("/bin/sh", "-c", "mkdir -p deps/bin && cp requirements.txt deps/ && date +%s%N > deps/when"),
    outputs=("deps",),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "checkout")
    made.commit({"requirements.txt": "a==1\n", "code.py": "x = 1\n"})
    return made


@pytest.fixture
def store(repo: Repo, tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.git", source=repo.path / ".git") as made:
        made.pin(repo.head)
        yield made


@pytest.fixture(params=["none", "bubblewrap"])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    found = probe(request.param)
    if not found.works:
        pytest.skip(found.reason)
    return select(request.param, allow_none=True)


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def preparation(repo: Repo, store: Store, sandbox: Sandbox, journal: MemoryJournal, tmp_path: Path) -> Preparation:
    clones = SharedClones(tmp_path / "w", store=store, sandbox=sandbox, checkout=repo.path)
    root = tmp_path / "prepared"
    return Preparation(root, store=store, workspaces=clones, sandbox=sandbox, journal=journal, checkout=repo.path)


def when(environment: Environment) -> str:
    return Path(environment.mounts[-1].source, "when").read_text()


def test_an_equal_step_runs_once(repo: Repo, store: Store, preparation: Preparation) -> None:
    """Other code with the same lock files uses what is there; a changed lock file prepares anew."""
    first = preparation.ensure(STEP, commit=repo.head, base=TOOLS)
    other = repo.commit({"code.py": "x = 2\n"})
    store.pin(other)
    assert preparation.ensure(STEP, commit=other, base=TOOLS) == first
    changed = repo.commit({"requirements.txt": "a==2\n"})
    store.pin(changed)
    third = preparation.ensure(STEP, commit=changed, base=TOOLS)
    assert when(third) != when(first) and third.digest != first.digest


def test_what_was_prepared_is_seen_read_only_at_the_checkout(
    repo: Repo, preparation: Preparation, store: Store, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Commands find the outputs where the checkout would have them, and cannot change them."""
    if sandbox.level != "bubblewrap":
        pytest.skip("without a sandbox there are no mounts")
    environment = preparation.ensure(STEP, commit=repo.head, base=TOOLS)
    clones = SharedClones(tmp_path / "w2", store=store, sandbox=sandbox, checkout=repo.path)
    workspace = clones.verification(commit=repo.head)
    job = Job(
        argv=("/bin/sh", "-c", "cat deps/requirements.txt; touch deps/x || echo refused"),
        cwd=workspace.cwd,
        env=environment.env,
        mounts=(*workspace.mounts, *environment.mounts),
    )
    assert sandbox.run(job).stdout.text == "a==1\nrefused\n"
    assert environment.env["PATH"].startswith(f"{repo.path}/deps/bin:")


def test_two_at_once_prepare_once(repo: Repo, preparation: Preparation) -> None:
    """Runs that start together wait for one preparation and share it."""
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: preparation.ensure(STEP, commit=repo.head, base=TOOLS), range(3)))
    assert len({when(environment) for environment in made}) == 1


@pytest.mark.parametrize(
    "broken",
    [
        replace(STEP, command=("/bin/sh", "-c", "mkdir deps; echo broken >&2; exit 3")),
        replace(STEP, command=("/bin/sh", "-c", "true")),
        replace(STEP, command=("/bin/sh", "-c", "ln -s / deps")),
        replace(STEP, command=("/bin/sh", "-c", "sleep 60"), timeout_s=0.3),
        replace(STEP, command=("/nowhere/tool",)),
    ],
    ids=["fails", "makes-nothing", "makes-a-link", "hangs", "missing"],
)
def test_a_failed_step_leaves_nothing(
    repo: Repo, preparation: Preparation, tmp_path: Path, broken: PrepareStep
) -> None:
    """A step that fails says how, keeps nothing half made, and may be tried again."""
    for _ in range(2):
        with pytest.raises(EnvironmentProblem) as caught:
            preparation.ensure(broken, commit=repo.head, base=TOOLS)
        assert caught.value.hint
    assert [entry for entry in (tmp_path / "prepared").iterdir() if entry.is_dir()] == []
    assert list((tmp_path / "w" / "verification").iterdir()) == []


def test_the_network_needs_trust_in_exactly_this_content(
    repo: Repo, store: Store, preparation: Preparation, journal: MemoryJournal
) -> None:
    """P2: a step with network runs only after a person trusted its digest; a changed lock file asks again."""
    step = replace(STEP, network=True)
    with pytest.raises(NeedsHuman) as caught:
        preparation.ensure(step, commit=repo.head, base=TOOLS)
    granted = TrustGranted(use="prepare", digest=caught.value.data["digest"], subject="pip")
    journal.append([Proposed(stream=TRUST_STREAM, payload=granted, actor="human:ada")])
    preparation.ensure(step, commit=repo.head, base=TOOLS)
    changed = repo.commit({"requirements.txt": "evil==1\n"})
    store.pin(changed)
    with pytest.raises(NeedsHuman):
        preparation.ensure(step, commit=changed, base=TOOLS)
    with pytest.raises(NeedsHuman):
        preparation.ensure(replace(step, command=("/bin/true",)), commit=repo.head, base=TOOLS)


def test_without_the_ask_a_step_with_network_runs(
    repo: Repo, preparation: Preparation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P2, control: it is the missing trust alone that keeps the repository's step from the network."""
    monkeypatch.setattr(Preparation, "require_trust", lambda *_, **__: None)
    made = preparation.ensure(replace(STEP, network=True), commit=repo.head, base=TOOLS)
    assert made.kind == "prepared"


def test_without_network_no_trust_is_asked(repo: Repo, preparation: Preparation) -> None:
    """P2, control: the same step without network needs nobody."""
    assert preparation.ensure(STEP, commit=repo.head, base=TOOLS).kind == "prepared"


@pytest.mark.parametrize("name", ["../x", "/etc", ".git", "a/../b", ""])
def test_outputs_lie_below_the_checkout(repo: Repo, preparation: Preparation, name: str) -> None:
    """P4: no path leads elsewhere."""
    with pytest.raises(Refused):
        preparation.ensure(replace(STEP, outputs=(name,)), commit=repo.head, base=TOOLS)


def test_without_the_check_an_output_leads_elsewhere(
    repo: Repo, preparation: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P4, control: outputs that are taken as they come show the sandbox a directory of the host, or hide git's own."""
    monkeypatch.setattr("workbench.aee.prepare._require_outputs", lambda _: None)
    private = tmp_path / "private"
    private.mkdir()
    made = preparation.ensure(replace(STEP, outputs=(str(private), ".git")), commit=repo.head, base=TOOLS)
    assert str(private) in {mount.source for mount in made.mounts}
    assert any(mount.source.endswith("outputs/.git") for mount in made.mounts)


def test_the_step_comes_from_configuration() -> None:
    """A command line is given to the shell, a list is run as it is, none is no step."""
    assert step_from(Prepare()) is None
    step = step_from(Prepare(command="make deps", outputs=("deps",), network=True))
    assert step == PrepareStep(command=("/bin/sh", "-c", "make deps"), outputs=("deps",), network=True)
