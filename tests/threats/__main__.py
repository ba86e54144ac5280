"""All tests that play a threat, with their positive controls, and what came of each threat.

    python -m tests.threats [--list] [--only ID]... [-n PROCESSES]

Prints a line for each threat: tests and controls that ran, what failed or was skipped, and what is not played yet.
`--list` names the tests and runs nothing. The same tests, without the table: `pytest -m threat`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict

import pytest

from tests.threats.catalogue import OPEN, PARTLY, THREATS
from tests.threats.tests_of import ROOT, played


class Table:
    """What came of the tests of each threat."""

    def __init__(self) -> None:
        self.outcomes: dict[str, list[tuple[str, bool]]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: where it ran, or where it did not come to that."""
        if report.when != "call" and report.outcome == "passed":
            return
        said = dict(report.user_properties)
        for threat in str(said.get("threats", "")).split():
            self.outcomes[threat].append((report.outcome, bool(said.get("is_control"))))

    def line(self, threat: str) -> str:
        """A threat, and what came of it."""
        ran = self.outcomes[threat]
        counts = {outcome: sum(one == outcome for one, _ in ran) for outcome in ("passed", "failed", "skipped")}
        controls = sum(is_control for outcome, is_control in ran if outcome == "passed")
        told = f"{counts['passed']:>5} {controls:>8} {counts['failed']:>6} {counts['skipped']:>7}"
        return f"{threat:<3} {told}  {THREATS[threat]}"


def _listed(only: list[str]) -> None:
    parts = played()
    for threat in only:
        print(f"{threat}: {THREATS[threat]}")
        for node, part in parts.items():
            if threat in part.threats:
                print(f"    {node}{' (control)' if part.is_control else ''}")
        _told_beside(threat)


def _told_beside(threat: str) -> None:
    if threat in OPEN:
        print(f"    not played yet: {OPEN[threat]}")
    if threat in PARTLY:
        print(f"    in part: {PARTLY[threat]}")


def main() -> int:
    """Run or list; 0 when all that ran passed, and every threat that is not open was played."""
    parser = argparse.ArgumentParser(prog="python -m tests.threats", description="The tests that play a threat.")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", action="append", choices=list(THREATS), metavar="ID")
    parser.add_argument("-n", dest="processes", default="2")
    asked = parser.parse_args()
    only = asked.only or list(THREATS)
    if asked.list:
        _listed(only)
        return 0
    nodes = [str(ROOT / node) for node, part in played().items() if set(part.threats) & set(only)]
    table, begun = Table(), time.monotonic()
    code = pytest.main(["-q", "-p", "no:randomly", "-n", asked.processes, *nodes], plugins=[table]) if nodes else 0
    print(f"\n{'':<3} {'tests':>5} {'controls':>8} {'failed':>6} {'skipped':>7}  in {time.monotonic() - begun:.0f} s")
    for threat in only:
        print(table.line(threat))
        _told_beside(threat)
    unplayed = [threat for threat in only if threat not in OPEN and not table.outcomes[threat]]
    return int(bool(code or unplayed))


if __name__ == "__main__":
    sys.exit(main())
