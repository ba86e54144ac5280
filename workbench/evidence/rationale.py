"""The agent's reasons, kept as a claim, and held against the change and its brief; a mismatch is only reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from workbench.artifacts.brief import Brief, clauses
from workbench.core.assemble import claimed_rationale
from workbench.evidence.static import bound, text_of
from workbench.model.evidence import Finding
from workbench.ports import Change, Collected

MIN_WORDS = 8  # below it a rationale says nothing that a reviewer could use
_PATH = re.compile(
    r"(?<![\w/.-])((?:[\w.-]+/)*[\w-]+\.(?:py|[cm]?[jt]sx?|go|rs|toml|ya?ml|json|md|cfg|ini|css|html|sql))\b"
)
_ENTITY = re.compile(r"`([A-Za-z_][\w.]{3,80})(?:\(\))?`")
_CLAUSE = re.compile(r"\b(?:DOD|INV|REQ|AC|NFR|OUT|CON)-\d{1,4}\b")
MAX_NAMED = 20
MAX_TEXTS = 500  # changed files in which the names of a rationale are looked for


class RationaleCollector:
    """Port Collector: grade `claimed`, whatever it says."""

    name = "rationale"

    def __init__(self, claimed: Mapping[str, Any], brief: Brief | None = None) -> None:
        self._claimed = claimed_rationale(claimed)
        self._clauses = None if brief is None else {clause.id for clause in clauses(brief)}

    def collect(self, change: Change) -> Collected:
        """Passed as a claim when there is one with some substance; a finding for each name that fits nothing."""
        text = " ".join((self._claimed.approach, *self._claimed.trade_offs, self._claimed.notes))
        findings = [*_files(change, text), *_entities(change, text), *self._of_brief(text)]
        enough = len(text.split()) >= MIN_WORDS
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
                yield _mismatch(f"The rationale names {clause}, which is no clause of the brief.")


def _files(change: Change, text: str) -> Iterator[Finding]:
    """Files that are named and did not change, and, where any is named, those that changed and are not."""
    changed = {path for _, path in change.changed_paths()}
    names = {path.rpartition("/")[2] for path in changed}
    named = list(dict.fromkeys(_PATH.findall(text)))
    for path in [path for path in named if path not in changed | names][:MAX_NAMED]:
        if change.base_file(path) is None:
            yield _mismatch(f"The rationale names {path}, which did not change.")
    unsaid = sorted(path for path in changed if path not in named and path.rpartition("/")[2] not in named)
    if unsaid and len(unsaid) < len(changed):
        more = f" and {len(unsaid) - 5} more" if len(unsaid) > 5 else ""
        said = f"The rationale names files, and leaves out {', '.join(unsaid[:5])}{more}."
        yield Finding(kind="rationale.unmentioned", severity="info", text=said)


def _entities(change: Change, text: str) -> Iterator[Finding]:
    """Names of code, in back quotes, that no changed file has on either side."""
    wanted = [name for name in dict.fromkeys(_ENTITY.findall(text)) if not _PATH.fullmatch(name)]
    if not wanted:
        return
    words: set[str] = set()
    for _, path in change.changed_paths()[:MAX_TEXTS]:
        for side in (change.base_file(path), change.result_file(path)):
            words.update(re.findall(r"\w+", text_of(side) or ""))
    words.update(word for _, path in change.changed_paths() for word in re.findall(r"\w+", path))
    for name in [name for name in wanted if name.rpartition(".")[2] not in words][:MAX_NAMED]:
        yield _mismatch(f"The rationale names {name}, which no changed file has.")


def _mismatch(text: str) -> Finding:
    return Finding(kind="rationale.mismatch", severity="low", text=text)
