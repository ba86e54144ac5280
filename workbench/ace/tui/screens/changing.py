"""The change itself within a review: the list of its files, the diff of one, and the ways about them."""

from __future__ import annotations

from typing import Any

from workbench.ace.tui.diff import remarks
from workbench.ace.tui.difflines import Note, Shown
from workbench.ace.tui.diffmaking import Change
from workbench.ace.tui.reasons import notes_of
from workbench.ace.tui.remarking import above, gone, notes_below
from workbench.ace.tui.reviewing import FileRow
from workbench.ace.tui.screens.comment import CommentDialog
from workbench.ace.tui.screens.deciding import Deciding
from workbench.ace.tui.text import line, piece
from workbench.ace.tui.widgets.diff import NONE_READ, NOTHING, DiffView, Read
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.wiring import commenting
from workbench.ace.wiring.collapsing import why_collapsed
from workbench.ace.wiring.differing import AROUND, WHOLE, ChangedFile
from workbench.core.comments import Placed
from workbench.core.state import Comment

KEPT_DIFFS = 40  # of files that were looked at
CONTEXTS = (AROUND, 10, 40, WHOLE)  # lines around a change, one after the other
WIDE = 110  # cells from which on the list stands beside the diff
PANES = ("files", "diff", "why", "detail")


