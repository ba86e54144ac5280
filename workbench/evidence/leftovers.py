"""What a change adds that nothing uses, and what it took the last use of; notes for a reader, never required."""

from __future__ import annotations

from workbench.code.languages import language_of
from workbench.code.parsing import together
from workbench.code.unused import unused
from workbench.model.evidence import Finding
from workbench.ports import Change

MAX_BYTES = 16_000_000  # of the changed files together, from which on nothing is looked for
MAX_FINDINGS = 30
KIND = "growth.unused"


def leftovers(change: Change) -> tuple[Finding, ...]:
    """A finding of low severity for each, with file and line."""
    paths = [path for _, path in change.changed_paths() if language_of(path)]
    sides = {path: (change.base_file(path), change.result_file(path)) for path in paths}
    if sum(len(data) for pair in sides.values() for data in pair if data) > MAX_BYTES:
        return ()
    made = []
    with together():
        found = list(unused(sides))
    for each in found:
        why = "nothing uses it any more" if each.was_used else "it is new, and nothing uses it"
        text = f"The {each.kind} {each.name} can go: {why}"
        made.append(Finding(kind=KIND, severity="low", text=text, path=each.path, line=each.line, evidence="growth"))
    return tuple(made[:MAX_FINDINGS])
