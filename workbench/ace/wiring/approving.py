"""Who approved a pack, in which roles, and whose approval its policy still asks for; it decides nothing.

Policy and people are read as they bind the pack: from its base, so that a change cannot loosen its own gate. A person
is whom their git names, and only somebody whom the base lists has a role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.ace.wiring.starting import policy_of
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.case import GivenApproval
from workbench.core.requirements import missing_approvals
from workbench.core.state import PackState
from workbench.model.events import JSON
from workbench.repository.change import StoreChange
from workbench.repository.store import Store

if TYPE_CHECKING:
    from workbench.artifacts.people import People
    from workbench.artifacts.policy import Policy


def binding_policy(place: Workplace, ledger: Ledger, pack: PackState) -> Policy:
    """The policy that bound the pack: one that a person named for it, else its base's."""
    from workbench.artifacts import policy

    if pack.policy is not None:
        return policy.parse(ledger.blobs.get(pack.policy.blob), pack.policy.id)
    return policy_of(place.repository, pack.base_commit)


def missing(place: Workplace, ledger: Ledger, store: Store, pack: PackState) -> list[str]:
    """A sentence for each approval that the policy asks for and the pack does not have."""
    policy = binding_policy(place, ledger, pack)
    if not _asks(policy):
        return []
    changed = StoreChange(store, base=pack.base_commit, head=pack.head).changed_paths()
    approvals = given(pack, _people(place, pack.base_commit))
    return missing_approvals(policy, changed_paths=[path for _, path in changed], approvals=approvals)


def given(pack: PackState, people: People) -> list[GivenApproval]:
    """Who approved the pack, each once, with the roles that `people` gives them."""
    approvers = dict.fromkeys(_key(document["decided_by"]["who"]) for document in _approvals(pack))
    known = {who: people.find(who) for who in approvers}
    return [GivenApproval(who=found.id, roles=found.roles) for found in known.values() if found is not None]


def may_add(place: Workplace, ledger: Ledger, pack: PackState) -> bool:
    """Whether this person's approval can join those of an approved pack: its policy counts people by role."""
    if pack.state != "approved" or not _asks(binding_policy(place, ledger, pack)):
        return False
    return _key(place.person) not in {_key(document["decided_by"]["who"]) for document in _approvals(pack)}


def _approvals(pack: PackState) -> list[JSON]:
    return [document for document in pack.decisions if document.get("decision") == "approve"]


def _asks(policy: Policy) -> bool:
    return any(requirement.approval is not None for requirement in policy.requirements)


def _people(place: Workplace, commit: str) -> People:
    from workbench.artifacts import people

    raw = place.repository.read_file(commit, people.PATH)
    return people.People() if raw is None else people.parse(raw)


def _key(who: str) -> str:
    """The e-mail address in `Name <address>`."""
    return who.rpartition("<")[2].rstrip(">").strip()
