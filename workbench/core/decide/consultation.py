"""Raising, answering and withdrawing questions: answered once, by a person, with a reason."""

from __future__ import annotations

from typing import Any

from workbench.core.decide.decision import Decision, consultation_stream, on_run, required_reason
from workbench.core.state import ConsultationState
from workbench.model import events as e
from workbench.model.digests import digest_of
from workbench.model.errors import AlreadyResolved, Refused
from workbench.model.ids import derived_id, resolution_id

SCOPES = ("this", "mission", "repository")


def raised_of(
    document: dict[str, Any], *, consultation: str, mission: str, run: str, mode: str, call: str
) -> e.ConsultationRaised:
    """The event that asks what `document` says, whoever wrote it; the rows of an inbox stand in the event itself."""
    return e.ConsultationRaised(
        consultation=consultation,
        mission=mission,
        run=run,
        mode=mode,
        category=document["category"],
        title=document["summary"],
        options=tuple(option["id"] for option in document.get("options", ())),
        document=document,
        call=call,
    )


def raise_consultation(raised: e.ConsultationRaised) -> Decision:
    """An agent asks; a blocking question suspends its run in the same append."""
    stream = consultation_stream(raised.consultation)
    actor = f"agent:{raised.run}"
    asked = e.Proposed(stream=stream, payload=raised, actor=actor, id=derived_id(raised.consultation, "raised"))
    if raised.mode != "blocking":
        return Decision(events=(asked,))
    waits = e.RunAwaitsAnswer(run=raised.run, consultation=raised.consultation)
    return Decision(events=(asked, on_run(raised.run, waits, id=derived_id(raised.consultation, "awaited"))))


def resolve(
    question: ConsultationState,
    *,
    option: str = "",
    alternative: str = "",
    rationale: str,
    conditions: tuple[str, ...] = (),
    applies_to: str = "this",
    decided_by: str,
    actor: str,
    at: str,
    verified: bool = False,
) -> Decision:
    """Answer a question with one of its options or an alternative in words.

    Raises AlreadyResolved with who answered and when, and Refused for an unknown option or a missing reason. The events
    have no derived ids: two people's answers are two acts, of which `expect` lets one through.
    """
    _refuse_closed(question)
    reason = required_reason(rationale, what="An answer")
    decision, chosen = _choice(question, option=option.strip(), alternative=alternative.strip())
    if applies_to not in SCOPES:
        raise Refused(f"{applies_to!r} is no scope.", hint=f"One of {', '.join(SCOPES)}.")
    resolution = resolution_id(question.id)
    document: dict[str, Any] = {
        "id": resolution,
        "target": {"kind": "crp", "id": question.id, "digest": digest_of(question.document)},
        "decision": decision,
        **chosen,
        "rationale": reason,
        "conditions": list(conditions),
        "required_changes": [],
        "decided_by": {"who": decided_by, "role": "coach", "resolver": "human", "verified": verified},
        "at": at,
        "applies_to": applies_to,
        "cites": _cites(question.document),
    }
    resolved = e.ConsultationResolved(
        consultation=question.id,
        mission=question.mission,
        run=question.run,
        resolution=resolution,
        decision=decision,
        decided_by=decided_by,
        document=document,
    )
    stream = consultation_stream(question.id)
    events = [e.Proposed(stream=stream, payload=resolved, actor=actor)]
    if question.mode == "blocking":
        answered = e.RunAnswered(run=question.run, consultation=question.id, resolution=resolution)
        events.append(on_run(question.run, answered, actor=actor))
    return Decision(events=tuple(events), expect={stream: question.version})


def _refuse_closed(question: ConsultationState) -> None:
    if question.state == "resolved":
        raise AlreadyResolved(
            f"{question.id} was answered by {question.decided_by} at {question.decided_at}.",
            hint=f"workbench show {question.resolution} prints the answer.",
            data={
                "consultation": question.id,
                "resolution": question.resolution,
                "decided_by": question.decided_by,
                "at": question.decided_at,
                "decision": question.decision,
            },
        )
    if question.state != "open":
        raise Refused(f"{question.id} was {question.state}; it needs no answer.")


def _choice(question: ConsultationState, *, option: str, alternative: str) -> tuple[str, dict[str, str]]:
    if bool(option) == bool(alternative):
        raise Refused(
            "An answer is either an option or an alternative.", hint="Give --option X or --alternative TEXT, not both."
        )
    if alternative:
        return "alternative", {"alternative": alternative}
    if option not in question.options:
        known = ", ".join(question.options) or "none; use --alternative TEXT"
        raise Refused(f"{question.id} has no option {option!r}.", hint=f"Its options: {known}.")
    return "option", {"option": option}


def _cites(document: e.JSON) -> list[str]:
    refs = document.get("refs", [])
    return [str(ref) for ref in refs] if isinstance(refs, list) else []
