"""The contract of the port `Session`, as drivers rely on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.aee.reports import Receipt, Report, ReportLine, ReportServer
from workbench.aee.session import OUTPUT_KEPT, RunSession
from workbench.aee.tools.calls import INTENT, MakeReady, Ready
from workbench.core.decide.decision import on_run
from workbench.core.decide.message import edit_message, outdated, send_message, sent_by
from workbench.core.state import RunState
from workbench.model.events import (
    Event,
    MessageGiven,
    ModelCalled,
    Proposed,
    RunAwaitsAnswer,
    RunQueued,
    StepStarted,
    ThoughtRecorded,
    ToolCalled,
    ToolReturned,
)
from workbench.ports import Session, ToolResult
from workbench.testing.journal import MemoryJournal
from workbench.testing.session import RecordingSession


class Bench:
    """A session, what it recorded, and what its tool was asked; `again` starts the next turn on the history."""

    def __init__(self, open_session: Callable[[MakeReady, tuple[Event, ...]], Session]) -> None:
        self.asked: list[str] = []
        self.recorded: list[Mapping[str, Any]] = []
        self.result = ToolResult(state="ok", summary="done", data={"n": 1})
        self.intent: dict[str, Any] = {}
        self.dies = False
        self._open = open_session
        self.session = open_session(self._ready, ())

    @property
    def events(self) -> tuple[Event, ...]:
        """The run's stream so far, without what made the run."""
        return self.session.events  # type: ignore[attr-defined,no-any-return]  # both kinds under test have it

    def again(self) -> None:
        """Start the next turn."""
        self.session = self._open(self._ready, self.events)

    def _ready(self, _tool: str, _arguments: Mapping[str, Any], call: str, recorded: Mapping[str, Any]) -> Ready:
        self.recorded.append(recorded)
        return Ready(act=lambda: self._act(call), intent=self.intent)

    def _act(self, call: str) -> ToolResult:
        assert isinstance(self.events[-1].payload, ToolCalled), "the intent is recorded before the act"
        self.asked.append(call)
        if self.dies:
            raise KeyboardInterrupt
        return self.result


class ReportingSession(RunSession):
    """The session of a run child, over a socket to a desk with a journal in memory."""

    def __init__(self, desk: Desk, line: ReportLine, ready: MakeReady, history: tuple[Event, ...]) -> None:
        self._desk = desk
        super().__init__(
            line,
            run="m.1",
            history=history,
            ready=ready,
            also=_waits,
            blobs=desk.journal,
            stop_asked=line.stop_asked.is_set,
            standing=self._stands,
        )
        self.meddle: Callable[[], None] = lambda: None

    def _stands(self) -> RunState:
        """The run, as it stood before somebody else was faster."""
        run = self._desk.run
        self.meddle()
        return run

    def send(self, text: str, *, mode: str = "steer") -> str:
        """A person speaks."""
        decision = send_message(self._desk.run, mode=mode, text=text, actor="human:ana")
        self._desk.journal.append(decision.events)
        return sent_by(decision, at="").id

    @property
    def events(self) -> tuple[Event, ...]:
        """What is in the journal, but what made the run."""
        return tuple(self._desk.journal.read("run/m.1"))[2:]


def _waits(result: ToolResult, _call: str) -> tuple[Proposed, ...]:
    if not result.suspend:
        return ()
    return (on_run("m.1", RunAwaitsAnswer(run="m.1", consultation=result.data["consultation"])),)


class Desk:
    """The AEE's side."""

    def __init__(self) -> None:
        self.journal = MemoryJournal()
        queued = RunQueued(run="m.1", mission="m", agent="a", driver="scripted", branch="b", base_commit="c")
        first = StepStarted(run="m.1", step="turn", number=1, attempt=1, epoch=1, aee="x")
        self.journal.append([on_run("m.1", queued), on_run("m.1", first)])

    @property
    def run(self) -> RunState:
        """The run as it stands."""
        found = self.journal.run("m.1")
        assert found is not None
        return found

    def accept(self, _report: Report, events: Sequence[Proposed]) -> Receipt:
        if outdated(self.run, events):
            return Receipt(ok=False, outdated=True)
        self.journal.append(events)
        return Receipt(ok=True)


