"""Whether a pack is still what it was when it was made, and whether what was merged is what was examined.

It holds three witnesses against each other: the journal, the proof in git, and the merge commit with its note. One that
is absent is said, never taken for a yes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.ace.wiring import checkpointing, proving, things
from workbench.ace.wiring.unwritten import Ledger, Unwritten
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.mergepack import MAX_BYTES, MergePack
from workbench.core.decide.decision import pack_stream
from workbench.core.fold import fold
from workbench.core.state import PackState, State
from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import NotFound, UsageError, WorkbenchError
from workbench.model.events import PackSubmitted
from workbench.proof import checking, keeping, reading, statements
from workbench.proof.reading import Proof
from workbench.proof.statements import Readiness
from workbench.repository.locate import STORE
from workbench.repository.objects import Merged
from workbench.repository.store import Store

FILE_ALONE = "logs and reports: a file holds the statements alone"
NOT_SIGNED = "not signed"  # there is no proof at all


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is verified: a pack, as the journal knows it, and as its proof tells it."""

    id: str
    pack: PackState | None = None
    proof: Proof | None = None
    commit: str = ""  # the merge that was asked about
    file: str = ""  # where the proof comes from, if not from git


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `signer` is of the newest statement about the whole pack; `not_checked` says what was absent."""

    schema: int = 1
    kind: str = "verification"
    id: str
    ok: bool
    problems: tuple[str, ...]
    digest: str = ""
    signer: str = NOT_SIGNED
    signatures: tuple[dict[str, str], ...] = ()
    not_checked: tuple[str, ...] = ()


def alone(path: Path) -> Verification:
    """What a proof in a file shows by itself, where no repository is: signatures and digests."""
    proof = reading.parse(None, _content(path))
    found = tuple(checking.of_itself(None, proof))
    newest = proof.newest
    told = newest.readiness if newest is not None else None
    return Verification(
        id=told.mrp.id if told is not None else path.name,
        ok=not found,
        problems=found,
        digest=told.packDigest if told is not None else "",
        signer=found[0] if found else newest.checked.signer if newest is not None else NOT_SIGNED,
        signatures=tuple(_signatures(proof)),
        not_checked=(
            "the repository: there is none here, neither with the commits nor with whom its base trusts",
            FILE_ALONE,
        ),
    )


def find(place: Workplace, ledger: Ledger, wanted: str) -> Subject:
    """What `wanted` names: a pack, a commit that merged one, a pack known by its proof alone, or a proof in a file."""
    try:
        return _subject(place, things.pack(ledger, wanted))
    except NotFound as unknown:
        if wanted in keeping.packs(place.repository):
            return Subject(id=wanted, proof=reading.read(place.repository, wanted))
        try:
            commit = place.repository.resolve(wanted)
        except WorkbenchError:
            path = place.directory / wanted
            if path.is_file():
                return _of_file(place, ledger, path)
            raise unknown from None
        return _of_commit(place, ledger, commit)


def verify(place: Workplace, ledger: Ledger, subject: Subject) -> Verification:
    """Hold everything that there is against each other."""
    found = [*_problems(place, ledger, subject)]
    proof, pack = subject.proof, subject.pack
    newest = proof.newest if proof is not None else None
    signer = newest.checked.signer if newest is not None else NOT_SIGNED
    altered = next((words for words in found if words.startswith("altered")), "")
    told = newest.readiness.packDigest if newest is not None and newest.readiness is not None else ""
    return Verification(
        id=subject.id,
        ok=not found,
        problems=tuple(found),
        digest=pack.digest if pack is not None else told,
        signer=altered or signer,
        signatures=tuple(_signatures(proof)),
        not_checked=tuple(_not_checked(place, ledger, subject)),
    )


def with_more(before: Verification, problems: Sequence[str], not_checked: Sequence[str]) -> Verification:
    """The same with what was found besides."""
    return msgspec.structs.replace(
        before,
        ok=before.ok and not problems,
        problems=(*before.problems, *problems),
        not_checked=(*before.not_checked, *not_checked),
    )


def _subject(place: Workplace, pack: PackState, commit: str = "") -> Subject:
    return Subject(id=pack.id, pack=pack, proof=reading.read(place.repository, pack.id), commit=commit)


def _of_commit(place: Workplace, ledger: Ledger, commit: str) -> Subject:
    for pack in ledger.packs():
        if pack.merge is not None and pack.merge.new == commit:
            return _subject(place, pack, commit)
    name = proving.named_by(place, commit)
    if not name:
        raise NotFound(f"No pack was merged as {commit[:12]}.", hint="workbench mrp list shows all packs.")
    known = ledger.pack(name)
    if known is not None:
        return _subject(place, known, commit)
    return Subject(id=name, proof=reading.read(place.repository, name), commit=commit)


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is too large for a proof.", hint="Name what workbench mrp show --proof printed.")
    return raw


def _of_file(place: Workplace, ledger: Ledger, path: Path) -> Subject:
    proof = reading.parse(place.repository, _content(path))
    name = proof.pack.id if proof.pack is not None else path.name
    return Subject(id=name, pack=ledger.pack(name), proof=proof, file=str(path))


def _problems(place: Workplace, ledger: Ledger, subject: Subject) -> Iterator[str]:
    pack, proof = subject.pack, subject.proof
    if pack is not None:
        yield from _kept(place, ledger, pack)
        yield from _remembered(place, ledger, pack)
    if proof is None:
        yield from _absent(place, ledger, subject)
        return
    yield from checking.of_itself(place.repository, proof, subject.id)
    if not subject.file:
        yield from _forgotten(place, ledger, subject, proof)
    if pack is not None:
        yield from _against_journal(pack, proof)
    for commit in _merges(subject):
        if not _is_elsewhere(place, subject, commit):
            yield from checking.of_merge(place.repository, proof, commit)


def _merges(subject: Subject) -> list[str]:
    """The commits with which the pack is said to have entered: by the question, the journal, or the proof."""
    if subject.commit:
        return [subject.commit]
    if subject.pack is not None:
        return [subject.pack.merge.new] if subject.pack.merge is not None and _attests_merges(subject) else []
    newest = subject.proof.newest if subject.proof is not None else None
    merge = newest.readiness.merge if newest is not None and newest.readiness is not None else None
    return [merge.new] if merge is not None else []


def _is_elsewhere(place: Workplace, subject: Subject, commit: str) -> bool:
    """Whether a file tells of a commit in another repository: neither that nor the pack's base is here."""
    pack = subject.proof.pack if subject.file and subject.proof is not None else None
    return pack is not None and not any(keeping.tip(place.repository, each) for each in (commit, pack.base))


