"""Law: wherever a turn is killed, playing the script again from what was recorded gives the same tree and delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from workbench.aee.drivers.scripted import ScriptedDriver
from workbench.aee.tools.calls import Ready, first_of
from workbench.model.events import Event, ThoughtRecorded, ToolCalled, ToolReturned
from workbench.ports import ToolResult, Turn
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

FILES_ONLY = """
agent: ada
steps:
  - think: I look first.
  - read: src/a.py
  - edit: {path: src/a.py, old: "x + x", new: "x + x + 0"}
  - edit: {path: src/a.py, old: "import os\\n", new: ""}
  - edit: {path: README.md, move_to: docs/README.md}
  - files: {notes/a.txt: one, notes/b.txt: two, src/crlf.txt: null}
  - think: Now I ask.
  - ask:
      id: q1
      summary: Keep the name?
      options: [{id: A, label: "Yes"}, {id: B, label: "No"}]
      then:
        A: [{files: {chosen: A}}]
        B: [{edit: {path: src/a.py, old: twice, new: double}}, {think: B it is.}]
"""
DELIVERY = """
  - patch: |
      --- a/notes/a.txt
      +++ b/notes/a.txt
      @@ -1 +1 @@
      -one
      \\ No newline at end of file
      +uno
  - submit: {message: Double, rationale: {approach: Multiply.}}
  - on_changes_requested:
      - edit: {path: src/a.py, old: "double", new: "double_of"}
      - submit: Say it better
"""
ANSWERS = {"CRP-m.1-1": {"option": "B"}}


class Killed(Exception):
    """The process is gone."""


class DyingSession(RecordingSession):
    """Dies after `life` records; `effect` says whether a call whose intent is the last record took effect."""

    def __init__(self, workplace: Workplace, history: tuple[Event, ...], *, life: int, effect: bool) -> None:
        super().__init__(self._about_to_die, history=history)
        self._box, self.life, self.effect = workplace.box, life, effect

    def _about_to_die(self, tool: str, arguments: Mapping[str, Any], call: str, recorded: Mapping[str, Any]) -> Ready:
        ready = self._box.ready(tool, arguments, call, recorded)
        return replace(ready, act=lambda: self._act(ready))

    def _act(self, ready: Ready) -> ToolResult:
        if self.life <= 0 and not self.effect:
            raise Killed
        return ready.act()

    def _append(self, payload: Any) -> None:
        if self.life <= 0:
            raise Killed
        self.life -= 1
        super()._append(payload)


def run_through(workplace: Workplace, script: str, *, kill_after: int = 10**6, effect: bool = True) -> RecordingSession:
    """Play to the end, the question answered and changes requested once; killed once after so many records."""
    driver = ScriptedDriver(answers=ANSWERS)
    session = DyingSession(workplace, (), life=kill_after, effect=effect)
    rounds = 0
    while True:
        try:
            end = driver.take_turn(_turn(script, session.events), session)
            if end == "waiting":
                session.answer("CRP-m.1-1")
            elif end == "submitted" and rounds == 0:
                session.request_changes()
                rounds = 1
            else:
                return session
            life, effective = session.life, session.effect
        except Killed:
            life, effective = 10**6, True
        session = DyingSession(workplace, session.events, life=life, effect=effective)


@pytest.mark.parametrize("effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_run_killed_anywhere_ends_the_same(effect: bool, workplace: Workplace) -> None:
    """A run killed at any record, before or after the effect of its last call, ends with the same tree and thoughts."""
    undisturbed = run_through(workplace, FILES_ONLY)
    tree, thoughts = workplace.tree(), undisturbed.thoughts
    for kill_after in range(1, len(undisturbed.events)):
        workplace.reset()
        session = run_through(workplace, FILES_ONLY, kill_after=kill_after, effect=effect)
        assert (workplace.tree(), session.thoughts) == (tree, thoughts), kill_after
        assert workplace.questions == ["8.ask"], kill_after


@pytest.mark.parametrize("effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_run_killed_while_it_delivers_delivers_once(effect: bool, workplace: Workplace) -> None:
    """A run killed at a patch or a delivery applies the patch once and makes one commit a round."""
    undisturbed = run_through(workplace, FILES_ONLY + DELIVERY)
    tree = workplace.tree()
    assert tree["notes/a.txt"] == b"uno\n"
    intents = [
        event.version
        for event in undisturbed.events
        if isinstance(event.payload, ToolCalled) and event.payload.tool in ("patch", "submit_merge_readiness")
    ]
    for kill_after in intents:
        workplace.reset()
        run_through(workplace, FILES_ONLY + DELIVERY, kill_after=kill_after, effect=effect)
        assert workplace.tree() == tree, kill_after
        assert workplace.git("rev-list", "--count", f"{workplace.base}..HEAD").strip() == "2", kill_after


def test_a_command_without_an_outcome_is_not_run_again(workplace: Workplace) -> None:
    """Nobody knows whether an interrupted command took effect, so it is told, and not repeated silently."""
    script = "agent: ada\nsteps:\n  - run: echo x >> counted\n  - files: {after: here}\n"
    first = DyingSession(workplace, (), life=1, effect=True)
    with pytest.raises(Killed):
        ScriptedDriver().take_turn(_turn(script, ()), first)
    second = RecordingSession(workplace.box.ready, history=first.events)
    assert ScriptedDriver().take_turn(_turn(script, first.events), second) == "ended"
    assert workplace.tree()["counted"] == b"x\n"
    assert workplace.tree()["after"] == b"here"
    states = {p.call: p.state for e in second.events if isinstance(p := e.payload, ToolReturned)}
    assert states["1.run"] == "interrupted"


def test_a_command_is_run_again_where_the_script_says_so(workplace: Workplace) -> None:
    """`on_interrupted: retry` repeats it, under an id of its own."""
    script = "agent: ada\nsteps:\n  - run: echo x >> counted\n    on_interrupted: retry\n"
    first = DyingSession(workplace, (), life=1, effect=True)
    with pytest.raises(Killed):
        ScriptedDriver().take_turn(_turn(script, ()), first)
    second = RecordingSession(workplace.box.ready, history=first.events)
    ScriptedDriver().take_turn(_turn(script, first.events), second)
    assert workplace.tree()["counted"] == b"x\nx\n"
    assert [p.call for e in second.events if isinstance(p := e.payload, ToolCalled)] == ["1.run", "1.run~2"]
    assert first_of("1.run~2") == "1.run"


def test_the_same_thought_twice_stays_two_thoughts(workplace: Workplace) -> None:
    """Replaying leaves out exactly the thoughts that were recorded."""
    script = "agent: ada\nsteps: [{think: Hm.}, {think: Hm.}, {think: So.}]\n"
    first = DyingSession(workplace, (), life=1, effect=True)
    with pytest.raises(Killed):
        ScriptedDriver().take_turn(_turn(script, ()), first)
    second = RecordingSession(workplace.box.ready, history=first.events)
    ScriptedDriver().take_turn(_turn(script, first.events), second)
    assert second.thoughts == ["Hm.", "Hm.", "So."]
    assert all(isinstance(event.payload, ThoughtRecorded) for event in second.events)


def _turn(script: str, history: tuple[Event, ...]) -> Turn:
    return Turn(run="m.1", mission="m", agent="ada", brief="", script=script, history=history)
