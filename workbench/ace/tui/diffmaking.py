"""How one file's change is read and made ready to be shown: beside the event loop, for it takes as long as it takes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

from workbench.ace.tui.difffold import folds_of
from workbench.ace.tui.difflines import Shown
from workbench.ace.tui.diffrows import Pairs
from workbench.ace.tui.diffshade import Shade, Spans
from workbench.ace.wiring.differing import AROUND, ChangedFile, apart, file_diff, sides_of
from workbench.ace.wiring.hunking import is_cut
from workbench.ace.wiring.workplace import Workplace
from workbench.code.githunks import hunks_of
from workbench.code.languages import language_of
from workbench.code.model import FileSides, Hunk
from workbench.code.unified import FileDiff
from workbench.code.words import words

TOGETHER = 3 << 20  # bytes of all files up to which they are compared as one change, so that moves between them show
ALONE = 1 << 20  # bytes of one file up to which its structure is looked at
COLORED_LINES = 20_000  # of one diff

Known = tuple[FileSides, tuple[Hunk, ...]]  # a file before and after, and what its change consists of


class Change:
    """What lies between two trees. Its structure is found once, when the first file is looked at."""

    def __init__(self, base: str, tree: str, files: Sequence[ChangedFile]) -> None:
        self.base, self.tree = base, tree
        self._files = tuple(file for file in files if not file.is_binary)
        self._is_small = sum(_size(file) for file in self._files) <= TOGETHER
        self._finding = threading.Lock()
        self._found: dict[str, Known] | None = None

    def shown(self, place: Workplace, file: ChangedFile, *, around: int = AROUND) -> Shown:
        """The file's diff with so many lines around each change, what of it is mechanical, and its words' roles."""
        diff = FileDiff(file_diff(place, self.base, self.tree, file, around=around))
        known = self._known(place, file)
        cut = hunks_of(diff) if is_cut(file) else ()
        if known is None:
            return Shown(diff, pairs=Pairs(diff), shade=Shade({}, {}, words), hunks=cut)
        sides, hunks = known
        return Shown(diff, folds=folds_of(diff, hunks), pairs=Pairs(diff), shade=_shade(sides, diff), hunks=cut)

    def _known(self, place: Workplace, file: ChangedFile) -> Known | None:
        """None of a file that is too large to be looked into, or no text."""
        if not self._is_small:
            fits = not file.is_binary and _size(file) <= ALONE
            return self._find(place, [file]).get(file.path) if fits else None
        with self._finding:
            if self._found is None:
                self._found = self._find(place, self._files)
        return self._found.get(file.path)

    def _find(self, place: Workplace, files: Sequence[ChangedFile]) -> dict[str, Known]:
        from workbench.code.compare import structural_diff  # grammars take a moment to load

        sides = sides_of(place, self.base, self.tree, files)
        parts = [part for file, side in zip(files, sides, strict=True) for part in apart(file, side)]
        hunks = {change.path: change.hunks for change in structural_diff(parts).files}
        return {side.path: (side, hunks.get(side.path, ())) for side in sides}


def _size(file: ChangedFile) -> int:
    return file.old_size + file.new_size


def _shade(sides: FileSides, diff: FileDiff) -> Shade:
    if len(sides.old or b"") + len(sides.new or b"") > ALONE or len(diff) > COLORED_LINES:
        return Shade({}, {}, words)
    old, new = (_roles(sides.path, text, diff, side) for side, text in enumerate((sides.old, sides.new)))
    return Shade(old, new, words)


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
