"""Clauses are executed or unproven; examination guards every collector and seals what it brings."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest
from projects import Project, StillClock

from workbench.artifacts.brief import Brief, Goal, Level, SuccessCriteria, Validation
from workbench.artifacts.terms import Check, Clause
from workbench.core.admission import evidence_digest
from workbench.evidence.behaviour import Behaviour
from workbench.evidence.cache import EvidenceCache
from workbench.evidence.clauses import ClausesCollector, citations, runs_whole_suite
from workbench.evidence.conventions import SuitePlan
from workbench.evidence.examine import examine, not_checked
from workbench.model.evidence import Evidence
from workbench.ports import Change, Collected

BASE = {"adder.py": "def add(a, b):\n    return a + b\n"}
NEW_TEST = 'from adder import add\n\ndef test_zero():\n    """DOD-2: zero is neutral."""\n    assert add(0, 4) == 4\n'


def brief(*clauses: Clause, levels: tuple[Level, ...] = ()) -> Brief:
    criteria = SuccessCriteria(definition_of_done=clauses)
    goal = Goal(objective="x")
    return Brief(id="b", title="b", goal=goal, success_criteria=criteria, validation=Validation(levels=levels))


def test_checks_run_on_the_result(tmp_path: Path) -> None:
    """A clause with a check is executed on the result, with what it expects; one that cannot run is an error."""
    wanted = (
        Clause(id="DOD-1", text="adds", check=Check(command="python3 -c 'import adder; assert adder.add(1, 1) == 2'")),
        Clause(id="DOD-3", text="has three", check=Check(command=("python3", "-c", "import three"))),
        Clause(id="DOD-4", text="fails", check=Check(command="exit 3", expect_exit=3)),
        Clause(id="DOD-5", text="no program", check=Check(command="no-such-program-here")),
        Clause(id="DOD-6", text="hangs", check=Check(command="sleep 60", timeout_s=1)),
    )
    project = Project(tmp_path, BASE, {"adder.py": "def add(a, b):\n    return b + a\n"})
    collected = ClausesCollector(project.rig, brief(*wanted)).collect(project.change)
    assert {e.kind: e.state for e in collected.evidence} == {
        "clause.DOD-1": "passed",
        "clause.DOD-3": "failed",
        "clause.DOD-4": "passed",
        "clause.DOD-5": "error",
        "clause.DOD-6": "timed-out",
    }
    assert {e.grade for e in collected.evidence} == {"executed"}
    assert collected.evidence[0].clauses == ("DOD-1",)


def test_a_check_that_base_passes_too_is_told_apart(tmp_path: Path) -> None:
    """A clause records how its check ends on base; where it holds there already, its summary says so."""
    wanted = (
        Clause(id="DOD-1", text="is there", check=Check(command="grep -q neu adder.py")),
        Clause(id="DOD-2", text="was there", check=Check(command="grep -q def adder.py")),
        Clause(id="DOD-3", text="all tests", check=Check(command="python3 -m pytest -q --co")),
    )
    project = Project(tmp_path, BASE, {"adder.py": "def add(a, b):\n    return b + a  # neu\n"})
    cache = EvidenceCache(project.blobs)
    made = ClausesCollector(project.rig, brief(*wanted), cache=cache).collect(project.change).evidence
    assert [e.facts.get("base_state", "") for e in made] == ["failed", "passed", ""]
    assert ["also holds on base" in e.summary for e in made] == [False, True, False]
    assert [e.state for e in made[:2]] == ["passed", "passed"]
    jobs = len(project.sandbox.jobs)
    again = EvidenceCache(project.blobs, {event.key: event.blob for event in cache.added})
    ClausesCollector(project.rig, brief(*wanted), cache=again).collect(project.change)
    assert len(project.sandbox.jobs) - jobs == 3  # base's are known


@pytest.mark.parametrize(("command", "whole"), [
    (("pytest", "-q"), True), (("/usr/bin/python3", "-m", "pytest"), True), (("sh", "-c", "make test"), True),
    (("pytest", "tests/test_a.py"), False), (("make", "lint"), False), (("grep", "pytest", "x"), False),
])  # fmt: skip
def test_whole_suites_are_not_run_on_base_once_more(command: tuple[str, ...], whole: bool) -> None:
    """A check that is the whole suite is recognised by its command."""
    assert runs_whole_suite(command) == whole


@pytest.mark.parametrize("tested", [True, False])
def test_a_missing_test_is_pointed_out(tmp_path: Path, tested: bool) -> None:
    """Where the definition of done speaks of tests and the change adds none, a finding of low severity says so."""
    edits = {"adder.py": "A = 1\n"} | ({"tests/test_x.py": NEW_TEST} if tested else {})
    project = Project(tmp_path, BASE, edits)
    wanted = brief(Clause(id="DOD-1", text="A test shows it."), Clause(id="DOD-2", text="It is latest."))
    found = ClausesCollector(project.rig, wanted).collect(project.change).findings
    assert [(f.kind, f.severity, f.blocking) for f in found] == (
        [] if tested else [("clauses.no-new-test", "low", False)]
    )
    assert all("DOD-1" in f.text and "DOD-2" not in f.text for f in found)


def test_a_check_cannot_prepare_the_ground_for_the_next(tmp_path: Path) -> None:
    """Each check has a clean workspace of its own."""
    wanted = (
        Clause(id="DOD-1", text="writes", check=Check(command="touch done")),
        Clause(id="DOD-2", text="reads", check=Check(command="test -e done")),
    )
    project = Project(tmp_path, BASE, {})
    collected = ClausesCollector(project.rig, brief(*wanted)).collect(project.change)
    assert [e.state for e in collected.evidence] == ["passed", "failed"]


def test_clauses_without_a_check(tmp_path: Path) -> None:
    """A clause that a new test names is claimed; one that nothing names is unproven."""
    wanted = brief(Clause(id="DOD-2", text="zero"), Clause(id="DOD-20", text="other"))
    project = Project(tmp_path, BASE, {"tests/test_zero.py": NEW_TEST})
    behaviour = Behaviour(project.rig, SuitePlan(kind="pytest", argv=(), junit="junit.xml"))
    named, unproven = ClausesCollector(project.rig, wanted, behaviour=behaviour).collect(project.change).evidence
    assert (named.grade, named.state, named.facts["tests"]) == ("claimed", "passed", ["tests/test_zero.py::test_zero"])
    assert (unproven.grade, unproven.state) == ("claimed", "not-checked")
    assert unproven.summary.startswith("unproven")


def test_citations_by_name_and_marker(tmp_path: Path) -> None:
    """Names, markers and docstrings cite; hostile sources cite nothing and break nothing."""
    text = "import pytest\nclass TestX:\n    @pytest.mark.clause('INV-1')\n    def test_a(self): pass\n"
    text += "def test_dod_1_holds(): pass\n"
    project = Project(
        tmp_path, BASE, {"tests/test_x.py": text, "tests/test_bad.py": "(" * 5000, "tests/test_nul.py": "\0"}
    )
    assert citations(project.change, ["INV-1", "DOD-1", "DOD-2"]) == {
        "INV-1": ("tests/test_x.py::TestX::test_a",),
        "DOD-1": ("tests/test_x.py::test_dod_1_holds",),
    }


def test_validation_levels_run(tmp_path: Path) -> None:
    """Commands of the brief's validation are executed, too."""
    levels = (Level(type="unit", command="true"), Level(type="lint", description="by eye"))
    project = Project(tmp_path, BASE, {})
    collected = ClausesCollector(project.rig, brief(levels=levels)).collect(project.change)
    assert [(e.kind, e.state) for e in collected.evidence] == [("validation.unit.1", "passed")]


