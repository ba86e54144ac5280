"""Review sessions: one pass through all that is to decide, as the journal tells it. Pure.

What was decided is read from the questions and packs themselves, whoever decided and wherever; a session only knows
what it goes through, who had what in front of them, and for how long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.core.attention import Concern
from workbench.core.reconsider import OVERRIDES
from workbench.core.state import ConsultationState, PackState
from workbench.model import events as e

REVIEW_STREAM = "repository/reviews"
OPEN, DECIDED, GONE = "open", "decided", "gone"
_UNDECIDED = ("submitted", "assembling")


class Session(msgspec.Struct, kw_only=True):
    """A session as its events tell it. `seconds` and `skipped` by item; `people` in the order of coming."""

    id: str
    started_by: str
    started_at: str
    items: tuple[e.ReviewItem, ...]
    people: list[str] = []
    seconds: dict[str, int] = {}
    skipped: list[str] = []
    ended_at: str = ""


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One item now. `state`: open, decided or gone (nobody has to decide it any more)."""

    kind: str
    id: str
    title: str
    state: str
    seconds: int = 0
    skipped: bool = False
    decision: str = ""
    decided_by: str = ""
    decided_at: str = ""
    rationale: str = ""
    not_checked: bool = False  # nobody had it in front of them on a screen of this session


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session now. `next` is the item to look at, those that were skipped last; empty when none is open."""

    id: str
    started_by: str
    started_at: str
    people: tuple[str, ...]
    items: tuple[ItemView, ...]
    next: str = ""
    ended_at: str = ""
    kind: str = "review"
    schema: int = 1


def sessions(events: Iterable[e.Event]) -> list[Session]:
    """All sessions, oldest first, from the events of `REVIEW_STREAM`."""
    found: dict[str, Session] = {}
    for event in events:
        payload = event.payload
        if isinstance(payload, e.ReviewStarted):
            found[payload.session] = Session(
                id=payload.session, started_by=payload.by, started_at=event.at, items=payload.items, people=[payload.by]
            )
        elif isinstance(payload, e.ReviewExtended | e.ReviewLooked | e.ReviewEnded) and payload.session in found:
            _follow(found[payload.session], payload, event.at)
    return list(found.values())


def unfinished(found: Sequence[Session]) -> Session | None:
    """The newest session that nobody ended."""
    return next((session for session in reversed(found) if not session.ended_at), None)


def items_of(concerns: Iterable[Concern]) -> tuple[e.ReviewItem, ...]:
    """What a session begun now goes through: questions and undecided packs, in the order of the inbox."""
    kinds = ("crp", "mrp")
    wanted = (one for one in concerns if one.kind in kinds and one.category not in ("approved", "stale"))
    return tuple(e.ReviewItem(kind=one.kind, id=one.id, title=one.title) for one in wanted)


def not_yet_in(session: Session, items: Iterable[e.ReviewItem]) -> tuple[e.ReviewItem, ...]:
    """Those that came since it began."""
    known = {item.id for item in session.items}
    return tuple(item for item in items if item.id not in known)


def view(session: Session, questions: Mapping[str, ConsultationState], packs: Mapping[str, PackState]) -> SessionView:
    """The session as it stands."""
    items = tuple(_item(session, item, questions, packs) for item in session.items)
    still = [item for item in items if item.state == OPEN]
    fresh = [item for item in still if not item.skipped]
    skipped = sorted((item for item in still if item.skipped), key=lambda item: session.skipped.index(item.id))
    return SessionView(
        id=session.id,
        started_by=session.started_by,
        started_at=session.started_at,
        people=tuple(dict.fromkeys((*session.people, *_deciders(session, items)))),
        items=items,
        next=next((item.id for item in (*fresh, *skipped)), ""),
        ended_at=session.ended_at,
    )


def _deciders(session: Session, items: Iterable[ItemView]) -> Iterator[str]:
    """Who decided something of it since it began, on screens or not."""
    for item in items:
        if item.decided_by and item.decided_at >= session.started_at:
            yield item.decided_by


def summary(shown: SessionView) -> Iterator[str]:
    """The session as Markdown: who decided what, why, how long it was looked at, and what was not."""
    yield f"# Review session {shown.id}"
    yield ""
    ended = f", ended {shown.ended_at}" if shown.ended_at else ""
    people = ", ".join(map(_flat, shown.people))
    yield f"Started {shown.started_at} by {_flat(shown.started_by)}{ended}; people: {people}."
    for title, wanted in (
        ("Decided", [item for item in shown.items if item.state == DECIDED]),
        ("Open", [item for item in shown.items if item.state == OPEN]),
        ("Not to decide any more", [item for item in shown.items if item.state == GONE]),
    ):
        if wanted:
            yield from ("", f"## {title}", "")
            yield from (_told(item) for item in wanted)


def _told(item: ItemView) -> str:
    looked = "not opened on the screens of this session" if item.not_checked else f"looked at for {item.seconds} s"
    decided = ""
    if item.state == DECIDED:
        decided = f": {item.decision} by {_flat(item.decided_by)}, because {_flat(item.rationale)}"
    return f"- {item.id} ({_flat(item.title)}){decided}; {looked}"


def _follow(session: Session, payload: e.ReviewExtended | e.ReviewLooked | e.ReviewEnded, at: str) -> None:
    if payload.by not in session.people:
        session.people.append(payload.by)
    if isinstance(payload, e.ReviewExtended):
        session.items += payload.items
    elif isinstance(payload, e.ReviewEnded):
        session.ended_at = at
    else:
        _look(session, payload)


def _look(session: Session, payload: e.ReviewLooked) -> None:
    session.seconds[payload.item] = session.seconds.get(payload.item, 0) + max(0, payload.seconds)
    if payload.item in session.skipped:
        session.skipped.remove(payload.item)
    if payload.skipped:
        session.skipped.append(payload.item)


def _item(
    session: Session,
    item: e.ReviewItem,
    questions: Mapping[str, ConsultationState],
    packs: Mapping[str, PackState],
) -> ItemView:
    state, document = _standing(item, questions, packs)
    by = document.get("decided_by")
    return ItemView(
        kind=item.kind,
        id=item.id,
        title=item.title,
        state=state,
        seconds=session.seconds.get(item.id, 0),
        skipped=item.id in session.skipped,
        decision=_decision(document),
        decided_by=str(by.get("who", "")) if isinstance(by, dict) else "",
        decided_at=str(document.get("at", "")),
        rationale=str(document.get("rationale", "")),
        not_checked=not session.seconds.get(item.id),
    )


def _standing(
    item: e.ReviewItem, questions: Mapping[str, ConsultationState], packs: Mapping[str, PackState]
) -> tuple[str, Mapping[str, Any]]:
    """The item's state, and the resolution where somebody decided it."""
    question, pack = questions.get(item.id), packs.get(item.id)
    if question is not None:
        if question.state == "open":
            return OPEN, {}
        return (DECIDED, question.answer) if question.state == "resolved" else (GONE, {})
    if pack is None:
        return GONE, {}
    if pack.state in _UNDECIDED:
        return OPEN, {}  # also where a requirement was let go, or the first of two approvals is there
    decided = [document for document in pack.decisions if document.get("decision") != OVERRIDES]
    return (DECIDED, decided[-1]) if decided else (GONE, {})


def _decision(document: Mapping[str, Any]) -> str:
    """What was decided, with the option that was chosen."""
    words = (str(document.get("decision", "")), str(document.get("option", "")))
    return " ".join(word for word in words if word)


def _flat(text: str) -> str:
    return " ".join(text.split())
