"""The agent's reasons, kept as a claim, and held against the change and its brief; a mismatch is only reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from workbench.artifacts.brief import Brief, clauses
from workbench.code.model import StructuralDiff
from workbench.core.assemble import claimed_rationale
from workbench.core.assemble import test_plan as plan_of
from workbench.evidence.rationale_names import (
    MAX_NAMED,
    Touched,
    left_out,
    mismatch,
    unchanged_entities,
    unchanged_files,
)
from workbench.evidence.static import bound
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

MIN_WORDS = 8  # below it a rationale says nothing that a reviewer could use
_CLAUSE = re.compile(r"\b(?:DOD|INV|PRE|POST|GOT|CON|AVO|REQ|AC|NFR|OUT)-\d{1,4}\b")


class RationaleCollector:
    """Port Collector: grade `claimed`, whatever it says."""

    name = "rationale"

    def __init__(
        self,
        claimed: Mapping[str, Any],
        brief: Brief | None = None,
        *,
        diff: Callable[[], StructuralDiff | None] = lambda: None,
    ) -> None:
        """`diff` gives the change as it was compared already; without one it is compared here."""
        self._claimed = claimed_rationale(claimed)
        self._plan = " ".join(item.item for item in plan_of(claimed, (), ()))
        self._clauses = None if brief is None else [clause.id for clause in clauses(brief)]
        self._diff = diff

    def collect(self, change: Change) -> Collected:
        """Passed as a claim when there is one with some substance; a finding for each name that fits nothing."""
        text = " ".join((self._claimed.approach, *self._claimed.trade_offs, self._claimed.notes))
        enough = len(text.split()) >= MIN_WORDS
        touched = Touched(change, self._diff())
        findings = [*unchanged_files(touched, text), *unchanged_entities(touched, text), *self._of_brief(text)]
        findings += left_out(touched, f"{text} {self._plan}", self._unnamed(text)) if enough else []
        evidence = bound(
            change,
            "rationale",
            criterion="rationale",
            state="passed" if enough else "not-checked",
            summary="the agent gave its reasons" if enough else "the agent gave no reasons to speak of",
            grade="claimed",
            facts={"mismatches": len(findings)},
        )
        return Collected(evidence=(evidence,), findings=tuple(findings))

    def _of_brief(self, text: str) -> Iterator[Finding]:
        """Clauses that the rationale names and the brief does not have."""
        if self._clauses is None:
            return
        for clause in list(dict.fromkeys(_CLAUSE.findall(text)))[:MAX_NAMED]:
            if clause not in self._clauses:
                yield mismatch(f"The rationale names {clause}, which is no clause of the brief.")

    def _unnamed(self, text: str) -> list[str]:
        """Clauses of the brief that the rationale leaves out, where it goes by clauses."""
        known, named = self._clauses or [], {*_CLAUSE.findall(text)}
        return [clause for clause in known if clause not in named] if named & {*known} else []
