"""The evidence of a pack built anew and compared with what the pack says, item by item."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import msgspec

from workbench.ace.wiring import gating, scripts, stacking, starting, things
from workbench.ace.wiring.gating import BuildOrder
from workbench.ace.wiring.verifying import Subject
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts import brief as briefs
from workbench.artifacts import policy as policies
from workbench.artifacts.mergepack import MergePack
from workbench.model.errors import ArtifactInvalid, NotFound, Refused
from workbench.model.evidence import Evidence, Finding
from workbench.model.ids import is_id
from workbench.proof import keeping

MOST_BRIEFS = 500  # in the base that are looked into
# What comes out otherwise where that is not at hand: names of fields, and beginnings of kinds.
DEPENDS = {
    "brief": ("brief digest", "verdict", "clause", "rationale", "focus.", "interface", "property"),
    "policy": ("policy digest", "verdict", "size", "dependencies", "mutation."),
}


class Rebuilt(NamedTuple):
    """Where a pack that was built anew comes out otherwise, and what of it could not be compared."""

    problems: list[str]
    not_checked: list[str]


class Difference(NamedTuple):
    """One of them. `about` is a field, or the kind of an item of evidence or of a finding."""

    about: str
    words: str


def rerun(place: Workplace, subject: Subject) -> Rebuilt:
    """Build the same pack anew, as a job of the AEE, and name where it comes out otherwise.

    Without the journal, brief and policy are those that the proof keeps, else those of the base, if they are the ones
    that the pack names; its reasons are those that the pack tells. What stands on another's head is built on that very
    one. Raises Refused where that is gone.
    """
    before = _whole(place, subject)
    order, lacking = _order(place, subject, before), list[str]()
    with tempfile.TemporaryDirectory(prefix="workbench-rerun-") as directory:
        if subject.pack is None:
            order, lacking = _from_proof(place, subject, before, order, Path(directory))
        run = gating.request(place, order)
    again = gating.await_pack(place, run, timeout=None)
    if not again.blob:
        return Rebuilt([f"built anew: no pack came of it ({again.reason})"], [])
    with place.reading() as ledger:
        after = things.document(ledger, again)
    return compared(before, after, lacking=lacking)


def compared(before: MergePack, after: MergePack, *, lacking: Collection[str]) -> Rebuilt:
    """Hold two packs of the same change against each other, where brief or policy may be `lacking` for the second.

    What depends on those is not comparable; the verdict is, as soon as anything else came out otherwise.
    """
    found = [*_differing(before, after)]
    lost = [each for each in found if any(each.about.startswith(DEPENDS[name]) for name in lacking)]
    if any(each not in lost for each in found):
        lost = [each for each in lost if each.about != "verdict"]
    unlike = f"not comparable without the {' and the '.join(lacking)} that the pack names"
    return Rebuilt(
        [f"built anew: {each.words}" for each in found if each not in lost],
        [
            *(f"the {name}: neither the proof nor the base has the one that the pack names" for name in lacking),
            *(f"{unlike}: {each.words}" for each in lost),
        ],
    )


def differences(before: MergePack, after: MergePack) -> Iterator[str]:
    """Where two packs of the same change differ, apart from when and how fast they were made."""
    yield from (f"built anew: {each.words}" for each in _differing(before, after))


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


# --- what a pack was held against, without the journal ----------------------------------------------------------------


def _from_proof(
    place: Workplace, subject: Subject, before: MergePack, order: BuildOrder, directory: Path
) -> tuple[BuildOrder, list[str]]:
    """The order with brief, policy and reasons as files in `directory`, and which of the first two are not at hand."""
    files, lacking = {"rationale": (_reasons(before), "rationale.json")}, list[str]()
    for name, found in (("brief", _brief(place, subject, before)), ("policy", _policy(place, subject, before))):
        if found is None:
            lacking.append(name)
        elif found:
            stem = before.brief if name == "brief" and is_id(before.brief) else name
            files[name] = found, f"{stem}{scripts.BRIEF.suffix if name == 'brief' else '.yaml'}"
    for raw, file in files.values():
        (directory / file).write_bytes(raw)
    return msgspec.structs.replace(order, **{name: str(directory / file) for name, (_, file) in files.items()}), lacking


def _reasons(before: MergePack) -> bytes:
    """What the agent claimed, as the pack tells it."""
    plan = [{"item": item.item, "test": item.test} for item in before.test_plan]
    return msgspec.json.encode({**msgspec.to_builtins(before.rationale), "test_plan": plan})


def _brief(place: Workplace, subject: Subject, before: MergePack) -> bytes | None:
    """The brief that the pack names, from the proof or the base; empty: it names none, None: it is not there."""
    if not before.brief_digest:
        return b""
    texts = itertools.chain(_kept(place, subject, keeping.BRIEF), _committed(place, before))
    return next((raw for raw in texts if _digest(briefs, raw) == before.brief_digest), None)


def _policy(place: Workplace, subject: Subject, before: MergePack) -> bytes | None:
    """The policy that the pack names, from the proof; empty: it is the base's, None: it is not there."""
    if policies.digest(starting.policy_of(place.repository, before.authority or before.base)) == before.policy_digest:
        return b""
    texts = _kept(place, subject, keeping.POLICY)
    return next((raw for raw in texts if _digest(policies, raw) == before.policy_digest), None)


def _kept(place: Workplace, subject: Subject, name: str) -> Iterator[bytes]:
    """A file of the proof, if there is one."""
    commit = subject.proof.commit if subject.proof is not None else ""
    raw = keeping.file_of(place.repository, commit, name) if commit else None
    yield from () if raw is None else (raw,)


def _committed(place: Workplace, before: MergePack) -> Iterator[bytes]:
    """The briefs as people have them in the base, the likeliest first."""
    base, named = before.authority or before.base, f"/{before.brief}{scripts.BRIEF.suffix}"
    paths = [path for path in place.repository.list_files(base, scripts.BRIEF.directory) if path.endswith(".md")]
    for path in sorted(paths, key=lambda path: not path.endswith(named))[:MOST_BRIEFS]:
        raw = place.repository.read_file(base, path)
        yield from () if raw is None else (raw,)


def _digest(kind: ModuleType, raw: bytes) -> str:
    """The digest of what a text says; empty for one that says nothing of the kind."""
    try:
        return str(kind.digest(kind.parse(raw)))
    except ArtifactInvalid:
        return ""


# --- the comparison ---------------------------------------------------------------------------------------------------


def _differing(before: MergePack, after: MergePack) -> Iterator[Difference]:
    for field in ("tree", "verdict", "policy_digest", "brief_digest"):
        name, was, now = field.replace("_", " "), getattr(before, field), getattr(after, field)
        if was != now:
            yield Difference(name, f"{name} was {was or 'nothing'} and is {now or 'nothing'} now")
    old, new = _items(before), _items(after)
    for item in sorted(old.keys() | new.keys()):
        if old.get(item) != new.get(item):
            yield Difference(item[0], f"{item[0]} was {old.get(item, 'missing')} and is {new.get(item, 'missing')} now")
    for words in sorted(_found(before) - _found(after)):
        yield Difference(words, f"not found again: {words}")
    for words in sorted(_found(after) - _found(before)):
        yield Difference(words, f"found besides: {words}")


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
