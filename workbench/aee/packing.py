"""Builds a run's merge-readiness pack: resolutions onto the branch, the result as objects, evidence, verdict, pack."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from workbench.aee.crossing import crossed
from workbench.aee.examination import RESOLUTIONS, Delivery, ExaminationStopped, examined
from workbench.aee.footing import footed
from workbench.aee.unexamined import unexamined
from workbench.aee.wiring import ChildGround
from workbench.artifacts import brief as briefs
from workbench.artifacts import mergepack
from workbench.artifacts import resolution as resolutions
from workbench.artifacts.configuration import Settings
from workbench.artifacts.mergepack import MergePack
from workbench.core.decide.pack import request_pack, submit_pack
from workbench.core.state import RunState
from workbench.evidence.cache import EvidenceCache
from workbench.model import events as e
from workbench.model.errors import Refused, WorkbenchError
from workbench.model.events import EvidenceCached, Proposed
from workbench.model.ids import derived_id
from workbench.proof import filing
from workbench.proof.filing import Filed
from workbench.repository.change import StoreChange

CACHE_STREAM = "repository/evidence"


def build_pack(ground: ChildGround, run: RunState, stop: Callable[[], bool]) -> bool:
    """Assemble and submit the pack of the run's delivery; whether it was: not once `stop` says so."""
    delivery = _delivery(ground, run)
    ground.report(request_pack(_request(delivery), ground.states.pack(delivery.id)).events)
    cache = _cache(ground)
    try:
        change = _change(ground, delivery)
    except Refused as conflict:
        pack = _conflicted(ground, delivery, conflict)
    else:
        try:
            pack = (
                crossed(ground, delivery, change, stop)
                if run.against
                else examined(ground, delivery, change, cache, stop)
            )
        except ExaminationStopped:
            return False
    if stop():
        return False
    ground.report([*_submission(ground, delivery, pack), *_remembered(cache)])
    return True


# --- what is delivered, and what binds its gate -----------------------------------------------------------------------


def _delivery(ground: ChildGround, run: RunState) -> Delivery:
    stand = footed(ground, run)
    bound = msgspec.structs.replace(run, base_commit=stand.base, authority=stand.authority)
    settings = ground.settings(bound)
    text = ground.text(run.brief)
    return Delivery(
        run=bound,
        revision=run.revision + 1,
        base=stand.base,
        head=_with_resolutions(ground, run, stand.head, settings),
        policy=ground.policy(bound),
        brief=briefs.parse(text, f"{run.brief.id}.md") if run.brief is not None and text else None,
        settings=settings,
        on=stand.on,
        conflicts=stand.conflicts,
    )


def _change(ground: ChildGround, delivery: Delivery) -> StoreChange:
    """What is examined. Raises Refused where it does not merge, or could not be put where it is to stand."""
    if delivery.conflicts:
        raise Refused(f"its commits conflict with {delivery.on or 'the branch'}", data={"paths": delivery.conflicts})
    return StoreChange(ground.store, base=delivery.base, head=delivery.head)


def _with_resolutions(ground: ChildGround, run: RunState, delivered: str, settings: Settings) -> str:
    """The delivered head with the answers that the run was given, as files in a commit of its own."""
    files = {
        f"{RESOLUTIONS}{asked.resolution}.md": _rendered(asked.answer).encode()
        for asked in ground.states.consultations(run=run.id)
        if asked.state == "resolved"
    }
    if not files or settings.resolutions.store == "refs":
        return delivered
    head = ground.store.add_files(delivered, files, message="Record the resolutions of this run")
    ground.store.set_run(run.id, head)
    return head


def _rendered(document: e.JSON) -> str:
    return resolutions.render(msgspec.convert(document, resolutions.Resolution))


def _request(delivery: Delivery) -> e.PackRequested:
    run = delivery.run
    return e.PackRequested(
        pack=delivery.id,
        mission=run.mission,
        run=run.id,
        revision=delivery.revision,
        base_ref=run.base_ref,
        base_commit=delivery.base,
        head=delivery.head,
        into=run.into,
        brief=run.brief,
        policy=run.policy,
        rationale=run.rationale,
        environment=run.environment,
        sandbox=run.sandbox,
    )


# --- what comes of it -------------------------------------------------------------------------------------------------


def _conflicted(ground: ChildGround, delivery: Delivery, conflict: Refused) -> MergePack:
    """A head that does not merge has no result: nothing was examined, and the pack says so first."""
    return unexamined(
        delivery,
        verdict="not-ready",
        tree="",
        at=ground.clock.now(),
        reason=f"It does not merge: {conflict.message} in {', '.join(conflict.data.get('paths', []))}.",
        not_checked=("Everything: there is no result to check.",),
    )


def _submission(ground: ChildGround, delivery: Delivery, pack: MergePack) -> tuple[Proposed, ...]:
    proof = _proof(ground, pack)
    submitted = e.PackSubmitted(
        pack=pack.id,
        mission=pack.mission,
        run=pack.run,
        revision=pack.revision,
        verdict=pack.verdict,
        base_commit=pack.base,
        head=pack.head,
        tree=pack.tree,
        policy_digest=pack.policy_digest,
        brief_digest=pack.brief_digest,
        digest=mergepack.digest(pack),
        blob=ground.blobs.put(mergepack.to_json(pack)),
        title=pack.title,
        headline=pack.reasons[0] if pack.reasons else "",
        facts=_facts(pack),
        proof=proof.commit,
        unsigned="" if proof.signer else proof.note or "there is no signature",
        on=pack.on,
        authority=pack.authority,
    )
    return submit_pack(submitted, ground.states.packs(run=delivery.run.id)).events


def _proof(ground: ChildGround, pack: MergePack) -> Filed:
    """The proof of the pack in git. Where none can be made, it says why: that holds up no pack."""
    try:
        return filing.submit(ground.person, mergepack.to_json(pack), ground.blobs)
    except (WorkbenchError, OSError, msgspec.MsgspecError) as problem:
        return Filed("", note=f"No proof could be made: {problem}.")


def _facts(pack: MergePack) -> str:
    """The pack in a few words: `5/5 met, +48 -12, 3 files`."""
    met = sum(criterion.state == "passed" for criterion in pack.criteria)
    added, removed = sum(change.added for change in pack.changes), sum(change.removed for change in pack.changes)
    files = f"{len(pack.changes)} file{'' if len(pack.changes) == 1 else 's'}"
    return f"{met}/{len(pack.criteria)} met, +{added} -{removed}, {files}" if pack.criteria else ""


def _cache(ground: ChildGround) -> EvidenceCache:
    payloads = [event.payload for event in ground.journal.read(CACHE_STREAM)]
    known = {kept.key: kept.blob for kept in payloads if isinstance(kept, EvidenceCached)}
    return EvidenceCache(ground.blobs, known)


def _remembered(cache: EvidenceCache) -> list[Proposed]:
    return [Proposed(stream=CACHE_STREAM, payload=kept, actor="aee", id=derived_id(kept.key)) for kept in cache.added]
