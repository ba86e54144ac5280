"""Outcomes told on standard output: `go test -json` and `cargo test`; it reads text and runs nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from workbench.model.evidence import TestOutcome, TestState

_GO_STATES: dict[str, TestState] = {"pass": "passed", "fail": "failed", "skip": "skipped"}
_CARGO_STATES: dict[str, TestState] = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}
_CARGO_RUNNING = re.compile(r"\s*(?:Running (?:unittests )?(\S+)|Doc-tests (\S+))")
_CARGO_TEST = re.compile(r"test (\S+(?: - .*?)?(?: \(line \d+\))?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)")
_CARGO_SUM = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
MAX_OUTPUT = 4_000  # characters kept of one test's output


def go_outcomes(text: str) -> tuple[TestOutcome, ...]:
    """One outcome per test of a `go test -json` stream; a package that fails without a failed test is an error."""
    outcomes: dict[str, TestOutcome] = {}
    output: dict[str, str] = {}
    for record in _json_lines(text):
        package, test = str(record.get("Package", "")), str(record.get("Test", ""))
        key = f"{package}::{test}" if test else package
        action = record.get("Action")
        if action == "output":
            output[key] = (output.get(key, "") + str(record.get("Output", "")))[-MAX_OUTPUT:]
        elif action in _GO_STATES and (test or _broken(action, package, outcomes)):
            state = _GO_STATES[action] if test else "error"
            seconds = record.get("Elapsed", 0.0)
            kept = output.get(key, "")
            outcomes[key] = TestOutcome(id=key, state=state, seconds=float(seconds), frame=kept, message=_first(kept))
    return tuple(outcomes.values())


def _broken(action: str, package: str, outcomes: dict[str, TestOutcome]) -> bool:
    failed = any(o.state == "failed" for o in outcomes.values() if o.id.startswith(f"{package}::"))
    return action == "fail" and not failed


def _json_lines(text: str) -> list[dict[str, Any]]:
    records = []
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue  # build output stands between the records
        if isinstance(record, dict):
            records.append(record)
    return records


def cargo_outcomes(text: str) -> tuple[TestOutcome, ...]:
    """One outcome per line `test name ... ok`; ids are the test binary's source and the name.

    A binary whose summary counts differ from its lines is an error of its own: test code wrote lines of that shape.
    """
    binary, outcomes, seen = "", {}, [0, 0, 0]
    for line in text.splitlines():
        if match := _CARGO_RUNNING.match(line):
            binary, seen = match[1] or f"doc {match[2]}", [0, 0, 0]
        elif match := _CARGO_TEST.match(line):
            state = _CARGO_STATES[match[2]]
            seen[("passed", "failed", "skipped").index(state)] += 1
            key = f"{binary}::{match[1]}"
            outcomes[key] = TestOutcome(id=key, state=state if key not in outcomes else "error")
        elif (match := _CARGO_SUM.match(line)) and [int(match[i]) for i in (1, 2, 3)] != seen:
            outcomes[binary] = TestOutcome(
                id=binary, state="error", message="the summary contradicts the lines above it"
            )
    return tuple(outcomes.values())


def _first(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""


DIALECTS: dict[str, Callable[[str], tuple[TestOutcome, ...]]] = {"go": go_outcomes, "cargo": cargo_outcomes}
