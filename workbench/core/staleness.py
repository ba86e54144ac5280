"""What is no longer true of a pack or a resolution, because what it was bound to has changed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from workbench.core.state import PackState

if TYPE_CHECKING:  # the inbox asks only about branches, and starts without the artifacts' tables
    from workbench.artifacts.resolution import Resolution

Standing = Literal["standing", "stale", "superseded", "expired"]


def base_moved(pack: PackState, tips: Mapping[str, str]) -> bool:
    """Whether the branch into which an unmerged pack goes, or the run on which it stands, is elsewhere than it says.

    `tips` maps branches and runs to commits; of what is not in it nothing is said.
    """
    stands = tips.get(pack.on or pack.into, pack.base_commit)
    return pack.state in ("submitted", "approved") and stands != pack.base_commit


class CitedNow(msgspec.Struct, frozen=True, kw_only=True):
    """What resolutions may cite, as it stands: paths to blob ids, clauses to versions, entities to digests."""

    blobs: Mapping[str, str] = {}
    clauses: Mapping[str, str] = {}
    entities: Mapping[str, str] = {}


def stale_cites(resolution: Resolution, now: CitedNow) -> tuple[str, ...]:
    """The citations of a resolution that no longer hold; something that is gone no longer holds either."""
    return tuple(cite for cite in resolution.cites if not _holds(cite, now))


def _holds(cite: str, now: CitedNow) -> bool:
    what, _, version = cite.rpartition("@")
    if not what:
        return cite in now.entities.values()
    path, _, lines = what.rpartition(":")
    named = path if path and lines.replace("-", "").isdigit() else what
    current = now.blobs.get(named) or now.clauses.get(named) or now.entities.get(named) or ""
    return bool(version) and bool(current) and (current == version or _abbreviates(version, current))


def _abbreviates(version: str, current: str) -> bool:
    """Whether a blob id was given short; versions of clauses are never cut."""
    return len(version) >= 7 and current.removeprefix("sha256:").startswith(version.removeprefix("sha256:"))


def standing(resolution: Resolution, now: CitedNow, *, at: str, superseded: Collection[str] = ()) -> Standing:
    """How a resolution stands at the instant `at`; `superseded` are ids that later resolutions name."""
    if resolution.id in superseded:
        return "superseded"
    if resolution.expires and resolution.expires <= at:
        return "expired"
    return "stale" if stale_cites(resolution, now) else "standing"
