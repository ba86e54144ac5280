"""A pane with the diff of one file: it knows the changed places, what is folded, and can be moved to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from textual.strip import Strip

from workbench.ace.tui.diff import hunk_before, next_hunk
from workbench.ace.tui.difffold import with_read
from workbench.ace.tui.difflines import LEAD, DiffLines, Look, Note, Shown
from workbench.ace.tui.diffrows import NONE
from workbench.ace.tui.text import Line, Piece, piece
from workbench.ace.tui.widgets.lines import LinesView, Where
from workbench.ace.tui.widgets.look import look_of
from workbench.code.githunks import AROUND, hunk_at
from workbench.code.unified import FileDiff

Read = tuple[frozenset[int], str]  # the numbers of the blocks of hunks that were read, and the sign of what was
NONE_READ: Read = (frozenset(), "")
_NO_NOTES: Mapping[int, Piece] = MappingProxyType({})
SHIFT = 16  # cells by which a key moves the pane sideways
NOTHING = Shown(FileDiff(b""))


class DiffView(LinesView):
    """Shows one file's diff, with remarks above it. Whether the sides stand side by side holds for all files."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._remarks: tuple[Line, ...] = ()
        self._shown = NOTHING
        self._unmarked = NOTHING  # the same without what was read
        self._read: frozenset[int] = frozenset()  # numbers of hunks
        self._notes: Mapping[int, Piece] = {}
        self._look = Look()
        self._here = NONE  # the line of the pane that was gone to
        self._below: Sequence[Note] = ()
        self._range_from = NONE  # the line of the diff from which on lines are taken together
        self._laid_as: DiffLines | None = None

    def show_file(
        self,
        remarks: tuple[Line, ...],
        shown: Shown | None = None,
        notes: Mapping[int, Piece] = _NO_NOTES,
        below: Sequence[Note] = (),
        read: Read = NONE_READ,
    ) -> None:
        """Show another file, from its top, what is mechanical folded but where somebody spoke of it.

        `notes` stand beside lines of the result, those `below` under lines of the diff. Hunks that were read are
        folded, too, as long as there are others.
        """
        self._remarks, self._unmarked, self._notes, self._below = remarks, shown or NOTHING, notes, below
        self._take_read(read)
        spoken = {note.line for note in below}
        is_all = len(self._read) == len(self._unmarked.hunks)
        closed = frozenset(
            at
            for at, fold in enumerate(self._shown.folds)
            if not (is_all and fold.sign) and not any(fold.first <= line <= fold.last for line in spoken)
        )
        look = Look(split=self._look.split, closed=closed, read=self._look.read)
        self._look, self._here, self._range_from = look, NONE, NONE
        self.show(self, keep_place=False)

    def take_read(self, read: Read) -> None:
        """Other hunks were read; what one reads stays where it is, and those newly read are folded."""
        before = {fold for at, fold in enumerate(self._shown.folds) if at not in self._look.closed}
        self._take_read(read)
        closed = frozenset(at for at, fold in enumerate(self._shown.folds) if fold not in before)
        self._again(self._look._replace(closed=closed))

    def _take_read(self, read: Read) -> None:
        blocks, sign = read
        base = self._unmarked
        self._read = frozenset(at for at, hunk in enumerate(base.hunks) if hunk.numbers <= blocks)
        folds = with_read(base.folds, base.diff, base.hunks, blocks, sign=sign) if blocks else base.folds
        self._shown = base._replace(folds=folds)
        heads: dict[int, bool] = {}
        for at, hunk in enumerate(base.hunks):
            head = base.diff.hunks[base.diff.head_of(hunk.first)]
            heads[head] = heads.get(head, True) and at in self._read
        self._look = self._look._replace(read=frozenset(head for head, is_read in heads.items() if is_read))

    def take_notes(self, below: Sequence[Note]) -> None:
        """Other notes under lines; what one reads stays where it is."""
        self._below = below
        self._again(self._look)

    def laid(self, cells: int) -> DiffLines:
        """The lines at this width."""
        look = self._look._replace(is_tinted=look_of(self).has_grounds)
        self._laid_as = DiffLines(self._remarks, self._shown, cells, look=look, notes=self._notes, below=self._below)
        return self._laid_as

    # --- moving ---

    def go(self, where: Where) -> None:
        """Move the place one is at; the pane follows where it would leave it."""
        last, page = max(0, len(self.lines) - 1), max(1, self.size.height // 2)
        at = self._at()
        steps = {"next-line": 1, "previous-line": -1, "next-page": page, "previous-page": -page}
        wanted = {"first-line": 0, "last-line": last}.get(where)
        wanted = min(max(at + steps[where], 0), last) if wanted is None else wanted
        top, room = int(self.scroll_target_y), max(1, self.size.height)
        if abs(wanted - at) >= page:
            top += wanted - at
        self._go_to(wanted, above=wanted - min(max(top, wanted - room + 1), wanted))
        if self._range_from != NONE:
            self._mark()

    def start_range(self) -> bool:
        """Take lines together from the one that one is at, or no longer; whether they are now."""
        laid = self._laid_as
        self._range_from = laid.line_of(self._at()) if laid is not None and self._range_from == NONE else NONE
        self._mark()
        return self._range_from != NONE

    def _mark(self) -> None:
        to = NONE if self._laid_as is None or self._range_from == NONE else self._laid_as.line_of(self._at())
        marked = (min(self._range_from, to), max(self._range_from, to)) if to != NONE else (NONE, NONE)
        self._look = self._look._replace(marked=marked)
        self.show(self)

    def go_hunk(self, step: int) -> bool:
        """Go to the next changed place (1) or the one before (-1); whether there is one."""
        laid = self._laid_as
        if laid is None:
            return False
        stops = sorted({laid.index_of(line) for line in self._stops})
        wanted = next_hunk(stops, self._place()) if step > 0 else hunk_before(stops, self._place())
        if not 0 <= wanted < len(stops):
            return False
        self._go_to_stop(stops[wanted])
        return True

    def go_last_hunk(self) -> None:
        """Go to the last changed place."""
        if self._laid_as is not None and (stops := self._stops):
            self._go_to_stop(self._laid_as.index_of(stops[-1]))

    def go_unread(self, *, anew: bool = False) -> bool:
        """Go to the next hunk that was not read, from the top of the file if `anew`; whether there is one."""
        laid, stops = self._laid_as, self._stops
        if laid is None or not self._shown.hunks:
            return False
        here = -1 if anew else self._place()
        for at, line in enumerate(stops):
            if at not in self._read and (index := laid.index_of(line)) > here:
                self._go_to_stop(index)
                return True
        return False

    @property
    def hunks_here(self) -> list[int]:
        """The numbers of the hunks that one is at, took together, or that stand in one line; none above the first."""
        laid, diff, hunks = self._laid_as, self._shown.diff, self._shown.hunks
        line = NONE if laid is None else laid.line_of(self._at())
        if laid is None or line == NONE:
            return []
        fold = laid.fold_of(self._at())
        first, last = self._look.marked if fold == NONE else self._shown.folds[fold][:2]
        found = [at for at, hunk in enumerate(hunks) if hunk.first <= last and first <= hunk.last]
        return found or [at for at in (hunk_at(diff, hunks, line),) if at != NONE]

    @property
    def is_at_read(self) -> bool:
        """Whether all hunks that one is at were read."""
        return self._read.issuperset(self.hunks_here)

    @property
    def _stops(self) -> list[int]:
        """The lines at which changed places begin: git's head of each, or its first line far within what is shown."""
        diff, hunks = self._shown.diff, self._shown.hunks
        if not hunks:
            return diff.hunks
        heads = [diff.hunks[diff.head_of(hunk.first)] for hunk in hunks]
        return [
            head if hunk.first - head <= AROUND + 1 else hunk.first for head, hunk in zip(heads, hunks, strict=True)
        ]

    def _go_to_stop(self, index: int) -> None:
        line = NONE if self._laid_as is None else self._laid_as.line_of(index)
        is_within = line != NONE and any(self._shown.diff.numbers(line))
        is_folded = self._laid_as is not None and self._laid_as.fold_of(index) != NONE
        self._go_to(index, above=AROUND if is_within and not is_folded else 0)

    def go_number(self, number: int) -> None:
        """Go to a line number of the result and mark it; a fold that it is in is opened."""
        line = self._shown.diff.place_of(number)
        around = {at for at, fold in enumerate(self._shown.folds) if fold.first <= line <= fold.last}
        self._look = self._look._replace(found=line, closed=self._look.closed - around)
        self.show(self)
        if self._laid_as is not None:
            self._go_to(self._laid_as.index_of(line), above=3)

    def shift(self, step: int) -> None:
        """Move the pane to the right (1) or to the left (-1)."""
        self._look = self._look._replace(left=max(0, self._look.left + step * SHIFT))
        self.show(self)

    # --- how it is shown ---

    @property
    def folds(self) -> int:
        """How many places are mechanical edits."""
        return len(self._shown.folds)

    @property
    def is_split(self) -> bool:
        """Whether before and after stand side by side."""
        return self._laid_as is not None and self._laid_as.is_split

    def toggle_split(self) -> bool:
        """Side by side, or one below the other; whether it is side by side now."""
        self._again(self._look._replace(split=not self.is_split))
        return self.is_split

    def toggle_folds(self) -> bool:
        """Unfold all that is mechanical, or fold it again; whether it is folded now."""
        closed = frozenset() if self._look.closed else frozenset(range(self.folds))
        self._again(self._look._replace(closed=closed))
        return bool(closed)

    def unfold(self) -> bool:
        """Show the lines of the fold that one is at; whether there is one."""
        fold = NONE if self._laid_as is None else self._laid_as.fold_of(self._at())
        if fold == NONE:
            return False
        self._again(self._look._replace(closed=self._look.closed - {fold}))
        return True

    def _again(self, look: Look) -> None:
        """Lay it out in another way, and stay at the line that one is at."""
        laid, at = self._laid_as, self._at()
        line = NONE if laid is None else laid.line_of(at)
        self._look = look
        self.show(self)
        if self._laid_as is not None and line != NONE:
            self._go_to(self._laid_as.index_of(line), above=at - int(self.scroll_target_y))

    # --- what stands where ---

    @property
    def line(self) -> tuple[str, int] | None:
        """The side (`old` or `new`) and number of the line that one is at; None where there is none."""
        chosen = self.chosen
        return chosen and (chosen[0], chosen[1])

    @property
    def chosen(self) -> tuple[str, int, int] | None:
        """The side and the first and last number of the lines that one is at, or took together; None: there are none.

        Lines of the result, if there is one among them.
        """
        laid, diff = self._laid_as, self._shown.diff
        at = NONE if laid is None else laid.line_of(self._at())
        if at == NONE:
            return None
        first, last = self._look.marked if self._look.marked[0] != NONE else (at, at)
        if not any(diff.numbers(at)) and first == last and last + 1 < len(diff):
            first = last = last + 1  # the head of a hunk: its first line
        for side, name in ((1, "new"), (0, "old")):
            numbers = [number for line in range(first, last + 1) if (number := diff.numbers(line)[side])]
            if numbers:
                return name, numbers[0], numbers[-1]
        return None

    def texts(self, side: str, first: int, last: int) -> list[str]:
        """The words of the lines with these numbers, as far as the diff shows them."""
        diff, at = self._shown.diff, int(side == "new")
        shown = (line for line in range(len(diff)) if first <= diff.numbers(line)[at] <= last)
        return [diff.text(line) for line in shown]

    def _has_words(self, index: int) -> bool:
        """Looks at the text alone, for a search goes over many lines that nobody sees."""
        laid = self._laid_as
        line = NONE if laid is None else laid.line_of(index)
        if laid is None or line == NONE or laid.is_split or laid.fold_of(index) != NONE:
            return super()._has_words(index)
        text = self._shown.diff.text(line).casefold()
        return all(word in text for word in self._words.casefold().split())

    def _at(self) -> int:
        """The line of the pane that one is at."""
        top = int(self.scroll_target_y)
        return self._here if top <= self._here < top + max(1, self.size.height) else top

    def _place(self) -> int:
        """The same for a search of what comes next: before the first line nothing is passed yet."""
        top = int(self.scroll_target_y)
        return self._here if top <= self._here < top + max(1, self.size.height) else top - (self._here < 0 == top)

    def _go_to(self, index: int, *, above: int = 0) -> None:
        before, self._here = self._here, index
        self.scroll_to(0, max(0, index - above), animate=False, immediate=True)
        for changed in (before, index):
            if changed >= 0:
                self.refresh_lines(changed, 1)

    def _finished(self, strip: Strip, index: int) -> Strip:
        if index != self._here:
            return strip
        sign = self._strip((piece("▌", "accent"),), self.rich_style).crop(0, LEAD)
        return Strip.join([sign, strip.crop(LEAD)])