def _attests_merges(subject: Subject) -> bool:
    """Whether a merge is in the proof at all: one that could not be written is said as not checked."""
    return subject.proof is not None and any(each.statement.of("merge") for each in subject.proof.attested)


# --- what the journal keeps -------------------------------------------------------------------------------------------


def _kept(place: Workplace, ledger: Ledger, pack: PackState) -> Iterator[str]:
    if not pack.blob:
        yield f"the pack is {pack.state}: there is nothing to verify"
        return
    try:
        raw = ledger.blobs.get(pack.blob)
        document = msgspec.json.decode(raw, type=dict[str, Any])
        whole = msgspec.convert(document, MergePack)
    except (WorkbenchError, msgspec.DecodeError) as problem:
        yield f"altered: the kept pack cannot be read ({problem})"
        return
    if pack.digest not in (digest_bytes(raw), digest_of(document)):
        yield "altered: the pack's digest does not match its content"
    yield from _unbound(pack, whole)
    yield from checking.evidence_of(document)
    yield from _logs(ledger, pack, whole)
    yield from _objects(place, pack)


def _logs(ledger: Ledger, pack: PackState, whole: MergePack) -> Iterator[str]:
    """The logs and reports that the pack names, and what it was bound to, that the journal has not as they were."""
    named = [(f"{name} of evidence {item.id} ({item.kind})", key) for item, name, key in statements.outputs(whole)]
    named += [(f"the {name}", pin.blob) for name, pin in (("brief", pack.brief), ("policy", pack.policy)) if pin]
    for what, digest in named:
        try:
            _ = ledger.blobs.get(digest) if digest else b""
        except NotFound:
            yield f"missing: {what} of {pack.id} is not kept in the journal any more"
        except WorkbenchError as problem:
            yield f"altered: {what} of {pack.id} in the journal: {problem.message}"


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


def _objects(place: Workplace, pack: PackState) -> Iterator[str]:
    path = place.journal_directory / STORE
    if not path.exists():
        yield "missing: the store with the examined commits is not here"
        return
    with Store.of(place.repository, path) as store:
        if not store.has(pack.head) or not store.has(pack.base_commit):
            yield "missing: the store no longer holds the examined commits"
            return
        merged = store.merge(pack.base_commit, pack.head)
        if pack.tree and (not isinstance(merged, Merged) or merged.tree != pack.tree):
            yield "altered: merging head on base does not give the tree that was examined"
    if pack.merge is not None:
        decided = [str(document.get("id", "")) for document in pack.decisions]
        yield from checking.entered(place.repository, pack.tree, pack.merge.new, added=decided)


