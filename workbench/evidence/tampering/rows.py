"""Compares lines of tests in languages that are read by patterns: changed expectations, lost cases, answers by rote."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from workbench.evidence.tampering.kinds import found
from workbench.evidence.tampering.rote import is_particular
from workbench.model.evidence import Finding

MAX_LINE = 300  # characters of a line that patterns look at
MAX_LINES = 20_000
_ROW = re.compile(r"^\s*[\[{(]\s*(.*?)\s*[\]})]\s*,?\s*$")
_EXPECTS = re.compile(
    r"^\s*(?P<subject>expect\(.+\)(?:\.not)?)\.(?P<matcher>to\w+)\((?P<value>.*)\);?\s*$"
    r"|^\s*(?P<call>assert\w*(?:\.\w+)?!?)\((?P<first>[^,]+),\s*(?P<rest>.+)\);?\s*$"
    r"|^\s*if\s+(?P<got>.+?)\s*!=\s*(?P<want>.+?)\s*\{\s*$"
)
_LITERAL = re.compile(r"\"((?:[^\"\\]|\\.){3,200})\"|'((?:[^'\\]|\\.){3,200})'|`([^`$\n]{3,200})`")
_BRANCH = re.compile(
    r"(?:\bif ?\(? ?\w[\w.]{0,60} ?={2,3} ?|\bcase )([\"'`])(?P<asked>[^\"'`\n]{3,200})\1 ?\)?"
    r"\s{0,40}[{:]?\s{0,40}return (?:[\"'`\d\[{]|true|false|null|nil)"
)


def changed_checks(path: str, before: str, after: str) -> Iterator[Finding]:
    """Checks whose expected value changed, and cases of tables that are gone or expect something else."""
    old, new = _lines(before), _lines(after)
    gone, fresh = old - new, new - old
    yield from _expectations(path, gone, fresh)
    lost = [row for line in gone if (row := _row(line))]
    added = [row for line in fresh if (row := _row(line))]
    if len(lost) > len(added):
        yield found("case-removed", path, detail="; ".join(sorted(lost)))
    elif lost and {_first(row) for row in lost} & {_first(row) for row in added}:
        yield found("expected-changed", path, detail=f"{'; '.join(sorted(lost))} became {'; '.join(sorted(added))}")


def _lines(text: str) -> Counter[str]:
    return Counter(line.strip()[:MAX_LINE] for line in text.split("\n")[:MAX_LINES] if line.strip())


def _row(line: str) -> str:
    """A row of a table of cases: brackets around literals; empty when the line is none."""
    match = _ROW.match(line)
    return match[1] if match and re.search(r"[\"'`]|\d", match[1]) and "," in match[1] and "=>" not in line else ""


def _first(row: str) -> str:
    literal = _LITERAL.match(row)
    return literal[0] if literal else row.partition(",")[0]


def _expectations(path: str, gone: Counter[str], fresh: Counter[str]) -> Iterator[Finding]:
    now = {key: (matcher, value) for line in fresh if (read := _read(line)) for key, matcher, value in [read]}
    for line in gone:
        read = _read(line)
        if read is None or read[0] not in now:
            continue
        key, matcher, value = read
        other_matcher, other_value = now[key]
        if matcher == "!=" and other_value == key:
            yield found("assert-weakened", path, detail=f"{key}: compared with itself")
        elif matcher == other_matcher and value != other_value:
            kind = "tolerance-widened" if _less_exact(matcher, value, other_value) else "expected-changed"
            yield found(kind, path, detail=f"{key}: {value} became {other_value}")


def _read(line: str) -> tuple[str, str, str] | None:
    """(what is checked, how, what is expected) of a line that checks."""
    match = _EXPECTS.match(line)
    if match is None:
        return None
    if match["subject"]:
        return match["subject"], match["matcher"], match["value"]
    if match["call"]:
        return f"{match['call']} {match['first'].strip()}", match["call"], match["rest"]
    return match["got"].rpartition(";")[2].strip(), "!=", match["want"]


def _less_exact(matcher: str, value: str, other: str) -> bool:
    if matcher != "toBeCloseTo":
        return False
    one, _, digits = value.partition(",")
    two, _, other_digits = other.partition(",")
    return one == two and (digits.strip() or "2") > (other_digits.strip() or "2")


def literals_in(text: str) -> frozenset[str]:
    """The texts in quotes of a file of tests."""
    return frozenset(next(filter(None, groups)) for groups in _LITERAL.findall(text) if any(groups))


def rote_answers(path: str, before: str, after: str, tested: frozenset[str]) -> Iterator[Finding]:
    """New branches of a program that answer a text of the tests with a literal."""
    known = {match["asked"] for match in _BRANCH.finditer(before)}
    for match in _BRANCH.finditer(after):
        asked = match["asked"]
        if asked in tested and asked not in known:
            kind = "special-cased-input" if is_particular(asked) else "enumerated-input"
            yield found(kind, path, after.count("\n", 0, match.start()) + 1, detail=asked)


def tests_beside(path: str) -> Sequence[str]:
    """Where, by convention, the tests of a file in such a language stand."""
    folder, _, name = path.rpartition("/")
    stem, _, suffix = name.rpartition(".")
    prefix = f"{folder}/" if folder else ""
    if suffix == "go":
        return (f"{prefix}{stem}_test.go",)
    names = (f"{stem}.test.{suffix}", f"{stem}.spec.{suffix}")
    parent = folder.rpartition("/")[0]
    roots = (prefix, f"{prefix}__tests__/", "test/", "tests/", "__tests__/", f"{parent}/test/" if parent else "test/")
    return tuple(dict.fromkeys(f"{root}{name}" for root in roots for name in names))
