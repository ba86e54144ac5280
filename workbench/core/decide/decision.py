"""What a decision is: the events that follow from it, and the stream versions that it rests on."""

from __future__ import annotations

import msgspec

from workbench.model.errors import Refused
from workbench.model.events import Payload, Proposed

AEE = "aee"  # the actor of everything that the AEE itself does


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Append `events` if the streams still stand at the versions in `expect`."""

    events: tuple[Proposed, ...]
    expect: dict[str, int] = {}


def mission_stream(mission: str) -> str:
    """The stream of a mission."""
    return f"mission/{mission}"


def run_stream(run: str) -> str:
    """The stream of a run."""
    return f"run/{run}"


def consultation_stream(consultation: str) -> str:
    """The stream of a question."""
    return f"consultation/{consultation}"


def pack_stream(pack: str) -> str:
    """The stream of a pack."""
    return f"pack/{pack}"


def on_run(run: str, payload: Payload, *, actor: str = AEE, id: str = "") -> Proposed:
    """An event for a run's stream."""
    return Proposed(stream=run_stream(run), payload=payload, actor=actor, id=id)


def on_pack(pack: str, payload: Payload, *, actor: str = AEE, id: str = "") -> Proposed:
    """An event for a pack's stream."""
    return Proposed(stream=pack_stream(pack), payload=payload, actor=actor, id=id)


def required_reason(text: str, *, what: str) -> str:
    """`text` without white space around it. Raises Refused when nothing is left."""
    reason = text.strip()
    if not reason:
        raise Refused(f"{what} needs a reason.", hint="Give it with --why TEXT.")
    return reason
