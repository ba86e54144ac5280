"""Compares two states of one test: what the later one no longer checks. Text in, findings out."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from workbench.evidence.tampering.expressions import BROAD_EXCEPTIONS, OPPOSITE, STRONG, Check
from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.modules import RETRIES, SKIPS, XFAILS, Case, Mark
from workbench.model.evidence import Finding

MAX_PAIRED = 300  # changed checks of one test that are paired one by one; beyond it only their number counts
MIN_OVERLAP = 0.25  # share of names and literals that two checks must have in common to be the same check, rewritten


def compare(base: Case, result: Case, helpers: Mapping[str, int], others: Sequence[Case] = ()) -> Iterator[Finding]:
    """What `result` lost against `base`; `helpers` are functions that check, `others` tests that are new."""
    yield from _marks(base, result)
    yield from _body(base, result)
    yield from _effects(base, result)
    yield from _awaited(base, result)
    yield from _cases(base, result, others)
    yield from _fakes(base, result)
    yield from _checks(base, result, helpers, others)


def _added_marks(base: Case, result: Case) -> list[Mark]:
    known = Counter(mark.text for mark in base.marks)
    return [mark for mark in result.marks if not known[mark.text]]


def _marks(base: Case, result: Case) -> Iterator[Finding]:
    before = {mark.name: mark for mark in base.marks}
    for mark in _added_marks(base, result):
        if mark.name in SKIPS:
            yield found("skip-added", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif mark.name in XFAILS:
            yield found("xfail-added", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif mark.name in RETRIES:
            yield found("retry-added", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif mark.name == "timeout" and _grew(before.get("timeout"), mark):
            yield found("timeout-widened", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif _tries_less(before.get(mark.name), mark):
            yield found("property-weakened", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif mark.name == "seed" and mark.name not in before:
            yield found("seed-fixed", result.path, mark.line, detail=f"{result.name} {mark.text}")
        elif mark.name not in before and "." not in mark.text.partition("(")[0]:
            yield found("decorator-added", result.path, mark.line, detail=f"{result.name} @{mark.text}")


def _grew(before: Mark | None, after: Mark) -> bool:
    return before is not None and (after.number or 0) > (before.number or 0)


def _tries_less(before: Mark | None, after: Mark) -> bool:
    return (after.name == "settings" and _shrank(before, after)) or (after.name == "given" and _easier(before, after))


def _shrank(before: Mark | None, after: Mark) -> bool:
    if "max_examples" not in after.text:
        return False
    usual = 100.0  # Hypothesis' own default
    was = before.number if before is not None and before.number is not None else usual
    return (after.number or 0) < was


_NARROW = ("just(", "nothing(", "max_size=", "max_value=", "sampled_from(", ".filter(")


def _easier(before: Mark | None, after: Mark) -> bool:
    """Whether the examples of a property are drawn from less than before."""
    if before is None or before.text == after.text:
        return False
    return any(after.text.count(word) > before.text.count(word) for word in _NARROW)


_EFFECTS = {
    "cases": "case-removed",
    "sleep": "sleep-added",
    "seed": "seed-fixed",
    "set_seed": "seed-fixed",
    "manual_seed": "seed-fixed",
}
_WRITES = frozenset({"write_text", "write_bytes", "dump", "write", "copyfile"})


def _effects(base: Case, result: Case) -> Iterator[Finding]:
    """Waiting, fixed chance, discarded examples, and expectations that the test writes itself."""
    known = Counter(_called(text) for text in base.effects)
    for text in sorted(result.effects - base.effects):
        name = _called(text)
        if known[name]:
            known[name] -= 1
        elif name == "assume":
            yield found("property-weakened", result.path, result.line, detail=f"{result.name} {text}")
        elif name in _EFFECTS:
            yield found(_EFFECTS[name], result.path, result.line, detail=f"{result.name} {text}")
        elif name in _WRITES and _is_read_back(text, result):
            yield found("expectation-written", result.path, result.line, detail=f"{result.name} {text}")


def _called(text: str) -> str:
    return text.partition("(")[0].rpartition(".")[2]


def _is_read_back(text: str, case: Case) -> bool:
    """Whether what is written to is something that a check of the test reads."""
    names = _literals(text.partition("(")[0]) | (_literals(text) if _called(text) in ("dump", "copyfile") else set())
    read = [check for check in case.body.checks if "read" in str(check) or "load" in str(check)]
    return any(names & check.leaves - _WRITES for check in read)


def _awaited(base: Case, result: Case) -> Iterator[Finding]:
    marked = any(mark.name in ("asyncio", "anyio", "trio", "gen_test") for mark in result.marks)
    if result.is_async and not base.is_async and not marked:
        yield found("never-awaited", result.path, result.line, detail=result.name)


def _body(base: Case, result: Case) -> Iterator[Finding]:
    if result.body.returns_at and not base.body.returns_at:
        yield found("early-return", result.path, result.body.returns_at, detail=result.name)
    known = {kind for kind, _ in base.body.skips}
    for kind, line in result.body.skips:
        if kind not in known:
            name = {"skip": "skip-added", "xfail": "xfail-added", "exit": "exit-in-test"}[kind]
            yield found(name, result.path, line, detail=result.name)
    if result.body.yields and not base.body.yields:
        yield found("uncollected-test", result.path, result.line, detail=f"{result.name} became a generator")


def _cases(base: Case, result: Case, others: Sequence[Case]) -> Iterator[Finding]:
    elsewhere = Counter(value for other in others for value in other.values)
    removed = Counter(base.values) - Counter(result.values) - elsewhere
    added = Counter(result.values) - Counter(base.values)
    skipped = [value for value in added if "marks" in value and any(mark in value for mark in SKIPS | XFAILS)]
    for value in skipped:
        yield found("case-skipped", result.path, result.line, detail=f"{result.name} {value}")
    lost = removed.total() - added.total()
    if lost > 0:
        yield found("case-removed", result.path, result.line, detail=f"{result.name} {', '.join(sorted(removed))}")
    elif removed and not skipped:
        detail = f"{result.name} {', '.join(sorted(removed))} became {', '.join(sorted(added))}"
        yield found("expected-changed", result.path, result.line, detail=detail)


def _fakes(base: Case, result: Case) -> Iterator[Finding]:
    known = {target for target, _ in base.fakes}
    checked = {leaf for check in base.body.checks for leaf in check.leaves}
    for target, line in result.fakes:
        if target not in known:
            kind = "mocked-subject" if target.rpartition(".")[2] in checked else "mock-added"
            yield found(kind, result.path, line, detail=f"{result.name} {target}")


# --- checks ---------------------------------------------------------------------------------------------


def _checks(base: Case, result: Case, helpers: Mapping[str, int], others: Sequence[Case]) -> Iterator[Finding]:
    removed, added, kept = _split(base.body.checks, result.body.checks)
    for before, after in kept:
        yield from _stricter_conditions(before, after, result)
    if max(len(removed), len(added)) > MAX_PAIRED:
        if len(removed) > len(added):
            yield found("assert-removed", result.path, result.line, detail=f"{result.name}: {len(removed)} checks")
        return
    handed = [check for check in removed if _in_helper_call(check, result, helpers)]
    for check in handed:
        yield found("assert-rewritten", result.path, result.line, detail=f"{result.name}: {check}")
    removed = [check for check in removed if check not in handed]
    unpaired = []
    for was, now in _pairs(removed, added):
        if now is None:
            unpaired.append(was)
        else:
            yield from _stricter_conditions(was, now, result)
            yield from _weaker(was, now, result)
    for check in unpaired:
        yield from _lost(check, result, helpers, others)


Pair = tuple[Check, Check | None]


def _split(
    before: Sequence[Check], after: Sequence[Check]
) -> tuple[list[Check], list[Check], list[tuple[Check, Check]]]:
    """Checks only in `before`, only in `after`, and those in both, by form."""
    waiting: dict[tuple[str, str, str, float], list[Check]] = {}
    for check in after:
        waiting.setdefault(check.form, []).append(check)
    removed, kept = [], []
    for check in before:
        same = waiting.get(check.form)
        if same:
            kept.append((check, same.pop(0)))
        elif check.strength:
            removed.append(check)
    return removed, [check for rest in waiting.values() for check in rest], kept


def _pairs(removed: Sequence[Check], added: Sequence[Check]) -> Iterator[Pair]:
    """Each removed check with the added one that most likely took its place; None when there is none."""
    free = list(added)
    leaves = {id(check): check.leaves for check in (*removed, *added)}
    for check in removed:
        best = max(free, key=lambda other: _likeness(check, other, leaves), default=None)
        if best is None or _likeness(check, best, leaves)[0] < MIN_OVERLAP:
            yield check, None
            continue
        free.remove(best)
        yield check, best


def _likeness(one: Check, other: Check, leaves: Mapping[int, frozenset[str]]) -> tuple[float, bool, bool]:
    mine, theirs = leaves[id(one)], leaves[id(other)]
    shared = len(mine & theirs) / max(1, len(mine | theirs))
    if one.subject == other.subject:
        shared = 1.0
    if one.op == other.op == "raises":
        shared = max(shared, MIN_OVERLAP)
    return shared, one.op == other.op, one.value == other.value


def _stricter_conditions(before: Check, after: Check, result: Case) -> Iterator[Finding]:
    if after.swallowed and not before.swallowed:
        yield found("assert-swallowed", result.path, after.line, detail=f"{result.name}: {after}")
    if after.guards > before.guards:
        yield found("assert-guarded", result.path, after.line, detail=f"{result.name}: {after}")


def _weaker(before: Check, after: Check, result: Case) -> Iterator[Finding]:
    detail = f"{result.name}: {before} became {after}"
    yield found(_change_of(before, after), result.path, after.line, detail=detail)


def _change_of(before: Check, after: Check) -> str:
    if before.op == after.op == "raises":
        return _change_of_raises(before, after)
    if before.op == after.op and after.tolerance > before.tolerance:
        return "tolerance-widened"
    if OPPOSITE.get(before.op) == after.op and before.value == after.value:
        return "assert-inverted"
    if before.op == "eq" and after.op == "approx" and before.subject == after.subject:
        return "tolerance-widened"
    if after.strength < before.strength or _blurred(before, after):
        return "assert-weakened"
    if before.op == after.op and before.value != after.value and before.subject == after.subject:
        return "expected-changed"
    return "assert-rewritten"


_BLURRING = re.compile(r"\b(round|int|len|set|frozenset|sorted|bool|abs|type|str|repr)\(")
_BLURRED = re.compile(r"\.(lower|upper|strip|casefold|lstrip|rstrip|split|title|keys|count|replace|translate)\(")


def _blurred(before: Check, after: Check) -> bool:
    """Whether the later check looks at the same thing through a function that makes different things alike."""
    one, other = before.subject, after.subject
    if one == other or one not in other:
        return False
    around = other.replace(one, "", 1)
    return bool(_BLURRING.search(around) or _BLURRED.search(around))


def _change_of_raises(before: Check, after: Check) -> str:
    was, now = set(before.subject.split(", ")), set(after.subject.split(", "))
    broad = bool(now & BROAD_EXCEPTIONS) or not after.subject
    unmatched = bool(before.value) and not after.value
    if broad or now > was or unmatched:
        return "raises-broadened"
    return "expected-changed" if was != now else "assert-rewritten"


def _lost(check: Check, result: Case, helpers: Mapping[str, int], others: Sequence[Case]) -> Iterator[Finding]:
    if still_checked(check, [result, *others], helpers):
        yield found("assert-rewritten", result.path, result.line, detail=f"{result.name}: {check}")
        return
    yield found("assert-removed", result.path, result.line, detail=f"{result.name}: {check}")


def still_checked(check: Check, tests: Sequence[Case], helpers: Mapping[str, int]) -> bool:
    """Whether one of `tests` still makes the check: merged into a larger one, through a helper, or as a case."""
    leaves = check.leaves
    for test in tests:
        if check.form in test.forms or _in_helper_call(check, test, helpers):
            return True
        for other in test.body.checks:
            if other.strength < min(check.strength, STRONG):
                continue
            if other.op == check.op and (leaves <= other.leaves or _as_case(leaves, other, test)):
                return True
    return False


def _as_case(leaves: frozenset[str], other: Check, test: Case) -> bool:
    """Whether a parametrised check makes the check that has `leaves` for one of its cases."""
    fixed = other.leaves - test.parameters
    if not test.parameters or not fixed <= leaves:
        return False
    return any(leaves - fixed <= _literals(value) for value in test.values)


def _in_helper_call(check: Check, test: Case, helpers: Mapping[str, int]) -> bool:
    """Whether the test hands the check's values to a function that checks at least as strictly."""
    called = [name for name, strength in helpers.items() if strength >= check.strength and f"{name}(" in test.text]
    if not called:
        return False
    for node in ast.walk(ast.parse(test.text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in called:
            given = _literals(ast.unparse(node))
            literals = {leaf for leaf in check.leaves if not leaf.isidentifier()}
            if literals <= given and check.leaves & given:
                return True
    return False


def _literals(source: str) -> frozenset[str]:
    return Check("", source, "", 0, 0).leaves