@pytest.fixture(params=["in memory", "in a run child"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    if request.param == "in memory":
        yield Bench(lambda ready, history: RecordingSession(ready, history=history))
        return
    desk = Desk()
    server = ReportServer(tmp_path / "s", desk.accept)
    line = ReportLine(str(server.path), run="m.1", epoch=1)
    yield Bench(lambda ready, history: ReportingSession(desk, line, ready, history))
    line.close()
    server.close()


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
    recalled = bench.session.use("request_consultation", {}, call="1.ask")
    assert (recalled.data, recalled.suspend) == (data, True)
    waits = [e.payload for e in bench.events if isinstance(e.payload, RunAwaitsAnswer)]
    assert [w.consultation for w in waits] == ["CRP-m.1-1"]


def test_a_delivery_is_recalled_as_the_end_of_the_turn(bench: Bench) -> None:
    """A driver that replays its history learns again that the work was delivered."""
    bench.result = ToolResult(state="ok", summary="delivered", data={"head": "abc"}, finish=True)
    first = bench.session.use("submit_merge_readiness", {}, call="1.submit")
    bench.again()
    assert bench.session.use("submit_merge_readiness", {}, call="1.submit") == first


def test_an_intent_is_recorded_before_the_act_and_given_to_the_repeat(bench: Bench) -> None:
    """What a tool says that it is about to do outlives its process, and reaches every later attempt."""
    bench.intent, bench.dies = {"images": {"a": ["", "sha256:1"]}}, True
    with pytest.raises(KeyboardInterrupt):
        bench.session.use("edit", {"path": "a"}, call="1.edit")
    called = bench.events[0].payload
    assert isinstance(called, ToolCalled)
    assert called.arguments == {"path": "a", INTENT: bench.intent}
    bench.dies = False
    for number in (2, 3):
        bench.again()
        bench.session.use("edit", {"path": "a"}, call="1.edit")
        bench.session.use("edit", {"path": "a"}, call=f"1.edit~{number}")
    assert bench.recorded == [{}, bench.intent, bench.intent]


def test_an_agent_cannot_write_the_intent_itself(bench: Bench) -> None:
    """An argument under our key is left out of what is recorded, and a repeat is not misled by it."""
    forged = {"path": "a", INTENT: {"images": {}}}
    bench.dies = True
    with pytest.raises(KeyboardInterrupt):
        bench.session.use("edit", forged, call="1.edit")
    bench.dies = False
    bench.again()
    bench.session.use("edit", forged, call="1.edit~2")
    assert bench.recorded == [{}, {}]
    assert all(INTENT not in e.payload.arguments for e in bench.events if isinstance(e.payload, ToolCalled))


def test_output_is_kept(bench: Bench) -> None:
    """A long output does not stand in the way of the outcome."""
    bench.result = ToolResult(state="ok", summary="done", output=b"x" * (OUTPUT_KEPT + 1))
    assert len(bench.session.use("run", {}, call="1.run").output) == OUTPUT_KEPT + 1
    bench.again()
    assert bench.session.use("run", {}, call="1.run").state == "ok"


STRANGE: tuple[Mapping[str, Any], ...] = (
    {"path": 5},
    {"command": None},
    {"summary": {"a": [1]}},
    {"message": True, "": "x"},
    {"path": ["a", 2, None]},
)


@pytest.mark.parametrize("arguments", STRANGE)
def test_a_call_with_arguments_of_other_types_is_recorded_and_told(arguments: Mapping[str, Any], bench: Bench) -> None:
    """A model that gives a number for a path is told so by the tool; it does not end its run."""
    assert bench.session.use("read", arguments, call="1.read") == bench.result
    called = bench.events[0].payload
    assert isinstance(called, ToolCalled)
    assert called.arguments == arguments


@pytest.mark.parametrize("bench", ["in a run child"], indirect=True)
def test_what_is_recorded_of_an_intent_is_bounded(bench: Bench) -> None:
    """However much an agent gives, and however it nests it, the journal keeps a little of each."""
    huge = {"list": ["y" * 5000] * 5000, "in": {"k" * 5000 + str(n): 1 for n in range(500)}, "text": "z" * 1_000_000}
    bench.session.use("x" * 5000, huge, call="1.x")
    called, returned = (event.payload for event in bench.events)
    assert isinstance(called, ToolCalled)
    assert isinstance(returned, ToolReturned)
    assert len(str(called.arguments)) < 450_000
    assert "5000 items" in str(called.arguments["list"])
    assert called.tool == returned.tool == "x" * 100


def test_a_fact_is_recorded_once(bench: Bench) -> None:
    """What a driver records under one key is there once, also when a turn is taken again."""
    for _ in range(2):
        bench.session.record(ModelCalled(run="m.1", model="x", tokens_in=3), key="1")
    bench.session.record(ModelCalled(run="m.1", model="x", tokens_in=4), key="2")
    assert [e.payload.tokens_in for e in bench.events if isinstance(e.payload, ModelCalled)] == [3, 4]


def test_words_of_people_are_given_once(bench: Bench) -> None:
    """In the midst of a turn only what may not wait for its end; each is recorded before the driver has it."""
    session: Any = bench.session
    session.send("later", mode="queue")
    session.send("now")
    assert [given.text for given in session.messages()] == ["now"]
    assert not session.messages()
    bench.again()
    assert [(given.text, given.how) for given in bench.session.messages(midway=False)] == [("later", "turn")]
    recorded = [event.payload for event in bench.events if isinstance(event.payload, MessageGiven)]
    assert [(given.text, given.author) for given in recorded] == [("now", "human:ana"), ("later", "human:ana")]


def test_words_that_change_at_the_last_moment_are_given_as_they_are(tmp_path: Path) -> None:
    """A person who edits while a message is about to be given is heard with the newer words."""
    desk = Desk()
    server = ReportServer(tmp_path / "s", desk.accept)
    line = ReportLine(str(server.path), run="m.1", epoch=1)
    session = ReportingSession(desk, line, lambda *_: Ready(act=lambda: ToolResult(state="ok", summary="")), ())
    session.send("one")

    def edit() -> None:
        session.meddle = lambda: None
        desk.journal.append(edit_message(desk.run, "1", text="two", actor="human:ana").events)

    session.meddle = edit
    assert [(given.text, given.revision) for given in session.messages()] == [("two", 2)]
    line.close()
    server.close()
