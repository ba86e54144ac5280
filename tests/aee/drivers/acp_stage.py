"""A stage for the driver `acp`: a clone, tools, and a scripted program of ours on its stdio."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from typing import Any

from workbench.aee.drivers.acp.driver import AcpDriver
from workbench.artifacts.configuration import Agent
from workbench.core.messages import given_since_an_end
from workbench.core.messages import told as told_message
from workbench.model.events import Payload
from workbench.ports import Turn
from workbench.testing import acp_agent
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

ANSWER = {"id": "VCR-1", "option": "A", "rationale": "so be it", "decided_by": {"who": "ana"}}
QUESTION = {"summary": "A or B?", "options": [{"id": "A", "label": "a"}, {"id": "B", "label": "b"}]}
ASK = {"tool": ["request_consultation", QUESTION]}
SUBMIT = {"tool": ["submit_merge_readiness", {"message": "Why"}]}


class Stage:
    """Plays turns of one run; `answers` are the resolutions of its questions."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.home = workplace.scratch / "home"
        self.answers: dict[str, Mapping[str, Any]] = {}
        self.session = RecordingSession(workplace.box.ready)

    def turn(self, *steps: dict[str, Any], patience_s: float = 20.0, message: str = "", **told: Any) -> str:
        """How the turn ends."""
        order = json.dumps({"steps": steps, **told})
        command = (sys.executable, "-I", str(acp_agent.__file__), order)
        options = {"profile": "plain", "patience_s": patience_s, "mounts": [str(acp_agent.__file__), sys.base_prefix]}
        driver = AcpDriver(
            agent=Agent(driver="acp", command=command, options=options),
            place=self.workplace.place,
            home=self.home,
            tools=self.workplace.box.tools,
            answered=lambda question: self.answers.get(question, {}),
        )
        stop_when = self.session.stop_when
        self.session = RecordingSession(self.workplace.box.ready, history=self.session.events)
        self.session.stop_when = stop_when
        history = self.session.events
        words = tuple(map(told_message, given_since_an_end(history)))
        turn = Turn(
            run="m.1", mission="m", agent="a", brief="# The brief", message=message, words=words, history=history
        )
        return driver.take_turn(turn, self.session)

    def answer_soon(self, question: str = "CRP-m.1-1", *, option: str = "A") -> None:
        """Answer as soon as it is asked."""

        def answer() -> None:
            while not any(event.kind == "RunAwaitsAnswer" for event in self.session.events):
                threading.Event().wait(0.02)
            self.answers[question] = {**ANSWER, "option": option}

        threading.Thread(target=answer, daemon=True).start()

    def settle(self, question: str = "CRP-m.1-1") -> None:
        """A person answers between two turns."""
        self.answers[question] = ANSWER
        self.session.answer(question)

    def payloads(self, kind: type[Payload]) -> list[Any]:
        """What was recorded of a kind."""
        return [event.payload for event in self.session.events if isinstance(event.payload, kind)]

    @property
    def prompt(self) -> str:
        """What the program was told last."""
        return (self.home / "prompt.txt").read_text()
