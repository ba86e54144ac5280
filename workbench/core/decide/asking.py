"""What a run may ask: nothing twice, and not without end, so that no agent can fill a person's inbox.

Only the questions of one run are looked at; it must not know who asks, nor through which tool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from workbench.core.state import ConsultationState
from workbench.model.digests import digest_of
from workbench.model.errors import Refused

MOST_OPEN = {"advisory": 5, "blocking": 5}  # of one run at once; each of them is a person's to read
_GO_ON = {
    "advisory": "Go on by your assumption and say so in your rationale; what cannot wait, ask with mode blocking.",
    "blocking": "Wait for the answers to these first.",
}
_OF_THE_ASKING = frozenset({"id", "at", "trigger", "head", "considered"})  # not of what is asked


def asked_before(
    asked: Iterable[ConsultationState], document: Mapping[str, Any], *, now: str
) -> ConsultationState | None:
    """The question of the run that `document` repeats: one that is open, or a permission that was given or refused.

    A permission that expired by `now` is asked for again.
    """
    wanted = _content(document)
    return next((known for known in asked if _counts(known, now) and _content(known.document) == wanted), None)


def require_room(asked: Sequence[ConsultationState], mode: str) -> None:
    """Raises Refused, with what the agent can do instead, when a run has as many open questions as it may have."""
    most = MOST_OPEN[mode]
    waiting = [known.id for known in asked if known.state == "open" and known.mode == mode]
    if len(waiting) >= most:
        raise Refused(
            f"{len(waiting)} {mode} questions of this run wait for a person already: {', '.join(waiting[:most])}",
            hint=_GO_ON[mode],
        )


def _counts(known: ConsultationState, now: str) -> bool:
    if known.state == "resolved" and known.category == "permission":
        expires = str(known.answer.get("expires", ""))
        return not expires or expires > now
    return known.state == "open"


def _content(document: Mapping[str, Any]) -> str:
    return digest_of({name: value for name, value in document.items() if name not in _OF_THE_ASKING})
