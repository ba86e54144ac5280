"""The scripted driver, in a real clone with a real sandbox."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from workbench.aee.drivers.script import validate
from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.aee.sandbox.select import probe, select
from workbench.evidence.conventions import SuitePlan
from workbench.model.errors import Refused
from workbench.model.events import Event, ToolReturned
from workbench.ports import Turn
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

SCRIPT = """
agent: ada
steps:
  - think: I look first.
  - read: src/a.py
  - edit: {path: src/a.py, old: "x + x", new: "2 * x"}
  - run: test -f src/a.py
  - ask:
      id: q1
      summary: Keep the name?
      options: [{id: A, label: "Yes"}, {id: B, label: "No"}]
      then:
        A: [{files: {notes/a.txt: "kept", README.md: null}}]
        B: [{edit: {path: src/a.py, old: "twice", new: "double"}}]
  - submit: {message: Double instead of adding, rationale: {approach: Multiply.}}
  - on_changes_requested:
      - files: {CHANGES: "more"}
      - submit: Add what was asked for
"""


def turn(script: str, history: tuple[Event, ...] = ()) -> Turn:
    return Turn(run="m.1", mission="m", agent="ada", brief="", script=script, history=history)


def play(workplace: Workplace, script: str, history: tuple[Event, ...] = (), **options: Any) -> tuple[str, Any]:
    session = RecordingSession(workplace.box.ready, history=history)
    return ScriptedDriver(**options).take_turn(turn(script, history), session), session


def test_a_script_asks_waits_goes_by_the_answer_and_delivers(workplace: Workplace) -> None:
    """A scripted agent edits, asks, waits, goes the way that the answer names, delivers, and takes changes in."""
    end, session = play(workplace, SCRIPT)
    assert end == "waiting"
    session.answer("CRP-m.1-1", "VCR-CRP-m.1-1")
    answers = {"CRP-m.1-1": {"option": "B", "decision": "option"}}
    end, session = play(workplace, SCRIPT, session.events, answers=answers)
    assert end == "submitted"
    assert "def double(x):\n    return 2 * x" in workplace.git("show", f"{workplace.branch}:src/a.py")
    session.request_changes()
    end, session = play(workplace, SCRIPT, session.events, answers=answers)
    assert end == "submitted"
    assert workplace.git("show", f"{workplace.branch}:CHANGES") == "more"
    assert session.thoughts == ["I look first."]
    calls = [e.payload.call for e in session.events if isinstance(e.payload, ToolReturned)]
    assert len(calls) == len(set(calls))


def test_a_failing_edit_ends_the_turn_with_the_line_of_the_script(workplace: Workplace) -> None:
    """A step whose tool says no fails the turn, and names the line of the script."""
    script = "agent: ada\nsteps:\n  - edit: {path: src/a.py, old: nowhere, new: x}\n"
    with pytest.raises(Refused, match="line 3: edit failed"):
        play(workplace, script)


def test_a_standing_resolution_is_shown_before_a_question_is_raised(make_workplace: Callable[..., Workplace]) -> None:
    """An agent that follows a standing resolution asks nobody."""
    workplace = make_workplace(standing=[{"id": "VCR-old", "option": "B", "decision": "option"}])
    script = """
agent: ada
steps:
  - ask: {summary: Which?, options: [{id: A, label: a}, {id: B, label: b}], on_standing: follow,
          then: {B: [{files: {chosen: B}}]}}
"""
    end, _ = play(workplace, script)
    assert (end, workplace.tree()["chosen"]) == ("ended", b"B")
    assert workplace.questions == []


def test_a_standing_resolution_is_set_aside_where_the_script_asks_nevertheless(
    make_workplace: Callable[..., Workplace],
) -> None:
    """Without `on_standing: follow` the question is raised after its resolutions were seen."""
    workplace = make_workplace(standing=[{"id": "VCR-old", "option": "A"}])
    script = "agent: ada\nsteps:\n  - ask: {summary: Which?, options: [{id: A, label: a}]}\n"
    assert play(workplace, script)[0] == "waiting"
    assert workplace.questions == ["1.ask.considered"]


def test_an_advisory_question_does_not_wait(workplace: Workplace) -> None:
    """The agent goes on with its assumption, and the same way however the answer comes out later."""
    script = """
agent: ada
steps:
  - ask: {summary: Which?, mode: advisory, assumption: B, options: [{id: A, label: a}],
          then: {A: [{files: {chosen: A}}], else: [{files: {chosen: assumed}}]}}
"""
    end, session = play(workplace, script)
    session.answer("CRP-m.1-1")
    play(workplace, script, session.events, answers={"CRP-m.1-1": {"option": "A"}})
    assert (end, workplace.tree()["chosen"]) == ("ended", b"assumed")


def test_a_delay_ends_when_the_run_is_stopped(workplace: Workplace) -> None:
    """An hour's delay holds nobody up who stops the run; a delay that is over is not waited for again."""
    session = RecordingSession(workplace.box.ready)
    paused: list[float] = []
    session.stop_when = lambda: len(paused) >= 3
    script = "agent: ada\nsteps: [{delay: 3600}]\n"
    assert ScriptedDriver(pause=paused.append).take_turn(turn(script), session) == "stopped"
    assert len(paused) == 3
    session.stop_when = lambda: False
    session.say("Waited 3600 s.")
    assert ScriptedDriver(pause=paused.append).take_turn(turn(script, session.events), session) == "ended"
    assert len(paused) == 3


