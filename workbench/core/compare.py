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
from workbench.model.evidence import CRITERIA, PASSED, Evidence
from workbench.model.instants import seconds_between

_VERDICTS = {"ready": 2, "needs-human": 1, "not-ready": 0}
_MEASURED = {  # evidence: the fact that tells it in a number, and whether more of it is better
    "tests.result": ("tests", None, True),
    "coverage.changed": ("coverage of changed lines", "percent", True),
    "mutation.changed": ("mutation of changed lines", "percent", True),
}
_MOST_NAMED = 2  # lines of what a change does to others, and pairs that were not run, in one line
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


class Crossed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a version that was run against the tests that another one brought (`tests.crossed`)."""

    pack: str  # whose result was run
    tests_of: str  # the pack whose tests they are
    evidence: Evidence


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """A test that the version which brought it passes, and another does not."""

    test: str
    tests_of: str  # the pack that brought it
    fails: tuple[str, ...] = ()  # packs
    does_not_load: tuple[str, ...] = ()  # packs in which it could not even be set up


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a mission in the order of their runs."""

    id: str  # of the mission
    versions: tuple[str, ...]  # runs
    packs: tuple[str, ...]  # empty where there is none yet
    rows: tuple[CompareRow, ...]
    files: tuple[CompareRow, ...] = ()  # the lines that each version changes in a file; empty where it does not
    disagreements: tuple[Disagreement, ...] = ()
    crossed: bool = False  # whether any was run against the tests of another
    not_checked: tuple[str, ...] = ()
    kind: str = "comparison"
    schema: int = 1


def compared(mission: str, versions: Sequence[Version], crossed: Sequence[Crossed] = ()) -> Comparison:
    """The matrix of evidence, with what came of the versions' tests on each other where they were run."""
    return Comparison(
        id=mission,
        versions=tuple(one.run.id for one in versions),
        packs=tuple(one.pack.id if one.pack is not None else "" for one in versions),
        rows=(*_crossed_rows(versions, crossed), *_rows(versions)),
        files=tuple(_files(versions)),
        disagreements=tuple(_disagreements(versions, crossed)),
        crossed=bool(crossed),
        not_checked=tuple(_not_crossed(versions, crossed)),
    )


def _rows(versions: Sequence[Version]) -> Iterator[CompareRow]:
    yield _row("verdict", versions, lambda one: one.pack.verdict if one.pack else "no pack yet", _verdict_rank)
    for name in CRITERIA:
        yield _row(name, versions, lambda one, name=name: _criterion(one, name)[0], _criterion_rank(name))  # type: ignore[misc]  # the name is bound
    for kind, (title, fact, more) in _MEASURED.items():
        yield _row(title, versions, _summary(kind), _fact_rank(kind, fact, more=more))
    yield _row("complexity", versions, _complexity, _complexity_rank)
    yield _row("findings", versions, _findings, _findings_rank)
    yield _row("changed lines", versions, _size, _size_rank)
    yield _row("files", versions, _counted(lambda doc: len(doc.changes)), _less(lambda doc: len(doc.changes)))
    yield _row("public names and callers", versions, _surface, _less(lambda doc: len(doc.surface)))
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
    return CompareRow(name=name, values=values, best=_best(versions, ranks), differs=len(set(values)) > 1)


def _best(versions: Sequence[Version], ranks: Sequence[float | None]) -> tuple[int, ...]:
    """The best of those that could be picked, where another version is worse. One that is not ready is no praise."""
    open_to_pick = [at for at, one in enumerate(versions) if one.pack is not None and one.pack.verdict != "not-ready"]
    known = [value for value in ranks if value is not None]
    top = max((value for at in open_to_pick if (value := ranks[at]) is not None), default=None)
    if top is None or top <= min(known):
        return ()
    return tuple(at for at in open_to_pick if ranks[at] == top)


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


def _complexity(one: Version) -> str:
    if one.document is None:
        return ""
    if not any(item.kind == "growth" for item in one.document.evidence):
        return "not checked"
    counted = Counter(finding.kind for finding in one.document.findings)
    return f"{counted['growth.complexity']} hard to follow, {counted['growth.copied']} written twice"


def _complexity_rank(one: Version) -> float | None:
    if one.document is None or not any(item.kind == "growth" for item in one.document.evidence):
        return None
    return -float(sum(finding.kind.startswith("growth.") for finding in one.document.findings))


def _surface(one: Version) -> str:
    if one.document is None:
        return ""
    if not any(item.kind == "structure" and item.state == PASSED for item in one.document.evidence):
        return "not checked"
    told = one.document.surface
    return f"{len(told)}: {'; '.join(told[:_MOST_NAMED])}{' ...' if len(told) > _MOST_NAMED else ''}" if told else "0"


def _lines(document: MergePack) -> int:
    return sum(change.added + change.removed for change in document.changes)


