"""Evidence of base commits that may be cited again, found by a key over all of its inputs; it appends no event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import __version__
from workbench.model.digests import digest_of
from workbench.model.errors import JournalProblem, NotFound
from workbench.model.events import EvidenceCached
from workbench.ports import Blobs


def cache_key(**inputs: Any) -> str:
    """A key over `inputs` (plain values) and our own version: a new version trusts nothing that an older one kept."""
    return digest_of({"version": __version__, **inputs})


class EvidenceCache:
    """What is known is given at the start; what was added waits in `added` until its owner has appended it."""

    def __init__(self, blobs: Blobs, known: Mapping[str, str] | None = None) -> None:
        self._blobs = blobs
        self._known = dict(known or {})
        self.added: list[EvidenceCached] = []

    def get(self, key: str) -> bytes | None:
        """What was put under `key`; None when nothing was, or when it is gone or damaged."""
        blob = self._known.get(key)
        if blob is None:
            return None
        try:
            return self._blobs.get(blob)
        except (NotFound, JournalProblem):
            return None

    def put(self, key: str, data: bytes) -> None:
        """Keep `data` under `key`."""
        blob = self._blobs.put(data)
        self._known[key] = blob
        self.added.append(EvidenceCached(key=key, blob=blob))
