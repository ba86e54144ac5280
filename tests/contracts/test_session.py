"""The contract of the port `Session`, as drivers rely on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from workbench.model.events import Event, RunAwaitsAnswer, ThoughtRecorded, ToolCalled, ToolReturned
from workbench.ports import Session, ToolResult
from workbench.testing.session import RecordingSession


class Bench:
    """A session, what it recorded, and what its tool was asked; `again` starts the next turn on the history."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.result = ToolResult(state="ok", summary="done", data={"n": 1})
        self.dies = False
        self._session = RecordingSession(self._call)

    @property
    def session(self) -> Session:
        return self._session

    @property
    def events(self) -> tuple[Event, ...]:
        return self._session.events

    def again(self) -> None:
        self._session = RecordingSession(self._call, history=self.events)

    def _call(self, _tool: str, _arguments: Mapping[str, Any], call: str) -> ToolResult:
        assert isinstance(self.events[-1].payload, ToolCalled), "the intent is recorded before the act"
        self.asked.append(call)
        if self.dies:
            raise KeyboardInterrupt
        return self.result


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_intent_act_and_outcome_are_recorded_in_this_order(bench: Bench) -> None:
    """A call is recorded before it acts, and its outcome after."""
    result = bench.session.use("read", {"path": "a"}, call="1.read")
    assert result == bench.result
    called, returned = (event.payload for event in bench.events)
    assert isinstance(called, ToolCalled)
    assert isinstance(returned, ToolReturned)
    assert (called.call, called.tool, called.arguments) == ("1.read", "read", {"path": "a"})
    assert (returned.call, returned.state, returned.data) == ("1.read", "ok", {"n": 1})


def test_a_call_with_a_recorded_outcome_is_not_repeated(bench: Bench) -> None:
    """In a later turn the recorded outcome is given back, and nothing is recorded anew."""
    first = bench.session.use("read", {}, call="1.read")
    bench.again()
    count = len(bench.events)
    assert bench.session.use("read", {}, call="1.read") == first
    assert (bench.asked, len(bench.events)) == (["1.read"], count)


def test_a_call_without_an_outcome_is_told_as_interrupted(bench: Bench) -> None:
    """When a turn was killed between intent and outcome, nobody repeats the call: its outcome is unknown."""
    bench.dies = True
    with pytest.raises(KeyboardInterrupt):
        bench.session.use("run", {}, call="1.run")
    bench.dies = False
    bench.again()
    assert bench.session.use("run", {}, call="1.run").state == "interrupted"
    assert bench.session.use("run", {}, call="1.run").state == "interrupted"
    assert bench.asked == ["1.run"]
    assert bench.session.use("run", {}, call="1.run~2").state == "ok"


def test_thoughts_are_recorded(bench: Bench) -> None:
    """What the agent says is an event."""
    bench.session.say("Hm.")
    (event,) = bench.events
    assert isinstance(event.payload, ThoughtRecorded)
    assert event.payload.text == "Hm."
    assert not bench.session.stopping()


def test_a_blocking_question_is_a_fact_that_the_run_waits(bench: Bench) -> None:
    """A result that suspends is followed by the event that the run awaits its answer, once."""
    data = {"consultation": "CRP-m.1-1", "mode": "blocking"}
    bench.result = ToolResult(state="ok", summary="asked", data=data, suspend=True)
    assert bench.session.use("request_consultation", {}, call="1.ask").suspend
    bench.again()
    assert bench.session.use("request_consultation", {}, call="1.ask").data == data
    waits = [e.payload for e in bench.events if isinstance(e.payload, RunAwaitsAnswer)]
    assert [w.consultation for w in waits] == ["CRP-m.1-1"]
