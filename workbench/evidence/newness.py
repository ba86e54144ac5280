"""What a tool reports about the result and not about base, matched by text, never by line number; it runs nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a tool said. `source` is the line of code that it speaks of, without its indentation."""

    code: str
    text: str
    path: str
    line: int = 0
    source: str = ""


def new_reports(base: Sequence[Report], result: Sequence[Report], key: Callable[[Report], object]) -> list[Report]:
    """The reports of `result` beyond those of `base` with the same key; moved code is not new."""
    known = Counter(key(report) for report in base)
    fresh = []
    for report in result:
        if known[key(report)]:
            known[key(report)] -= 1
        else:
            fresh.append(report)
    return fresh