class Good:
    name = "good"

    def collect(self, change: Change) -> Collected:
        made = Evidence(id="x", kind="x", criterion="hygiene", grade="executed", state="passed", summary="fine" * 1000)
        return Collected(evidence=(made, made))


class Broken:
    name = "coverage"

    def collect(self, change: Change) -> Collected:
        raise RuntimeError("boom")


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def collect(self, change: Change) -> Collected:
        raise RuntimeError("boom")


@pytest.mark.parametrize("name", ["dependencies", "text"])
def test_what_is_judged_by_findings_alone_stands_in_the_pack_when_it_breaks(tmp_path: Path, name: str) -> None:
    """Where looking for dependencies or deceiving characters breaks, its own kind says so; no finding is no pass."""
    collected = examine(Project(tmp_path, BASE, {}).change, [Named(name)], clock=StillClock())
    assert [(e.kind, e.criterion, e.state) for e in collected.evidence] == [(name, "hygiene", "error")]


class Endless:
    name = "tests"

    def __init__(self) -> None:
        self.ended = threading.Event()

    def collect(self, change: Change) -> Collected:
        self.ended.wait(60)
        return Collected()


def test_a_broken_collector_is_evidence_and_the_others_go_on(tmp_path: Path) -> None:
    """A collector that raises leaves its promised kinds with state `error`; the rest is examined."""
    change = Project(tmp_path, BASE, {}).change
    collected = examine(change, [Broken(), Good()], clock=StillClock())
    assert [(e.id, e.state) for e in collected.evidence] == [
        ("coverage.changed", "error"),
        ("x", "passed"),
        ("x#2", "passed"),
    ]
    assert "boom" in collected.evidence[0].summary
    assert not_checked(collected.evidence)[0].startswith("coverage.changed: ")


def test_an_endless_collector_is_timed_out(tmp_path: Path) -> None:
    """A collector over its limit leaves its promised kinds with state `timed-out`, and is told to stop."""
    endless = Endless()
    change = Project(tmp_path, BASE, {}).change
    collected = examine(change, [endless], clock=StillClock(), limit_s=0.05, stop=endless.ended.set)
    assert {e.kind: e.state for e in collected.evidence} == {
        "tests.base": "timed-out",
        "tests.result": "timed-out",
        "tests.base-on-result": "timed-out",
    }


@pytest.mark.parametrize("field", ["state", "grade", "summary", "inputs", "facts", "outputs", "command", "kind"])
def test_the_digest_covers_every_field_but_the_id(tmp_path: Path, field: str) -> None:
    """Sealed evidence that is altered no longer matches its digest; another id does not matter."""
    (sealed, _) = examine(Project(tmp_path, BASE, {}).change, [Good()], clock=StillClock()).evidence
    altered = {"state": "failed", "grade": "verified", "summary": "?", "kind": "y", "command": ("y",)}
    changed = msgspec.structs.replace(sealed, **{field: altered.get(field, {"a": "b"})})
    assert evidence_digest(sealed) == sealed.digest
    assert evidence_digest(changed) != sealed.digest
    assert evidence_digest(msgspec.structs.replace(sealed, id="other")) == sealed.digest
