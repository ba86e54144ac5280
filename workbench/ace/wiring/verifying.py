"""Whether a pack is still what it was when it was made, and whether what was merged is what was examined."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from workbench.ace.wiring import gating, things
from workbench.ace.wiring.gating import STORE, BuildOrder
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.mergepack import MergePack
from workbench.core.state import PackState
from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import NotFound, WorkbenchError
from workbench.repository.merging import RESOLUTIONS
from workbench.repository.objects import Merged
from workbench.repository.store import Store


def find(place: Workplace, ledger: Ledger, wanted: str) -> PackState:
    """The pack of that id, or the one that a merge commit brought in."""
    try:
        return things.pack(ledger, wanted)
    except NotFound as unknown:
        try:
            commit = place.repository.resolve(wanted)
        except WorkbenchError:
            raise unknown from None
        for pack in ledger.packs():
            if pack.merge is not None and pack.merge.new == commit:
                return pack
        raise NotFound(f"No pack was merged as {commit[:12]}.", hint="workbench mrp list shows all packs.") from None


def problems(place: Workplace, ledger: Ledger, pack: PackState) -> Iterator[str]:
    """What does not hold of a pack, in sentences; nothing when all does."""
    if not pack.blob:
        yield f"the pack is {pack.state}: there is nothing to verify"
        return
    try:
        raw = ledger.blobs.get(pack.blob)
        whole = msgspec.json.decode(raw, type=MergePack)
    except (WorkbenchError, msgspec.DecodeError) as problem:
        yield f"altered: the kept pack cannot be read ({problem})"
        return
    if pack.digest not in (digest_bytes(raw), digest_of(whole)):
        yield "altered: the pack's digest does not match its content"
    yield from _unbound(pack, whole)
    yield from _evidence(ledger, whole)
    yield from _objects(place, pack)


def rerun(place: Workplace, pack: PackState) -> Iterator[str]:
    """Build the same pack anew and name where it comes out otherwise."""
    run = gating.request(place, BuildOrder(base=pack.base_commit, head=pack.id))
    again = gating.await_pack(place, run, timeout=None)
    with place.reading() as ledger:
        before, after = (_states(ledger, each) for each in (pack, again))
    for kind, state in before.items():
        if after.get(kind) != state:
            yield f"{kind} was {state} and is {after.get(kind, 'missing')} now"


def _states(ledger: Ledger, pack: PackState) -> dict[str, str]:
    whole = msgspec.json.decode(ledger.blobs.get(pack.blob), type=MergePack) if pack.blob else None
    return {item.kind: item.state for item in whole.evidence} if whole is not None else {}


def _unbound(pack: PackState, whole: MergePack) -> Iterator[str]:
    bound = {
        "base": (pack.base_commit, whole.base),
        "head": (pack.head, whole.head),
        "tree": (pack.tree, whole.tree),
        "policy": (pack.policy_digest, whole.policy_digest),
        "brief": (pack.brief_digest, whole.brief_digest),
        "verdict": (pack.verdict, whole.verdict),
    }
    for name, (kept, said) in bound.items():
        if kept != said:
            yield f"altered: {name} is {said or 'nothing'} in the pack and {kept or 'nothing'} in the journal"


def _evidence(ledger: Ledger, whole: MergePack) -> Iterator[str]:
    for item in whole.evidence:
        bare = msgspec.to_builtins(item)
        covered = {name: value for name, value in bare.items() if name not in ("id", "digest")}
        if item.digest and item.digest != digest_of(covered):
            yield f"altered: evidence {item.id} ({item.kind}) does not match its digest"
        for name, digest in item.outputs.items():
            if digest.startswith("sha256:") and not ledger.blobs.has(digest):
                yield f"missing: {name} of evidence {item.id} ({item.kind}) is not kept any more"


def _objects(place: Workplace, pack: PackState) -> Iterator[str]:
    path = place.journal_directory / STORE
    if not path.exists():
        yield "missing: the store with the examined commits is not here"
        return
    repository = place.repository
    with Store.open(path, source=repository.common_dir, object_format=repository.object_format) as store:
        if not store.has(pack.head) or not store.has(pack.base_commit):
            yield "missing: the store no longer holds the examined commits"
            return
        merged = store.merge(pack.base_commit, pack.head)
        if not isinstance(merged, Merged) or merged.tree != pack.tree:
            yield "altered: merging head on base does not give the tree that was examined"
    if pack.merge is not None:
        yield from _entered(place, pack, pack.merge.new)


def _entered(place: Workplace, pack: PackState, commit: str) -> Iterator[str]:
    """What the merge brought in beyond the examined tree: resolutions, and nothing else."""
    git = place.repository.git
    listed = git.run("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", pack.tree, f"{commit}^{{tree}}").fields
    yield from (f"altered: the merge changed {path}" for path in listed if not path.startswith(RESOLUTIONS))
