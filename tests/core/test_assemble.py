"""A pack is bound to what it was made from, maps the claimed plan to tests, and says what to read first."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.artifacts.brief import Brief, Goal
from workbench.artifacts.mergepack import Change, PlanItem, render
from workbench.artifacts.policy import DEFAULT
from workbench.core.admission import Bindings
from workbench.core.assemble import Known, assemble, claimed_rationale
from workbench.core.assemble import test_plan as map_plan
from workbench.core.criteria import untested
from workbench.core.gate import Context, Judgement, judge
from workbench.core.reading import reading_list
from workbench.model.evidence import Evidence, Finding, TestOutcome

HERE = Bindings(base="b", head="h", tree="t", policy_digest="p", brief_digest="q")
TESTS = (
    TestOutcome(id="tests/test_calc.py::test_adds_negative_numbers", state="passed"),
    TestOutcome(id="tests/test_calc.py::test_rejects_empty_text", state="failed"),
)


def pack(known: Known) -> Any:
    judgement = judge(evidence=(), findings=(), policy=DEFAULT, brief=None, context=Context(bindings=HERE))
    return assemble(judgement=judgement, findings=(), brief=None, bindings=HERE, known=known)


def test_a_pack_is_bound() -> None:
    """A pack carries base, head, tree, policy and brief, and the verdict of the gate."""
    made = pack(Known(id="MRP-1"))
    assert (made.base, made.head, made.tree, made.policy_digest, made.brief_digest) == ("b", "h", "t", "p", "q")
    assert made.verdict == "needs-human"
    assert made.not_checked


@pytest.mark.parametrize(
    ("item", "test", "state"),
    [
        ("negative numbers", "tests/test_calc.py::test_adds_negative_numbers", "passed"),
        ("see tests/test_calc.py::test_rejects_empty_text", "tests/test_calc.py::test_rejects_empty_text", "failed"),
        ({"item": "empty", "test": "test_rejects_empty_text"}, "tests/test_calc.py::test_rejects_empty_text", "failed"),
        ({"item": "negative numbers", "test": "test_nowhere"}, "", "missing"),
        ("negative numbers by test_nowhere", "", "missing"),
        ({"item": "cases", "test": "tests/test_calc.py::test_cases"}, "tests/test_calc.py::test_cases[1-x]", "passed"),
        ("concurrent writers on two machines", "", "unknown"),
        ("the cases of test_calc.py", "", "unknown"),
        ("", "", "unknown"),
    ],
)
def test_the_claimed_plan_is_mapped(item: Any, test: str, state: str) -> None:
    """Each item has the test that carries it out, is missing if it names none that is there, and unknown otherwise."""
    cases = TestOutcome(id="tests/test_calc.py::test_cases[1-x]", state="passed")
    known = Known(id="MRP-1", claimed={"test_plan": [item]}, tests=(*TESTS, cases))
    made = pack(known)
    (planned,) = made.test_plan
    assert (planned.test, planned.state) == (test, state)
    assert any(line.startswith("test plan: ") for line in made.not_checked) == (not test)
    assert made.not_checked[-1].startswith("test plan: there is no such test") == (state == "missing")


def test_a_long_plan_without_tests_is_counted() -> None:
    """Twenty items are named, the others counted; a test that was skipped shows nothing either."""
    skipped = TestOutcome(id="t.py::test_a", state="skipped")
    told = list(untested(map_plan({"test_plan": ["test_a", *["x y"] * 30]}, [skipped], ())))
    assert (len(told), told[0]) == (21, "test plan: t.py::test_a neither passed nor failed: test_a")
    assert told[-1] == "test plan: 11 more items without a test"


def test_the_report_does_not_call_unmatched_missing() -> None:
    """Only a test that was named and is not there is called missing."""
    plan = (PlanItem(item="x y", state="unknown"), PlanItem(item="test_nowhere", state="missing"))
    text = render(msgspec.structs.replace(pack(Known(id="MRP-1")), test_plan=plan))
    assert "| x y | no test could be matched by name | unknown |" in text
    assert "| **missing** | missing |" in text


def test_a_brief_gives_the_title() -> None:
    """A pack of a branch that comes with a brief is called as the brief; control: without one as it was asked for."""
    known = Known(id="MRP-1", title="feature on main")
    brief = Brief(id="B", title="Adding", goal=Goal(objective="add"))
    judgement = judge(evidence=(), findings=(), policy=DEFAULT, brief=brief, context=Context(bindings=HERE))
    made = assemble(judgement=judgement, findings=(), brief=brief, bindings=HERE, known=known)
    assert (made.title, pack(known).title) == ("Adding", "feature on main")


def test_untested_lines_come_from_the_evidence() -> None:
    """A file with changed lines that no test runs is read before others, by what coverage counted."""
    facts = {"files": {"b.py": {"covered": [1], "uncovered": [3, 4]}}}
    missed = Evidence(id="c", kind="coverage.changed", criterion="verification", grade="executed", state="failed",
                      summary="", facts=facts)  # fmt: skip
    judgement = Judgement(verdict="ready", requirements=(), criteria=(), reasons=(), not_checked=(), evidence=(missed,))
    changes = (Change(path="a.py", kind="source", entities=("f",)), Change(path="b.py", kind="source"))
    known = Known(id="x", changes=changes)
    made = assemble(judgement=judgement, findings=(), brief=None, bindings=HERE, known=known)
    assert [(item.path, item.line) for item in made.reading_list] == [("b.py", 3), ("a.py", 0)]


def test_the_riskiest_is_read_first() -> None:
    """Lost checks come before untested code, public code before private, made files last."""
    changes = (
        Change(path="uv.lock", kind="lock", added=900),
        Change(path="src/private.py", kind="source", entities=("_f",)),
        Change(path="src/public.py", kind="source", entities=("f",), public=("f",)),
        Change(path="src/untested.py", kind="source"),
        Change(path="tests/test_a.py", kind="test"),
    )
    lost = Finding(kind="tampering.x", severity="high", text="gone", path="tests/test_a.py", blocking=True)
    order = [item.path for item in reading_list(changes, (lost,), uncovered={"src/untested.py": (3, 4)})]
    assert order == ["tests/test_a.py", "src/untested.py", "src/public.py", "src/private.py", "uv.lock"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(st.dictionaries(st.sampled_from(["approach", "trade_offs", "test_plan", "notes", "verdict", "base"]), JSON))
def test_nothing_that_is_claimed_reaches_the_verdict(claimed: dict[str, Any]) -> None:
    """An agent may claim anything in any shape: the pack is made, and its verdict and bindings are the same."""
    made = pack(Known(id="x", claimed=claimed, tests=TESTS))
    assert (made.verdict, made.base) == ("needs-human", "b")


def test_claimed_secrets_are_masked() -> None:
    """A secret in the agent's words does not get into the pack."""
    token = "ghp_" + "a" * 36
    assert token not in claimed_rationale({"approach": f"used {token}"}).approach
