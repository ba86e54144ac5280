"""The impact of a pack as rows of a tree: how they are grouped and painted. No widget."""

from __future__ import annotations

from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Line, Role, blanks, cut, line, piece, safe
from workbench.core.views.impact import NEEDS, ImpactLine

INDENT = 2  # cells for each step down the tree
DEEPEST = 6  # steps; further down all stand below each other
_ROLES: dict[str, Role] = {"failed": "failed", "alert": "needs-you", "unknown": "dim"}
_SIGNS: dict[str, Role] = {"+": "added", "-": "removed"}


def impact_sheet(rows: list[ImpactLine]) -> Sheet[ImpactLine]:
    """The rows in their groups."""
    return Sheet(rows, key=lambda row: row.key, group=lambda row: safe(row.group))


def paint_impact(row: ImpactLine, cells: int, glyphs: Glyphset) -> Line:
    """A row: mark, its place in the tree, what it says, and what stands behind that."""
    sign = glyphs.sign(row.state) if row.state else blanks(1)
    depth = min(row.depth, DEEPEST)
    branch = blanks(INDENT * (depth - 1)), piece(glyphs.pick("└ ", "- "), "dim")
    head, _, rest = row.words.partition("  ")
    role: Role = "strong" if not depth else "plain"
    if row.group == NEEDS:
        head, rest, role = row.words, "", _SIGNS.get(row.words[:1], "plain")
    return cut(
        line(
            sign,
            " ",
            *(branch if depth else ()),
            piece(head, _ROLES.get(row.state, role) if not depth else role),
            *((piece(f"  {rest}", "dim" if depth else "plain"),) if rest else ()),
            *((piece(f"  {row.fact}", "dim" if row.state != "alert" else "needs-you"),) if row.fact else ()),
        ),
        cells,
    )


def said(row: ImpactLine) -> str:
    """What a filter looks for."""
    return f"{row.group} {row.words} {row.fact}"
