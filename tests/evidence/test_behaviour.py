"""Base, result, and base's tests on the result: what is lost is found, what is equal is not run twice."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from projects import Project

from workbench.evidence.behaviour import Behaviour
from workbench.evidence.cache import EvidenceCache
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.first import First, FirstLook
from workbench.evidence.outcomes import TestsCollector
from workbench.evidence.suite import SuiteReport
from workbench.model.evidence import Evidence
from workbench.ports import Collected

PLAN = SuitePlan(kind="pytest", argv=(), junit="junit.xml", label="pytest")
BASE = {
    "adder.py": "def add(a, b):\n    return a + b\n",
    "tests/test_adder.py": (
        "from adder import add\n\ndef test_small():\n    assert add(1, 2) == 3\n\n"
        "def test_large():\n    assert add(10**9, 1) == 10**9 + 1\n"
    ),
}
BROKEN = {"adder.py": "def add(a, b):\n    return 0\n"}


def collect(tmp_path: Path, edits: Mapping[str, str], base: Mapping[str, str] = BASE) -> tuple[Collected, Project]:
    project = Project(tmp_path, base, edits)
    collector = TestsCollector(project.rig, Behaviour(project.rig, PLAN))
    return collector.collect(project.change), project


def named(collected: Collected, kind: str) -> Evidence:
    return next(evidence for evidence in collected.evidence if evidence.kind == kind)


def test_a_change_without_tests_costs_two_runs(tmp_path: Path) -> None:
    """When no test material changed, base's tests on the result are the result's run, and the evidence says so."""
    collected, project = collect(tmp_path, {"adder.py": "def add(a, b):\n    return b + a\n"})
    assert [e.state for e in collected.evidence] == ["passed"] * 3
    assert named(collected, "tests.base-on-result").facts["same_run_as"] == "tests.result"
    assert len(project.sandbox.jobs) == 2
    assert not collected.findings


@pytest.mark.parametrize(
    ("base", "result", "states"),
    [
        (0, 0, ("passed", "passed", "passed")),
        (0, 3, ("passed", "failed", "failed")),
        (2, 0, ("failed", "passed", "no-tests")),
    ],
)
def test_a_bare_command_counts_no_tests(tmp_path: Path, base: int, result: int, states: tuple[str, ...]) -> None:
    """It is told what it exited with; an exit code is a check, and never a number of tests."""
    plan = SuitePlan(kind="command", argv=("sh", "check.sh"), label="sh check.sh")
    project = Project(tmp_path, {"check.sh": f"exit {base}\n"}, {"check.sh": f"exit {result}\n"})
    collected = TestsCollector(project.rig, Behaviour(project.rig, plan)).collect(project.change)
    pieces = [named(collected, kind) for kind in ("tests.base", "tests.result", "tests.base-on-result")]
    assert tuple(piece.state for piece in pieces) == states
    assert [piece.facts["counts"] for piece in pieces] == [{}] * 3
    assert [piece.grade for piece in pieces] == ["executed"] * 3
    assert f"command exited {base}" in pieces[0].summary and f"command exited {result}" in pieces[1].summary
    assert not any("1 " in piece.summary for piece in pieces), [piece.summary for piece in pieces]


def test_evidence_is_bound_and_executed(tmp_path: Path) -> None:
    """Evidence names base, head, result, tree and environment, its grade and where its outcomes are kept."""
    collected, project = collect(tmp_path, {"adder.py": "def add(a, b):\n    return b + a\n"})
    for evidence in collected.evidence:
        assert evidence.inputs["tree"] == project.change.tree
        assert evidence.inputs["environment"] == evidence.environment != ""
        assert evidence.grade == "executed" and evidence.sandbox == "none"
        assert b"test_small" in project.blobs.get(evidence.outputs["outcomes"])


WAYS_TO_GREEN = {
    "edit the test": {"tests/test_adder.py": "def test_small():\n    pass\n\ndef test_large():\n    pass\n"},
    "delete the test": {"tests/test_adder.py": "", "tests/test_other.py": "def test_nothing():\n    pass\n"},
    "skip by conftest": {
        "conftest.py": "import pytest\ndef pytest_collection_modifyitems(items):\n    for i in items[1:]:\n"
        "        i.add_marker(pytest.mark.skip)\n    items[0].obj = lambda: None\n"
    },
    "reports rewritten by conftest": {
        "conftest.py": "import pytest\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport():\n"
        "    outcome = yield\n    r = outcome.get_result()\n    r.outcome = 'passed'\n    r.longrepr = None\n"
    },
    "deselect in ini": {
        "pytest.ini": "[pytest]\naddopts = --deselect tests/test_adder.py\n",
        "tests/test_more.py": "def test_more():\n    pass\n",
    },
    "testpaths in pyproject": {
        "pyproject.toml": "[tool.pytest.ini_options]\ntestpaths = ['other']\n",
        "other/test_more.py": "def test_more():\n    pass\n",
    },
    "ignore in setup.cfg": {
        "setup.cfg": "[tool:pytest]\naddopts = --ignore=tests\n",
        "test_more.py": "def test_more():\n    pass\n",
    },
    "collect_ignore": {
        "conftest.py": "collect_ignore_glob = ['tests/*']\n",
        "test_more.py": "def test_more():\n    pass\n",
    },
}


@pytest.mark.parametrize("way", WAYS_TO_GREEN)
def test_a_broken_change_is_found_however_its_tests_were_made_green(tmp_path: Path, way: str) -> None:
    """With base's tests on the result a broken change fails; the result's own tests are green (the control)."""
    collected, _ = collect(tmp_path, {**BROKEN, **WAYS_TO_GREEN[way]})
    result = named(collected, "tests.result")
    assert result.facts["counts"]["failed"] == 0
    assert result.state == ("error" if "reports" in way else "passed"), result.summary  # a canary dies of such reports
    evidence = named(collected, "tests.base-on-result")
    assert evidence.state == "failed"
    assert evidence.facts["broken"] == ["tests/test_adder.py::test_large", "tests/test_adder.py::test_small"]
    assert [finding.blocking for finding in collected.findings] == [True, True]


def test_lost_ids_fail(tmp_path: Path) -> None:
    """Product code that makes base's tests skip or vanish has lost them."""
    base = {
        **BASE,
        "tests/test_more.py": "import pytest, adder\n\n@pytest.mark.parametrize('n', getattr(adder, 'CASES', [1, 2]))\n"
        "def test_n(n):\n    if hasattr(adder, 'SKIP'):\n        pytest.skip()\n",
    }
    collected, _ = collect(tmp_path, {"adder.py": BASE["adder.py"] + "CASES = [1]\nSKIP = 1\n"}, base)
    evidence = named(collected, "tests.base-on-result")
    assert evidence.state == "failed"
    assert evidence.facts["lost"] == ["tests/test_more.py::test_n[1]", "tests/test_more.py::test_n[2]"]


