"""A person's answer to a question, from the command line and from the screens alike."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from workbench.ace.wiring import things
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.workplace import Workplace
from workbench.core.decide import consultation as consult
from workbench.core.state import ConsultationState
from workbench.model.errors import Refused
from workbench.model.text import one_line


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What came of answering several questions alike; `refused` has a sentence for each that needed no answer."""

    answered: tuple[ConsultationState, ...]
    refused: tuple[str, ...] = ()


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


def answer_alike(place: Workplace, names: Sequence[str], *, why: str, option: str, applies_to: str = "this") -> Answers:
    """Answer each of several identical questions with one option and one reason: each gets a resolution of its own.

    One that another person answered meanwhile keeps that answer, and the others are answered all the same. Raises
    Refused, with the reason, where none could be answered.
    """
    answered: list[ConsultationState] = []
    refused: list[Refused] = []
    for name in names:
        try:
            answered.append(answer_question(place, name, why=why, option=option, applies_to=applies_to))
        except Refused as problem:
            refused.append(problem)
    if refused and not answered:
        raise refused[0]
    return Answers(answered=tuple(answered), refused=tuple(one_line(problem.message) for problem in refused))
