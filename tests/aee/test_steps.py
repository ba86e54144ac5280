"""Steps that need a person's trust: each asks, waits and takes the answer; only Workbench's own question counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace

from workbench.aee import permission
from workbench.aee.drivers.native.driver import NativeDriver
from workbench.aee.driving import OwnDrivers
from workbench.aee.prepare import TRUST_STREAM
from workbench.aee.reports import ReportLine
from workbench.aee.steps import STEPS, Stop, turn
from workbench.aee.wiring import ChildGround, open_child_ground
from workbench.artifacts.configuration import Agent
from workbench.core.decide.consultation import raise_consultation, raised_of, resolve
from workbench.core.decide.decision import on_run
from workbench.core.next_step import PACK, PREPARE, TURN, next_step
from workbench.core.state import ConsultationState, RunState
from workbench.journal.clock import SystemClock
from workbench.journal.store import SqliteJournal, open_journal
from workbench.model import events as e
from workbench.model.errors import NeedsHuman, Refused
from workbench.repository.locate import STORE
from workbench.repository.repository import open_repository
from workbench.repository.store import Store
from workbench.testing.repositories import Repo

PREPARE_STEP = '[prepare]\ncommand = "mkdir deps"\noutputs = ["deps"]\nnetwork = true\n'
AT = "2026-01-01T00:00:00.000Z"


class Line:
    """A child's line whose other end is the journal itself."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def report(self, events: Sequence[e.Proposed]) -> None:
        self._journal.append(events)


class Scene:
    """One run, and the ground that its steps stand on."""

    def __init__(self, journal: SqliteJournal, ground: ChildGround) -> None:
        self.journal, self.ground = journal, ground

    @property
    def run(self) -> RunState:
        found = self.journal.run("m.1")
        assert found is not None
        return found

    @property
    def question(self) -> ConsultationState:
        (found,) = self.journal.consultations(run="m.1")
        return found

    def carry(self, step: str) -> str:
        return STEPS[step](self.ground, self.run, Stop()).outcome

    def answer(self, option: str) -> None:
        decision = resolve(self.question, option=option, rationale="r", decided_by="Ada", actor="human:Ada", at=AT)
        self.journal.append(decision.events, expect=decision.expect)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    repo = Repo(tmp_path / "shop")
    base = repo.commit({".workbench/config.toml": PREPARE_STEP, "code.py": "x = 1\n"})
    head = repo.commit({"code.py": "x = 2\n"})
    repo.git("reset", "-q", "--hard", base)
    directory = tmp_path / "journal"
    queued = e.RunQueued(
        run="m.1", mission="m", agent="a", driver="branch", branch="b", base_commit=base, sandbox="none"
    )
    delivered = e.DeliverySubmitted(run="m.1", head=head)
    with open_journal(directory, clock=SystemClock()) as journal:
        journal.append([on_run("m.1", queued), on_run("m.1", delivered)])
        with open_repository(repo.path) as person, Store.open(directory / STORE, source=person.common_dir) as store:
            store.pin(base)
            store.pin(head)
        with open_child_ground(directory, repo.path, cast(ReportLine, Line(journal))) as ground:
            yield Scene(journal, ground)


@pytest.mark.parametrize("step", [PREPARE, TURN, PACK])
def test_every_step_asks_once_waits_and_takes_the_answer(scene: Scene, step: str) -> None:
    """Trust may be missing at any step, as when tools or base changed meanwhile: the run waits, and then goes on."""
    assert scene.carry(step) == "waiting"
    assert scene.run.waiting_for == (scene.question.id,)
    assert next_step(scene.run) is None
    scene.answer(permission.ALLOW)
    assert next_step(scene.run) is not None
    assert scene.carry(step) == "done"
    assert [event.kind for event in scene.journal.read(TRUST_STREAM)] == ["TrustGranted"]
    assert scene.ground.environment(scene.run).kind == "prepared"


def test_a_bare_step_only_breaks_off(scene: Scene) -> None:
    """The positive control: what asks is what stands around each step."""
    with pytest.raises(NeedsHuman):
        turn(scene.ground, scene.run, Stop())
    assert scene.journal.consultations(run="m.1") == []


def test_a_denied_step_says_what_helps(scene: Scene) -> None:
    """Settings come from the pinned base, so that only a mission that is started anew has other ones."""
    scene.carry(PREPARE)
    scene.answer(permission.DENY)
    with pytest.raises(Refused) as refused:
        scene.carry(PREPARE)
    assert "start the mission anew" in refused.value.hint
    assert scene.journal.read(TRUST_STREAM) == []


@pytest.mark.parametrize(
    "forged",
    [
        {"source_agent": "robin"},
        {"trigger": {"kind": "agent", "ref": "DIGEST"}},
        {"trigger": {"kind": "permission", "ref": "sha256:other"}},
        {"trigger": None},
    ],
)
def test_an_agents_question_gives_no_trust(scene: Scene, forged: dict[str, Any]) -> None:
    """An agent that names its call like ours, or is called workbench, gains nothing by a person's yes."""
    scene.carry(PREPARE)
    scene.answer(permission.ALLOW)
    own = scene.question
    digest = own.document["trigger"]["ref"]
    assert permission.granted(own, digest, "x").payload == e.TrustGranted(use="prepare", digest=digest, subject="x")
    if forged.get("trigger") == {"kind": "agent", "ref": "DIGEST"}:
        forged = {"trigger": {"kind": "agent", "ref": digest}}
    asked = replace(own, document={**own.document, **forged})
    assert not permission.is_own(asked, digest)
    with pytest.raises(Refused, match="not Workbench's own question"):
        permission.granted(asked, digest, "x")


def test_our_own_loop_hears_answers_as_they_come(scene: Scene) -> None:
    """It is opened with a look into the journal, not with what was answered before its turn alone."""
    agent = Agent(driver="native", model="m", options={"base_url": "http://127.0.0.1:9"})
    own = OwnDrivers(ground=scene.ground, run=scene.run, box=cast(Any, None))
    seat = SimpleNamespace(agent=agent, brief="", tools=(), blobs=scene.journal.blobs, rules=list)
    (kind,) = [kind for kind in own.drivers() if kind.name == "native"]
    driver = cast(NativeDriver, kind.open(cast(Any, seat)))
    document = {"id": "CRP-m.1-1", "summary": "A?", "category": "scope", "options": [{"id": "A"}]}
    raised = raised_of(document, consultation="CRP-m.1-1", mission="m", run="m.1", mode="advisory", call="1")
    scene.journal.append(raise_consultation(raised).events)
    assert driver.answered("CRP-m.1-1") == {}
    scene.answer("A")
    assert driver.answered("CRP-m.1-1")["option"] == "A"
