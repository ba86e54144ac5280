"""Reads a pack's proof from git alone, and says of each statement whose it is; it compares with nothing else."""

from __future__ import annotations

from typing import NamedTuple

from workbench.artifacts.mergepack import MergePack
from workbench.model.digests import digest_bytes
from workbench.model.errors import ArtifactInvalid, WorkbenchError
from workbench.model.instants import epoch_seconds
from workbench.proof import envelope, keeping, ssh, statements
from workbench.proof.envelope import Envelope
from workbench.proof.filing import SIGNERS
from workbench.proof.ssh import Checked
from workbench.proof.statements import READINESS, Readiness, Statement
from workbench.repository.git import is_commit_id
from workbench.repository.repository import GitRepository

MOST_CHECKED = 60  # statements whose signatures are checked; a pack that is merged once has four


class Attested(NamedTuple):
    """A statement, the digest of its bytes, and whose it is. `readiness`: what one of our own says."""

    statement: Statement
    digest: str
    checked: Checked
    readiness: Readiness | None = None

    @property
    def fingerprint(self) -> str:
        """The signer's key in short."""
        key = self.checked.key
        return ssh.fingerprint(key) if key and not key.startswith("openpgp ") else key.removeprefix("openpgp ")


class Proof(NamedTuple):
    """All that is attested of a pack, oldest first. `commit` is where; empty: in a file."""

    commit: str
    attested: tuple[Attested, ...]
    problems: tuple[str, ...] = ()

    @property
    def newest(self) -> Attested | None:
        """The newest statement about the whole pack."""
        return next((each for each in reversed(self.attested) if each.readiness is not None), None)

    @property
    def pack(self) -> MergePack | None:
        """The pack."""
        return self.newest.readiness.mrp if self.newest and self.newest.readiness else None

    def of_merge(self, commit: str) -> Attested | None:
        """The newest statement about how `commit` came of the pack."""
        return next((each for each in reversed(self.attested) if each.statement.of("merge") == commit), None)


def read(repository: GitRepository, pack: str) -> Proof | None:
    """The proof of a pack; None when there is none here."""
    commit = keeping.tip(repository, keeping.ref_of(pack))
    if not commit:
        return None
    try:
        raw = repository.read_file(commit, keeping.ATTESTATIONS)
    except WorkbenchError as problem:
        return Proof(commit, (), (f"altered: the proof cannot be read: {problem.message}",))
    if raw is None:
        return Proof(commit, (), (f"altered: {keeping.ref_of(pack)} holds no attestations",))
    return parse(repository, raw, commit=commit)


def parse(repository: GitRepository | None, raw: bytes, *, commit: str = "") -> Proof:
    """The proof that a file holds. Without a repository nobody is trusted: its base says who is."""
    try:
        envelopes = envelope.parse(raw)
        if len(envelopes) > MOST_CHECKED:
            return Proof(commit, (), (f"altered: {len(envelopes)} statements are more than any pack has",))
        told = [(each, statements.parse(each.content)) for each in envelopes]
        whole = [statements.readiness_of(each) if each.predicateType == READINESS else None for _, each in told]
    except ArtifactInvalid as problem:
        return Proof(commit, (), (f"altered: {problem.message}",))
    of_pack = {each.packDigest: each for each in reversed(whole) if each is not None}
    made = [
        _attested(repository, sealed, statement, own, own or of_pack.get(statements.pack_digest(statement)))
        for (sealed, statement), own in zip(told, whole, strict=True)
    ]
    return Proof(commit, tuple(made))


def _attested(
    repository: GitRepository | None,
    sealed: Envelope,
    statement: Statement,
    own: Readiness | None,
    about: Readiness | None,
) -> Attested:
    signers = None
    if repository is not None and about is not None and sealed.signatures:
        signers = signers_for(repository, about)
    at = _seconds(about.at) if about is not None else 0
    return Attested(statement, digest_bytes(sealed.content), envelope.checked(sealed, signers, at=at), own)


def signers_for(repository: GitRepository, readiness: Readiness) -> bytes | None:
    """Whom the base trusts; nobody, unless the base is part of what stands here: else a proof could bring its own."""
    base, merge = readiness.mrp.base, readiness.merge
    branches = ["HEAD", *([merge.ref] if merge is not None and merge.ref.startswith("refs/heads/") else [])]
    try:
        if not is_commit_id(base) or not any(_contains(repository, branch, base) for branch in branches):
            return None
        return repository.read_file(base, SIGNERS)
    except WorkbenchError:
        return None


def _contains(repository: GitRepository, branch: str, commit: str) -> bool:
    try:
        return repository.is_ancestor(commit, repository.resolve(branch))
    except WorkbenchError:
        return False


def _seconds(at: str) -> int:
    try:
        return max(0, int(epoch_seconds(at)))
    except (ValueError, OverflowError):
        return 0
