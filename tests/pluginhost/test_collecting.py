"""Collectors of plugins: guarded, and stamped so that no evidence can pass for somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pluginhost.bundles import HOOK, bundle, opened
from workbench.core.admission import Bindings, admit, sealed
from workbench.evidence.examine import examine
from workbench.model.evidence import Evidence
from workbench.pluginhost.collecting import collectors
from workbench.pluginhost.host import Failure
from workbench.ports import Change, Collected
from workbench.testing.changes import TreeChange
from workbench.testing.clock import SettableClock

CHANGE = TreeChange.of({"a.py": "x = 1\n"}, {"a.py": "x = 2\n"})
TOP = (
    """
from workbench.model.evidence import Evidence, Finding
from workbench.ports import Collected

class C:
    name = "c"
    def __init__(self, workshop): self.workshop = workshop
    def collect(self, change):
        {body}

"""
    + HOOK
    + "def collectors(workshop):\n    return [C(workshop)]\n"
)
FORGED = """return Collected(evidence=(Evidence(id="tests.result", kind="tests.result", criterion="verification",
            grade="verified", state="passed", summary="214 passed", clauses=("DOD-1",), collector="tests",
            digest="sha256:0", inputs={"base": "0" * 40, "plugin gemini": "sha256:0", "plugin tidy": "sha256:0"},
            facts={"plugin": {"name": "tests"}}),),
            findings=(Finding(kind="tampering.x", severity="high", text="gone", evidence="tests.result"),))"""


def collected(body: str, *, timeout_s: str = "60", change: Change = CHANGE) -> tuple[Collected, list[Failure]]:
    """What a collector of this body brings, as a pack would have it."""
    plugin = bundle(code=TOP.format(body=body))
    plugin.files["plugin.toml"] = plugin.files["plugin.toml"].replace(b"= 60", b"= " + timeout_s.encode())
    host, failures = opened(plugin)
    made = collectors(host, lambda _source, _is_over: {"workshop": None})
    return examine(change, made, clock=SettableClock()), failures


def bindings(environment: str = "") -> Bindings:
    """Those of the change."""
    return Bindings(base=CHANGE.base, head=CHANGE.head, tree=CHANGE.tree, environment=environment)


def test_evidence_says_which_plugin_made_it() -> None:
    """By name, version, digest and origin, under the plugin's own kind; and is admitted."""
    brought, failures = collected(FORGED)
    (piece,) = brought.evidence
    digest = bundle(code=TOP.format(body=FORGED)).digest
    assert piece.inputs["plugin tidy"] == digest
    assert piece.facts["plugin"] == {"name": "tidy", "version": "1.0", "origin": "repository"}
    assert (piece.kind, piece.id, piece.collector) == ("tidy.tests.result", "tidy.tests.result", "tidy/c")
    assert admit(brought.evidence, bindings()).refusals == ()
    assert failures == []


def test_a_plugin_cannot_forge_evidence_of_ours() -> None:
    """Neither kind, grade, clause, base nor digest of a forgery stand; the control: unstamped, they all would."""
    (piece,) = collected(FORGED)[0].evidence
    assert (piece.grade, piece.clauses, piece.inputs["base"]) == ("executed", (), CHANGE.base)
    (finding,) = collected(FORGED)[0].findings
    assert (finding.kind, finding.evidence) == ("tidy.tampering.x", "tidy.tests.result")
    assert "plugin gemini" not in piece.inputs
    bound = {"base": CHANGE.base, "head": CHANGE.head, "tree": CHANGE.tree}
    kind = "tests.result"
    forged = sealed(
        Evidence(
            id=kind, kind=kind, criterion="verification", grade="verified", state="passed", summary="", inputs=bound
        )
    )
    assert admit([forged], bindings()).refusals == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise ValueError('no')", "ValueError: no"),
        ("raise SystemExit(0)", "SystemExit"),
        ("return None", "not Collected"),
        ("return [1]", "not Collected"),
        ("return Collected(evidence=('passed',))", "wrong kind"),
        (
            "return Collected(evidence=(Evidence(id=1, kind=2, criterion='x', grade='y', state='z', summary=0),))",
            "wrong",
        ),
    ],
)
def test_a_broken_collector_is_evidence_and_a_failure(body: str, told: str) -> None:
    """Its state is `error`, never a pass, and what happened is recorded with the hook's name."""
    brought, failures = collected(body)
    (piece,) = brought.evidence
    assert (piece.kind, piece.state, piece.collector) == ("tidy.collector", "error", "tidy/c")
    assert told in piece.summary
    assert [(failure.hook, failure.state) for failure in failures] == [("collect tidy/c", "error")]


def test_a_collector_without_a_usable_name_is_called_so() -> None:
    """Its name is asked for under the guard, too."""
    odd = TOP.format(body="return Collected()").replace('name = "c"', "name = property(lambda self: 1 / 0)")
    host, failures = opened(bundle(code=odd))
    (made,) = collectors(host, lambda _source, _is_over: {"workshop": None})
    assert (made.name, made.collect(CHANGE), failures) == ("tidy/collector", Collected(), [])


def test_an_overrun_is_evidence() -> None:
    """`timed-out`, and nothing of the plugin is asked any more, while its commands are told to end."""
    host, failures = opened(
        bundle(code=TOP.format(body="import threading; threading.Event().wait(30)")), limits={"tidy": 0.05}
    )
    is_over: list[Any] = []

    def prepare(_source: Any, over: Any) -> dict[str, Any]:
        is_over.append(over)
        return {"workshop": None}

    (made,) = collectors(host, prepare)
    assert not is_over[0]()
    assert [piece.state for piece in made.collect(CHANGE).evidence] == ["timed-out"]
    assert is_over[0]()
    assert [piece.state for piece in made.collect(CHANGE).evidence] == ["not-checked"]
    assert [failure.state for failure in failures] == ["timed-out"]


def test_a_flood_is_cut_and_said() -> None:
    """What was left out is a piece of evidence of its own; facts beyond the limit are left out."""
    body = """one = Evidence(id="k", kind="k", criterion="hygiene", grade="executed", state="passed", summary="s",
            facts={"x": "y" * 100_000})
        return Collected(evidence=(one,) * 60, findings=(Finding(kind="f", severity="low", text="t"),) * 600)"""
    brought, _ = collected(body)
    assert (len(brought.evidence), len(brought.findings)) == (51, 500)
    assert brought.evidence[-1].state == "not-checked"
    assert brought.evidence[0].facts.keys() == {"left out", "plugin"}
