"""A person lets one requirement of a pack go: who, why and until when; the policy says whether that counts."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from workbench.ace.wiring import merging, things, weighing
from workbench.ace.wiring.deciding import decide
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.conditions import holds
from workbench.core.decide.decision import Decision
from workbench.core.decide.override import override_requirement
from workbench.core.state import PackState
from workbench.model.errors import Refused, UsageError
from workbench.model.events import JSON
from workbench.model.instants import instant


class Overridden(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    pack: PackState
    document: JSON
    verdict: str  # as it stands now


def override(place: Workplace, name: str, requirement: str, *, why: str, expires: str) -> Overridden:
    """Record the override. Raises Refused where the policy lets nobody, or not this person, do that."""
    until = until_of(expires)

    def deciding(states: Ledger) -> Decision:
        pack = things.pack(states, name)
        merging.require_overridable(place, states, pack)
        people = weighing.people_of(place, pack)
        roles = weighing.roles_of(place.person, people)
        _require_let(place, states, pack, requirement, roles)
        return override_requirement(
            pack,
            weighing.judgement(place, states, pack).requirements,
            requirement=requirement,
            rationale=why,
            expires=until,
            decided_by=place.person,
            actor=place.actor,
            at=place.clock.now(),
            role=next(iter(roles), ""),
        )

    with place.writing() as journal:
        decide(journal, deciding)
        pack = things.pack(journal, name)
        return Overridden(pack=pack, document=pack.decisions[-1], verdict=weighing.verdict(place, journal, pack))


def until_of(expires: str) -> str:
    """The instant that a person wrote; a day by itself lasts until its end. Raises UsageError."""
    if not expires:
        return ""
    try:
        moment = datetime.fromisoformat(expires)
    except ValueError:
        raise UsageError(f"{expires!r} is no instant.", hint="Write 2030-01-31 or 2030-01-31T12:00:00Z.") from None
    if len(expires) <= len("2030-01-31"):
        moment = moment.replace(hour=23, minute=59, second=59)
    try:
        return instant((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (OverflowError, ValueError, OSError):
        raise UsageError(f"{expires!r} is out of reach.", hint="Write 2030-01-31.") from None


def _require_let(place: Workplace, ledger: Ledger, pack: PackState, requirement: str, roles: tuple[str, ...]) -> None:
    policy = weighing.binding_policy(place, ledger, pack)
    text = next((each.override_if for each in policy.requirements if each.id == requirement), "")
    if text and not holds(text, "override_if", weighing.case(place, ledger, pack), roles=roles):
        raise Refused(
            f"The policy lets {requirement} be overridden only where this holds: {text}.",
            hint="Roles are those that .workbench/people.yaml of the base gives you.",
        )
