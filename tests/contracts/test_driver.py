"""The contract of the port `Driver`. Each driver is made to do the same few things in its own way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.aee.sandbox.select import select
from workbench.model.errors import WorkbenchError
from workbench.model.events import Event, RunAnswered, ToolCalled, ToolReturned
from workbench.ports import Driver, Session, Turn, TurnEnd
from workbench.testing.model_server.messages import PATH, Failure, Reply, Step, messages_route, use
from workbench.testing.model_server.server import Server
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

ANSWERS: Mapping[str, Mapping[str, Any]] = {"CRP-m.1-1": {"option": "A"}}
WRITE = "- edit: {path: made, content: x}"
ASK = "- ask: {summary: May I?, options: [{id: A, label: a}]}"
SUBMIT = "- submit: Why"

# what the agent shall do -> how the scripted driver is told
SCRIPTED = {
    "write and submit": f"agent: a\nsteps:\n{WRITE}\n{SUBMIT}\n",
    "ask, write and submit": f"agent: a\nsteps:\n{ASK}\n{WRITE}\n{SUBMIT}\n",
    "write and end": f"agent: a\nsteps:\n{WRITE}\n",
    "fail": "agent: a\nsteps:\n- fail: no idea\n",
}


# what the agent shall do -> what the model says
NATIVE: dict[str, list[Step]] = {
    "write and submit": [use("edit", path="made", content="x"), use("submit_merge_readiness", message="Why")],
    "ask, write and submit": [
        use("request_consultation", summary="May I?", options=[{"id": "A", "label": "a"}]),
        use("edit", path="made", content="x"),
        use("submit_merge_readiness", message="Why"),
    ],
    "write and end": [use("edit", path="made", content="x"), Reply(text="That is all.")],
    "fail": [Failure(status=401, message="no such key")],
}


def scripted(stack: ExitStack, task: str, workplace: Workplace) -> tuple[Driver, str]:
    return ScriptedDriver(answers=ANSWERS), SCRIPTED[task]


def native(stack: ExitStack, task: str, workplace: Workplace) -> tuple[Driver, str]:
    from workbench.aee.drivers.native.client import Client
    from workbench.aee.drivers.native.driver import NativeDriver

    server = stack.enter_context(Server({PATH: messages_route(NATIVE[task])}))
    client = stack.enter_context(closing(Client(key="k", base_url=server.url)))
    tools, blobs = workplace.box.tools, workplace.journal
    return NativeDriver(client, model="m", tools=tools, blobs=blobs, answers=ANSWERS), ""


# what the agent shall do -> what its program does; `made` is a path that a test's own workplace has
ACP_WRITE: dict[str, Any] = {"write": ["made", "x"]}
ACP_SUBMIT: dict[str, Any] = {"tool": ["submit_merge_readiness", {"message": "Why"}]}
ACP_ASK = {"summary": "May I?", "options": [{"id": "A", "label": "a"}]}
ACP: dict[str, list[dict[str, Any]]] = {
    "write and submit": [ACP_WRITE, ACP_SUBMIT],
    "ask, write and submit": [{"tool": ["request_consultation", ACP_ASK]}, ACP_WRITE, ACP_SUBMIT],
    "write and end": [ACP_WRITE],
    "fail": [{"exit": 3}],
}


class Driven:
    """The driver `acp` on a program of ours, with the answers that the run's history says were given."""

    name = "acp"

    def __init__(self, task: str, workplace: Workplace) -> None:
        self._task, self._workplace = task, workplace

    def take_turn(self, turn: Turn, session: Session) -> TurnEnd:
        from workbench.aee.drivers.acp.driver import AcpDriver
        from workbench.artifacts.configuration import Agent
        from workbench.testing import acp_agent

        given = {event.payload.consultation for event in turn.history if isinstance(event.payload, RunAnswered)}
        command = (sys.executable, "-I", str(acp_agent.__file__), json.dumps(ACP[self._task]))
        driver = AcpDriver(
            agent=Agent(driver="acp", command=command, options={"profile": "plain", "patience_s": 0.1}),
            place=self._workplace.place,
            home=self._workplace.scratch / "home",
            tools=self._workplace.box.tools,
            answered=lambda question: ANSWERS[question] if question in given else {},
        )
        return driver.take_turn(turn, session)


