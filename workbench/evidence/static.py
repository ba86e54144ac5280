"""What collectors that only read share: evidence bound to a change, and a change's added lines as text.

It runs nothing and judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbench.model.evidence import Criterion, Evidence, EvidenceState, Grade
from workbench.ports import Change

MAX_TEXT_BYTES = 2_000_000  # larger files are not read as text
MAX_LINE = 4_000  # characters of a line that patterns look at


def bound(
    change: Change,
    kind: str,
    *,
    criterion: Criterion,
    state: EvidenceState,
    summary: str,
    facts: Mapping[str, Any] | None = None,
    grade: Grade = "executed",
) -> Evidence:
    """Evidence of `kind`, bound to the change."""
    return Evidence(
        id=kind,
        kind=kind,
        criterion=criterion,
        grade=grade,
        state=state,
        summary=summary,
        inputs={"base": change.base, "head": change.head, "result": change.result, "tree": change.tree},
        facts=dict(facts or {}),
        collector=kind,
    )


def text_of(data: bytes | None) -> str | None:
    """A file as text; None when it is absent, binary or too large."""
    if data is None or len(data) > MAX_TEXT_BYTES or b"\0" in data[:8000]:
        return None
    return data.decode("utf-8", "replace")


def added_lines(change: Change, path: str, numbers: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    """(number, text) of added lines, each cut to a bounded length."""
    text = text_of(change.result_file(path))
    if text is None:
        return
    lines = text.split("\n")
    for number in numbers:
        if number <= len(lines):
            yield number, lines[number - 1][:MAX_LINE]
