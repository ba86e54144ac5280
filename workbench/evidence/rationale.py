"""The agent's reasons, kept as a claim, and held against the files that changed; a mismatch is only reported."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from workbench.core.assemble import claimed_rationale
from workbench.evidence.static import bound
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

MIN_WORDS = 8  # below it a rationale says nothing that a reviewer could use
_PATH = re.compile(
    r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.(?:py|[cm]?[jt]sx?|go|rs|toml|ya?ml|json|md|cfg|ini|css|html|sql))\b"
)
MAX_NAMED = 20


class RationaleCollector:
    """Port Collector: grade `claimed`, whatever it says."""

    name = "rationale"

    def __init__(self, claimed: Mapping[str, Any]) -> None:
        self._claimed = claimed_rationale(claimed)

    def collect(self, change: Change) -> Collected:
        """Passed as a claim when there is one with some substance; a finding for each file that it names in error."""
        text = " ".join((self._claimed.approach, *self._claimed.trade_offs, self._claimed.notes))
        changed = {path for _, path in change.changed_paths()}
        names = {path.rpartition("/")[2] for path in changed}
        wrong = [path for path in dict.fromkeys(_PATH.findall(text)) if path not in changed | names]
        findings = [
            Finding(
                kind="rationale.mismatch", severity="low", text=f"The rationale names {path}, which did not change."
            )
            for path in wrong[:MAX_NAMED]
            if change.base_file(path) is None
        ]
        enough = len(text.split()) >= MIN_WORDS
        evidence = bound(
            change,
            "rationale",
            criterion="rationale",
            state="passed" if enough else "not-checked",
            summary="the agent gave its reasons" if enough else "the agent gave no reasons to speak of",
            grade="claimed",
        )
        return Collected(evidence=(evidence,), findings=tuple(findings))