def _size(one: Version) -> str:
    if one.document is None:
        return ""
    added, removed = (sum(getattr(change, side) for change in one.document.changes) for side in ("added", "removed"))
    return f"+{added} -{removed}"


def _size_rank(one: Version) -> float | None:
    return None if one.document is None else -float(_lines(one.document))


def _files(versions: Sequence[Version]) -> Iterator[CompareRow]:
    changed = [
        {change.path: f"+{change.added} -{change.removed}" for change in one.document.changes} if one.document else {}
        for one in versions
    ]
    for path in sorted({path for paths in changed for path in paths}):
        values = tuple(paths.get(path, "") for paths in changed)
        yield CompareRow(name=path, values=values, differs=len(set(values)) > 1)


def _counted(count: Callable[[MergePack], int]) -> Callable[[Version], str]:
    return lambda one: "" if one.document is None else str(count(one.document))


def _less(count: Callable[[MergePack], int]) -> Callable[[Version], float | None]:
    return lambda one: None if one.document is None else -float(count(one.document))


def _minutes(one: Version) -> str:
    if one.pack is None or not one.pack.submitted_at or not one.run.queued_at:
        return ""
    return f"{max(0.0, seconds_between(one.run.queued_at, one.pack.submitted_at)) / 60:.0f}"


# --- each other's tests -----------------------------------------------------------------------------------------------


def _crossed_rows(versions: Sequence[Version], crossed: Sequence[Crossed]) -> Iterator[CompareRow]:
    """A row for the tests of each version that were run on another."""
    found = {(one.tests_of, one.pack): one.evidence for one in crossed}
    for owner in [one.pack.id for one in versions if one.pack is not None]:
        if not any(tests_of == owner for tests_of, _ in found):
            continue

        def words(one: Version, owner: str = owner) -> str:
            if one.pack is None:
                return ""
            if one.pack.id == owner:
                return "its own"
            evidence = found.get((owner, one.pack.id))
            return "not run" if evidence is None else f"{evidence.state}: {_tally(evidence)}"

        def rank(one: Version, owner: str = owner) -> float | None:
            evidence = found.get((owner, one.pack.id)) if one.pack is not None else None
            return None if evidence is None or evidence.state not in (PASSED, "failed") else -float(_unhappy(evidence))

        yield _row(f"tests of {owner}", versions, words, rank)


def _tally(evidence: Evidence) -> str:
    counts = evidence.facts.get("counts")
    told = [f"{count} {name}" for name, count in counts.items() if count] if isinstance(counts, dict) else []
    return ", ".join(told) or evidence.summary


def _unhappy(evidence: Evidence) -> int:
    return len(_ids(evidence, "failed")) + len(_ids(evidence, "error"))


def _ids(evidence: Evidence, name: str) -> list[str]:
    listed = evidence.facts.get(name)
    return [str(test) for test in listed] if isinstance(listed, list | tuple) else []


def _disagreements(versions: Sequence[Version], crossed: Sequence[Crossed]) -> Iterator[Disagreement]:
    """By version and test. What fails in the version that brought it, too, is no disagreement."""
    own = {one.pack.id: _own_failures(one) for one in versions if one.pack is not None}
    failing: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for one in crossed:
        for place, name in enumerate(("failed", "error")):
            for test in _ids(one.evidence, name):
                if one.tests_of in own and test not in own[one.tests_of]:
                    failing.setdefault((one.tests_of, test), ([], []))[place].append(one.pack)
    for (tests_of, test), (fails, broken) in sorted(failing.items()):
        yield Disagreement(test=test, tests_of=tests_of, fails=tuple(fails), does_not_load=tuple(broken))


def _own_failures(one: Version) -> set[str]:
    items = one.document.evidence if one.document is not None else ()
    result = next((item for item in items if item.kind == "tests.result"), None)
    return {*_ids(result, "new_failures"), *_ids(result, "known_failures")} if result is not None else set()


def _not_crossed(versions: Sequence[Version], crossed: Sequence[Crossed]) -> Iterator[str]:
    """Which pairs nobody ran, or could not be run."""
    there = [one.pack.id for one in versions if one.pack is not None and one.document is not None]
    missing = {(owner, name) for owner in there for name in there if owner != name}
    missing -= {(one.tests_of, one.pack) for one in crossed}
    if missing and not crossed:
        yield "whether the versions behave alike: none was run against the tests of another"
    elif missing:
        named = [f"{name} against the tests of {owner}" for owner, name in sorted(missing)]
        more = f" and {len(named) - _MOST_NAMED} more pairs" if len(named) > _MOST_NAMED else ""
        yield f"{', '.join(named[:_MOST_NAMED])}{more}: not run"
    for one in crossed:
        if one.evidence.state not in (PASSED, "failed"):
            yield f"{one.pack} against {one.evidence.summary}"
