"""Whether a change leaves the public interface as it was: names and how they are used; it judges no policy."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from workbench.code.interface import KEPT, public_names
from workbench.evidence.material import is_test_file
from workbench.evidence.sizes import change_summary
from workbench.evidence.static import bound
from workbench.model.evidence import EvidenceState
from workbench.ports import Change, Collected

MAX_LISTED = 50  # names of each kind in the facts


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Public names, as `path:Class.method`, and files that could not be compared."""

    removed: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()  # called otherwise than before
    added: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


class Interface:
    """Port Collector: `passed` when all of it was compared; `facts.changed` counts what was removed or altered."""

    name = "interface"

    def collect(self, change: Change) -> Collected:
        """Compare both sides of every changed source file, tests apart."""
        found = compared(change)
        facts = {name: list(names)[:MAX_LISTED] for name, names in msgspec.structs.asdict(found).items()}
        counts = {"changed": len(found.removed) + len(found.altered), "grown": len(found.added)}
        state: EvidenceState = "not-checked" if found.unread else "passed"
        summary = f"{len(found.removed)} public names removed, {len(found.altered)} altered, {len(found.added)} added"
        summary += f"; not compared: {', '.join(found.unread[:5])}" if found.unread else ""
        evidence = bound(
            change, self.name, criterion="verification", state=state, summary=summary, facts={**facts, **counts}
        )
        return Collected(evidence=(evidence,))


def compared(change: Change) -> Difference:
    """What became of the public names of all changed source files."""
    removed: list[str] = []
    altered: list[str] = []
    added: list[str] = []
    unread: list[str] = []
    for file in change_summary(change):
        if file.kind not in ("source", "generated", "vendored") or is_test_file(file.path):
            continue
        before, after = (_names(side, file.path) for side in (change.base_file, change.result_file))
        if before is None or after is None:
            unread.append(file.path)
            continue
        removed += [f"{file.path}:{name}" for name in before if name not in after]
        added += [f"{file.path}:{name}" for name in after if name not in before and after[name] != KEPT]
        altered += [f"{file.path}:{name}" for name in before if _differs(before[name], after.get(name))]
    return Difference(removed=tuple(removed), altered=tuple(altered), added=tuple(added), unread=tuple(unread))


def _differs(before: str, after: str | None) -> bool:
    return after is not None and KEPT not in (before, after) and before != after


def _names(side: Callable[[str], bytes | None], path: str) -> dict[str, str] | None:
    """Public names to how they are used; None where the file cannot be read so."""
    raw = side(path)
    if raw is None:
        return {}
    return public_names(raw, path)
