"""What a change's own tests show is told of new tests and of changed ones that needed the change."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from projects import Project

from workbench.core.criteria import mended
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.conventions import SuitePlan, recognised
from workbench.evidence.novelty import narrowed, told_apart
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import TestOutcome, TestState


def report(**states: TestState) -> SuiteReport:
    outcomes = tuple(TestOutcome(id=f"test_a.py::{name}", state=state) for name, state in states.items())
    return SuiteReport(state="passed", outcomes=outcomes)


def test_only_tests_that_base_lacks_count_as_new() -> None:
    """One test added to a file of ten is one new test; a known test that fails without the change still shows it."""
    base = report(old="passed", edited="passed")
    result = report(old="passed", edited="passed", idle="passed", needed="passed")
    there = report(old="passed", edited="failed", idle="passed", needed="failed")
    told = told_apart(there, base=base, result=result, files=("test_a.py",))
    assert told.passing == ("test_a.py::idle",)
    assert told.failing == ("test_a.py::edited", "test_a.py::needed")
    only = told_apart(report(old="passed", idle="passed"), base=base, result=report(old="passed", idle="passed"),
                      files=("test_a.py",))  # fmt: skip
    assert only.summary == "1 new test passes on base, too"


CART = "export const price = (sum) => sum\n"
NODE_TEST = "import test from 'node:test'\nimport assert from 'node:assert'\nimport * as cart from '../cart.js'\n"
NODE_BASE = {
    "package.json": '{"type": "module"}',
    "cart.js": CART,
    "test/cart.test.js": NODE_TEST + "test('price', () => assert.equal(cart.price(1), 1))\n",
}
NODE = recognised(("node", "--test"), origin="package.json")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_new_tests_of_node_are_tried_on_base(tmp_path: Path) -> None:
    """One that fails there and one whose file cannot be loaded there count; one whose name is used twice does not."""
    edits = {
        "cart.js": "export const price = (sum) => sum * 0.8\nexport const winter = 1\n",
        "test/cart.test.js": NODE_TEST + "test('price', () => assert.equal(cart.price(1), 0.8))\n",
        "test/sale.test.js": NODE_TEST + "test('sale', () => assert.equal(cart.price(10), 8))\n",
        "test/two.test.js": NODE_TEST + "test('price', () => assert.equal(cart.winter, 1))\n",
        "test/winter.test.js": NODE_TEST.replace("* as cart", "{winter}") + "test('winter', () => assert(winter))\n",
    }
    project = Project(tmp_path, NODE_BASE, edits)
    collected = TestsCollector(project.rig, Behaviour(project.rig, NODE, parallel=True)).collect(project.change)
    (tried,) = [piece for piece in collected.evidence if piece.kind == "tests.new-on-base"]
    assert (tried.state, tried.facts["failing"], tried.facts["passing"]) == ("passed", ["test::sale"], [])
    assert tried.facts["erroring"] == ["test::winter"]


def test_tests_that_cannot_be_chosen_are_told_as_not_tried(tmp_path: Path) -> None:
    """Of a bare command it is not known what its changed tests do on base, and the pack says so."""
    project = Project(tmp_path, NODE_BASE, {"test/cart.test.js": "// nothing\n"})
    plan = SuitePlan(kind="command", argv=("true",), label="npm test")
    collected = TestsCollector(project.rig, Behaviour(project.rig, plan)).collect(project.change)
    (tried,) = [piece for piece in collected.evidence if piece.kind == "tests.new-on-base"]
    assert (tried.state, "npm test cannot run them alone" in tried.summary) == ("not-checked", True)
    assert mended(collected.evidence) == (0, True)


def test_chosen_files_take_the_place_of_those_that_a_command_names() -> None:
    """Options of node stay, with what belongs to them; files of other languages are not asked for."""
    plan = recognised(("node", "--import", "tsx", "--test-reporter", "tap", "--test", "test/"), origin="")
    chosen = narrowed(plan, ("a.test.js", "test_a.py"))
    assert chosen is not None and chosen.argv[-6:] == (
        *("--import", "tsx", "--test-reporter", "tap", "--test", "./a.test.js"),
    )
    assert narrowed(plan, ("test_a.py",)) is None
