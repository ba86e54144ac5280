"""Proofs of packs where the checkout is: filed with a merge, found by a pack, a commit or a file.

What a proof says and how it is checked is not known here.
"""

from __future__ import annotations

from workbench.ace.wiring.proven import Proven
from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.errors import NotFound, WorkbenchError
from workbench.model.ids import is_id
from workbench.proof import envelope, filing, keeping, reading
from workbench.proof.filing import Filed
from workbench.proof.statements import Merge
from workbench.repository.merging import Plan, trailers

FETCH = "git fetch REMOTE 'refs/workbench/*:refs/workbench/*' refs/notes/workbench:refs/notes/workbench"


def of_merge(place: Workplace, ledger: Ledger, pack: PackState, plan: Plan) -> Filed:
    """File the proof of a merge. Raises RepositoryProblem, and DecodeError for a pack that cannot be read."""
    return filing.merge(
        place.repository,
        ledger.blobs.get(pack.blob),
        ledger.blobs,
        decisions=pack.decisions,
        merged=Merge(ref=plan.ref, old=plan.old, new=plan.new, mode=plan.mode),
        at=place.clock.now(),
    )


def named_by(place: Workplace, commit: str) -> str:
    """The pack that a commit says it merged, in its trailers or in the note on it; empty when it says none."""
    try:
        said = trailers(place.repository, commit).get("Workbench-Pack", [])
    except WorkbenchError:
        said = []
    noted = (keeping.note(place.repository, commit) or "").splitlines()
    said += [line.partition(": ")[2] for line in noted if line.startswith("Workbench-Pack: ")]
    return next((name for name in said if is_id(name)), "")


def names_digest(place: Workplace, commit: str) -> bool:
    """Whether a commit says the digest of its pack, so that a proof was made of the merge."""
    return "Workbench-Pack-Digest" in trailers(place.repository, commit)


def with_proven(place: Workplace, ledger: Ledger, wanted: str) -> Ledger:
    """The journal; where it does not know the pack `wanted` but git has its proof, what that says."""
    if ledger.pack(wanted) is not None or not is_id(wanted):
        return ledger
    proof = reading.read(place.repository, wanted)
    newest = proof.newest if proof is not None else None
    return Proven(newest.readiness) if newest is not None and newest.readiness is not None else ledger


def attestations(place: Workplace, pack: str) -> str:
    """The signed statements about a pack, as git keeps them. Raises NotFound, and ArtifactInvalid."""
    commit = keeping.tip(place.repository, keeping.ref_of(pack))
    raw = place.repository.read_file(commit, keeping.ATTESTATIONS) if commit else None
    if raw is None:
        raise NotFound(f"There is no proof of {pack} here.", hint=f"{FETCH} brings it, if the remote has it.")
    return envelope.to_lines(envelope.parse(raw)).decode()
