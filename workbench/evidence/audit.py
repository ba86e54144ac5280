"""Auditability: whether all that a pack links to is there, so that the change can be retraced; it runs nothing."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.evidence.static import bound
from workbench.ports import Blobs, Change, Collected


class AuditCollector:
    """Evidence of kind `audit`. `links` map what a pack cites (brief, script, policy ...) to the blobs that hold it.

    A link is whole when its blob can be read back under its digest; an empty one is missing.
    """

    name = "audit"

    def __init__(self, links: Mapping[str, str], blobs: Blobs) -> None:
        self._links = dict(links)
        self._blobs = blobs

    def collect(self, change: Change) -> Collected:
        """Look every link up."""
        broken = sorted(name for name, digest in self._links.items() if not digest or not self._blobs.has(digest))
        whole = len(self._links) - len(broken)
        summary = f"{whole} of {len(self._links)} links are whole"
        piece = bound(
            change,
            "audit",
            criterion="auditability",
            state="failed" if broken else "passed",
            summary=f"{summary}; missing: {', '.join(broken)}" if broken else summary,
            facts={"links": self._links},
        )
        return Collected(evidence=(piece,))
