"""How one file's change is read and made ready to be shown: beside the event loop, for it takes as long as it takes."""

from __future__ import annotations

from workbench.ace.tui.diff import FileDiff
from workbench.ace.tui.difflines import Shown
from workbench.ace.tui.diffrows import Pairs
from workbench.ace.wiring.differing import AROUND, ChangedFile, file_diff
from workbench.ace.wiring.workplace import Workplace


def made(place: Workplace, base: str, tree: str, file: ChangedFile, *, around: int = AROUND) -> Shown:
    """The file's diff with so many lines around each change, what of it is mechanical, and the roles of its words."""
    diff = FileDiff(file_diff(place, base, tree, file, around=around))
    return Shown(diff, pairs=Pairs(diff))
