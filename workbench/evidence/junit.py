"""JUnit XML as test cases: parsed with every limit that hostile bytes call for; it knows no suite and no verdict.

The dialects are those of pytest, node, vitest and mocha: `testsuites > testsuite* > testcase > failure|error|skipped`.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any
from xml.parsers import expat

import msgspec

from workbench.model.evidence import TestOutcome, TestState

MAX_BYTES = 64 << 20  # of one report; a suite of 100,000 failing tests stays below
MAX_CASES = 500_000
MAX_DEPTH = 64  # nested elements; `describe` blocks nest, but not like this
MAX_NAME = 2_000  # characters of a name or class name
MAX_TEXT = 4_000  # characters kept of a failure's text
_CHUNK = 1 << 20

_STATES: dict[str, TestState] = {"failure": "failed", "error": "error", "skipped": "skipped"}
_WORST: dict[TestState, int] = {"passed": 0, "skipped": 1, "missing": 2, "failed": 3, "error": 4}
_COMPARED = re.compile(r"(?:AssertionError: )?assert (.{1,500}?) == (.{1,500})")


class ReportInvalid(ValueError):
    """The bytes are no whole and honest report; the text says why. Never means that tests failed."""


class JunitCase(msgspec.Struct, frozen=True, kw_only=True):
    """One `testcase`; `suites` are the names of the suites around it, outermost first."""

    classname: str
    name: str
    state: TestState
    file: str = ""
    line: int = 0
    seconds: float = 0.0
    message: str = ""
    text: str = ""
    suites: tuple[str, ...] = ()


def parse_junit(data: bytes) -> tuple[JunitCase, ...]:
    """The cases in document order.

    Raises ReportInvalid for bytes that are truncated, too large or too deep, declare a document type or entities, use
    an unknown encoding, or hold fewer cases than their suites declare.
    """
    if len(data) > MAX_BYTES:
        raise ReportInvalid(f"the report has {len(data)} bytes, more than {MAX_BYTES}")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.characters
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    try:
        for offset in range(0, len(data), _CHUNK):
            parser.Parse(data[offset : offset + _CHUNK], False)
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, UnicodeError) as error:
        raise ReportInvalid(f"the report is not well-formed: {error}") from error
    return tuple(reader.cases)


def worst(first: TestState, second: TestState) -> TestState:
    """The state that matters more when one test reports two."""
    return max(first, second, key=_WORST.__getitem__)


def outcomes_of(cases: tuple[JunitCase, ...], *, root: str = "") -> tuple[TestOutcome, ...]:
    """One outcome per case for suites that have no witness of their own; ids are file, suites and name.

    A name that is used again gets `#2`, `#3`: legal in node's runner, and still one id per case.
    """
    seen: Counter[str] = Counter()
    outcomes = []
    for case in cases:
        plain = _plain_id(case, root)
        seen[plain] += 1
        outcomes.append(outcome_of(case, f"{plain}#{seen[plain]}" if seen[plain] > 1 else plain, root=root))
    return tuple(outcomes)


def outcome_of(case: JunitCase, test_id: str, *, root: str = "") -> TestOutcome:
    """The outcome that a case tells of, under the id that the caller gives it."""
    actual, expected = compared(case.message)
    return TestOutcome(
        id=test_id,
        state=case.state,
        seconds=case.seconds,
        message=case.message,
        expected=expected,
        actual=actual,
        frame=case.text,
        path=_relative(case.file, root),
        line=case.line,
    )


def compared(message: str) -> tuple[str, str]:
    """(actual, expected) of a failed `assert actual == expected`; empty when the message is of another kind."""
    match = _COMPARED.match(message.splitlines()[0]) if message else None
    return (match[1], match[2]) if match else ("", "")


class _Reader:
    """Collects cases from the parser's events."""

    def __init__(self) -> None:
        self.cases: list[JunitCase] = []
        self._names: list[str] = []
        self._suites: list[tuple[str, int, int]] = []  # name, declared cases, cases seen before it
        self._case: dict[str, Any] | None = None
        self._text: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._names.append(name)
        if len(self._names) > MAX_DEPTH:
            raise ReportInvalid(f"elements nest deeper than {MAX_DEPTH}")
        if len(self._names) == 1 and name not in ("testsuites", "testsuite"):
            raise ReportInvalid(f"<{name[:40]}> is not the root of a JUnit report")
        if name == "testsuite":
            self._suites.append((attributes.get("name", "")[:MAX_NAME], _count(attributes), len(self.cases)))
        elif name == "testcase":
            self._open_case(attributes)
        elif name in _STATES and self._case is not None:
            self._case["state"] = worst(self._case["state"], _STATES[name])
            self._case["message"] = self._case["message"] or attributes.get("message", "")[:MAX_TEXT]
            self._text = []

    def _open_case(self, attributes: dict[str, str]) -> None:
        if self._case is not None:
            raise ReportInvalid("a testcase inside a testcase")
        if len(self.cases) >= MAX_CASES:
            raise ReportInvalid(f"more than {MAX_CASES} test cases")
        self._case = {
            "classname": attributes.get("classname", "")[:MAX_NAME],
            "name": attributes.get("name", "")[:MAX_NAME],
            "file": attributes.get("file", "")[:MAX_NAME],
            "line": _natural(attributes.get("line", "")),
            "seconds": _seconds(attributes.get("time", "")),
            "state": "passed",
            "message": "",
            "text": "",
            "suites": tuple(name for name, _, _ in self._suites),
        }

    def end(self, name: str) -> None:
        self._names.pop()
        if name == "testcase" and self._case is not None:
            self.cases.append(JunitCase(**self._case))
            self._case = None
        elif name == "testsuite":
            self._close_suite()
        elif name in _STATES and self._case is not None and self._text is not None:
            self._case["text"] = (self._case["text"] or "".join(self._text))[:MAX_TEXT]
            self._text = None

    def _close_suite(self) -> None:
        name, declared, before = self._suites.pop()
        held = len(self.cases) - before
        if declared > held:
            raise ReportInvalid(f"suite {name[:80]!r} declares {declared} tests and holds {held}")

    def characters(self, text: str) -> None:
        if self._text is not None and len(self._text) < MAX_TEXT:
            self._text.append(text[:MAX_TEXT])


def _refuse_doctype(*_: object) -> None:
    raise ReportInvalid("the report declares a document type or entities")


def _count(attributes: dict[str, str]) -> int:
    return _natural(attributes.get("tests", ""))


def _natural(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,12})?", text, re.ASCII) else 0.0


def _plain_id(case: JunitCase, root: str) -> str:
    place = _relative(case.file, root) or case.classname
    return "::".join(part for part in (place, *case.suites[-8:], case.name) if part)


def _relative(file: str, root: str) -> str:
    prefix = root.rstrip("/") + "/"
    return file.removeprefix(prefix) if root else file
