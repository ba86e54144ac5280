"""The pack of a delivery that was not examined as a whole: what it is of, and why there is no more in it.

It must not know how anything is examined.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.aee.examination import Delivery
from workbench.artifacts.mergepack import MergePack, Verdict
from workbench.core.assemble import claimed_rationale


def unexamined(
    delivery: Delivery, *, verdict: Verdict, tree: str, at: str, reason: str, not_checked: Sequence[str]
) -> MergePack:
    """What such a pack begins with. `tree` is the result's, if there is one; `at` the instant."""
    run = delivery.run
    return MergePack(
        id=delivery.id,
        verdict=verdict,
        base=delivery.base,
        head=delivery.head,
        tree=tree,
        policy_digest=delivery.policy_digest,
        brief_digest=delivery.brief_digest,
        mission=run.mission,
        run=run.id,
        agent=run.agent,
        revision=delivery.revision,
        submitted_at=at,
        title=run.title,
        reasons=(reason,),
        not_checked=tuple(not_checked),
        rationale=claimed_rationale(run.rationale),
        on=delivery.on,
        authority=run.authority,
    )
