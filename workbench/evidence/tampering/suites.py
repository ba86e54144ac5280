"""Follows Python tests from base to result, also when they were renamed, moved, merged or split; names what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.modules import SKIPS, XFAILS, Case, Module
from workbench.evidence.tampering.weakening import compare, still_checked
from workbench.model.evidence import Finding

MIN_SAME = 0.5  # share of its checks by which a test of another name counts as the same test, renamed


@dataclass(frozen=True)
class Suites:
    """The changed test modules, by path, as they stood and as they stand; `gone` are deleted files."""

    base: Mapping[str, Module]
    result: Mapping[str, Module]
    gone: frozenset[str]
    loose: Mapping[str, Module]  # changed Python files of the result that are not collected
    aside: Mapping[str, Module] = field(default_factory=dict)  # Python files of base's tests that hold none
    left_out: frozenset[str] = frozenset()  # marks whose tests the configuration leaves out


def lost_tests(suites: Suites) -> Iterator[Finding]:
    """Every test of base that is gone, hidden, renamed away or checks less."""
    helpers = _helpers(suites)
    known = {(path, name) for path, module in suites.base.items() for name in module.cases}
    new = [c for path, m in suites.result.items() for name, c in m.cases.items() if (path, name) not in known]
    lost: dict[str, list[Case]] = {}
    taken: set[int] = set()
    for path, module in suites.base.items():
        for case in module.cases.values():
            same = _same(case, suites, new, taken)
            if same is not None:
                taken.add(id(same))
                yield from compare(case, same, helpers, new)
                yield from _left_out(case, same, suites.left_out)
            elif not _checked_elsewhere(case, new, helpers):
                lost.setdefault(path, []).append(case)
    for path, cases in lost.items():
        yield from _name_lost(path, cases, suites)
    yield from _hidden(suites)
    yield from _weaker_helpers(suites, helpers)
    yield from _replaced(suites)
    yield from _trivial(new)


def _left_out(case: Case, same: Case, marks: frozenset[str]) -> Iterator[Finding]:
    known = {mark.name for mark in case.marks}
    for mark in same.marks:
        if mark.name in marks - known:
            yield found("deselecting-mark", same.path, mark.line, detail=f"{same.name} {mark.text}")


_LOSSES = frozenset(
    {"assert-removed", "assert-weakened", "assert-inverted", "assert-guarded", "assert-swallowed", "early-return"}
    | {"tolerance-widened", "raises-broadened", "expected-changed"}
)


def _weaker_helpers(suites: Suites, helpers: Mapping[str, int]) -> Iterator[Finding]:
    """Functions that check for several tests, as they stood and as they stand, also in another file."""
    modules = (*suites.result.values(), *suites.loose.values())
    for path, module in (*suites.aside.items(), *suites.base.items()):
        for name, helper in module.helpers.items():
            if not helper.forms:
                continue
            here = suites.result.get(path) or suites.loose.get(path)
            places = ([here] if here is not None else []) + list(modules)
            same = next((other.helpers[name] for other in places if name in other.helpers), None)
            losses = [] if same is None else [f for f in compare(helper, same, helpers) if _is_loss(f)]
            if same is not None and losses:
                yield found("helper-weakened", same.path, losses[0].line, detail=losses[0].text)


def _is_loss(finding: Finding) -> bool:
    return finding.kind.removeprefix("tampering.") in _LOSSES


def _replaced(suites: Suites) -> Iterator[Finding]:
    """Names that a test took from the program, and that now come from the tests themselves."""
    for path, before in suites.base.items():
        after = suites.result.get(path)
        if after is None:
            continue
        checked = {leaf for case in after.cases.values() for check in case.body.checks for leaf in check.leaves}
        for name, place in before.sources.items():
            now = after.sources.get(name, "")
            own = name in after.defined and name not in before.defined
            if name in checked and not _of_tests(place) and (own or (now != place and _of_tests(now))):
                yield found("subject-replaced", path, after.defined.get(name, 0), detail=f"{name} of {place}")


def _of_tests(place: str) -> bool:
    """Whether a module belongs to the tests, by its name."""
    return place.startswith(".") or place.partition(".")[0] in ("tests", "test", "conftest", "testing")


def _helpers(suites: Suites) -> dict[str, int]:
    helpers: dict[str, int] = {}
    for module in (*suites.result.values(), *suites.loose.values()):
        for name, strength in module.asserting.items():
            helpers[name] = min(strength, helpers.get(name, strength))
    return helpers


def _same(case: Case, suites: Suites, new: Sequence[Case], taken: set[int]) -> Case | None:
    """The test of the result that is `case`: by name in its file, by name in another, by what it checks."""
    here = suites.result.get(case.path)
    if here is not None and case.name in here.cases:
        return here.cases[case.name]
    free = [other for other in new if id(other) not in taken]
    simple = case.name.rpartition(".")[2]
    for other in free:
        if other.name.rpartition(".")[2] == simple and _overlap(case, other) >= MIN_SAME:
            return other
    best = max(free, key=lambda other: _overlap(case, other), default=None)
    return best if best is not None and _overlap(case, best) >= MIN_SAME else None


def _overlap(case: Case, other: Case) -> float:
    if not case.forms:
        return float(case.text == other.text)
    return len(case.forms & other.forms) / len(case.forms)


def _checked_elsewhere(case: Case, new: Sequence[Case], helpers: Mapping[str, int]) -> bool:
    checks = [check for check in case.body.checks if check.strength]
    return bool(checks) and all(still_checked(check, new, helpers) for check in checks)


def _name_lost(path: str, cases: Sequence[Case], suites: Suites) -> Iterator[Finding]:
    loose = {name.rpartition(".")[2].lstrip("_") for module in suites.loose.values() for name in module.uncollected}
    loose |= {name.rpartition(".")[2] for module in suites.loose.values() for name in module.cases}
    here = suites.result.get(path)
    own = set() if here is None else {name.rpartition(".")[2] for name in here.uncollected}
    deleted = []
    for case in cases:
        simple = case.name.rpartition(".")[2]
        renamed = simple in loose or any(simple in name or name in simple for name in own if len(name) > 3)
        if renamed or (here is not None and _same_lines(case, here)):
            yield found("uncollected-test", path, case.line, detail=case.name)
        else:
            deleted.append(case)
    if path in suites.gone and deleted:
        yield found("deleted-test-file", path, detail=", ".join(case.name for case in deleted))
        return
    for case in deleted:
        yield found("deleted-test", path, detail=case.name)


def _same_lines(case: Case, module: Module) -> bool:
    stripped = case.name.rpartition(".")[2].removeprefix("test").strip("_")
    return bool(stripped) and any(stripped in name for name in module.uncollected)


def _hidden(suites: Suites) -> Iterator[Finding]:
    for path, module in suites.result.items():
        before = suites.base.get(path)
        shadowed = set() if before is None else {name for name, _ in before.shadowed}
        rebound = set() if before is None else {name for name, _ in before.rebound}
        for name, line in module.shadowed:
            if name not in shadowed:
                yield found("shadowed-test", path, line, detail=name)
        for name, line in module.guarded.items():
            tests = set() if before is None else {test.partition(".")[0] for test in before.cases}
            if before is not None and name in tests and name not in before.guarded:
                yield found("test-guarded", path, line, detail=name)
        for name, line in module.rebound:
            if name not in rebound:
                yield found("rebound-test", path, line, detail=name)


def _trivial(new: Sequence[Case]) -> Iterator[Finding]:
    for case in new:
        if case.body.checks and not any(check.strength for check in case.body.checks):
            yield found("assert-trivial", case.path, case.line, detail=case.name)
        for mark in case.marks:
            if mark.name in SKIPS | XFAILS:
                detail = f"the new test {case.name}: {mark.text}"
                kind = "skip-added" if mark.name in SKIPS else "xfail-added"
                yield found(kind, case.path, mark.line, detail=detail, blocking=False)