def _remembered(place: Workplace, ledger: Ledger, pack: PackState) -> Iterator[str]:
    """Whether the pack's own events lead to what is shown of it, and are still those that checkpoints know."""
    events = ledger.read(pack_stream(pack.id))
    state: State | None = None
    for event in events:
        state = fold(state, event)
    if state != pack:
        yield "altered: what the journal shows of the pack does not follow from its events"
    hashes, first = {event.hash for event in events}, next((event.hash for event in ledger.read_all(limit=1)), "")
    for kept in checkpointing.of_pack(place.repository, pack.id):
        if kept.journal == first and kept.heads.get(pack_stream(pack.id), "") not in hashes:
            yield f"altered: the pack's events in the journal are not those that the checkpoint at seq {kept.seq} knew"


# --- the journal and the proof ----------------------------------------------------------------------------------------


def _against_journal(pack: PackState, proof: Proof) -> Iterator[str]:
    newest = proof.newest
    if newest is None or newest.readiness is None:
        return
    if newest.readiness.packDigest != pack.digest:
        yield "altered: the pack in the journal is not the one that the proof attests"
    for attested, kept in zip(newest.readiness.decisions, pack.decisions, strict=False):
        if attested != kept:
            yield f"altered: decision {kept.get('id', '')} in the journal is not the one that the proof attests"
    if len(newest.readiness.decisions) > len(pack.decisions):
        yield "altered: the proof attests decisions that are not in the journal"


def _forgotten(place: Workplace, ledger: Ledger, subject: Subject, proof: Proof) -> Iterator[str]:
    """Proofs that journal or checkpoints name, and that the ref no longer contains."""
    for who, commit in _expected(place, ledger, subject.id):
        try:
            contained = place.repository.is_ancestor(commit, proof.commit)
        except WorkbenchError:
            contained = False
        if not contained:
            yield f"altered: {keeping.ref_of(subject.id)} no longer contains {commit[:12]}, which {who} names"


def _absent(place: Workplace, ledger: Ledger, subject: Subject) -> Iterator[str]:
    ref = keeping.ref_of(subject.id)
    expected = next(iter(_expected(place, ledger, subject.id)), None)
    if expected is not None:
        yield f"missing: {ref} is gone, though {expected[0]} names {expected[1][:12]} there"
    elif subject.pack is None or (subject.commit and proving.names_digest(place, subject.commit)):
        yield f"missing: the proof ({ref}) is not here; if a remote has it: {proving.FETCH}"


def _expected(place: Workplace, ledger: Ledger, pack: str) -> Iterator[tuple[str, str]]:
    for event in ledger.read(pack_stream(pack)):
        if isinstance(event.payload, PackSubmitted) and event.payload.proof:
            yield "the journal", event.payload.proof
    yield from (("a checkpoint", kept.proof) for kept in checkpointing.of_pack(place.repository, pack) if kept.proof)


def _signatures(proof: Proof | None) -> Iterator[dict[str, str]]:
    for each in proof.attested if proof is not None else ():
        yield {
            "statement": each.statement.predicateType,
            "signer": each.checked.signer,
            "who": each.checked.who,
            "key": each.checked.key,
            "fingerprint": each.fingerprint,
        }


def _not_checked(place: Workplace, ledger: Ledger, subject: Subject) -> Iterator[str]:
    if isinstance(ledger, Unwritten):
        yield "the journal: there is none here"
    elif subject.pack is None:
        yield f"the journal: it does not know {subject.id}"
    if subject.file:
        yield FILE_ALONE
    if subject.proof is None:
        return
    newest = subject.proof.newest
    readiness = newest.readiness if newest is not None else None
    for digest, why in readiness.evidenceLeftOut.items() if readiness is not None else ():
        yield f"output {digest[:19]}: not in the proof ({why})"
    if readiness is not None and subject.proof.commit:
        yield from _unattested(subject, readiness)
    if subject.pack is not None and subject.pack.merge is not None and not _attests_merges(subject):
        yield "the merge: the proof does not attest it"
    merges = _merges(subject)
    yield from (f"the merge: {each[:12]} is not here" for each in merges if _is_elsewhere(place, subject, each))
    for what, ref in (("the note on the merge commit", keeping.NOTES), ("checkpoints", checkpointing.REF)):
        if merges and not keeping.tip(place.repository, ref):
            yield f"{what}: {ref} is not here"


def _unattested(subject: Subject, readiness: Readiness) -> Iterator[str]:
    """What newer proofs hold besides, and this one does not."""
    if keeping.README not in readiness.files:
        yield f"{keeping.README} of the proof: nothing attests it"
    kept = subject.pack is not None and subject.pack.brief is not None
    if readiness.pack.get("brief_digest") and keeping.BRIEF not in readiness.files and not kept:
        yield "the brief: it is not in the proof"
