"""A pack judged again from its own evidence, with what people decided since; the gate's verdict, and no other rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workbench.artifacts.brief import Brief
from workbench.artifacts.mergepack import MergePack
from workbench.artifacts.policy import Policy
from workbench.core.admission import Bindings, admit
from workbench.core.case import Case, Context, GivenApproval, Override
from workbench.core.gate import Judgement, judge
from workbench.model.events import JSON

RESOLUTIONS = ".workbench/resolutions/"
MADE = frozenset({"generated", "lock", "binary", "vendored", "snapshot"})  # kinds of files that count for no limit
OVERRIDES = "allow"  # the decision of a resolution that lets a requirement go, which is its `option`


def reconsidered(pack: MergePack, *, policy: Policy, brief: Brief | None, context: Context) -> Judgement:
    """The judgement on the pack's evidence in a context made by `context_of`."""
    return judge(evidence=pack.evidence, findings=pack.findings, policy=policy, brief=brief, context=context)


def case_of(pack: MergePack, *, policy: Policy, brief: Brief | None, context: Context) -> Case:
    """What the rules would read of the pack."""
    admitted = admit(pack.evidence, context.bindings)
    return Case(evidence=admitted.evidence, findings=pack.findings, policy=policy, brief=brief, context=context)


def context_of(
    pack: MergePack,
    *,
    now: str,
    overrides: Sequence[Override] = (),
    approvals: Sequence[GivenApproval] = (),
    open_questions: Sequence[str] = (),
) -> Context:
    """What the gate has to know of a pack that was assembled, and what people said of it since."""
    counted = [change for change in pack.changes if change.kind not in MADE]
    return Context(
        bindings=Bindings(
            base=pack.base,
            head=pack.head,
            tree=pack.tree,
            policy_digest=pack.policy_digest,
            brief_digest=pack.brief_digest,
            environment=pack.audit.environment_digest,
        ),
        changed_paths=tuple(change.path for change in pack.changes),
        changed_lines=sum(change.added + change.removed for change in counted),
        changed_files=len(counted),
        open_questions=tuple(open_questions),
        removed_or_changed_resolutions=tuple(
            change.path for change in pack.changes if change.status != "A" and change.path.startswith(RESOLUTIONS)
        ),
        overrides=tuple(overrides),
        approvals=tuple(approvals),
        now=now,
    )


def overrides_in(decisions: Sequence[JSON], roles: Mapping[str, tuple[str, ...]]) -> Iterator[Override]:
    """The overrides among a pack's decisions; `roles` are those of people, by who they are."""
    for document in decisions:
        if document.get("decision") == OVERRIDES:
            who = _text(document.get("decided_by", {}), "who")
            yield Override(
                requirement=_text(document, "option"),
                by=who,
                reason=_text(document, "rationale"),
                expiry=_text(document, "expires"),
                roles=roles.get(who, ()),
            )


def _text(document: Any, name: str) -> str:
    found = document.get(name) if isinstance(document, Mapping) else None
    return found if isinstance(found, str) else ""
