"""What of a change to read first, and why: each file by the gravest reason for it, mechanical edits last. Pure.

The reasons come from findings, from coverage, and from what the structural evidence saw in the changed lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from workbench.artifacts.mergepack import Change, ReadingItem
from workbench.model.evidence import Evidence, Finding
from workbench.model.text import one_line

Group = Literal["first", "changed", "tests", "mechanical"]
GROUPS: tuple[Group, ...] = ("first", "changed", "tests", "mechanical")
MADE = ("generated", "lock", "binary", "vendored", "snapshot")
MAX_REASONS = 4  # told of one file
MAX_NAMES = 3  # of entities, within a reason
MAX_DETAIL = 80  # cells of what a sign quotes
FIRST = 40  # the weight from which on a file is to be read first
PLAIN = 20  # the weight of what says no more than what kind of file it is
GRAVE = 90  # the weight that lifts even what is mechanical
_SEVERITIES = {"critical": 96, "high": 94, "medium": 48}
_SIGNS: dict[str, tuple[int, str]] = {
    "swallowed": (85, "an error is swallowed"),
    "unlocked": (84, "a lock is gone"),
    "security": (80, "security-sensitive code changed"),
    "locking": (73, "locking changed"),
    "concurrency": (72, "what runs at the same time changed"),
    "unraised": (70, "an error is no longer raised"),
    "migration": (66, "a migration"),
    "schema": (64, "a schema changed"),
    "panics": (52, "it may panic now"),
    "errors": (46, "error handling changed"),
    "rules": (45, "rules of the repository changed"),
    "pipeline": (44, "what builds and checks it changed"),
    "dependencies": (43, "dependencies changed"),
    "configuration": (41, "configuration changed"),
}
_LOSES_DATA = 87
_PLAIN = {"source": (20, "changed code"), "configuration": (15, "configuration"), "test": (10, "tests")}
_MENDED_OFTEN = 3  # of a file's last commits, from which on it is said


class Reason(NamedTuple):
    """Why to read a file, where, and how much that weighs."""

    weight: int
    words: str
    line: int = 0


def reading_list(
    changes: Sequence[Change],
    findings: Sequence[Finding],
    *,
    uncovered: Mapping[str, Sequence[int]],
    evidence: Sequence[Evidence] = (),
) -> Iterator[ReadingItem]:
    """What to read, riskiest first; then the rest, then tests, and last what is mechanical or made."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.path, []).append(finding)
    facts = next((piece.facts for piece in evidence if piece.kind == "structure"), {})
    ranked = []
    for change in changes:
        reasons = sorted(
            _reasons(change, found.get(change.path, []), uncovered.get(change.path, ()), facts),
            key=lambda reason: -reason.weight,
        )
        ranked.append((_group(change, reasons), reasons, change))
    ranked.sort(key=lambda each: (GROUPS.index(each[0]), *_order(each[1]), -each[2].added, each[2].path))
    for group, reasons, change in ranked:
        said = [reason for reason in reasons if reason.weight > PLAIN] or reasons[:1]
        told = list(dict.fromkeys(reason.words for reason in said))[:MAX_REASONS]
        line = next((reason.line for reason in reasons if reason.line), 0)
        yield ReadingItem(path=change.path, why="; ".join(told), line=line, group=group)


def _order(reasons: Sequence[Reason]) -> tuple[int, int]:
    return -reasons[0].weight, -sum(reason.weight for reason in reasons)


def _group(change: Change, reasons: Sequence[Reason]) -> Group:
    weight = reasons[0].weight
    if weight >= GRAVE:
        return "first"
    if change.is_mechanical or change.kind in MADE:
        return "mechanical"
    if change.kind == "test":
        return "tests"
    return "first" if weight >= FIRST else "changed"


def _reasons(
    change: Change, findings: Sequence[Finding], untested: Sequence[int], facts: Mapping[str, Any]
) -> Iterator[Reason]:
    """All of them; there is always one."""
    yield from _of_findings(findings)
    if change.kind in MADE:
        yield Reason(1, f"{change.kind}: skim")
    elif change.is_mechanical:
        yield Reason(2, f"mechanical: all {change.mechanical} lines are a rename, a move or a new layout")
    elif change.kind == "test":
        yield Reason(*_PLAIN["test"])
    else:
        yield from _of_code(change, findings, untested)
        says = any(finding.kind.startswith("dangerous") and finding.severity in _SEVERITIES for finding in findings)
        yield from _of_signs(_list(facts, "signs", change.path), is_security_said=says)
        yield from _of_history(facts, change.path)


def _of_findings(findings: Sequence[Finding]) -> Iterator[Reason]:
    for finding in findings:
        if finding.blocking:
            yield Reason(100, finding.text, finding.line)
        elif finding.severity in _SEVERITIES:
            yield Reason(_SEVERITIES[finding.severity], finding.text, finding.line)


def _of_code(change: Change, findings: Sequence[Finding], untested: Sequence[int]) -> Iterator[Reason]:
    if untested:
        yield Reason(75, f"{_many(len(untested), 'changed line')} that no test ran", untested[0])
    survived = [finding for finding in findings if finding.kind == "mutation.survived"]
    if survived:
        yield Reason(68, f"{_many(len(survived), 'fault')} in changed lines that no test notices", survived[0].line)
    if change.api:
        yield Reason(60, f"public interface changed: {_names(change.api)}")
    elif change.public:
        yield Reason(42, f"public code changed: {_names(change.public)}")
    yield Reason(*_PLAIN.get(change.kind, (5, change.kind or "other")))


def _of_signs(signs: Sequence[Any], *, is_security_said: bool) -> Iterator[Reason]:
    names = Counter(str(sign.get("name")) for sign in signs if isinstance(sign, dict))
    for sign in signs:
        name = str(sign.get("name")) if isinstance(sign, dict) else ""
        if name not in _SIGNS or (name == "security" and is_security_said) or (name == "errors" and names["swallowed"]):
            continue
        weight, words = _SIGNS[name]
        detail, line = one_line(str(sign.get("detail", "")), MAX_DETAIL), sign.get("line")
        if detail.startswith("can lose data"):
            weight = _LOSES_DATA
        yield Reason(weight, f"{words}: {detail}" if detail else words, line if isinstance(line, int) else 0)


def _of_history(facts: Mapping[str, Any], path: str) -> Iterator[Reason]:
    history = facts.get("history")
    known = history.get(path) if isinstance(history, dict) else None
    commits, mends = (known.get("commits"), known.get("mends")) if isinstance(known, dict) else (0, 0)
    if isinstance(commits, int) and isinstance(mends, int) and mends >= _MENDED_OFTEN:
        yield Reason(55 if mends * 3 >= commits else 30, f"{mends} of its last {commits} commits are fixes")


def _list(facts: Mapping[str, Any], name: str, path: str) -> Sequence[Any]:
    by_path = facts.get(name)
    found = by_path.get(path) if isinstance(by_path, dict) else None
    return found if isinstance(found, list | tuple) else ()


def _names(names: Sequence[str]) -> str:
    left = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {left} more" if left > 0 else "")


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