class Changing(Deciding):
    """The half of a review in which the change is read."""

    DEFAULT_CSS = """
    Changing #files { width: 44; }
    Changing #diff { width: 1fr; border-left: $pane-line $surface; }
    Changing.-narrow #files { width: 1fr; }
    Changing.-narrow #diff { border-left: none; display: none; }
    Changing.-narrow.-diff #files { display: none; }
    Changing.-narrow.-diff #diff { display: block; }
    """

    def __init__(self, pack: str) -> None:
        super().__init__(pack)
        self._diffs: dict[tuple[str, int, str], Shown] = {}  # by path, lines around and base
        self.change: Change | None = None  # what is shown: the whole, or what changed since an earlier revision
        self._around = AROUND  # lines around each change
        self._loading = ""  # the file whose diff is being made
        self.unfolded: set[str] = set()  # large files that were asked for
        self._shown: tuple[str, Shown] | None = None  # the file in the pane
        self.jump: tuple[str, int] | None = None  # where to go once that file is shown
        self._from_last = ""  # the file to be entered at its last place
        self._to_unread = ""  # the file to be entered at its first hunk that was not read
        self.comments: tuple[Placed, ...] = ()  # on this revision and earlier ones
        self._known: tuple[Comment, ...] | None = None  # on this one, when they were read last

    @property
    def files(self) -> RowsView[FileRow]:
        """The list of files."""
        return self.query_one("#files", RowsView)

    @property
    def diff(self) -> DiffView:
        """The diff."""
        return self.query_one("#diff", DiffView)

    @property
    def pane_name(self) -> str:
        """The pane that keys go to."""
        found = self.focused.id if self.focused is not None else ""
        return found if found in PANES else "files"

    def on_resize(self) -> None:
        """One pane at a time where it is narrow."""
        self.set_class(self.size.width < WIDE, "-narrow")

    def show_pane(self, pane: str) -> None:
        """Go to a pane."""
        raise NotImplementedError

    # --- the diff ---

    def unfolds(self, row: FileRow) -> bool:
        """Whether the lines of a file come into sight now: they were not shown, and why not was there to be read."""
        is_hidden = self.pane_name == "files" and self.has_class("-narrow")
        if is_hidden or not self.collapsed(row):
            return False
        self.unfolded.add(row.file.path)
        return True

    def collapsed(self, row: FileRow) -> str:
        """Why the lines of a file are not shown; empty where they are."""
        return "" if row.file.path in self.unfolded else why_collapsed(row.file, row.kind)

    def on_rows_view_moved(self) -> None:
        """Another file, or another row of evidence."""
        self.show_diff()
        self.show_footer()

    def show_diff(self) -> None:
        """Show the selected file, as soon as its diff is made."""
        row, change = self.files.row, self.change
        if row is None or change is None:
            return
        self.show_reason(row)
        file = row.file
        collapsed = self.collapsed(row)
        found = NOTHING if collapsed or file.is_binary else self._diffs.get((file.path, self._around, change.base))
        if found is not None:
            notes = notes_of(self.data.document, file.path)
            below = self._notes_below(file.path, found)
            spoken = (*gone(self.comments, file.path), *above(self.comments, file.path, found.diff))
            said = (*remarks(file, row.why, collapsed=collapsed), *spoken)
            self.diff.show_file(said, found, notes, below, self.read_in(file.path, found))
            self._shown = (file.path, found)
            self._arrive(file.path)
        else:
            self._shown = None
            self.diff.show_file((*remarks(file, row.why), line(piece("reading …", "dim"))))
            self._load(change, file)

    def show_reason(self, row: FileRow) -> None:
        """Say why to read a file where its diff, at whose head that stands, is out of sight."""

    def _arrive(self, path: str) -> None:
        jump, self.jump = self.jump, None
        if jump is not None and jump[0] == path and jump[1]:
            self.diff.go_number(jump[1])
        if self._from_last == path:
            self.diff.go_last_hunk()
        if self._to_unread == path:
            self.diff.go_unread(anew=True)
        self._from_last = self._to_unread = ""

    def read_in(self, path: str, shown: Shown) -> Read:  # noqa: ARG002 - where marks are made, they are by file
        """The hunks of a file that were read, and the sign of those."""
        return NONE_READ

    @property
    def shown_file(self) -> tuple[str, Shown] | None:
        """The file in the pane, by its path; None while it is made ready."""
        return self._shown

    def go_unread_in(self, path: str) -> None:
        """Show a file at its first hunk that was not read."""
        self._to_unread = path
        self.unfolded.add(path)
        if not self.files.go_to_key(path):
            self._to_unread = ""

    def _load(self, change: Change, file: ChangedFile) -> None:
        """Make the diff of a file beside the event loop; one at a time, so that passing by many costs little."""
        if self._loading:
            return
        self._loading = file.path
        key = (file.path, self._around, change.base)
        self.workbench.carry_out(lambda place: (key, change.shown(place, file, around=key[1])), self._loaded)

    def _loaded(self, loaded: tuple[tuple[str, int, str], Shown]) -> None:
        key, found = loaded
        self._loading = ""
        while len(self._diffs) >= KEPT_DIFFS:
            self._diffs.pop(next(iter(self._diffs)))
        self._diffs[key] = found
        self.show_diff()

    def tell_problem(self, problem: Any) -> None:
        """What went wrong; what was being read will not come."""
        self._loading = ""
        super().tell_problem(problem)

    def say_in_diff(self, words: str) -> None:
        """Words in place of a diff."""
        self.diff.show_file((line(piece(words, "dim")),))

    # --- comments ---

    def watch_comments(self) -> None:
        """Read the comments anew when this pack has others than before."""
        pack = self.pack
        if pack is not None and pack.tree and pack.comments != self._known:
            self._known = pack.comments
            name = pack.id
            self.workbench.carry_out(lambda place: tuple(commenting.shown(place, name)[1]), self.take_comments)

    def take_comments(self, comments: tuple[Placed, ...]) -> None:
        """Show them where their lines are; what one reads stays where it is."""
        self.comments = comments
        if self._shown is not None:
            path, shown = self._shown
            self.diff.take_notes(self._notes_below(path, shown))

    @property
    def is_since(self) -> bool:
        """Whether only what changed since an earlier revision is shown: its lines before are not those of the base."""
        pack, change = self.pack, self.change
        return pack is not None and change is not None and change.base != pack.base_commit

    def _notes_below(self, path: str, shown: Shown) -> list[Note]:
        comments = [one for one in self.comments if not (self.is_since and one.side == "old")]
        return notes_below(comments, path, shown.diff, self.workbench.glyphs)

    def off_start_range(self) -> str:
        """Only in the diff."""
        return "" if self.pane_name == "diff" else "Tab to the diff first"

    def act_start_range(self) -> None:
        """Take lines together, for a comment on them all."""
        self.tell("j and k take more lines; c comments on them" if self.diff.start_range() else "", "dim")

    def off_comment(self) -> str:
        """Only on what is there to be read."""
        return "" if self.pack is not None and self.pack.tree else "there is nothing to read yet"

    def act_comment(self) -> None:
        """On the lines one is at, on the clause or evidence that is selected, else on the whole."""
        row, chosen = self.files.row, self.diff.chosen
        target: dict[str, Any] = {"kind": "whole"}
        quoted: list[str] = []
        if self.pane_name == "diff" and row is not None and chosen is not None:
            side, first, last = chosen
            if side == "old" and self.is_since:
                self.tell("this line stood in an earlier revision: comment on one of the result", "needs-you")
                return
            path = row.file.path if side == "new" else row.file.old_path
            target = {"kind": "lines", "path": path, "side": side, "first": first, "last": last}
            quoted = self.diff.texts(side, first, last)
        elif self.pane_name in ("why", "detail"):
            target = self.spoken_of()
        self.app.push_screen(CommentDialog(self.pack_id, target, quoted, self._commented))

    def off_comment_entity(self) -> str:
        """Only in the diff."""
        return self.off_comment() or ("" if self.pane_name == "diff" else "Tab to the diff first")

    def act_comment_entity(self) -> None:
        """On the function or class around the line that one is at."""
        row, chosen, pack = self.files.row, self.diff.chosen, self.pack
        if row is None or pack is None or chosen is None:
            self.tell("go to a line of it first", "needs-you")
            return
        side, number, _ = chosen
        if side == "old" and self.is_since:
            self.tell("this line stood in an earlier revision: comment on one of the result", "needs-you")
            return
        path, quoted = row.file.path if side == "new" else row.file.old_path, self.diff.texts(side, number, number)
        self.workbench.carry_out(
            lambda place: commenting.entity_target_at(place, pack, path, number, side=side),
            lambda target: self._comment_on(target, quoted if target is not None and target["side"] == side else []),
        )

    def _comment_on(self, target: dict[str, Any] | None, quoted: list[str]) -> None:
        if target is None:
            self.tell("no function or class around this line that a name finds: c comments on lines", "needs-you")
        elif self.is_current:
            self.app.push_screen(CommentDialog(self.pack_id, target, quoted, self._commented))

    def spoken_of(self) -> dict[str, Any]:
        """What the selected reason is about."""
        return {"kind": "whole"}

    def _commented(self, made: Placed) -> None:
        self.tell(f"commented: {made.id}; R sends all comments to the agent", "accent")

    # --- how it is shown ---

    def act_toggle_split(self) -> None:
        """Before and after side by side, or one below the other."""
        self.show_pane("diff")
        self.tell("side by side" if self.diff.toggle_split() else "one below the other", "dim")

    def off_toggle_folds(self) -> str:
        """Only where something is mechanical."""
        return "" if self.diff.folds else "nothing in this file is shown to be mechanical"

    def act_toggle_folds(self) -> None:
        """All lines of mechanical edits, or one for each place."""
        self.tell("mechanical edits folded" if self.diff.toggle_folds() else "mechanical edits shown", "dim")

    def act_more_context(self) -> None:
        """More lines around each change."""
        self._show_around(CONTEXTS[(CONTEXTS.index(self._around) + 1) % len(CONTEXTS)])

    def act_whole_file(self) -> None:
        """All lines of the file, or those around changes again."""
        self._show_around(AROUND if self._around == WHOLE else WHOLE)

    def _show_around(self, lines: int) -> None:
        self._around = lines
        row, at = self.files.row, self.diff.line
        if row is not None and at is not None and at[0] == "new":
            self.jump = (row.file.path, at[1])
        self.show_diff()
        self.tell("the whole file" if lines == WHOLE else f"{lines} lines around each change", "dim")

    # --- moving ---

    def act_next_hunk(self) -> None:
        """The next changed place, in the next file if this one has no more."""
        if not self.uncovers_diff() and not self.diff.go_hunk(1):
            self.act_next_file()

    def act_previous_hunk(self) -> None:
        """The changed place before, in the file before if this one has none."""
        if not self.uncovers_diff() and not self.diff.go_hunk(-1):
            row = self.files.row
            self.files.go("previous-line")
            if self.files.row is not None and self.files.row is not row:
                self._from_last = self.files.row.file.path

    def uncovers_diff(self) -> bool:
        """Whether the diff was out of sight, and is shown now."""
        hidden = self.pane_name in ("why", "detail") or (self.pane_name == "files" and self.has_class("-narrow"))
        if hidden:
            self.show_pane("diff")
        return hidden

    def act_next_file(self) -> None:
        """The next file."""
        self._step_file("next-line", "this is the last file")

    def act_previous_file(self) -> None:
        """The file before."""
        self._step_file("previous-line", "this is the first file")

    def _step_file(self, where: Any, otherwise: str) -> None:
        row = self.files.row
        self.files.go(where)
        if self.files.row is row:
            self.tell(otherwise, "dim")

    def act_scroll_right(self) -> None:
        """See more of long lines."""
        self.diff.shift(1)

    def act_scroll_left(self) -> None:
        """Back to the start of lines."""
        self.diff.shift(-1)
