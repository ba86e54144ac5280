"""Versions of one brief side by side: what the evidence says of each, row by row, with the best of each row. Pure.

It ranks nothing as a whole and decides nothing: which version is taken is a person's to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from workbench.artifacts.pack_parts import MergePack
from workbench.core.state import PackState, RunState
from workbench.model.evidence import CRITERIA, PASSED
from workbench.model.instants import seconds_between

_VERDICTS = {"ready": 2, "needs-human": 1, "not-ready": 0}
_MEASURED = {  # evidence: the fact that tells it in a number, and whether more of it is better
    "tests.result": ("tests", None, True),
    "coverage.changed": ("coverage of changed lines", "percent", True),
    "mutation.changed": ("mutation of changed lines", "noticed", True),
}
_SEVERE = ("critical", "high", "medium")


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version: its run, and its newest pack where there is one. The document is the pack, whole."""

    run: RunState
    pack: PackState | None = None
    document: MergePack | None = None


class CompareRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row: words for each version, and the numbers (from 0) of those that are best; none where all are alike."""

    name: str
    values: tuple[str, ...]
    best: tuple[int, ...] = ()
    differs: bool = False


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a mission in the order of their runs."""

    id: str  # of the mission
    versions: tuple[str, ...]  # runs
    packs: tuple[str, ...]  # empty where there is none yet
    rows: tuple[CompareRow, ...]
    not_checked: tuple[str, ...] = ("whether the versions behave alike: none was run against the tests of another",)
    kind: str = "comparison"
    schema: int = 1


def compared(mission: str, versions: Sequence[Version]) -> Comparison:
    """The matrix of evidence."""
    return Comparison(
        id=mission,
        versions=tuple(one.run.id for one in versions),
        packs=tuple(one.pack.id if one.pack is not None else "" for one in versions),
        rows=tuple(_rows(versions)),
    )


def _rows(versions: Sequence[Version]) -> Iterator[CompareRow]:
    yield _row("verdict", versions, lambda one: one.pack.verdict if one.pack else "no pack yet", _verdict_rank)
    for name in CRITERIA:
        yield _row(name, versions, lambda one, name=name: _criterion(one, name)[0], _criterion_rank(name))  # type: ignore[misc]  # the name is bound
    for kind, (title, fact, more) in _MEASURED.items():
        yield _row(title, versions, _summary(kind), _fact_rank(kind, fact, more=more))
    yield _row("findings", versions, _findings, _findings_rank)
    yield _row("changed lines", versions, _size, _size_rank)
    yield _row("files", versions, _counted(lambda doc: len(doc.changes)), _less(lambda doc: len(doc.changes)))
    yield _row(
        "public names and callers",
        versions,
        _counted(lambda doc: len(doc.surface)),
        _less(lambda doc: len(doc.surface)),
    )
    yield _row(
        "not checked", versions, _counted(lambda doc: len(doc.not_checked)), _less(lambda doc: len(doc.not_checked))
    )
    yield _row("cost", versions, lambda one: f"${one.run.cost_usd:.2f}", lambda one: -one.run.cost_usd)
    yield _row("tokens", versions, lambda one: f"{one.run.tokens:,}", lambda one: -one.run.tokens)
    yield _row("minutes", versions, _minutes, lambda _: None)


def _row(
    name: str,
    versions: Sequence[Version],
    words: Callable[[Version], str],
    rank: Callable[[Version], float | None],
) -> CompareRow:
    values = tuple(words(one) for one in versions)
    ranks = [rank(one) for one in versions]
    known = [value for value in ranks if value is not None]
    best: tuple[int, ...] = ()
    if len(known) > 1 and max(known) > min(known):
        best = tuple(at for at, value in enumerate(ranks) if value == max(known))
    return CompareRow(name=name, values=values, best=best, differs=len(set(values)) > 1)


def _verdict_rank(one: Version) -> float | None:
    return _VERDICTS.get(one.pack.verdict) if one.pack else None


def _criterion(one: Version, name: str) -> tuple[str, str]:
    """What is said of a criterion, and its state."""
    if one.document is None:
        return "", ""
    found = next((item for item in one.document.criteria if item.name == name), None)
    return (f"{found.state}: {found.summary}" if found.summary else found.state, found.state) if found else ("", "")


def _criterion_rank(name: str) -> Callable[[Version], float | None]:
    def rank(one: Version) -> float | None:
        state = _criterion(one, name)[1]
        return float(state == PASSED) if state else None

    return rank


def _summary(kind: str) -> Callable[[Version], str]:
    def words(one: Version) -> str:
        if one.document is None:
            return ""
        found = next((item for item in one.document.evidence if item.kind == kind), None)
        return f"{found.state}: {found.summary}" if found else "not checked"

    return words


def _fact_rank(kind: str, fact: str | None, *, more: bool) -> Callable[[Version], float | None]:
    def rank(one: Version) -> float | None:
        found = next((item for item in one.document.evidence if item.kind == kind), None) if one.document else None
        if found is None:
            return None
        value = float(found.state == PASSED) if fact is None else _number(found.facts, fact)
        return value if value is None or more else -value

    return rank


def _number(facts: Mapping[str, Any], name: str) -> float | None:
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _findings(one: Version) -> str:
    if one.document is None:
        return ""
    severities: Counter[str] = Counter(finding.severity for finding in one.document.findings)
    return ", ".join(f"{severities[name]} {name}" for name in (*_SEVERE, "low", "info") if severities[name]) or "none"


def _findings_rank(one: Version) -> float | None:
    if one.document is None:
        return None
    return -sum(
        1000.0 ** (len(_SEVERE) - _SEVERE.index(found.severity))
        for found in one.document.findings
        if found.severity in _SEVERE
    )


def _lines(document: MergePack) -> int:
    return sum(change.added + change.removed for change in document.changes)


def _size(one: Version) -> str:
    if one.document is None:
        return ""
    added, removed = (sum(getattr(change, side) for change in one.document.changes) for side in ("added", "removed"))
    return f"+{added} -{removed}"


def _size_rank(one: Version) -> float | None:
    return None if one.document is None else -float(_lines(one.document))


def _counted(count: Callable[[MergePack], int]) -> Callable[[Version], str]:
    return lambda one: "" if one.document is None else str(count(one.document))


def _less(count: Callable[[MergePack], int]) -> Callable[[Version], float | None]:
    return lambda one: None if one.document is None else -float(count(one.document))


def _minutes(one: Version) -> str:
    if one.pack is None or not one.pack.submitted_at or not one.run.queued_at:
        return ""
    return f"{max(0.0, seconds_between(one.run.queued_at, one.pack.submitted_at)) / 60:.0f}"
