"""The evidence of a pack built anew and compared with what the pack says, item by item."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.ace.wiring import gating, stacking, things
from workbench.ace.wiring.gating import BuildOrder
from workbench.ace.wiring.verifying import Subject
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.mergepack import MergePack
from workbench.model.errors import NotFound, Refused
from workbench.model.evidence import Evidence, Finding


def rerun(place: Workplace, subject: Subject) -> Iterator[str]:
    """Build the same pack anew, as a job of the AEE, and name where it comes out otherwise.

    Without the journal the policy of the base binds, and the brief is the one that the base has. What stands on
    another's head is built on that very one. Raises Refused where that is gone.
    """
    before = _whole(place, subject)
    run = gating.request(place, _order(place, subject, before))
    again = gating.await_pack(place, run, timeout=None)
    if not again.blob:
        yield f"built anew: no pack came of it ({again.reason})"
        return
    with place.reading() as ledger:
        after = things.document(ledger, again)
    yield from differences(before, after)


def _order(place: Workplace, subject: Subject, before: MergePack) -> BuildOrder:
    head = subject.id if subject.pack is not None else before.head
    if not before.authority:
        return BuildOrder(base=before.base, head=head)
    try:
        stacking.keep(place, before.base, before.head)
    except NotFound as gone:
        raise Refused(
            f"{before.id} was made on the head of {before.on or 'another run'}, {before.base}: {gone.message}",
            hint=f"Where that work is merged: workbench mrp build --base BRANCH --head {before.id}",
        ) from None
    return BuildOrder(base=before.base, head=head, commit=before.head, like=subject.id, authority=before.authority)


def differences(before: MergePack, after: MergePack) -> Iterator[str]:
    """Where two packs of the same change differ, apart from when and how fast they were made."""
    for name in ("tree", "verdict", "policy_digest", "brief_digest"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield f"built anew: {name.replace('_', ' ')} was {was or 'nothing'} and is {now or 'nothing'} now"
    old, new = _items(before), _items(after)
    for item in sorted(old.keys() | new.keys()):
        if old.get(item) != new.get(item):
            yield f"built anew: {item[0]} was {old.get(item, 'missing')} and is {new.get(item, 'missing')} now"
    yield from sorted(f"built anew: not found again: {words}" for words in _found(before) - _found(after))
    yield from sorted(f"built anew: found besides: {words}" for words in _found(after) - _found(before))


def _whole(place: Workplace, subject: Subject) -> MergePack:
    if subject.pack is not None and subject.pack.blob:
        with place.reading() as ledger:
            return things.document(ledger, subject.pack)
    if subject.proof is not None and subject.proof.pack is not None:
        return subject.proof.pack
    raise NotFound(f"There is nothing of {subject.id} to compare with.", hint="workbench mrp list shows all packs.")


def _items(pack: MergePack) -> dict[tuple[str, int], str]:
    """Each item of evidence by its kind, and which one of that kind it is: its state and grade."""
    found: dict[tuple[str, int], str] = {}
    seen: dict[str, int] = {}
    for item in pack.evidence:
        seen[item.kind] = seen.get(item.kind, 0) + 1
        found[item.kind, seen[item.kind]] = _standing(item)
    return found


def _standing(item: Evidence) -> str:
    return f"{item.state} ({item.grade})"


def _found(pack: MergePack) -> set[str]:
    return {_finding(finding) for finding in pack.findings}


def _finding(finding: Finding) -> str:
    return f"{finding.kind} {finding.path}:{finding.line}" if finding.path else finding.kind
