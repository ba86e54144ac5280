"""Makes the proof of a pack and files it in git: when it is submitted and, with the decisions, when it is merged.

What cannot be signed is filed unsigned: that never holds up a pack or a merge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

import workbench
from workbench.artifacts import mergepack
from workbench.artifacts.mergepack import MergePack
from workbench.model.digests import digest_bytes
from workbench.model.errors import ArtifactInvalid, WorkbenchError
from workbench.ports import Blobs
from workbench.proof import envelope, keeping, statements
from workbench.proof.envelope import Envelope
from workbench.proof.keys import Key, key_of, local_key
from workbench.proof.statements import Merge, Readiness
from workbench.repository.repository import GitRepository

SIGNERS = ".workbench/signers"  # SSH allowed signers, as the base has it
LARGEST_OUTPUT = 8 << 20  # bytes of one log or report; larger ones stay in the journal
MOST_OUTPUT = 32 << 20  # bytes of a pack's logs and reports together
README = """\
# The proof of {pack}

`attestations.jsonl` holds in-toto statements in DSSE envelopes, one a line; `evidence/` the logs and reports that they
name, each under its sha256. With Workbench: `workbench mrp show {pack}` and `workbench mrp verify {pack}`, in this
repository, without a journal. By hand, what the newest statement says, and that its SSH signature is of its content:

    tail -n1 attestations.jsonl | jq -r .payload | base64 -d > payload
    tail -n1 attestations.jsonl | jq -r '.signatures[0].sig' | base64 -d > signature
    printf 'DSSEv1 28 application/vnd.in-toto+json %s ' "$(wc -c < payload)" | cat - payload |
      ssh-keygen -Y check-novalidate -n workbench-proof -s signature
"""


class Filed(NamedTuple):
    """A proof in git. `digest` is of its newest statement, `signer` its key; `note` says what should be known."""

    commit: str
    digest: str = ""
    signer: str = ""
    note: str = ""


class Outputs(NamedTuple):
    """Logs and reports as objects in git, and why others are not there."""

    kept: dict[str, str]  # name to object id
    left_out: dict[str, str]


def submit(repository: GitRepository, pack: MergePack, blobs: Blobs) -> Filed:
    """File the proof of a pack as it is submitted, signed with this machine's key. Raises RepositoryProblem."""
    outputs = _outputs(repository, pack, blobs)
    sealed, newest = _submission(repository, pack, outputs, local_key())

    def tree(before: str) -> str:
        return _tree(repository, pack.id, [*_earlier(repository, before, pack), *sealed], outputs.kept)

    commit = keeping.add(repository, keeping.ref_of(pack.id), tree, message=f"Prove {pack.id}\n")
    return newest._replace(commit=commit)


def merge(
    repository: GitRepository,
    pack: MergePack,
    blobs: Blobs,
    *,
    decisions: Sequence[Mapping[str, Any]],
    merged: Merge,
    at: str,
) -> Filed:
    """Add to the proof how the pack was decided and merged, signed by the person, and note it on the merge commit.

    A pack without a proof gets one. Raises RepositoryProblem.
    """
    key, by = key_of(repository), repository.identity()
    outputs = _outputs(repository, pack, blobs)
    first, _ = _submission(repository, pack, outputs, key) if not _proven(repository, pack) else ([], None)
    readiness = msgspec.structs.replace(
        _readiness(repository, pack, outputs), decisions=tuple(map(dict, decisions)), merge=merged, at=at
    )
    last, newest = _sealed([statements.of_readiness(readiness)], key)

    def tree(before: str) -> str:
        lines = [*(_earlier(repository, before, pack) or first), *last]
        return _tree(repository, pack.id, lines, outputs.kept)

    commit = keeping.add(repository, keeping.ref_of(pack.id), tree, message=f"Prove the merge of {pack.id}\n", by=by)
    filed = newest._replace(commit=commit)
    keeping.annotate(repository, merged.new, note_of(pack, filed), by=by)
    return filed


def note_of(pack: MergePack, filed: Filed) -> str:
    """What the note on a merge commit says."""
    return (
        f"Workbench-Pack: {pack.id}\nWorkbench-Pack-Digest: {mergepack.digest(pack)}\n"
        f"Workbench-Verdict: {pack.verdict}\nWorkbench-Statement: {filed.digest}\n"
        f"Workbench-Signer: {filed.signer or 'unsigned'}\n"
    )


def _submission(repository: GitRepository, pack: MergePack, outputs: Outputs, key: Key) -> tuple[list[Envelope], Filed]:
    readiness = _readiness(repository, pack, outputs)
    return _sealed(statements.of_submission(readiness, version=workbench.__version__), key)


def _readiness(repository: GitRepository, pack: MergePack, outputs: Outputs) -> Readiness:
    signers = repository.read_file(pack.base, SIGNERS)
    return Readiness(
        pack=pack,
        packDigest=mergepack.digest(pack),
        at=pack.submitted_at,
        signersDigest=digest_bytes(signers) if signers is not None else "",
        evidenceLeftOut=outputs.left_out,
    )


def _sealed(payloads: list[bytes], key: Key) -> tuple[list[Envelope], Filed]:
    made = [envelope.sealed(payload, key) for payload in payloads]
    newest, problem = made[-1]
    signer = newest.signatures[0].keyid if newest.signatures else ""
    note = f"The proof is unsigned: {problem}." if problem else key.note
    return [each for each, _ in made], Filed("", digest_bytes(payloads[-1]), signer, note)


def _proven(repository: GitRepository, pack: MergePack) -> bool:
    return bool(_earlier(repository, keeping.tip(repository, keeping.ref_of(pack.id)), pack))


def _earlier(repository: GitRepository, before: str, pack: MergePack) -> list[Envelope]:
    """What is filed of this very pack; anything else at its ref stays behind in history."""
    raw = repository.read_file(before, keeping.ATTESTATIONS) if before else None
    try:
        found = envelope.parse(raw or b"")
        named = {statements.pack_digest(statements.parse(each.content)) for each in found}
    except ArtifactInvalid:
        return []
    return found if named == {mergepack.digest(pack)} else []


def _tree(repository: GitRepository, pack: str, lines: list[Envelope], kept: Mapping[str, str]) -> str:
    files = {keeping.ATTESTATIONS: envelope.to_lines(lines), keeping.README: README.format(pack=pack).encode()}
    return keeping.tree_of(repository, files, kept)


def _outputs(repository: GitRepository, pack: MergePack, blobs: Blobs) -> Outputs:
    kept: dict[str, str] = {}
    left_out: dict[str, str] = {}
    room = MOST_OUTPUT
    for digest in dict.fromkeys(digest for _, _, digest in statements.outputs(pack)):
        try:
            data = blobs.get(digest)
        except WorkbenchError as problem:
            left_out[digest] = problem.message
            continue
        if len(data) > min(LARGEST_OUTPUT, room):
            left_out[digest] = f"{len(data)} bytes are too many"
            continue
        room -= len(data)
        kept[digest.removeprefix("sha256:")] = keeping.blob(repository, data)
    return Outputs(kept, left_out)
