"""Where branches stand, read from git's files alone, so that the inbox needs no git; and what that means for packs.

It knows git's two forms of refs (gitrepository-layout(5)); of any other it says nothing, and a merge looks for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from workbench.ace.wiring.unwritten import Ledger
from workbench.ace.wiring.workplace import Workplace
from workbench.core.stack import Footing, footing_of, in_words
from workbench.core.state import MissionState, PackState
from workbench.model.errors import WorkbenchError
from workbench.repository.locate import Located

PACKED_BYTES = 16 << 20  # of the packed refs, some 200,000; more is not read for a hint
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
Below = Callable[[str], Footing]  # how a run stands, for what stands on it
_BRANCH = re.compile(r"refs/heads/[^\x00-\x20\x7f]+")


def tip(located: Located, ref: str) -> str:
    """The commit at which a branch stands; empty where that cannot be told from files."""
    if not _BRANCH.fullmatch(ref) or ".." in ref:
        return ""
    loose = _read(located.common_dir / ref, 100).strip()
    return loose if _COMMIT.fullmatch(loose) else _packed(located.common_dir / "packed-refs", ref)


def tips(place: Workplace, packs: Iterable[PackState], stands: Below) -> dict[str, str]:
    """Where the branches stand into which undecided and unmerged packs go, and the runs on which some of them stand.

    `stands` tells of the latter.
    """
    known = {pack.on or pack.into: pack for pack in packs if pack.state in ("submitted", "approved")}
    found = {name: _tip(place, pack, stands) for name, pack in known.items() if name}
    return {name: commit for name, commit in found.items() if commit}


def below(ledger: Ledger, name: str) -> Footing:
    """How the run `name` stands, for what stands on it."""
    return footing_of(name, ledger.run, ledger.pack)


def _tip(place: Workplace, pack: PackState, stands: Below) -> str:
    found = stands(pack.on) if pack.on else None
    return found.head if found is not None and found.state != "merged" else tip(place.located, pack.into)


def pack_drift(place: Workplace, pack: PackState, stands: Below) -> str:
    """How the base of a pack stands, in words; empty where it has none to be compared with, or it matters no more."""
    if pack.state not in ("submitted", "approved"):
        return ""
    if pack.on:
        return f"on {in_words(stands(pack.on), pack.base_commit)}"
    return _drift(place, pack.into or pack.base_ref, pack.base_commit)


def mission_drift(place: Workplace, mission: MissionState, stands: Below) -> str:
    """How the base of a mission stands, in words."""
    if mission.on:
        return f"on {in_words(stands(mission.on), mission.base_commit, moved='where it began; it stands')}"
    return _drift(place, mission.base_ref, mission.base_commit)


def _drift(place: Workplace, ref: str, commit: str) -> str:
    from workbench.repository.merging import drift

    if not ref:
        return ""
    name = f"{ref.removeprefix('refs/heads/')}@{commit[:12]}"
    try:
        found = drift(place.repository, ref, commit)
    except WorkbenchError as problem:
        return f"{name} (unknown now: {problem.message})"
    if found.rewritten:
        return f"{name} (rewritten: the branch stands at {found.current[:12]}, which does not contain it)"
    if not found.ahead:
        return f"{name} (current)"
    return f"{name} ({found.ahead} commit{'' if found.ahead == 1 else 's'} behind {found.current[:12]})"


def _packed(path: Path, ref: str) -> str:
    for line in _read(path, PACKED_BYTES).splitlines():
        commit, _, name = line.partition(" ")
        if name == ref and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _read(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "surrogateescape")
    except OSError:
        return ""
