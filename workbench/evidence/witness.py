"""What the witness reported, read back and held against the JUnit report and the exit code; it runs nothing.

Three voices tell of one run: the reports of the witness, taken down and sealed by the warden, the JUnit report and the
exit code. A run counts only when the seal holds and all three agree; everything else is an error, never a pass.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from workbench.evidence.junit import JunitCase, compared, worst
from workbench.model.evidence import TestOutcome, TestState

MAX_RECORDS = 2_000_000
_PHASES: dict[tuple[str, str], TestState] = {
    ("call", "failed"): "failed",
    ("setup", "failed"): "error",
    ("teardown", "failed"): "error",
    ("setup", "skipped"): "skipped",
    ("call", "skipped"): "skipped",
    ("teardown", "skipped"): "skipped",
    ("call", "passed"): "passed",
}
_ONCE = frozenset(
    {"warden", "start", "collected", "machinery", "modules", "coverage-places", "coverage-contexts", "coverage"}
    | {"finish", "exit"}
)
_FIXTURES = ("setUpClass (", "setUpModule (", "tearDownClass (", "tearDownModule (")  # unittest's names of them
# What each exit code of pytest (and of our unittest runner) says about the outcomes.
_ALL_WELL, _SOME_FAILED, _INTERRUPTED, _NO_TESTS = 0, 1, 2, 5


class Testimony(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the witness saw it. `problem` is non-empty when the records cannot be believed."""

    outcomes: tuple[TestOutcome, ...] = ()
    collected: tuple[str, ...] = ()
    deselected: tuple[str, ...] = ()
    uncollectable: dict[str, str] = {}  # node id to the error's text
    unsupported: dict[str, str] = {}  # tools that the environment lacks, to the error's text
    origins: dict[str, str] = {}  # imported modules of the project to their files
    coverage: dict[str, Any] = {}  # file to {places, hits, conditions, ways}
    contexts: dict[str, dict[int, tuple[str, ...]]] = {}  # file to line to tests in which it ran
    coverage_problem: str = ""
    altered: tuple[str, ...] = ()  # parts of the test runner that were replaced while it ran
    python: str = ""
    exit_code: int | None = None
    problem: str = ""


