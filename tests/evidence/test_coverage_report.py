"""Coverage reports of other languages' tools are read, in either format, and a bad one is a reason, never a pass."""

# ruff: noqa: E501 - reports as text
from __future__ import annotations

from pathlib import Path

import pytest
from projects import Project

from workbench.artifacts.configuration import Tests
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import configured_plan
from workbench.evidence.coverage import CoverageCollector
from workbench.evidence.coverage_report import CoverageInvalid, FileLines, of_path, parse_coverage
from workbench.model.evidence import Evidence

LCOV = "TN:\nSF:src/a.js\nDA:1,3\nDA:2,0\nDA:2,1,abc\nBRDA:2,0,0,1\nBRDA:2,0,1,-\nend_of_record\nSF:b.js\nDA:1,0\nend_of_record\n"
COBERTURA = """<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "https://example.org/coverage-04.dtd">
<coverage><sources><source>/w</source></sources><packages><package name="p"><classes>
<class name="a" filename="src/a.js"><methods><method name="f"><lines><line number="1" hits="9"/></lines></method></methods>
<lines><line number="1" hits="3"/><line number="2" hits="1" branch="true" condition-coverage="50% (1/2)"/></lines></class>
<class name="b" filename="b.js"><lines><line number="1" hits="0"/></lines></class>
</classes></package></packages></coverage>"""
A, B = FileLines({1: 3, 2: 1}, {2: (1, 2)}), FileLines({1: 0}, {})


@pytest.mark.parametrize("text", [LCOV, COBERTURA])
def test_both_formats_tell_the_same(text: str) -> None:
    """Lines, hits and ways of conditions, by file."""
    report = parse_coverage(text.encode())
    assert report == {"src/a.js": A, "b.js": B}
    assert of_path({"/w/src/a.js": A}, "src/a.js") == of_path({"a.js": A}, "src/a.js") == A
    assert of_path({"/x/src/a.js": A, "/y/src/a.js": B}, "src/a.js") is None


BOMB = '<!DOCTYPE coverage [<!ENTITY a "aaaa">]><coverage>&a;</coverage>'
BAD = (
    "", "nonsense", "SF:a.js\nDA:1,1\n", "<html/>", "<coverage>", BOMB, "<a" + "><a" * 100, "<coverage/>",
    '<coverage><class filename="a"><line number="-1" hits="1"/></class></coverage>',
    '<coverage><class filename="a"><line number="1" hits="\u0661"/></class></coverage>',
)  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_a_bad_report_is_refused(text: str) -> None:
    """What is cut off, of another kind, hostile or empty is refused with a reason."""
    with pytest.raises(CoverageInvalid):
        parse_coverage(text.encode())


def told(tmp_path: Path, report: str, *, name: str = "lcov.info") -> Evidence:
    (tmp_path / "report").write_text(report)
    command = f"cp {tmp_path}/report {{report}}/{name}"
    plan = configured_plan(Tests(command=("sh", "-c", command), coverage="coverage/lcov.info"))
    project = Project(tmp_path, {"src/a.js": "1\n"}, {"src/a.js": "x\ny\nz\n", "c.js": "1\n"})
    (evidence,) = CoverageCollector(project.rig, Behaviour(project.rig, plan)).collect(project.change).evidence
    return evidence


def test_a_commands_own_report_is_observed(tmp_path: Path) -> None:
    """It counts added lines of any language, of the lower grade `observed`, and names files that it leaves out."""
    evidence = told(tmp_path, LCOV.replace("DA:2,1,abc\n", ""))
    assert (evidence.state, evidence.grade) == ("failed", "observed")
    assert evidence.facts["files"] == {"src/a.js": {"covered": [1], "uncovered": [2]}}
    assert (evidence.facts["ways"], evidence.facts["ways_taken"]) == (2, 1)
    assert evidence.facts["not_measured"] == ["c.js"]


@pytest.mark.parametrize(("report", "name"), [("SF:a\n", "lcov.info"), (LCOV, "other.info"), (LCOV, "lcov.info")])
def test_no_report_is_no_pass(tmp_path: Path, report: str, name: str) -> None:
    """A report that is absent, damaged or silent about the changed files leaves the lines not checked."""
    evidence = told(tmp_path, report.replace("src/a.js", "other.js"), name=name)
    assert evidence.state == "not-checked" and evidence.summary
