"""How the generated pages of the reference are written: headings and tables in Markdown; it knows no page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell's line breaks and bars are kept from breaking it."""
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in cells)} |"


def code(text: object) -> str:
    """A word as code; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def page(*blocks: str) -> str:
    """Blocks with a blank line between them."""
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"
