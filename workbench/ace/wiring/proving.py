"""Proofs of packs where the checkout is: filed with a merge, found by a pack, a commit or a file.

What a proof says and how it is checked is not known here.
"""

from __future__ import annotations

import msgspec

from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.artifacts.mergepack import MergePack
from workbench.core.state import PackState
from workbench.model.errors import WorkbenchError
from workbench.model.ids import is_id
from workbench.proof import filing, keeping
from workbench.proof.filing import Filed
from workbench.proof.statements import Merge
from workbench.repository.merging import Plan, trailers


def of_merge(place: Workplace, ledger: Ledger, pack: PackState, plan: Plan) -> Filed:
    """File the proof of a merge. Raises RepositoryProblem, and DecodeError for a pack that cannot be read."""
    return filing.merge(
        place.repository,
        msgspec.json.decode(ledger.blobs.get(pack.blob), type=MergePack),
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
