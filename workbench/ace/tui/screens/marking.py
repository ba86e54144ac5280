"""What of a change this person has read, by file and by hunk, and the way from one unread place to the next."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.ace.tui.difflines import Shown
from workbench.ace.tui.reviewing import FileRow, unread
from workbench.ace.tui.screens.changing import Changing
from workbench.ace.tui.widgets.diff import NONE_READ, Read
from workbench.ace.tui.words import count
from workbench.ace.wiring import reading
from workbench.ace.wiring.differing import ChangedFile
from workbench.ace.wiring.reading import Progress, Reading
from workbench.code.githunks import Kept
from workbench.code.githunks import found as found_again
from workbench.core.state import PackState


class Marking(Changing):
    """The half of a review in which it is noted what was read."""

    def __init__(self, pack: str) -> None:
        super().__init__(pack)
        self.read: frozenset[str] = frozenset()
        self.changed: frozenset[str] = frozenset()  # files that changed since they were read
        self.progress: dict[str, Progress] = {}  # by path, how many of a file's hunks were read
        self._marks: dict[str, tuple[Kept, ...]] = {}  # what finds hunks again that were read before, by path
        self._blocks: dict[str, frozenset[int]] = {}  # of files that were shown, the blocks of hunks that were read
        self._touched: set[str] = set()  # files that were marked here

    def show_facts(self) -> None:
        """The lines above the panes."""
        raise NotImplementedError

    @property
    def unread(self) -> list[FileRow]:
        """Files that this person has not marked as read."""
        return unread(self.rows or (), self.read)

    @property
    def hunks(self) -> Progress:
        """How many hunks of all files were read, as far as they are counted."""
        known = self.progress.values()
        return Progress(sum(one.read for one in known), sum(one.of for one in known))

    def take_reading(self, pack: PackState, known: Reading) -> None:
        """What was read before; how many hunks that are is counted beside the event loop."""
        self.read, self.changed, self._marks = known.read, known.changed, dict(known.marks)
        files = self._whole_files
        self.workbench.carry_out(lambda place: reading.progress_of(place, pack, files, known), self._take_progress)

    def _take_progress(self, found: tuple[Mapping[str, Progress], frozenset[str]]) -> None:
        if not self.is_attached:
            return
        progress, whole = found
        self.progress = {path: self.progress[path] if path in self._touched else one for path, one in progress.items()}
        self.read |= whole - self._touched
        self.changed -= self.read
        self._repaint()

    @property
    def _whole_files(self) -> list[ChangedFile]:
        """The files as the whole change has them, also where less is shown."""
        return [row.file for row in self.rows or ()]

    # --- hunks of the file in the pane ---

    def read_in(self, path: str, shown: Shown) -> Read:
        """The hunks of a file that were read."""
        if self.is_since or not shown.hunks:
            return NONE_READ
        if path in self.read:
            found = reading.blocks_of(shown.hunks)
        elif path in self._blocks:
            found = self._blocks[path]
        else:
            found = found_again(shown.hunks, self._marks.get(path, ()))
        self._blocks[path] = found
        return found, self.workbench.glyphs.pick("✓", "+")

    def off_mark_reviewed(self) -> str:
        """Only files can be read."""
        return "" if self.files.row is not None else "there is no file"

    def act_mark_reviewed(self) -> None:
        """In the diff, the hunk one is at; else the file. Then go on to what is not read, or take the mark back."""
        row, shown = self.files.row, self.shown_file
        if row is None:
            return
        if self.pane_name != "diff" or shown is None or not shown[1].hunks:
            self._mark_file(row)
        elif self.is_since:
            self.tell("hunks are marked in the whole change: d shows it", "needs-you")
        elif self.diff.hunks_here:
            self._mark_hunks(shown[0], shown[1], self.diff.hunks_here, read=not self.diff.is_at_read)
        elif self.diff.go_unread(anew=True):
            self.tell("r marks this hunk as read", "dim")
        else:
            self._mark_file(row)

    def _mark_hunks(self, path: str, shown: Shown, numbers: list[int], *, read: bool) -> None:
        before, wanted = self._blocks.get(path, frozenset()), reading.blocks_of(shown.hunks[at] for at in numbers)
        self._blocks[path] = before | wanted if read else before - wanted
        known = self.progress[path] = reading.progress_in(shown.hunks, self._blocks[path])
        self._touched.add(path)
        self.read = self.read | {path} if known.is_whole else self.read - {path}
        pack, files = self.pack, self._whole_files
        if pack is not None:
            self.workbench.carry_out(
                lambda place: reading.keep_hunks(place, pack, files, path, numbers=numbers, read=read), lambda _: None
            )
        self.diff.take_read(self.read_in(path, shown))
        self._repaint()
        self.tell(f"{known.read} of {count(known.of, 'hunk')} read", "dim")
        if read:
            self.act_next_unread()

    def _mark_file(self, row: FileRow) -> None:
        path = row.file.path
        file = next((one for one in self._whole_files if one.path == path), row.file)
        is_read = path not in self.read
        self.read = self.read ^ {path}
        of = self.progress[path].of if path in self.progress else 0
        self.progress[path] = Progress(of if is_read else 0, of)
        self._touched.add(path)
        self._blocks.pop(path, None)
        self._marks.pop(path, None)
        pack, shown = self.pack, self.shown_file
        if pack is not None:
            self.workbench.carry_out(lambda place: reading.keep_read(place, pack, file, read=is_read), lambda _: None)
        if shown is not None and shown[0] == path:
            self.diff.take_read(self.read_in(path, shown[1]))
        self._repaint()
        if is_read:
            self._go_to_unread_file()

    def _repaint(self) -> None:
        self.files.forget()
        self.show_facts()
        self.show_footer()

    # --- the way to what is not read ---

    def off_next_unread(self) -> str:
        """Only where something is left."""
        if not self.rows:
            return "there is nothing to read"
        return "" if self.unread else f"all {count(len(self.rows), 'file')} read"

    def act_next_unread(self) -> None:
        """The next hunk that is not read, in this file or another; of a file without hunks, the file."""
        if self.uncovers_diff():
            self.call_after_refresh(self._go_on)  # nothing is laid out yet
        else:
            self._go_on()

    def _go_on(self) -> None:
        shown, row = self.shown_file, self.files.row
        if not self.unread:
            self.tell(f"All {count(len(self.rows or ()), 'file')} read.", "proven")
        elif row is not None and row.file.path not in self.read and shown is not None and self._in_this_file():
            self.show_pane("diff")
        elif (following := self._unread_after(row)) is not None:
            self.show_pane("diff")
            self.go_unread_in(following)
        elif not self.diff.go_unread(anew=True):
            self.tell("all hunks here are read: r in the list marks the file, with its name and mode", "dim")

    def _in_this_file(self) -> bool:
        return not self.is_since and self.diff.go_unread()

    def _go_to_unread_file(self) -> None:
        following = self._unread_after(self.files.row)
        if following is not None:
            self.files.go_to_key(following)
        elif not self.unread:
            self.tell(f"All {count(len(self.rows or ()), 'file')} read.", "proven")

    def _unread_after(self, row: FileRow | None) -> str | None:
        """The next file that is not read, after the one that is shown and round the end."""
        paths = [one.file.path for one in self.files.sheet.rows]
        here = paths.index(row.file.path) if row is not None and row.file.path in paths else -1
        return next((path for path in (*paths[here + 1 :], *paths[: max(0, here)]) if path not in self.read), None)
