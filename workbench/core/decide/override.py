"""One requirement of a pack let go by a person, for a reason and for a time; the pack stays as it is."""

from __future__ import annotations

from typing import Any

from workbench.artifacts.mergepack import RequirementResult
from workbench.core.decide.decision import Decision, on_pack, pack_stream, required_reason
from workbench.core.reconsider import OVERRIDES
from workbench.core.state import PackState
from workbench.model import events as e
from workbench.model.errors import NotFound, Refused
from workbench.model.ids import resolution_id

OPEN = ("submitted", "approved")


def override_requirement(
    pack: PackState,
    standing: tuple[RequirementResult, ...],
    *,
    requirement: str,
    rationale: str,
    expires: str,
    decided_by: str,
    actor: str,
    at: str,
    role: str = "",
) -> Decision:
    """Let a requirement go. `standing` is how each of the pack's requirements stands now.

    Raises NotFound for a requirement that the policy does not have, and Refused where there is nothing to let go.
    """
    reason = required_reason(rationale, what="An override")
    if pack.state not in OPEN or pack.merging is not None:
        raise Refused(f"{pack.id} is {pack.state}; nothing of it can be overridden.", hint=pack.hint or pack.reason)
    found = next((each for each in standing if each.id == requirement), None)
    if found is None:
        known = ", ".join(each.id for each in standing if each.state in ("unsatisfied", "error")) or "none is open"
        raise NotFound(f"The policy of {pack.id} has no requirement {requirement!r}.", hint=f"Open ones: {known}.")
    if found.state not in ("unsatisfied", "error"):
        raise Refused(f"{requirement} of {pack.id} is {found.state.replace('_', ' ')}: there is nothing to override.")
    if expires and expires <= at:
        raise Refused(f"{expires} is over already.", hint="Give an instant to come: --expires 2030-01-31")
    document: dict[str, Any] = {
        "id": resolution_id(pack.id, len(pack.decisions) + 1),
        "target": {"kind": "mrp", "id": pack.id, "digest": pack.digest},
        "decision": OVERRIDES,
        "option": requirement,
        "rationale": reason,
        "decided_by": {"who": decided_by, "role": role or "coach", "resolver": "human", "verified": False},
        "at": at,
        "applies_to": "this",
        "cites": [f"base@{pack.base_commit}", f"head@{pack.head}", f"tree@{pack.tree}"],
        "expires": expires,
    }
    overridden = e.RequirementOverridden(
        pack=pack.id,
        requirement=requirement,
        resolution=document["id"],
        decided_by=decided_by,
        document=document,
        expires=expires,
    )
    events = (on_pack(pack.id, overridden, actor=actor),)
    return Decision(events=events, expect={pack_stream(pack.id): pack.version})