def test_links_in_the_result_are_not_followed_when_tests_are_restored(tmp_path: Path) -> None:
    """Restoring base's tests replaces a link that the change put in the way and writes nothing through it."""
    project = Project(tmp_path, BASE, {"tests/test_adder.py": ""})
    outside = tmp_path / "outside"
    outside.mkdir()
    checkout = project.commits.verification

    def with_link(*, commit: str) -> object:
        workspace = checkout(commit=commit)
        tests = Path(workspace.path) / "tests"
        if not tests.exists():
            tests.symlink_to(outside)
        return workspace

    project.commits.verification = with_link  # type: ignore[method-assign, assignment]  # the checkout has the link
    collected = TestsCollector(project.rig, Behaviour(project.rig, PLAN)).collect(project.change)
    assert named(collected, "tests.base-on-result").state == "passed"
    assert not list(outside.iterdir())


def test_a_known_failure_stays_known(tmp_path: Path) -> None:
    """A test that fails on base too does not count against the change, and is named."""
    base = {**BASE, "tests/test_bad.py": "def test_bad():\n    assert 0\n"}
    collected, _ = collect(tmp_path, {"adder.py": "def add(a, b):\n    return b + a\n"}, base)
    assert [e.state for e in collected.evidence] == ["failed", "passed", "passed"]
    assert named(collected, "tests.result").facts["known_failures"] == ["tests/test_bad.py::test_bad"]
    assert named(collected, "tests.base-on-result").facts["failing"] == ["tests/test_bad.py::test_bad"]


def test_a_new_dependency_that_is_not_installed_is_an_environment_error(tmp_path: Path) -> None:
    """What the change imports and the environment lacks is `error: environment`, not a failed test."""
    collected, _ = collect(tmp_path, {"adder.py": "import some_new_dependency\n" + BASE["adder.py"]})
    for kind in ("tests.result", "tests.base-on-result"):
        assert named(collected, kind).state == "error"
        assert named(collected, kind).summary.startswith("environment: some_new_dependency")


def test_a_broken_test_is_not_excused_by_a_missing_module(tmp_path: Path) -> None:
    """One test that breaks for another reason makes it a failure, whatever else is missing."""
    base = {
        **BASE,
        "lazy.py": "def f():\n    return 1\n",
        "tests/test_lazy.py": "from lazy import f\ndef test_f():\n    f()\n",
    }
    collected, _ = collect(tmp_path, {**BROKEN, "lazy.py": "def f():\n    import nowhere_x\n"}, base)
    assert named(collected, "tests.base-on-result").state == "failed"


