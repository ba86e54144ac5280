"""How a pack stands now: judged again from its own evidence, with what people approved and overrode since.

What binds the gate (policy, brief, people) is read as it binds the pack: pinned, or from its base, so that a change
cannot loosen its own gate. It decides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.ace.wiring import things
from workbench.ace.wiring.starting import policy_of
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.case import Case, Context, GivenApproval
from workbench.core.decide.pack import APPROVALS
from workbench.core.reconsider import OVERRIDES, case_of, context_of, overrides_in, reconsidered
from workbench.core.state import PackState
from workbench.model.events import JSON

if TYPE_CHECKING:
    from workbench.artifacts.brief import Brief
    from workbench.artifacts.mergepack import MergePack
    from workbench.artifacts.people import People
    from workbench.artifacts.policy import Policy
    from workbench.core.gate import Judgement


def binding_policy(place: Workplace, ledger: Ledger, pack: PackState) -> Policy:
    """The policy that bound the pack: one that a person named for it, else its base's."""
    from workbench.artifacts import policy

    if pack.policy is not None:
        return policy.parse(ledger.blobs.get(pack.policy.blob), pack.policy.id)
    return policy_of(place.repository, pack.bound_by)


def people_of(place: Workplace, pack: PackState) -> People:
    """Who decides here, as the pack's base says."""
    from workbench.artifacts import people

    raw = place.repository.read_file(pack.bound_by, people.PATH)
    return people.People() if raw is None else people.parse(raw)


def given(pack: PackState, people: People) -> list[GivenApproval]:
    """Who approved the pack, each once, with the roles that `people` gives them."""
    approvers = dict.fromkeys(address(document["decided_by"]["who"]) for document in approvals(pack))
    known = {who: people.find(who) for who in approvers}
    return [GivenApproval(who=found.id, roles=found.roles) for found in known.values() if found is not None]


def approvals(pack: PackState) -> list[JSON]:
    """The approvals among the pack's decisions."""
    return [document for document in pack.decisions if document.get("decision") in APPROVALS]


def overrides(pack: PackState) -> list[JSON]:
    """The overrides of single requirements among them."""
    return [document for document in pack.decisions if document.get("decision") == OVERRIDES]


def address(who: str) -> str:
    """The e-mail address in `Name <address>`."""
    return who.rpartition("<")[2].rstrip(">").strip()


def roles_of(who: str, people: People) -> tuple[str, ...]:
    """The roles of whoever that is; none of somebody whom the base does not list."""
    found = people.find(address(who))
    return found.roles if found is not None else ()


def judgement(place: Workplace, ledger: Ledger, pack: PackState) -> Judgement:
    """The gate's judgement as it stands now. Raises Refused of a pack whose evidence is not there."""
    whole = things.document(ledger, pack)
    return reconsidered(
        whole,
        policy=binding_policy(place, ledger, pack),
        brief=_brief(ledger, pack),
        context=_context(place, ledger, pack, whole),
    )


def case(place: Workplace, ledger: Ledger, pack: PackState) -> Case:
    """What the gate's rules read of the pack as it stands now."""
    whole = things.document(ledger, pack)
    return case_of(
        whole,
        policy=binding_policy(place, ledger, pack),
        brief=_brief(ledger, pack),
        context=_context(place, ledger, pack, whole),
    )


def verdict(place: Workplace, ledger: Ledger, pack: PackState) -> str:
    """The verdict as it stands now: the pack's own, unless somebody overrode a requirement of it."""
    if not overrides(pack) or not pack.blob or pack.verdict == "ready":
        return pack.verdict
    return judgement(place, ledger, pack).verdict


def _brief(ledger: Ledger, pack: PackState) -> Brief | None:
    from workbench.artifacts import brief

    return None if pack.brief is None else brief.parse(ledger.blobs.get(pack.brief.blob), f"{pack.brief.id}.md")


def _context(place: Workplace, ledger: Ledger, pack: PackState, whole: MergePack) -> Context:
    people = people_of(place, pack)
    everybody = {document["decided_by"]["who"] for document in overrides(pack)}
    asked = ledger.consultations(run=pack.run, is_open=True) if pack.run else []
    return context_of(
        whole,
        now=place.clock.now(),
        overrides=tuple(overrides_in(pack.decisions, {who: roles_of(who, people) for who in everybody})),
        approvals=given(pack, people),
        open_questions=[question.id for question in asked],
    )
