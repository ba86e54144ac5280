"""Holds a proof against itself and against what git has of the merge: what does not hold, in sentences.

It needs no journal, and must not know one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workbench.model.digests import digest_bytes, digest_of
from workbench.model.errors import WorkbenchError
from workbench.model.text import one_line
from workbench.proof import keeping, statements
from workbench.proof.filing import BOUND, SIGNERS
from workbench.proof.reading import Attested, Proof
from workbench.proof.statements import Readiness
from workbench.repository.git import is_commit_id
from workbench.repository.merging import RESOLUTIONS, trailers
from workbench.repository.repository import GitRepository


class Entered(msgspec.Struct, frozen=True, kw_only=True):
    """A commit that a pack is said to have entered with."""

    commit: str
    mode: str
    old: str = ""


def of_itself(repository: GitRepository | None, proof: Proof, pack: str = "") -> Iterator[str]:
    """What does not hold within a proof, which is to be of `pack` (any, if empty), and in the repository, if one is."""
    yield from proof.problems
    if proof.problems:
        return
    newest = proof.newest
    if newest is None or newest.readiness is None:
        yield "altered: nothing attests the pack as a whole"
        return
    readiness = newest.readiness
    if pack and readiness.mrp.id != pack:
        yield f"altered: the proof of {pack} is of {readiness.mrp.id or 'no pack'}"
    for attested in proof.attested:
        yield from _statement(attested, readiness)
    yield from evidence_of(readiness.pack)
    if repository is None:
        return
    if proof.commit:
        yield from _outputs(repository, proof, readiness)
        yield from _files(repository, proof, readiness)
    yield from _signers(repository, readiness)


def evidence_of(pack: Mapping[str, Any]) -> Iterator[str]:
    """Which items of evidence of a pack, as it was written, do not match their own digests."""
    for item in pack.get("evidence", ()):
        covered = {name: value for name, value in item.items() if name not in ("id", "digest")}
        if item.get("digest") and item["digest"] != digest_of(covered):
            yield f"altered: evidence {item.get('id')} ({item.get('kind')}) does not match its digest"


def of_merge(repository: GitRepository, proof: Proof, commit: str) -> Iterator[str]:
    """What does not hold between a proof and the commit that is said to have merged its pack."""
    pack, attested = proof.pack, proof.of_merge(commit)
    if pack is None:
        return
    if attested is None or attested.readiness is None or attested.readiness.merge is None:
        merged = [each.statement.of("merge") for each in proof.attested if each.statement.of("merge")]
        what = f"as {merged[-1][:12]}" if merged else "nowhere"
        yield f"altered: commit {commit[:12]} is not what the proof attests: {pack.id} was merged {what}"
        return
    yield from entered(repository, pack.tree, commit, added=_ids(attested.readiness))
    if commit != pack.head:  # a fast-forward makes no commit of its own, which could have a message
        yield from _trailers(repository, attested.readiness, commit)
    yield from _note(repository, attested, attested.readiness, commit)


def entered(repository: GitRepository, tree: str, commit: str, *, added: Sequence[str] = ()) -> Iterator[str]:
    """What a merge brought in beyond the examined tree: resolutions, and nothing else.

    Where resolutions were `added` (their ids), git may not have kept the tree without them: it is made again.
    """
    if not is_commit_id(tree):
        yield f"altered: {one_line(tree, 80)!r} is no tree"
        return
    flags = ("-r", "-z", "--name-only", "--no-commit-id")
    answer = repository.git.run("diff-tree", *flags, tree, f"{commit}^{{tree}}", ok=(0, 128))
    if answer.code and _without(repository, commit, added) != tree:
        yield f"altered: the merge brought in other files than the examined tree {tree[:12]}"
    yield from (f"altered: the merge changed {path}" for path in answer.fields if not path.startswith(RESOLUTIONS))


def _without(repository: GitRepository, commit: str, resolutions: Sequence[str]) -> str:
    """The tree of a commit without the files of these resolutions."""
    paths = b"".join(f"{RESOLUTIONS}{name}.md\0".encode() for name in resolutions)
    with tempfile.TemporaryDirectory(prefix="workbench-index-") as directory:
        env = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        repository.git.run("read-tree", f"{commit}^{{tree}}", env=env)
        repository.git.run("update-index", "--force-remove", "-z", "--stdin", stdin=paths, env=env)
        return repository.git.text("write-tree", env=env)


def _statement(attested: Attested, readiness: Readiness) -> Iterator[str]:
    statement = attested.statement
    kind = statement.predicateType
    if attested.checked.signer == "altered":
        yield f"altered: the signature of {kind} does not match what it says"
    own = attested.readiness
    if own is not None and own.packDigest != digest_of(own.pack):
        yield f"altered: the pack in {kind} does not match its digest"
    if statements.pack_digest(statement) != readiness.packDigest:
        yield f"altered: {kind} is about another pack"
    pack = readiness.mrp
    for name, wanted in (("result", pack.tree), ("head", pack.head)):
        if statement.of(name) != wanted:
            yield f"altered: {name} is {statement.of(name)[:12] or 'nothing'} in {kind} and {wanted[:12]} in the pack"
    if own is not None and own.merge is not None and statement.of("merge") != own.merge.new:
        yield f"altered: {kind} names two merges"


def _outputs(repository: GitRepository, proof: Proof, readiness: Readiness) -> Iterator[str]:
    kept = keeping.evidence_of(repository, proof.commit)
    for item, name, digest in statements.outputs(readiness.mrp):
        file = digest.removeprefix("sha256:")
        if file not in kept and digest in readiness.evidenceLeftOut:
            continue
        if file not in kept:
            yield f"missing: {name} of evidence {item.id} ({item.kind}) is not in the proof any more"
            continue
        data = kept[file]
        if data is None or digest_bytes(data) != digest:
            yield f"altered: {name} of evidence {item.id} ({item.kind}) does not match its digest"


def _files(repository: GitRepository, proof: Proof, readiness: Readiness) -> Iterator[str]:
    """What lies beside statements and logs: as it was attested, and the brief and the policy that the pack names."""
    links = statements.links(readiness.mrp)
    for name, file in BOUND.items():
        if file in readiness.files and readiness.files[file] != links.get(name):
            yield f"altered: the proof attests another {name} than the pack names"
    for file in (keeping.README, *BOUND.values()):
        wanted = readiness.files.get(file)
        if wanted is None:
            continue
        data = keeping.file_of(repository, proof.commit, file)
        if data is None:
            yield f"missing: {file} is not in the proof any more"
        elif digest_bytes(data) != wanted:
            yield f"altered: {file} of the proof is not what was attested"


def _signers(repository: GitRepository, readiness: Readiness) -> Iterator[str]:
    try:
        raw = repository.read_file(readiness.mrp.base, SIGNERS)
    except WorkbenchError:
        return  # the base is not here: said where trust is
    if (digest_bytes(raw) if raw is not None else "") != readiness.signersDigest:
        yield f"altered: {SIGNERS} of the base is not what it was when the pack was made"


def _ids(readiness: Readiness) -> list[str]:
    return [str(each.get("id", "")) for each in readiness.decisions]


def _trailers(repository: GitRepository, readiness: Readiness, commit: str) -> Iterator[str]:
    said = trailers(repository, commit)
    wanted = {
        "Workbench-Pack": [readiness.mrp.id],
        "Workbench-Pack-Digest": [readiness.packDigest],
        "Workbench-Decision": _ids(readiness),
    }
    for name, values in wanted.items():
        if said.get(name, []) != values:
            yield f"altered: trailer {name} is {', '.join(said.get(name, [])) or 'missing'}, not {', '.join(values)}"


def _note(repository: GitRepository, attested: Attested, readiness: Readiness, commit: str) -> Iterator[str]:
    if not keeping.tip(repository, keeping.NOTES):
        return  # not fetched: said where it is told what was not checked
    words = keeping.note(repository, commit)
    if words is None:
        yield f"missing: the note on {commit[:12]} is gone"
        return
    said = dict(line.split(": ", 1) for line in words.splitlines() if ": " in line)
    wanted = {
        "Workbench-Pack": readiness.mrp.id,
        "Workbench-Pack-Digest": readiness.packDigest,
        "Workbench-Verdict": readiness.mrp.verdict,
        "Workbench-Statement": attested.digest,
    }
    for name, value in wanted.items():
        if said.get(name) != value:
            yield f"altered: the note says {name}: {said.get(name, 'nothing')}, not {value}"
    if said.get("Workbench-Signer", "unsigned") != "unsigned" and attested.checked.signer == "unsigned":
        yield f"altered: the note says that {said['Workbench-Signer']} signed; the signature was taken away"
