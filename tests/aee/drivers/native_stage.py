"""A native driver on a real clone, with a scripted model over real HTTP, played turn by turn as the AEE would."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from typing import Any

from workbench.aee.drivers.native.client import Client
from workbench.aee.drivers.native.driver import NativeDriver
from workbench.aee.drivers.native.options import Options
from workbench.aee.spending import Allowance
from workbench.model import events as e
from workbench.ports import Turn, TurnEnd
from workbench.testing.model_server.messages import PATH, Reply, Script, messages_route, use
from workbench.testing.model_server.server import Received, Server
from workbench.testing.session import RecordingSession
from workbench.testing.workplace import Workplace

KEY = "sk-canary-51d0"
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "CRP-m.1-1": {"decision": "option", "option": "A", "rationale": "because of the sliding window"}
}
ASK = use("request_consultation", summary="May I?", options=[{"id": "A", "label": "a"}])
DELIVER = use("submit_merge_readiness", message="Why")
WRITE = use("edit", path="made", content="x")


class Stage:
    """`script` is what the model says. `session` is the newest turn's; its events are the run's history."""

    def __init__(
        self,
        stack: ExitStack,
        workplace: Workplace,
        script: Script,
        *,
        model: str = "claude-haiku-4-5",
        options: Options | None = None,
        allowance: Allowance | None = None,
        brief: str = "Make it right.",
    ) -> None:
        self.workplace, self.brief, self.model = workplace, brief, model
        self.server = stack.enter_context(Server({PATH: messages_route(script)}))
        self._client = stack.enter_context(closing(Client(key=KEY, base_url=self.server.url)))
        self.options, self.allowance = options or Options(), allowance
        self.waited: list[float] = []
        self.answered: dict[str, Mapping[str, Any]] = {}  # by people while a turn goes on
        self.session = RecordingSession(workplace.box.ready)

    def turn(self, session: RecordingSession | None = None) -> TurnEnd:
        """The next turn, on what is recorded so far."""
        history = self.session.events
        before = self.session
        self.session = session or RecordingSession(self.workplace.box.ready, history=history)
        self.session.stop_when = before.stop_when
        driver = NativeDriver(
            self._client,
            model=self.model,
            tools=self.workplace.box.tools,
            blobs=self.workplace.journal,
            options=self.options,
            answers={**ANSWERS, **self.answered},
            answered=lambda question: self.answered.get(question, {}),
            allowance=self.allowance,
            pause=self.waited.append,
        )
        task = Turn(run="m.1", mission="m", agent="ada", brief=self.brief, history=history)
        return driver.take_turn(task, self.session)

    @property
    def asked(self) -> list[Received]:
        """The requests that the model got."""
        return self.server.sent_to(PATH)

    @property
    def replies(self) -> list[e.ModelCalled]:
        """What is recorded of them."""
        return [p for event in self.session.events if isinstance(p := event.payload, e.ModelCalled)]

    @property
    def outcomes(self) -> list[e.ToolReturned]:
        """What came of calls."""
        return [p for event in self.session.events if isinstance(p := event.payload, e.ToolReturned)]

    def told(self, number: int = -1) -> str:
        """The newest message of a request, as the model reads it."""
        blocks = self.asked[number].json["messages"][-1]["content"]
        return "\n".join(str(block.get("content", block.get("text"))) for block in blocks)


def said(text: str) -> Reply:
    """A reply that calls nothing."""
    return Reply(text=text)
