"""Outputs that evidence refers to, as lines for a person to read; whatever they contain, they are text."""

from __future__ import annotations

import json
from collections.abc import Iterable

from workbench.ace.wiring.workplace import Workplace
from workbench.model.errors import WorkbenchError
from workbench.ports import Blobs

SHOWN_BYTES = 2 << 20  # of one output; of a longer one, its beginning


def output_lines(place: Workplace, digests: Iterable[str]) -> dict[str, list[str]]:
    """The lines of each output; of one that cannot be read, why."""
    with place.reading() as ledger:
        return {digest: _lines(ledger.blobs, digest) for digest in digests}


def _lines(blobs: Blobs, digest: str) -> list[str]:
    try:
        return readable(blobs.get(digest))
    except WorkbenchError as problem:
        return [f"({problem.message})"]


def readable(data: bytes) -> list[str]:
    """Data as lines: JSON with one value a line, anything else as it is."""
    if len(data) <= SHOWN_BYTES and data[:1] in b"{[":
        try:
            return json.dumps(json.loads(data), indent=2, ensure_ascii=False).splitlines()
        except (ValueError, RecursionError):
            pass
    lines = data[:SHOWN_BYTES].decode("utf-8", "replace").split("\n")
    rest = len(data) - SHOWN_BYTES
    return [*lines, f"(… {rest} bytes more)"] if rest > 0 else lines
