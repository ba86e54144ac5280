"""How one file's change is read and made ready to be shown: beside the event loop, for it takes as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from workbench.ace.tui.diff import FileDiff
from workbench.ace.tui.difffold import folds_of
from workbench.ace.tui.difflines import Shown
from workbench.ace.tui.diffrows import Pairs
from workbench.ace.wiring.differing import AROUND, ChangedFile, file_diff, file_sides, sides_of
from workbench.ace.wiring.workplace import Workplace
from workbench.code.model import FileSides, Hunk

TOGETHER = 3 << 20  # bytes of all files up to which they are compared as one change, so that moves between them show
ALONE = 1 << 20  # bytes of one file up to which its structure is looked at


class Change:
    """What lies between two trees. Its structure is found once, when the first file is looked at."""

    def __init__(self, base: str, tree: str, files: Sequence[ChangedFile]) -> None:
        self.base, self.tree = base, tree
        self._files = tuple(file for file in files if not file.is_binary)
        self._finding = threading.Lock()
        self._found: dict[str, tuple[Hunk, ...]] | None = None

    def shown(self, place: Workplace, file: ChangedFile, *, around: int = AROUND) -> Shown:
        """The file's diff with so many lines around each change, and what of it is mechanical."""
        diff = FileDiff(file_diff(place, self.base, self.tree, file, around=around))
        hunks = self._hunks(place, file)
        return Shown(diff, folds=folds_of(diff, hunks), pairs=Pairs(diff))

    def _hunks(self, place: Workplace, file: ChangedFile) -> tuple[Hunk, ...]:
        if sum(each.old_size + each.new_size for each in self._files) > TOGETHER:
            small = not file.is_binary and file.old_size + file.new_size <= ALONE
            return _structure([file_sides(place, self.base, self.tree, file)]).get(file.path, ()) if small else ()
        with self._finding:
            if self._found is None:
                self._found = _structure(sides_of(place, self.base, self.tree, self._files))
        return self._found.get(file.path, ())


def _structure(files: Sequence[FileSides]) -> dict[str, tuple[Hunk, ...]]:
    from workbench.code.compare import structural_diff  # grammars take a moment to load

    return {change.path: change.hunks for change in structural_diff(files).files}
