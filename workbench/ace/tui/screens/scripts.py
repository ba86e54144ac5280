"""What people wrote under `.workbench`, checked as it changes: briefs, loops, rules, policy, settings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from textual.app import SuspendNotSupported
from textual.containers import Horizontal
from textual.widget import Widget

from workbench.ace.tui.bridge import Moment, View
from workbench.ace.tui.markedfile import MarkedFile, MarkedLines
from workbench.ace.tui.prose import Prose, blank, paragraph
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.tui.sheet import Sheet
from workbench.ace.tui.text import Piece, Safe, piece, safe
from workbench.ace.tui.widgets.columns import Column, painter
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.words import count
from workbench.ace.wiring.editing import edit
from workbench.ace.wiring.shelf import ScriptFile, script_files
from workbench.ace.wiring.watching import Watch
from workbench.model.errors import RepositoryProblem, WorkbenchError

WIDE = 110  # cells from which on the file stands beside the list
SCAN_EVERY_S = 1.0  # at most, unless something is known to have changed
_HEADS = {
    "brief": "BRIEFS",
    "loop": "LOOPS",
    "mentor": "MENTOR RULES",
    "policy": "POLICY AND PEOPLE",
    "configuration": "CONFIGURATION",
}


class ScriptsData(msgspec.Struct, frozen=True):
    """All files."""

    files: tuple[ScriptFile, ...]
    sheet: Any
    checkout: bool = True

    def __eq__(self, other: object) -> bool:
        """Whether a person would see a difference."""
        return isinstance(other, ScriptsData) and (self.files, self.checkout) == (other.files, other.checkout)

    __hash__ = None  # type: ignore[assignment]  # a value to compare, never a key


class ScriptsView:
    """A `View`. `stale` is set by whoever knows that something changed."""

    def __init__(self) -> None:
        self.stale = True
        self._at = 0.0
        self._known: Mapping[str, ScriptFile] = {}
        self._data = ScriptsData((), _sheet(()))

    def __call__(self, moment: Moment) -> ScriptsData:
        """The files of this moment, looked at no more often than is of use."""
        now = time.monotonic()
        if not self.stale and now - self._at < SCAN_EVERY_S:
            return self._data
        self.stale, self._at = False, now
        try:
            files = script_files(moment.place, self._known)
        except RepositoryProblem:
            return ScriptsData((), _sheet(()), checkout=False)
        self._known = {file.path: file for file in files}
        if files != self._data.files:
            self._data = ScriptsData(files, _sheet(files))
        return self._data


class ScriptsScreen(WorkScreen):
    """The scripts."""

    where = "scripts"
    main = "#scripts"
    DEFAULT_CSS = """
    ScriptsScreen #scripts { width: 1fr; }
    ScriptsScreen #file { width: 1fr; border-left: $pane-line $surface; padding: 0 0 0 1; }
    ScriptsScreen.-narrow #file { display: none; border-left: none; padding: 0; }
    ScriptsScreen.-narrow.-file #file { display: block; }
    ScriptsScreen.-narrow.-file #scripts { display: none; }
    ScriptsScreen.-nothing #file { display: block; width: 1fr; border-left: none; }
    ScriptsScreen.-nothing #scripts { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._view = ScriptsView()
        self._watch: Watch | None = None
        self._arrived = False  # the files are known
        self._shown: tuple[str, tuple[int, int, int]] | None = None

    def body(self) -> Iterator[Widget]:
        """The list, and beside it the selected file."""
        with Horizontal():
            yield RowsView(_sheet(()), painter(self._columns()), text=_words, id="scripts")
            yield LinesView(id="file")

    def views(self) -> dict[str, View]:
        """The scripts."""
        return {"scripts": self._view}

    def on_mount(self) -> None:
        """Watch the files; begun beside the event loop."""
        self.run_worker(self._begin_watch, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        """Watch no more."""
        if self._watch is not None:
            self._watch.end()

    def _begin_watch(self) -> None:
        try:
            watch = Watch(self.workbench.place.checkout / ".workbench", self._changed)
        except WorkbenchError:
            return  # without a checkout there is nothing to watch
        if watch.begin():
            self._watch = watch
            if not self.is_attached:
                watch.end()

    def _changed(self) -> None:
        self._view.stale = True
        self.bridge.look_now()

    def arrived(self, name: str, value: ScriptsData) -> None:  # noqa: ARG002 - there is one view
        """Newer files: they stand in the order of their names, which nobody waits for."""
        self._arrived = True
        self.rows.take(value.sheet)
        self.rows.let_in()
        self._show_file()
        self.set_class(not value.files, "-nothing")
        if not value.files:
            self.query_one("#file", LinesView).show(_nothing(checkout=value.checkout))
        self.show_footer()

    @property
    def rows(self) -> RowsView[ScriptFile]:
        """The list."""
        return self.query_one("#scripts", RowsView)

    def on_resize(self) -> None:
        """The file needs room."""
        self.set_class(self.size.width < WIDE, "-narrow")

    def on_rows_view_moved(self) -> None:
        """Another file."""
        self._show_file()
        self.show_footer()

    def on_rows_view_opened(self) -> None:
        """A click on the selected row."""
        self.act_open_row()

    # --- actions ---

    def off_open_row(self) -> str:
        """There must be a file."""
        if self.rows.row is None and not self._arrived:
            return "the files are being read"
        return "" if self.rows.row is not None else "there are no files under .workbench; workbench init writes some"

    off_edit_file = off_open_row

    def act_open_row(self) -> None:
        """Go into the file, at its first problem."""
        pane = self.query_one("#file", LinesView)
        self.add_class("-file")
        pane.focus()
        if isinstance(pane.lines, MarkedLines):
            pane.scroll_to(0, max(0, pane.lines.first_problem() - 3), animate=False, immediate=True)

    def act_next_pane(self) -> None:
        """Into the file, or back to the list."""
        if self.focused is self.rows:
            self.act_open_row()
        else:
            self.remove_class("-file")
            self.rows.focus()

    act_previous_pane = act_next_pane

    def act_go_back(self) -> None:
        """Out of the file first."""
        if self.focused is not self.rows and self.focused is self.query_one("#file") and not self.clear_filter():
            self.act_next_pane()
        else:
            super().act_go_back()

    def act_check_scripts(self) -> None:
        """Look again."""
        self._view.stale = True
        self.bridge.look_now()
        wrong = [file for file in self.rows.sheet.rows if file.errors]
        all_well = "no file has errors" if self.rows.sheet.rows else "there are no files"
        self.tell(f"{count(len(wrong), 'file')} with errors" if wrong else all_well, "failed" if wrong else "dim")

    def act_edit_file(self) -> None:
        """Open the person's own file in the person's own editor; it is checked when the editor ends."""
        file = self.rows.row
        if file is None:
            return
        try:
            with self.app.suspend():
                edit(Path(file.file))
        except SuspendNotSupported:
            self.tell(f"this terminal cannot be given to an editor: open {file.path} in another one", "needs-you")
        except WorkbenchError as problem:
            self.tell_problem(problem)
        self._changed()

    def copied(self) -> str:
        """The path of the file."""
        return self.rows.row.path if self.rows.row is not None else ""

    # --- painting ---

    def _show_file(self) -> None:
        file = self.rows.row
        if file is None:
            return
        seen, self._shown = self._shown, (file.path, file.stamp)
        if seen == self._shown:
            return
        pane = self.query_one("#file", LinesView)
        pane.show(MarkedFile(file.text, file.problems), keep_place=seen is not None and seen[0] == file.path)

    def _columns(self) -> list[Column[ScriptFile]]:
        return [
            Column(self._sign, 1),
            Column(lambda file: piece(file.id, "strong"), 22),
            Column(lambda file: piece(file.status, "dim"), 10, spare=2),
            Column(lambda file: piece(file.title or file.path), 0, least=12),
            Column(_told, 12, right=True),
        ]

    def _sign(self, file: ScriptFile) -> Piece:
        state = "failed" if file.errors else "unproven" if file.problems else "passed"
        return self.workbench.glyphs.sign(state)


def _told(file: ScriptFile) -> Piece:
    if file.errors:
        return piece(count(file.errors, "error"), "failed")
    return piece(count(len(file.problems), "warning") if file.problems else "", "needs-you")


def _nothing(*, checkout: bool) -> Prose:
    if not checkout:
        return Prose([paragraph("This repository is bare: it has no checkout in which scripts could lie.", "strong")])
    return Prose(
        [
            paragraph("There is nothing under .workbench yet.", "strong"),
            blank(),
            paragraph('workbench init writes a policy and settings; workbench brief new "..." begins a brief.', "dim"),
            paragraph("+ starts a mission from one sentence, without any of them.", "dim"),
        ]
    )


def _sheet(files: tuple[ScriptFile, ...]) -> Sheet[ScriptFile]:
    return Sheet(files, key=lambda file: file.path, group=_group)


def _group(file: ScriptFile) -> Safe:
    return safe(_HEADS[file.shelf])


def _words(file: ScriptFile) -> str:
    problems = " ".join(problem.text for problem in file.problems)
    return f"{file.shelf} {file.id} {file.title} {file.status} {file.path} {problems}"
