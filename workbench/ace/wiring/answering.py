"""A person's answer to a question, from the command line and from the screens alike."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.ace.wiring import things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import consultation as consult
from workbench.core.state import ConsultationState


def answer_question(
    place: Workplace,
    wanted: str,
    *,
    why: str,
    option: str = "",
    alternative: str = "",
    conditions: Sequence[str] = (),
    applies_to: str = "this",
) -> ConsultationState:
    """The question with its resolution. Raises AlreadyResolved, with who answered, for the person who came second."""
    with place.writing() as journal:
        name = things.question(journal, wanted).id
        decide(
            journal,
            lambda states: consult.resolve(
                things.question(states, name),
                option=option,
                alternative=alternative,
                rationale=why,
                conditions=tuple(conditions),
                applies_to=applies_to,
                decided_by=place.person,
                actor=place.actor,
                at=place.clock.now(),
            ),
        )
        return things.question(journal, name)
