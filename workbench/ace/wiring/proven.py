"""A pack as its proof in git tells it, for a reader without the journal: a ledger of that one pack."""

# ruff: noqa: ARG002 - the ports name the arguments, and nothing here depends on them
from __future__ import annotations

from workbench.ace.wiring.unwritten import Unwritten
from workbench.core import state
from workbench.core.state import PackState
from workbench.model.digests import canonical
from workbench.model.errors import JournalProblem
from workbench.ports import Blobs
from workbench.proof.statements import Readiness


class Proven(Unwritten):
    """One pack, as its proof tells it, where the journal does not know it."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    @property
    def blobs(self) -> Blobs:
        """The pack itself."""
        return _Proven(canonical(self._readiness.pack))

    def pack(self, pack: str) -> PackState | None:
        """The pack."""
        return self._state if pack == self._readiness.mrp.id else None

    def packs(self, *, run: str = "", state: str = "") -> list[PackState]:
        """The pack alone."""
        return [self._state]

    @property
    def _state(self) -> PackState:
        told, pack = self._readiness, self._readiness.mrp
        merge = told.merge
        return PackState(
            id=pack.id,
            mission=pack.mission,
            run=pack.run,
            revision=pack.revision,
            base_ref="",
            base_commit=pack.base,
            head=pack.head,
            into=merge.ref if merge is not None else "",
            state="merged" if merge is not None else "submitted",
            verdict=pack.verdict,
            tree=pack.tree,
            policy_digest=pack.policy_digest,
            brief_digest=pack.brief_digest,
            digest=told.packDigest,
            blob=told.packDigest,
            title=pack.title,
            submitted_at=pack.submitted_at,
            decisions=told.decisions,
            merge=state.Merge(ref=merge.ref, old=merge.old, new=merge.new, mode=merge.mode) if merge else None,
            on=pack.on,
            authority=pack.authority,
        )


class _Proven:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def put(self, data: bytes) -> str:
        """Refused."""
        raise JournalProblem("nothing can be kept beside a proof", hint="work in a repository with a journal")

    def get(self, digest: str) -> bytes:
        """The pack."""
        return self._data

    def has(self, digest: str) -> bool:
        """Only the pack."""
        return False
