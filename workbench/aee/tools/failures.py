"""Where a test failed and what it compared, read off a traceback where the runner's report does not say it."""

from __future__ import annotations

import re

from msgspec.structs import replace

from workbench.model.evidence import TestOutcome

_FRAME = re.compile(r'^\s*File "([^"\n]{1,4096})", line (\d{1,9})', re.MULTILINE)
_UNEQUAL = re.compile(r"AssertionError: (.{1,2000}?) != (.{1,2000}?)(?: : .*)?\Z")


def located(test: TestOutcome, *, root: str) -> TestOutcome:
    """`test` with path, line, actual and expected as far as its frame and message tell them and it has none."""
    if test.state not in ("failed", "error"):
        return test
    if not test.path:
        test = replace(test, **_place(test.frame, root.rstrip("/") + "/"))
    if not (test.actual or test.expected):
        test = replace(test, **_compared(test.message))
    return test


def _place(frame: str, prefix: str) -> dict[str, object]:
    """The innermost line of the project in a traceback."""
    inside = [(path, line) for path, line in _FRAME.findall(frame) if path.startswith(prefix)]
    return {"path": inside[-1][0].removeprefix(prefix), "line": int(inside[-1][1])} if inside else {}


def _compared(message: str) -> dict[str, str]:
    """The two sides of unittest's `first != second`."""
    found = _UNEQUAL.match(message.splitlines()[0]) if message else None
    return {"actual": found[1], "expected": found[2]} if found else {}
