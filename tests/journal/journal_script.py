"""The few events that the journal's tests append."""

from __future__ import annotations

from workbench.model import events as e
from workbench.model.events import Payload, Proposed


class Script:
    """Proposals for one run, `m.1`."""

    def queued(self, run: str = "m.1") -> Proposed:
        payload = e.RunQueued(run=run, mission="m", agent="a", driver="scripted", branch="b", base_commit="c")
        return Proposed(stream=f"run/{run}", payload=payload, actor="aee", id=f"queued-{run}")

    def thought(self, text: str, *, id: str = "") -> Proposed:
        return self.on_run(e.ThoughtRecorded(run="m.1", text=text), id=id)

    def on_run(self, payload: Payload, *, id: str = "") -> Proposed:
        return Proposed(stream="run/m.1", payload=payload, actor="agent:m.1", id=id)
