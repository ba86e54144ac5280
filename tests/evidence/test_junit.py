"""JUnit XML from hostile hands: whole and honest reports are read, everything else is refused without a crash."""

from __future__ import annotations

import random

import pytest

from workbench.evidence.junit import MAX_DEPTH, ReportInvalid, compared, outcomes_of, parse_junit

REPORT = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.1">
<testcase classname="tests.test_a" name="test_ok" time="0.001"/>
<testcase classname="tests.test_a" name="test_bad[x]"><failure message="assert 1 == 2">trace</failure></testcase>
<testcase classname="tests.test_a" name="test_err"><error message="boom">trace</error></testcase>
<testcase classname="tests.test_a" name="test_skip"><skipped message="later"/></testcase>
</testsuite></testsuites>"""


def test_cases_and_states() -> None:
    """Each test case has its state, message and place."""
    cases = parse_junit(REPORT)
    assert [case.state for case in cases] == ["passed", "failed", "error", "skipped"]
    assert (cases[1].name, cases[1].message, cases[1].text) == ("test_bad[x]", "assert 1 == 2", "trace")
    assert compared(cases[1].message) == ("1", "2")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<testsuites><testsuite tests="1"><testcase name="&b;"/></testsuite></testsuites>"""
OUTSIDE = b"""<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><testsuites>&e;</testsuites>"""
REFUSED = {
    "empty": b"",
    "not xml": b"all tests passed",
    "entity bomb": BOMB,
    "external entity": OUTSIDE,
    "another root": b"<html></html>",
    "truncated": REPORT[:-30],
    "text after the end": REPORT + b"<testsuites/>",
    "fewer cases than declared": b'<testsuite tests="2"><testcase name="a"/></testsuite>',
    "nested cases": b'<testsuite><testcase name="a"><testcase name="b"/></testcase></testsuite>',
    "too deep": b"<testsuites>" + b"<testsuite>" * MAX_DEPTH + b"</testsuite>" * MAX_DEPTH + b"</testsuites>",
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><testsuites/>',
    "wrong encoding": b'<?xml version="1.0" encoding="utf-8"?><testsuites name="\xff\xfe"/>',
    "a null byte": b"<testsuites>\0</testsuites>",
    "a control character": b"<testsuites>\x1b[31m</testsuites>",
    "an undeclared entity": b"<testsuites>&lol;</testsuites>",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused(kind: str) -> None:
    """Damaged, truncated and malicious reports are refused, each with a reason."""
    with pytest.raises(ReportInvalid, match=r"\w"):
        parse_junit(REFUSED[kind])


def test_other_encodings() -> None:
    """A report may declare UTF-16 or Latin-1."""
    text = '<?xml version="1.0" encoding="{}"?><testsuite tests="1"><testcase name="ä"/></testsuite>'
    for encoding in ("utf-16", "iso-8859-1", "utf-8"):
        assert parse_junit(text.format(encoding).encode(encoding))[0].name == "ä"


def test_a_huge_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report over the limit is refused unread."""
    monkeypatch.setattr("workbench.evidence.junit.MAX_BYTES", 100)
    with pytest.raises(ReportInvalid, match="bytes"):
        parse_junit(REPORT)


def test_a_long_failure_is_cut() -> None:
    """A failure's text is kept up to a limit."""
    data = b'<testsuite><testcase name="a"><failure>' + b"x" * 3_000_000 + b"</failure></testcase></testsuite>"
    assert len(parse_junit(data)[0].text) <= 4000


@pytest.mark.parametrize("seed", range(50))
def test_mutated_reports_never_crash_and_never_gain_a_pass(seed: int) -> None:
    """Whatever bytes change, the reader answers with cases or a refusal; a failure element never reads as a pass."""
    generator = random.Random(seed)
    data = bytearray(REPORT)
    for _ in range(generator.randint(1, 8)):
        place = generator.randrange(len(data))
        match generator.randrange(3):
            case 0:
                data[place] = generator.randrange(256)
            case 1:
                del data[place : place + generator.randint(1, 40)]
            case _:
                data[place:place] = bytes(generator.randrange(256) for _ in range(generator.randint(1, 5)))
    try:
        cases = parse_junit(bytes(data))
    except ReportInvalid:
        return
    assert len(cases) <= 4
    assert sum(case.state == "passed" for case in cases) <= 1 + (b"<failure" not in data) + (b"<error" not in data) + (
        b"<skipped" not in data
    )


def test_ids_without_a_witness_are_unique_and_relative() -> None:
    """Node's cases get ids from file, suites and name; a name used twice is counted."""
    data = b"""<testsuites><testsuite name="math" tests="2">
    <testcase name="adds" classname="test" file="/w/a.test.js"/>
    <testcase name="adds" classname="test" file="/w/a.test.js"/>
    </testsuite></testsuites>"""
    assert [outcome.id for outcome in outcomes_of(parse_junit(data), root="/w")] == [
        "a.test.js::math::adds",
        "a.test.js::math::adds#2",
    ]