def parse_testimony(data: bytes, key: bytes) -> Testimony:
    """The records as a testimony; damage, gaps and contradictions are named in `problem`, nothing is raised.

    `key` is the one that the warden was given; records that it did not seal count for nothing.
    """
    if not data:
        return Testimony(problem="the run left no records")
    sealed = _sealed(data, key)
    if sealed is None:
        return Testimony(problem="the records were cut off, or altered by someone else")
    reader = _Reader()
    lines = sealed.splitlines()
    if len(lines) > MAX_RECORDS:
        return Testimony(problem="too many records")
    for number, line in enumerate(lines, start=1):
        try:
            reader.take(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            return Testimony(problem=f"record {number} cannot be read: {type(error).__name__}")
    return reader.testimony()


def _sealed(data: bytes, key: bytes) -> bytes | None:
    """The records before the seal, if it is the last line and holds."""
    body, newline, last = data.removesuffix(b"\n").rpartition(b"\n")
    records = body + newline
    expected = hmac.new(key, records, hashlib.sha256).hexdigest()
    try:
        found = json.loads(last)
        holds = found["kind"] == "seal" and hmac.compare_digest(str(found["mac"]).encode(), expected.encode())
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return records if holds else None


class _Reader:
    """Takes record after record; the order start, tests, finish is part of what must hold."""

    def __init__(self) -> None:
        self._running: set[str] = set()
        self._fields: dict[str, Any] = {}
        self._outcomes: dict[str, TestOutcome] = {}
        self._collected: list[str] = []
        self._deselected: list[str] = []
        self._uncollectable: dict[str, str] = {}
        self._unsupported: dict[str, str] = {}
        self._problem = ""
        self._kinds: list[str] = []
        self._places: dict[str, Any] = {}  # told before any code of the project is loaded
        self._conditions: dict[str, Any] = {}

    def take(self, record: dict[str, Any]) -> None:
        kind = str(record["kind"])
        if "exit" in self._kinds or ("finish" in self._kinds and kind != "exit"):
            self._problem = "records after the end of the run"
        if kind in _ONCE and kind in self._kinds:
            self._problem = f"more than one record of {kind}"
        if kind not in ("phase", "test", "began", "ended"):
            self._kinds.append(kind)
        take = getattr(self, f"_take_{kind.replace('-', '_')}", None)
        if take is None:
            self._problem = f"a record of unknown kind {kind[:40]!r}"
        else:
            take(record)

    def _take_start(self, record: dict[str, Any]) -> None:
        self._fields["python"] = str(record["python"])

    def _take_warden(self, _: dict[str, Any]) -> None:
        """The warden was there from the start."""

    def _take_intruder(self, _: dict[str, Any]) -> None:
        self._problem = "something wrote to the runner's pipe without the secret of the run"

    def _take_exit(self, record: dict[str, Any]) -> None:
        self._fields["ended_with"] = int(record["code"])

    def _take_machinery(self, record: dict[str, Any]) -> None:
        self._fields["altered"] = tuple(str(name) for name in record["altered"])

    def _take_began(self, record: dict[str, Any]) -> None:
        self._running.add(str(record["id"]))

    def _take_ended(self, record: dict[str, Any]) -> None:
        test = str(record["id"])
        if test not in self._running:
            self._problem = f"{test} ended without a beginning"
        self._running.discard(test)

    def _take_collected(self, record: dict[str, Any]) -> None:
        self._collected = [str(test) for test in record["ids"]]

    def _take_deselected(self, record: dict[str, Any]) -> None:
        self._deselected += [str(test) for test in record["ids"]]

    def _take_collect(self, record: dict[str, Any]) -> None:
        test, text = str(record["id"]), str(record["text"])
        state: TestState = "skipped" if record["state"] == "skipped" else "error"
        if state == "error":
            self._uncollectable[test] = text
        self._add(TestOutcome(id=test, state=state, message=_last_line(text), frame=text))

    def _take_phase(self, record: dict[str, Any]) -> None:
        self._during(str(record["id"]))
        state = _PHASES[(record["when"], record["outcome"])]
        message = str(record["message"])
        actual, expected = compared(message)
        self._add(
            TestOutcome(
                id=str(record["id"]),
                state=state,
                seconds=float(record["seconds"]),
                message=message,
                expected=expected,
                actual=actual,
                frame=str(record["text"]),
                path=str(record["path"]),
                line=int(record["line"]),
            )
        )

    def _take_test(self, record: dict[str, Any]) -> None:
        self._during(str(record["id"]))
        state = msgspec.convert(record["state"], TestState)
        text = str(record["text"])
        self._add(
            TestOutcome(
                id=str(record["id"]),
                state=state,
                seconds=float(record["seconds"]),
                message=str(record["message"]),
                frame=text,
            )
        )

    def _take_tool_missing(self, record: dict[str, Any]) -> None:
        self._unsupported[str(record["name"])] = str(record["text"])

    def _take_coverage_places(self, record: dict[str, Any]) -> None:
        self._places = dict(record["files"])
        self._conditions = dict(record.get("conditions") or {})

    def _take_coverage_contexts(self, record: dict[str, Any]) -> None:
        tests = [str(test) for test in record["tests"]]
        self._fields["contexts"] = {
            str(file): {int(line): tuple(tests[int(number)] for number in numbers) for line, numbers in lines.items()}
            for file, lines in dict(record["files"]).items()
        }

    def _take_coverage(self, record: dict[str, Any]) -> None:
        hits, ways = dict(record["files"]), dict(record.get("ways") or {})
        self._fields["coverage"] = {
            file: {
                "places": places,
                "hits": hits.get(file),
                "conditions": self._conditions.get(file, []),
                "ways": ways.get(file, []),
            }
            for file, places in self._places.items()
        }

    def _take_coverage_missing(self, record: dict[str, Any]) -> None:
        self._fields["coverage_problem"] = str(record["text"])

    def _take_modules(self, record: dict[str, Any]) -> None:
        self._fields["origins"] = {str(name): str(file) for name, file in record["files"].items()}

    def _take_finish(self, record: dict[str, Any]) -> None:
        self._fields["exit_code"] = int(record["code"])

    def _during(self, test: str) -> None:
        if test not in self._running and not test.startswith(_FIXTURES):
            self._problem = f"an outcome of {test} at a time when it did not run"

    def _add(self, outcome: TestOutcome) -> None:
        known = self._outcomes.get(outcome.id)
        if known is None or worst(known.state, outcome.state) != known.state:
            self._outcomes[outcome.id] = outcome

    def testimony(self) -> Testimony:
        gap = self._gap()
        self._fields.pop("ended_with", None)
        return Testimony(
            outcomes=tuple(self._outcomes.values()),
            collected=tuple(self._collected),
            deselected=tuple(self._deselected),
            uncollectable=self._uncollectable,
            unsupported=self._unsupported,
            problem=self._problem or gap,
            **self._fields,
        )

    def _gap(self) -> str:
        if "start" not in self._kinds:
            return "the run was never begun"
        if "finish" not in self._kinds:
            return "the run was cut off before its end"
        if "machinery" not in self._kinds and not self._unsupported:
            return "nothing tells whether the test runner stayed as it was"
        if self._fields.get("ended_with") != self._fields["exit_code"]:
            return f"the runner said {self._fields['exit_code']} and ended with {self._fields.get('ended_with')}"
        if self._running and self._fields["exit_code"] in (_ALL_WELL, _SOME_FAILED):
            return f"{min(self._running)} began and did not end"
        stray = [test for test in self._outcomes if test not in self._known()]
        if stray:
            return f"an outcome of a test that was never collected: {stray[0]}"
        untold = [test for test in self._collected if test not in self._outcomes]
        if untold and self._fields.get("exit_code") in (_ALL_WELL, _SOME_FAILED) and not self._uncollectable:
            return f"{len(untold)} collected tests have no outcome, e.g. {untold[0]}"
        return ""

    def _known(self) -> set[str]:
        fixtures = [test for test in self._outcomes if test.startswith(_FIXTURES)]
        return {*self._collected, *self._uncollectable, *fixtures, *self._skipped_modules()}

    def _skipped_modules(self) -> list[str]:
        return [test for test, outcome in self._outcomes.items() if outcome.state == "skipped"]


def disagreement(testimony: Testimony, exit_code: int, *, cases: Sequence[JunitCase] | None) -> str:
    """What the three voices contradict each other about; empty when they agree. `cases` None: there is no report."""
    if testimony.problem:
        return testimony.problem
    if testimony.exit_code != exit_code:
        return f"the process ended with {exit_code}, the runner said {testimony.exit_code}"
    about_exit = _exit_disagreement(testimony, exit_code)
    if about_exit or cases is None:
        return about_exit
    return _report_disagreement(testimony, cases)


def _exit_disagreement(testimony: Testimony, exit_code: int) -> str:
    bad = [outcome.id for outcome in testimony.outcomes if outcome.state in ("failed", "error")]
    if exit_code == _ALL_WELL and bad:
        return f"exit code 0 although {bad[0]} failed"
    if exit_code == _ALL_WELL and not testimony.outcomes:
        return "exit code 0 although no test reported an outcome"
    if exit_code == _SOME_FAILED and not bad:
        return "exit code 1 although no test failed"
    if exit_code == _NO_TESTS and any(o.state != "skipped" for o in testimony.outcomes):
        return "exit code 5 although tests ran"
    if exit_code not in (_ALL_WELL, _SOME_FAILED, _INTERRUPTED, _NO_TESTS):
        return f"the runner broke off with exit code {exit_code}"
    if exit_code == _INTERRUPTED and not testimony.uncollectable:
        return "the run was interrupted"
    return ""


def _report_disagreement(testimony: Testimony, cases: Sequence[JunitCase]) -> str:
    told = _by_address((_address(outcome.id), outcome.state) for outcome in testimony.outcomes)
    reported = _by_address(((case.classname, case.name), case.state) for case in cases)
    for address in sorted(told.keys() ^ reported.keys()):
        who = "the witness" if address in told else "the report"
        return f"only {who} tells of {'.'.join(part for part in address if part)}"
    for address, state in told.items():
        if reported[address] != state:
            return f"{'.'.join(address)} is {state} for the witness and {reported[address]} in the report"
    return ""


def _by_address(pairs: Any) -> dict[tuple[str, str], TestState]:
    states: dict[tuple[str, str], TestState] = {}
    for address, state in pairs:
        states[address] = worst(states[address], state) if address in states else state
    return states


def _address(node_id: str) -> tuple[str, str]:
    """The (classname, name) that pytest's JUnit writer makes of a node id."""
    path, bracket, params = node_id.partition("[")
    names = path.split("::")
    names[0] = re.sub(r"\.py$", "", names[0].replace("/", "."))
    names[-1] += bracket + params
    classname, name = ".".join(names[:-1]), names[-1]
    return _escaped(classname), _escaped(name)


def _escaped(text: str) -> str:
    """Characters that XML cannot carry, as pytest writes them (`#x1B`)."""

    def replace(match: re.Match[str]) -> str:
        code = ord(match[0])
        return f"#x{code:02X}" if code <= 0xFF else f"#x{code:04X}"

    return re.sub("[^\x09\x0a\x0d\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", replace, text)


def _last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip()[:400] if lines else ""