def test_no_base_tests_prove_nothing(tmp_path: Path) -> None:
    """Without a passing test on base, kept behaviour is `no-tests`."""
    base = {"adder.py": BASE["adder.py"]}
    collected, _ = collect(tmp_path, {"tests/test_adder.py": BASE["tests/test_adder.py"]}, base)
    assert [e.state for e in collected.evidence] == ["no-tests", "passed", "no-tests", "not-checked"]
    assert len(named(collected, "tests.result").facts["new_tests"]) == 2


def test_base_is_run_once_for_all_packs_on_it(tmp_path: Path) -> None:
    """A second pack on the same base, environment and command takes base's run from the cache; another does not."""
    project = Project(tmp_path, BASE, {"adder.py": "def add(a, b):\n    return b + a\n"})
    first = EvidenceCache(project.blobs)
    TestsCollector(project.rig, Behaviour(project.rig, PLAN, cache=first)).collect(project.change)
    known = {event.key: event.blob for event in first.added}
    assert len(known) == 1 and len(project.sandbox.jobs) == 2

    second = EvidenceCache(project.blobs, known)
    again = TestsCollector(project.rig, Behaviour(project.rig, PLAN, cache=second)).collect(project.change)
    assert len(project.sandbox.jobs) == 3
    assert named(again, "tests.base").facts["cached"] is True

    other = SuitePlan(kind="pytest", argv=("-x",), junit="junit.xml")
    TestsCollector(project.rig, Behaviour(project.rig, other, cache=EvidenceCache(project.blobs, known))).collect(
        project.change
    )
    assert len(project.sandbox.jobs) == 5


def test_a_damaged_cache_is_not_believed(tmp_path: Path) -> None:
    """A cached blob that is not a report is as good as none."""
    project = Project(tmp_path, BASE, {"adder.py": "def add(a, b):\n    return b + a\n"})
    cache = EvidenceCache(project.blobs)
    TestsCollector(project.rig, Behaviour(project.rig, PLAN, cache=cache)).collect(project.change)
    known = {event.key: project.blobs.put(b'{"state": "passed", "outcomes": 7}') for event in cache.added}
    TestsCollector(project.rig, Behaviour(project.rig, PLAN, cache=EvidenceCache(project.blobs, known))).collect(
        project.change
    )
    assert len(project.sandbox.jobs) == 4


def test_two_suites_at_once_say_the_same(tmp_path: Path) -> None:
    """Runs in parallel and runs one after the other give the same evidence of everything that a gate asks for."""
    edits = {**BROKEN, **WAYS_TO_GREEN["edit the test"]}
    serial, _ = collect(tmp_path / "serial", edits)
    project = Project(tmp_path / "parallel", BASE, edits)
    parallel = TestsCollector(project.rig, Behaviour(project.rig, PLAN, parallel=True)).collect(project.change)
    assert [(e.kind, e.state, e.summary) for e in serial.evidence[:3]] == [
        (e.kind, e.state, e.summary) for e in parallel.evidence[:3]
    ]


NEW_TESTS = {
    "fails": (
        "def add(a, b):\n    return a + b + 0.0\n",
        "from adder import add\n\n\ndef test_x():\n    assert type(add(1, 2)) is float\n",
    ),
    "errors": (
        BASE["adder.py"] + "def sub(a, b):\n    return a - b\n",
        "from adder import sub\n\n\ndef test_x():\n    assert sub(1, 2) == -1\n",
    ),
    "passes": (
        "def add(a, b):\n    return b + a\n",
        "from adder import add\n\n\ndef test_x():\n    assert add(0, 0) == 0\n",
    ),
}


@pytest.mark.parametrize("way", NEW_TESTS)
def test_new_tests_are_tried_on_base(tmp_path: Path, way: str) -> None:
    """A new test that fails or cannot even be imported on base counts as failing there, one that passes does not."""
    product, test = NEW_TESTS[way]
    project = Project(tmp_path, BASE, {"adder.py": product, "tests/test_x.py": test})
    collected = TestsCollector(project.rig, Behaviour(project.rig, PLAN, parallel=True)).collect(project.change)
    evidence = named(collected, "tests.new-on-base")
    assert evidence.state == ("not-checked" if way == "passes" else "passed"), evidence
    groups = {"fails": "failing", "errors": "erroring", "passes": "passing"}
    assert {name: evidence.facts[name] for name in groups.values()} == {
        name: ["tests/test_x.py::test_x"] if name == groups[way] else [] for name in groups.values()
    }