CRASHING = """
import sys
from workbench.aee.drivers.script import validate
from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.ports import ToolResult, Turn
from workbench.testing.session import RecordingSession, plainly
script = "agent: ada\\nsteps: [{crash: true}, {think: alive}]\\n"
session = RecordingSession(plainly(lambda *_: ToolResult(state="ok", summary="done")))
if sys.argv[1] == "again":
    session.say("The script crashes on line 2.")
turn = Turn(run="m.1", mission="m", agent="ada", brief="", script=script, history=session.events)
ScriptedDriver(may_crash=sys.argv[2] == "may").take_turn(turn, session)
print(session.thoughts)
"""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(("first", "may"), -9, ""), (("again", "may"), 0, "alive"), (("first", "may-not"), 1, "")],
)
def test_a_crash_kills_its_process_once_and_only_where_allowed(words: tuple[str, str], code: int, said: str) -> None:
    """The step `crash` really kills, is not repeated in the next turn, and is an error without the switch."""
    done = subprocess.run([sys.executable, "-c", CRASHING, *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stdout


@pytest.mark.parametrize(("tested", "mark", "end"), [
    ("exit 1", "", "ended"),
    ("exit 0", "\n    must_pass: true", "ended"),
    ("exit 1", "\n    must_pass: true", "the tests did not pass: command exited 1; it names no tests"),
])  # fmt: skip
def test_failing_tests_stop_a_script_only_where_it_says_so(
    tested: str, mark: str, end: str, make_workplace: Callable[..., Workplace]
) -> None:
    """An agent learns from failing tests; `must_pass` makes them the end of the turn."""
    plan = SuitePlan(kind="command", argv=("/bin/sh", "-c", tested), label="make test")
    workplace = make_workplace(plan=plan)
    script = f"agent: ada\nsteps:\n  - test: {{}}{mark}\n"
    try:
        assert play(workplace, script)[0] == end
    except Refused as refused:
        assert end in refused.message


def test_a_script_may_go_on_after_an_error(workplace: Workplace) -> None:
    """`allow_error` takes a tool's no as an answer; `use` reaches every tool."""
    script = """
agent: ada
steps:
  - edit: {path: nowhere, old: a, new: b}
    allow_error: true
  - use: {tool: no_such_tool}
    allow_error: true
  - use: {tool: get_brief}
  - submit: Nothing
    allow_error: true
  - run: exit 1
"""
    end, session = play(workplace, script)
    states = [p.state for e in session.events if isinstance(p := e.payload, ToolReturned)]
    assert (end, states) == ("ended", ["error", "error", "ok", "error", "ok"])


def test_a_whole_run_works_in_bubblewrap(make_workplace: Callable[..., Workplace]) -> None:
    """The same script plays in the strong sandbox."""
    found = probe("bubblewrap")
    if not found.works:
        pytest.skip(found.reason)
    workplace = make_workplace(sandbox=select("bubblewrap", allow_none=False))
    script = "agent: ada\nsteps:\n  - run: echo made > made\n  - search: made\n  - submit: Make it\n"
    assert play(workplace, script)[0] == "submitted"
    assert workplace.git("show", "HEAD:made") == "made\n"


HEEDING = """
agent: ada
steps:
  - edit: {path: src/a.py, old: "x + x", new: "2 * x"}
  - run: "true"
  - submit: Double
  - on_message: {contains: DOCS, steps: [{files: {DOCS: "more"}}, {submit: With docs}]}
  - on_message: {steps: [{think: Understood.}]}
"""


def test_a_script_heeds_what_a_person_says(workplace: Workplace) -> None:
    """Between two acts, and at the start of a turn; played again, nothing that followed is done twice."""
    session = RecordingSession(workplace.box.ready)

    def speaks() -> bool:
        if len(session.events) == 2:
            session.send("Slower")
        return False

    session.stop_when = speaks
    assert ScriptedDriver().take_turn(turn(HEEDING), session) == "submitted"
    said = [event.kind for event in session.events if event.kind in ("MessageGiven", "ThoughtRecorded", "ToolCalled")]
    assert said == ["ToolCalled", "MessageGiven", "ThoughtRecorded", "ToolCalled", "ToolCalled"]
    session.send("And the docs, please", mode="queue")
    assert [given.how for given in session.messages(midway=False)] == ["turn"]
    for _ in range(2):
        end, session = play(workplace, HEEDING, session.events)
        assert end == "submitted" and session.thoughts == ["Understood."]
    assert workplace.git("log", "--format=%s", workplace.branch).splitlines()[:2] == ["With docs", "Double"]


@pytest.mark.parametrize("told", ["docs", "{contains: docs}", "{steps: [], when: x}", "{contains: 3, steps: []}"])
def test_what_follows_on_a_message_is_checked(told: str) -> None:
    """A reply that would never be played is an error of the script, with its line."""
    (problem, *_) = validate(f"agent: ada\nsteps:\n  - on_message: {told}\n")
    assert problem.line == 3
