"""Evidence that there is no suite: what was looked for on base, so that nobody takes silence for a pass."""

from __future__ import annotations

from workbench.artifacts.configuration import Tests
from workbench.evidence.conventions import looked_for
from workbench.evidence.rig import Rig
from workbench.ports import Change, Collected

_KINDS = ("tests.base", "tests.result", "tests.base-on-result")


class NoSuite:
    """Port Collector, in place of the tests' own where base has no suite: every kind is `no-tests`."""

    name = "tests"

    def __init__(self, rig: Rig, configured: Tests | None = None) -> None:
        self._rig = rig
        self._looked_for = looked_for(configured)

    def collect(self, change: Change) -> Collected:
        """Say that nothing was found, and once where it was looked for."""
        short = "base has no test suite"
        whole = f"{short}: neither {', nor '.join(self._looked_for)}"
        made = (
            self._rig.evidence(
                change,
                kind,
                criterion="verification",
                state="no-tests",
                summary=whole if kind == _KINDS[0] else f"{short} that could be run",
                facts={"looked_for": list(self._looked_for), "remedy": "workbench config: tests.command"},
                collector=self.name,
            )
            for kind in _KINDS
        )
        return Collected(evidence=tuple(made))
