"""Whose approval a pack's policy still asks for, and who may add theirs; it decides nothing.

A person is whom their git names, and only somebody whom the base lists has a role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.ace.wiring import weighing
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.requirements import missing_approvals
from workbench.core.state import PackState
from workbench.repository.change import StoreChange
from workbench.repository.store import Store

if TYPE_CHECKING:
    from workbench.artifacts.policy import Policy


def missing(place: Workplace, ledger: Ledger, store: Store, pack: PackState) -> list[str]:
    """A sentence for each approval that the policy asks for and the pack neither has nor had overridden."""
    policy = weighing.binding_policy(place, ledger, pack)
    if not _asks(policy):
        return []
    changed = StoreChange(store, base=pack.base_commit, head=pack.head).changed_paths()
    return missing_approvals(
        policy,
        changed_paths=[path for _, path in changed],
        approvals=weighing.given(pack, weighing.people_of(place, pack)),
        case=weighing.case(place, ledger, pack) if pack.blob else None,
    )


def may_add(place: Workplace, ledger: Ledger, pack: PackState) -> bool:
    """Whether this person's approval can join those of an approved pack: its policy counts people by role."""
    if pack.state != "approved" or not _asks(weighing.binding_policy(place, ledger, pack)):
        return False
    approvers = {weighing.address(document["decided_by"]["who"]) for document in weighing.approvals(pack)}
    return weighing.address(place.person) not in approvers


def _asks(policy: Policy) -> bool:
    return any(requirement.approval is not None for requirement in policy.requirements)
