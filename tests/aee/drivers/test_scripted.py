"""The scripted driver, in a real clone with a real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from workbench.aee.drivers.scripted import ScriptedDriver
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
    session = RecordingSession(workplace.box.call, history=history)
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
