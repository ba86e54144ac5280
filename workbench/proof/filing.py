"""Makes the proof of a pack and files it in git: when it is submitted and, with the decisions, when it is merged.

What cannot be signed is filed unsigned: that never holds up a pack or a merge.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

import workbench
from workbench.artifacts.mergepack import MergePack
from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import ArtifactInvalid, WorkbenchError
from workbench.ports import Blobs
from workbench.proof import envelope, keeping, statements
from workbench.proof.envelope import Envelope
from workbench.proof.keys import Key, key_of, local_key
from workbench.proof.statements import Merge, Readiness
from workbench.repository.repository import GitRepository

SIGNERS = ".workbench/signers"  # SSH allowed signers, as the base has it
BOUND = {"brief": keeping.BRIEF, "policy": keeping.POLICY}  # what a pack was held against, and its file
MOST_OUTPUT = 32 << 20  # bytes of a pack's logs and reports together
README = """\
# The proof of {pack}

`attestations.jsonl` holds in-toto statements in DSSE envelopes, one a line; `evidence/` the logs and reports that they
name, each under its sha256; `brief.md` and `policy.yaml`, where they are here, what the change was held against: their
sha256 is in `.predicate.files` of the newest statement. With Workbench: `workbench mrp show {pack}` and
`workbench mrp verify {pack}`, in this repository, without a journal. By hand, what the newest statement says, and that
its SSH signature is of its content:

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


def submit(repository: GitRepository, pack: bytes, blobs: Blobs) -> Filed:
    """File the proof of a pack, given as its JSON, as it is submitted, signed with this machine's key.

    Raises RepositoryProblem, and DecodeError for what is no pack.
    """
    told, beside = _readiness(repository, pack, blobs)
    sealed, newest = _sealed(statements.of_submission(told, version=workbench.__version__), local_key())
    name = told.mrp.id

    def tree(before: str) -> str:
        return _tree(repository, [*_earlier(repository, before, told.packDigest), *sealed], beside)

    commit = keeping.add(repository, keeping.ref_of(name), tree, message=f"Prove {name}\n")
    return newest._replace(commit=commit)


def merge(
    repository: GitRepository,
    pack: bytes,
    blobs: Blobs,
    *,
    decisions: Sequence[Mapping[str, Any]],
    merged: Merge,
    at: str,
) -> Filed:
    """Add to the proof how the pack was decided and merged, signed by the person, and note it on the merge commit.

    A pack without a proof gets one. Raises RepositoryProblem, and DecodeError for what is no pack.
    """
    key, by = key_of(repository), repository.identity()
    told, beside = _readiness(repository, pack, blobs)
    name, ref = told.mrp.id, keeping.ref_of(told.mrp.id)
    first: list[Envelope] = []
    if not _earlier(repository, keeping.tip(repository, ref), told.packDigest):
        first, _ = _sealed(statements.of_submission(told, version=workbench.__version__), key)
    decided = msgspec.structs.replace(told, decisions=tuple(map(dict, decisions)), merge=merged, at=at)
    last, newest = _sealed([statements.of_readiness(decided)], key)

    def tree(before: str) -> str:
        return _tree(repository, [*(_earlier(repository, before, told.packDigest) or first), *last], beside)

    filed = newest._replace(commit=keeping.add(repository, ref, tree, message=f"Prove the merge of {name}\n", by=by))
    keeping.annotate(repository, merged.new, note_of(told, filed), by=by)
    return filed


def note_of(told: Readiness, filed: Filed) -> str:
    """What the note on a merge commit says."""
    pack = told.mrp
    return (
        f"Workbench-Pack: {pack.id}\nWorkbench-Pack-Digest: {told.packDigest}\n"
        f"Workbench-Verdict: {pack.verdict}\nWorkbench-Statement: {filed.digest}\n"
        f"Workbench-Signer: {filed.signer or 'unsigned'}\n"
    )


class _Beside(NamedTuple):
    """What is kept beside the statements: files by name, and logs and reports, name to object id."""

    files: dict[str, bytes]
    evidence: dict[str, str]


def _readiness(repository: GitRepository, raw: bytes, blobs: Blobs) -> tuple[Readiness, _Beside]:
    """What is to be said of a pack, and what is kept of it besides."""
    document = msgspec.json.decode(raw, type=dict[str, Any])
    pack = msgspec.convert(document, MergePack)
    signers = repository.read_file(pack.authority or pack.base, SIGNERS)
    kept, left_out = _outputs(repository, pack, blobs)
    files = {keeping.README: README.format(pack=pack.id).encode(), **_bound(pack, blobs)}
    told = Readiness(
        pack=document,
        packDigest=digest_of(document),
        at=pack.submitted_at,
        signersDigest=digest_bytes(signers) if signers is not None else "",
        evidenceLeftOut=left_out,
        files={name: digest_bytes(data) for name, data in files.items()},
    )
    return told, _Beside(files, kept)


def _sealed(payloads: list[bytes], key: Key) -> tuple[list[Envelope], Filed]:
    made = [envelope.sealed(payload, key) for payload in payloads]
    newest, problem = made[-1]
    signer = newest.signatures[0].keyid if newest.signatures else ""
    note = f"The proof is unsigned: {problem}." if problem else key.note
    return [each for each, _ in made], Filed("", digest_bytes(payloads[-1]), signer, note)


def _earlier(repository: GitRepository, before: str, digest: str) -> list[Envelope]:
    """What is filed of the pack with that digest; anything else at its ref stays behind in history."""
    raw = repository.read_file(before, keeping.ATTESTATIONS) if before else None
    try:
        found = envelope.parse(raw or b"")
        named = {statements.pack_digest(statements.parse(each.content)) for each in found}
    except ArtifactInvalid:
        return []
    return found if named == {digest} else []


def _tree(repository: GitRepository, lines: list[Envelope], beside: _Beside) -> str:
    files = {keeping.ATTESTATIONS: envelope.to_lines(lines), **beside.files}
    return keeping.tree_of(repository, files, beside.evidence)


def _bound(pack: MergePack, blobs: Blobs) -> dict[str, bytes]:
    """The brief and the policy that the pack was held against, as files; without those that are not to be had."""
    links, found = statements.links(pack), {}
    for name, file in BOUND.items():
        with contextlib.suppress(WorkbenchError):
            data = blobs.get(links.get(name, ""))
            if len(data) <= keeping.LARGEST_OUTPUT:
                found[file] = data
    return found


def _outputs(repository: GitRepository, pack: MergePack, blobs: Blobs) -> tuple[dict[str, str], dict[str, str]]:
    """The logs and reports that are kept, name to object id, and why others are not, digest to reason."""
    kept: dict[str, str] = {}
    left_out: dict[str, str] = {}
    room = MOST_OUTPUT
    for digest in dict.fromkeys(digest for _, _, digest in statements.outputs(pack)):
        try:
            data = blobs.get(digest)
        except WorkbenchError as problem:
            left_out[digest] = problem.message
            continue
        if len(data) > min(keeping.LARGEST_OUTPUT, room):
            left_out[digest] = f"{len(data)} bytes are too many"
            continue
        room -= len(data)
        kept[digest.removeprefix("sha256:")] = keeping.blob(repository, data)
    return kept, left_out