def driven(stack: ExitStack, task: str, workplace: Workplace) -> tuple[Driver, str]:
    return Driven(task, workplace), ""


DRIVERS = [pytest.param(scripted, id="scripted"), pytest.param(native, id="native"), pytest.param(driven, id="acp")]
Making = Callable[[str, Workplace], tuple[Driver, str]]


@pytest.fixture(params=DRIVERS)
def making(request: pytest.FixtureRequest) -> Iterator[Making]:
    with ExitStack() as stack:
        yield partial(request.param, stack)


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    made = Workplace(tmp_path / "clone", sandbox=select("none", allow_none=True), files={"a": "x\n"})
    yield made
    made.close()


class Play:
    """Plays one task of one driver, turn by turn."""

    def __init__(self, making: Making, task: str, workplace: Workplace) -> None:
        self._driver, self._script = making(task, workplace)
        self._workplace = workplace
        self.session = RecordingSession(workplace.box.ready)

    def turn(self) -> str:
        events = self.session.events
        session = RecordingSession(self._workplace.box.ready, history=events)
        session.stop_when, self.session = self.session.stop_when, session
        return self._driver.take_turn(
            Turn(run="m.1", mission="m", agent="a", brief="", script=self._script, history=events), session
        )

    def payloads(self, kind: type[Any]) -> list[Any]:
        return [event.payload for event in self.session.events if isinstance(event.payload, kind)]


def test_a_delivery_ends_the_turn(making: Making, workplace: Workplace) -> None:
    """A driver works through the session alone and ends with `submitted`."""
    play = Play(making, "write and submit", workplace)
    assert play.turn() == "submitted"
    assert workplace.git("show", "HEAD:made") == "x"
    ours = [p.tool for p in play.payloads(ToolCalled) if not p.tool.startswith("acp:")]  # a program's own are claims
    assert ours[-1] == "submit_merge_readiness"


def test_every_call_has_its_own_id(making: Making, workplace: Workplace) -> None:
    """Intents and outcomes pair up, one each."""
    play = Play(making, "ask, write and submit", workplace)
    play.turn()
    play.session.answer("CRP-m.1-1")
    play.turn()
    called, returned = (sorted(p.call for p in play.payloads(kind)) for kind in (ToolCalled, ToolReturned))
    assert called == returned == sorted(set(called))


def test_a_blocking_question_ends_the_turn(making: Making, workplace: Workplace) -> None:
    """A question without an answer ends every turn with `waiting`, and nothing behind it happens before the answer."""
    play = Play(making, "ask, write and submit", workplace)
    assert play.turn() == "waiting"
    assert play.turn() == "waiting"
    assert "made" not in workplace.tree()
    assert len(play.payloads(ToolCalled)) == 1
    play.session.answer("CRP-m.1-1")
    assert play.turn() == "submitted"


def test_a_turn_without_delivery_ends(making: Making, workplace: Workplace) -> None:
    """An agent that stops without delivering is told apart from one that delivers."""
    assert Play(making, "write and end", workplace).turn() == "ended"


def test_a_stopped_run_does_nothing_more(making: Making, workplace: Workplace) -> None:
    """When a person stops the run, the turn ends soon and says so."""
    play = Play(making, "write and submit", workplace)
    play.session.stop_when = lambda: True
    assert play.turn() == "stopped"
    assert "made" not in workplace.tree()


def test_a_failing_agent_raises_what_a_person_can_act_on(making: Making, workplace: Workplace) -> None:
    """A failure is an error with a hint."""
    with pytest.raises(WorkbenchError) as failed:
        Play(making, "fail", workplace).turn()
    assert failed.value.hint


def test_a_finished_turn_played_again_changes_nothing(making: Making, workplace: Workplace) -> None:
    """Taking the same turn twice records nothing and commits nothing anew."""
    play = Play(making, "write and submit", workplace)
    play.turn()
    events: tuple[Event, ...] = play.session.events
    head = workplace.git("rev-parse", "HEAD")
    assert play.turn() == "submitted"
    assert (play.session.events, workplace.git("rev-parse", "HEAD")) == (events, head)
