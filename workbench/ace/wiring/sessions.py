"""Review sessions of this repository: begun, gone on with, and told. Anybody may go on with anybody's session."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from workbench.ace.wiring.concerning import concerns_of
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core import review
from workbench.core.decide.decision import Decision
from workbench.core.review import REVIEW_STREAM, Session, SessionView
from workbench.model import events as e
from workbench.model.errors import NotFound


def current(place: Workplace) -> SessionView | None:
    """The newest session that nobody ended; None where there is none."""
    with place.reading() as ledger:
        found = review.unfinished(review.sessions(ledger.read(REVIEW_STREAM)))
        return None if found is None else _view(ledger, found)


def newest(place: Workplace) -> SessionView | None:
    """The newest session, ended or not."""
    with place.reading() as ledger:
        found = review.sessions(ledger.read(REVIEW_STREAM))
        return _view(ledger, found[-1]) if found else None


def begin(place: Workplace) -> SessionView:
    """Go on with the session that is open, and with what came to be decided since; or begin one on all of that."""
    with place.writing() as journal:

        def started(states: Ledger) -> Decision:
            events = states.read(REVIEW_STREAM)
            items, open_one = review.items_of(concerns_of(place, states)), review.unfinished(review.sessions(events))
            if open_one is None:
                made = e.ReviewStarted(session=f"RS-{secrets.token_hex(3)}", by=place.person, items=items)
                return _on_stream(place, made, len(events))
            came = review.not_yet_in(open_one, items)
            if not came:
                return Decision(events=())
            return _on_stream(place, e.ReviewExtended(session=open_one.id, by=place.person, items=came), len(events))

        decide(journal, started)
        found = review.unfinished(review.sessions(journal.read(REVIEW_STREAM)))
        assert found is not None
        return _view(journal, found)


def looked(place: Workplace, session: str, item: str, seconds: int) -> SessionView:
    """Note that this person had an item in front of them; while it is open it was skipped, and comes again at the end.

    The session as it stands then. Raises NotFound.
    """

    def noted(shown: SessionView) -> e.ReviewLooked:
        skipped = any(one.id == item and one.state == review.OPEN for one in shown.items)
        return e.ReviewLooked(session=session, item=item, by=place.person, seconds=seconds, skipped=skipped)

    return _noted(place, session, noted)


def end(place: Workplace, session: str) -> SessionView:
    """End a session, whatever of it is left. Raises NotFound."""
    return _noted(place, session, lambda _shown: e.ReviewEnded(session=session, by=place.person))


def _noted(
    place: Workplace, session: str, made: Callable[[SessionView], e.ReviewLooked | e.ReviewEnded]
) -> SessionView:
    def noted(states: Ledger) -> Decision:
        return _on_stream(place, made(_seen(states, session)), len(states.read(REVIEW_STREAM)))

    with place.writing() as journal:
        decide(journal, noted)
        return _seen(journal, session)


def _seen(ledger: Ledger, session: str) -> SessionView:
    known = next((one for one in review.sessions(ledger.read(REVIEW_STREAM)) if one.id == session), None)
    if known is None:
        raise NotFound(f"There is no review session {session}.", hint="workbench review begins one.")
    return _view(ledger, known)


def _on_stream(place: Workplace, payload: e.Payload, version: int) -> Decision:
    event = e.Proposed(stream=REVIEW_STREAM, payload=payload, actor=place.actor)
    return Decision(events=(event,), expect={REVIEW_STREAM: version})


def _view(ledger: Ledger, session: Session) -> SessionView:
    wanted = {item.id for item in session.items}
    questions = {one.id: one for one in ledger.consultations() if one.id in wanted}
    packs = {one.id: one for one in ledger.packs() if one.id in wanted}
    return review.view(session, questions, packs)
