"""How one file's change is read and made ready to be shown: beside the event loop, for it takes as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

from workbench.ace.tui.diff import FileDiff
from workbench.ace.tui.difffold import folds_of
from workbench.ace.tui.difflines import Shown
from workbench.ace.tui.diffrows import Pairs
from workbench.ace.tui.diffshade import Shade, Spans
from workbench.ace.wiring.differing import AROUND, ChangedFile, file_diff, file_sides, sides_of
from workbench.ace.wiring.workplace import Workplace
from workbench.code.languages import language_of
from workbench.code.model import FileSides, Hunk
from workbench.code.words import words

TOGETHER = 3 << 20  # bytes of all files up to which they are compared as one change, so that moves between them show
ALONE = 1 << 20  # bytes of one file up to which its structure is looked at
COLORED_LINES = 20_000  # of one diff


class Change:
    """What lies between two trees. Its structure is found once, when the first file is looked at."""

    def __init__(self, base: str, tree: str, files: Sequence[ChangedFile]) -> None:
        self.base, self.tree = base, tree
        self._files = tuple(file for file in files if not file.is_binary)
        self._finding = threading.Lock()
        self._found: dict[str, tuple[Hunk, ...]] | None = None

    def shown(self, place: Workplace, file: ChangedFile, *, around: int = AROUND) -> Shown:
        """The file's diff with so many lines around each change, what of it is mechanical, and its words' roles."""
        diff = FileDiff(file_diff(place, self.base, self.tree, file, around=around))
        folds = folds_of(diff, self._hunks(place, file))
        return Shown(diff, folds=folds, pairs=Pairs(diff), shade=self._shade(place, file, diff))

    def _shade(self, place: Workplace, file: ChangedFile, diff: FileDiff) -> Shade:
        if file.old_size + file.new_size > ALONE or len(diff) > COLORED_LINES:
            return Shade({}, {}, words)
        sides = file_sides(place, self.base, self.tree, file)
        old, new = (_roles(file.path, text, diff, side) for side, text in enumerate((sides.old, sides.new)))
        return Shade(old, new, words)

    def _hunks(self, place: Workplace, file: ChangedFile) -> tuple[Hunk, ...]:
        if sum(each.old_size + each.new_size for each in self._files) > TOGETHER:
            small = not file.is_binary and file.old_size + file.new_size <= ALONE
            return _structure([file_sides(place, self.base, self.tree, file)]).get(file.path, ()) if small else ()
        with self._finding:
            if self._found is None:
                self._found = _structure(sides_of(place, self.base, self.tree, self._files))
        return self._found.get(file.path, ())


def _roles(path: str, text: bytes | None, diff: FileDiff, side: int) -> dict[int, Spans]:
    """The roles of the lines of one side that the diff shows, by their numbers."""
    from workbench.code.highlight import highlight

    found: dict[int, Spans] = {}
    language = language_of(path)
    heads = [*diff.hunks, len(diff)]
    for first, end in pairwise(heads) if text and language else ():
        numbers = [number for at in range(first, end) if (number := diff.numbers(at)[side])]
        for span in highlight(language, text or b"", numbers[0], numbers[-1]) if numbers else ():
            found[span.line] = (*found.get(span.line, ()), (span.start, span.end, span.role))
    return found


def _structure(files: Sequence[FileSides]) -> dict[str, tuple[Hunk, ...]]:
    from workbench.code.compare import structural_diff  # grammars take a moment to load

    return {change.path: change.hunks for change in structural_diff(files).files}
