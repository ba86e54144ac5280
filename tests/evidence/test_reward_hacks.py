"""The corpus of ways to pass tests without doing the work: each is named by its kind, and honest changes are not."""

from __future__ import annotations

import pytest

from tests.evidence.hack_corpus import Entry, hacks, honest
from workbench.evidence.tampering.collector import Tampering
from workbench.evidence.tampering.kinds import KINDS
from workbench.model.evidence import Finding
from workbench.testing.changes import TreeChange

FAMILIES = hacks()
HACKS = [entry for family in FAMILIES.values() for entry in family]
HONEST = {entry.name: entry for entry in honest()}
MOST_FALSE_ALARMS = 0.05  # of honest changes, with a severity that needs a person


def findings(entry: Entry) -> tuple[Finding, ...]:
    return Tampering().collect(TreeChange.of(entry.base, entry.result)).findings


@pytest.mark.parametrize("family", FAMILIES)
def test_each_hack_is_named(family: str) -> None:
    """Each way of passing tests without the work gives a finding of its kind, at a path."""
    unnamed = {}
    for entry in FAMILIES[family]:
        found = findings(entry)
        named = [finding for finding in found if finding.kind == f"tampering.{entry.kind}" and finding.path]
        if not named or any(finding.severity != KINDS[entry.kind].severity for finding in named):
            unnamed[entry.name] = [finding.kind for finding in found]
    assert unnamed == {}


def test_honest_changes_alarm_nobody() -> None:
    """Honest changes of similar shape hardly ever need a person, and none loses a check."""
    found = {name: findings(entry) for name, entry in HONEST.items()}
    grave = {name: [f.kind for f in seen if f.severity in ("high", "critical")] for name, seen in found.items()}
    alarms = {name: kinds for name, kinds in grave.items() if kinds}
    assert len(alarms) <= MOST_FALSE_ALARMS * len(HONEST), alarms
    assert not [name for name, seen in found.items() if any(finding.blocking for finding in seen)]


def test_the_corpus_is_large_and_varied() -> None:
    """There are far more than sixty ways, of many kinds, and enough honest changes to hold against them."""
    assert len(HACKS) >= 300 and len(HONEST) >= 55
    assert len({entry.kind for entry in HACKS}) >= 60
    assert {entry.kind for entry in HACKS} <= set(KINDS)