def test_a_changed_test_of_unittest_is_tried_on_base(tmp_path: Path) -> None:
    """An edited test of unittest, too, is run on base; tests of other files are not told of."""
    case = "import unittest\nfrom adder import add\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        {}\n"
    base = {"adder.py": BASE["adder.py"], "tests/__init__.py": "#", "tests/test_a.py": case.format("add(1, 2)")}
    base["tests/test_b.py"] = base["tests/test_a.py"]
    edits = {"adder.py": "def add(a, b):\n    return a - b\n"}
    edits["tests/test_a.py"] = case.format("self.assertEqual(add(1, 2), -1)")
    project = Project(tmp_path, base, edits)
    plan = SuitePlan(kind="unittest", argv=("tests",), label="unittest")
    collected = TestsCollector(project.rig, Behaviour(project.rig, plan, parallel=True)).collect(project.change)
    evidence = named(collected, "tests.new-on-base")
    assert (evidence.state, evidence.facts["failing"]) == ("passed", ["tests.test_a.T.test_a"])
    assert evidence.facts["passing"] == []


def test_a_refactoring_needs_no_new_test(tmp_path: Path) -> None:
    """Without tests of its own a change is told of by base's tests alone."""
    collected, _ = collect(tmp_path, {"adder.py": "def add(a, b):\n    return b + a\n"})
    assert not [evidence for evidence in collected.evidence if evidence.kind == "tests.new-on-base"]


@pytest.mark.parametrize(("in_tests_s", "tried"), [(0.0, False), (9.5, True)])
def test_tests_are_tried_on_base_where_that_is_cheap(tmp_path: Path, in_tests_s: float, tried: bool) -> None:
    """Where runs follow one another, a suite that mostly starts up is not started once more; the evidence says so."""
    project = Project(tmp_path, BASE, {"tests/test_x.py": "def test_x():\n    pass\n"})
    cache = EvidenceCache(project.blobs)
    TestsCollector(project.rig, Behaviour(project.rig, PLAN, cache=cache, parallel=False)).collect(project.change)
    (known,) = cache.added
    base = msgspec.json.decode(project.blobs.get(known.blob), type=SuiteReport)
    slow = [msgspec.structs.replace(outcome, seconds=in_tests_s / 2) for outcome in base.outcomes]
    told = msgspec.structs.replace(base, duration_ms=10_000, outcomes=tuple(slow))
    again = EvidenceCache(project.blobs, {known.key: project.blobs.put(msgspec.json.encode(told))})
    behaviour = Behaviour(project.rig, PLAN, cache=again, parallel=False)
    assert (behaviour.of(project.change).new_on_base is not None) == tried
    if not tried:
        evidence = named(TestsCollector(project.rig, behaviour).collect(project.change), "tests.new-on-base")
        assert evidence.state == "not-checked" and "cost" in evidence.summary


def test_what_a_change_reaches_is_run_first_and_all_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is red there is told before the suite runs, whose report is the same as without."""
    monkeypatch.setattr("workbench.evidence.first.WORTH_FILES", 4)
    tests = {f"tests/test_other_{number}.py": f"def test_{number}():\n    pass\n" for number in range(3)}
    base = {
        **BASE,
        **tests,
        "till.py": "import adder\n",
        "tests/test_till.py": "import till\n\ndef test():\n    pass\n",
    }
    project = Project(tmp_path, base, BROKEN)
    told: list[tuple[First, int]] = []
    look = FirstLook(project.rig, PLAN, lambda first: told.append((first, len(project.sandbox.jobs))))
    behaviour = Behaviour(project.rig, PLAN, parallel=False, first=look)
    evidence = named(TestsCollector(project.rig, behaviour).collect(project.change), "tests.result")
    failed = tuple(f"tests/test_adder.py::test_{name}" for name in ("large", "small"))
    assert told == [(First(files=1, tests=2, failed=failed), 1)]  # one file in four, and the nearest
    assert evidence.facts["first"]["failed"] == list(failed)
    plain = TestsCollector(project.rig, Behaviour(project.rig, PLAN, parallel=False)).collect(project.change)
    without = named(plain, "tests.result")
    assert without.facts == {name: value for name, value in evidence.facts.items() if name != "first"}
    assert (without.state, without.summary) == (evidence.state, evidence.summary)


@pytest.mark.parametrize(
    ("edits", "plan", "why"),
    [
        ({"adder.py": "ADDED = 1\n"}, PLAN, "it reaches so many test files that an order would tell no sooner"),
        ({"README.md": "words\n"}, PLAN, "no test file imports what it changes"),
        ({"tests/conftest.py": "\n"}, PLAN, "it changes a conftest.py, which is for all tests below it"),
        ({"adder.py": "ADDED = 1\n"}, SuitePlan(kind="go", argv=()), "only of pytest single files can be run first"),
    ],
)
def test_where_nothing_is_run_first_it_is_said_why(
    tmp_path: Path, edits: Mapping[str, str], plan: SuitePlan, why: str
) -> None:
    """And nobody is told of anything, nor waits."""
    project = Project(tmp_path, BASE, edits)
    first = FirstLook(project.rig, plan, lambda _: pytest.fail("told"))(project.change, None)
    assert first == First(why_not=why)
    assert project.sandbox.jobs == []
