"""The review of one pack: verdict and what was not checked first, then its files, their diff, and the evidence.

What a person reads is never replaced: the screen stays with its pack, and says when a newer revision arrived.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from textual.containers import Horizontal
from textual.widget import Widget

from workbench.ace.tui import routes
from workbench.ace.tui.actions import Action, named
from workbench.ace.tui.assumed import assumed_reasons
from workbench.ace.tui.bridge import View
from workbench.ace.tui.diffmaking import Change
from workbench.ace.tui.prose import Prose, paragraph
from workbench.ace.tui.reasons import Reason, ahead_reasons, all_reasons, reasons_of
from workbench.ace.tui.remarking import comment_reasons
from workbench.ace.tui.reviewing import (
    FileRow,
    ReviewData,
    ReviewView,
    file_rows,
    files_sheet,
    paint_file,
    unreadable,
)
from workbench.ace.tui.screens.changing import PANES, WIDE
from workbench.ace.tui.screens.marking import Marking
from workbench.ace.tui.standing import Facts
from workbench.ace.tui.widgets.diff import DiffView
from workbench.ace.tui.widgets.evidence import EvidencePane, Output
from workbench.ace.tui.widgets.rows import RowsView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.wiring.differing import ChangedFile, changed_files
from workbench.ace.wiring.outputs import output_lines
from workbench.ace.wiring.reading import Reading, reading_of, since
from workbench.ace.wiring.workplace import Workplace
from workbench.core.state import PackState
from workbench.model.evidence import CRITERIA, Evidence

READING_KEYS = (
    "mark-reviewed", "next-unread", "next-hunk", "comment", "comment-entity", "approve-pack", "show-help",
)  # fmt: skip


class ReviewScreen(Marking):
    """One pack."""

    where = "review"
    main = "#files"
    DEFAULT_CSS = """
    ReviewScreen.-evidence #change { display: none; }
    ReviewScreen #evidence { display: none; }
    ReviewScreen.-evidence #evidence { display: block; }
    ReviewScreen #reason { display: none; max-height: 2; }
    ReviewScreen.-narrow #reason { display: block; }
    ReviewScreen.-narrow.-diff #reason, ReviewScreen.-narrow.-evidence #reason { display: none; }
    """

    def __init__(self, pack: str) -> None:
        super().__init__(pack)
        self._looked = ""  # the earlier revision that was opened last
        self._asked = False  # whether the list of files was asked for

    # --- what is shown ---

    def body(self) -> Iterator[Widget]:
        """Facts, and the panes."""
        yield StillLines(id="facts")
        with Horizontal(id="change"):
            yield RowsView(files_sheet([]), self._paint, text=lambda row: row.file.path, id="files")
            yield DiffView(id="diff")
        yield StillLines(id="reason")
        yield EvidencePane(lambda: self.workbench.glyphs, id="evidence")

    def views(self) -> dict[str, View]:
        """The pack."""
        return {"review": ReviewView(self.pack_id)}

    def arrived(self, name: str, value: ReviewData) -> None:  # noqa: ARG002 - there is one view
        """The pack as it stands now."""
        self.data = value
        pack = value.pack
        if value.problem and self.rows is None:
            self.say_in_diff(value.problem)
        elif pack is not None and pack.tree and not self._asked:
            self._asked = True
            self.say_in_diff("reading the change …")
            self.workbench.carry_out(
                lambda place: _open(place, pack),
                lambda opened: self._opened(pack, opened),
                lambda problem: self.say_in_diff(unreadable(problem)),
            )
        elif pack is not None and not pack.tree and self.rows is None:
            self.say_in_diff(pack.reason or "Nothing to read yet: the evidence is being made.")
        self.watch_comments()
        self.show_facts()
        self.show_footer()

    @property
    def evidence(self) -> EvidencePane:
        """What the verdict rests on."""
        return self.query_one("#evidence", EvidencePane)

    def show_facts(self) -> None:
        """The lines above the panes."""
        files = None if self.rows is None else len(self.rows)
        now = self.workbench.place.clock.now()
        facts = Facts(self.data, files, len(self.unread), self.hunks, self.workbench.glyphs, now)
        self.query_one("#facts", StillLines).show(facts)

    def on_resize(self) -> None:
        """The evidence, too, is narrow where the change is."""
        self.evidence.set_class(self.size.width < WIDE, "-narrow")

    def on_rows_view_opened(self) -> None:
        """The mouse opened a row."""
        self.act_open_row()

    def _paint(self, row: FileRow, cells: int) -> Any:
        return paint_file(
            row,
            cells,
            read=row.file.path in self.read,
            glyphs=self.workbench.glyphs,
            changed=row.file.path in self.changed,
            progress=self.progress.get(row.file.path),
        )

    def show_reason(self, row: FileRow) -> None:
        """Below the list, which alone is in sight where it is narrow."""
        self.query_one("#reason", StillLines).show(Prose([paragraph(f" {row.why}", "dim")] if row.why else []))

    def _opened(self, pack: PackState, opened: tuple[tuple[ChangedFile, ...], Reading]) -> None:
        files, known = opened
        self._looked = known.looked
        self.rows = file_rows(files, self.data.document)
        self.take_reading(pack, known)
        self._take_files(pack, self.rows, pack.base_commit)
        self.show_facts()
        if not self.rows:
            self.say_in_diff("This pack changes no file.")
        elif known.looked:
            self.tell(f"d shows what changed since you looked at {known.looked}", "accent")

    def _take_files(self, pack: PackState, rows: list[FileRow], base: str) -> None:
        """Show these files of the pack, as they changed since `base`."""
        self.change = Change(base, pack.tree, [row.file for row in rows])
        self.files.take(files_sheet(rows))
        self.files.let_in()
        self.show_diff()

    # --- since the last look ---

    def off_since_last_look(self) -> str:
        """Only where an earlier revision was looked at."""
        return "" if self._looked else "you looked at no earlier revision"

    def act_since_last_look(self) -> None:
        """What changed since the revision that was looked at last, or the whole change again."""
        pack, earlier = self.pack, self._looked
        if pack is None or self.rows is None:
            return
        if self.is_since:
            self._take_files(pack, self.rows, pack.base_commit)
            self.tell("the whole change", "dim")
        else:
            self.workbench.carry_out(
                lambda place: _since(place, pack, earlier), lambda found: self._look_since(pack, found)
            )

    def _look_since(self, pack: PackState, found: tuple[str, tuple[ChangedFile, ...]]) -> None:
        tree, files = found
        if not tree or not files:
            self.tell(f"nothing changed since {self._looked}", "dim")
            return
        self._take_files(pack, file_rows(files, None), tree)
        self.tell(f"what changed since you looked at {self._looked}; d shows the whole change", "accent")

    def act_next_pane(self) -> None:
        """List, diff, evidence, and what is to be read of it."""
        self._step_pane(1)

    def act_previous_pane(self) -> None:
        """The pane before."""
        self._step_pane(-1)

    def footer_actions(self) -> list[Action]:
        """In the diff, the keys by which one reads; elsewhere those by which one decides."""
        if self.pane_name != "diff":
            return super().footer_actions()
        return [named(name, self.where)._replace(footer=at) for at, name in enumerate(READING_KEYS, start=1)]

    def on_descendant_focus(self) -> None:
        """Other keys matter in another pane."""
        self.show_footer()

    def _step_pane(self, step: int) -> None:
        at = PANES.index(self.pane_name)
        self.show_pane(PANES[(at + step) % len(PANES)])

    def show_pane(self, pane: str) -> None:
        """Go to a pane; where it is narrow, it alone is shown."""
        if pane in ("why", "detail") and not self.evidence.rows.sheet.rows and self.data.document is not None:
            self.evidence.show(all_reasons(self.data.document, self._also()))
        self.set_class(pane in ("why", "detail"), "-evidence")
        self.set_class(pane == "diff", "-diff")
        self.query_one(f"#{pane}").focus()
        self.show_footer()

    def act_open_row(self) -> None:
        """A file: its diff. A large one: show it. A finding: its line. Evidence: all that is to be read of it."""
        row = self.files.row
        if self.pane_name == "why":
            self._open_reason()
        elif row is not None and self.unfolds(row):
            self.show_diff()
        elif self.pane_name != "diff" or not self.diff.unfold():
            self.show_pane("diff")

    def _open_reason(self) -> None:
        reason = self.evidence.rows.row
        if reason is None or not reason.path or not self._go_to(reason.path, reason.line):
            self.show_pane("detail")

    def _go_to(self, path: str, number: int) -> bool:
        """Show a line of a changed file; whether it is one."""
        before = self.files.row
        if not self.files.go_to_key(path):
            return False
        self.jump = (path, number)
        self.unfolded.add(path)
        self.show_pane("diff")
        if before is self.files.row:
            self.show_diff()
        return True

    def act_go_back(self) -> None:
        """From the evidence to the change; from the change to where one came from."""
        alone = self.pane_name == "diff" and self.has_class("-narrow")
        if alone or self.pane_name in ("why", "detail"):
            self.show_pane("files")
        else:
            super().act_go_back()

    def off_show_impact(self) -> str:
        """Only of what can be read."""
        return "" if self.rows else "there is no change to look at yet"

    def act_show_impact(self) -> None:
        """What the change does to the rest of the tree."""
        if self.pack is not None and self.rows is not None:
            changed = frozenset(row.file.path for row in self.rows)
            routes.show_impact(self.workbench, self.pack, changed, self._go_to)

    # --- reading ---

    def off_explain_verdict(self) -> str:
        """Without evidence there is nothing to explain."""
        return "" if self.data.document is not None else "there is no evidence yet"

    def act_explain_verdict(self) -> None:
        """Everything that the verdict rests on."""
        if self.data.document is not None:
            self.evidence.show(all_reasons(self.data.document, self._also()))
            self.show_pane("why")

    def _also(self) -> list[Reason]:
        return [*ahead_reasons(self.data.ahead), *assumed_reasons(self.data.overtaken), *comment_reasons(self.comments)]

    def spoken_of(self) -> dict[str, Any]:
        """The evidence that is selected, else the whole."""
        about = self.evidence.rows.row.about if self.evidence.rows.row is not None else None
        return {"kind": "evidence", "id": about.id} if isinstance(about, Evidence) else {"kind": "whole"}

    off_show_evidence = off_explain_verdict

    def act_show_evidence(self) -> None:
        """What one criterion rests on."""
        number = int(self.pressed_key) if self.pressed_key.isdigit() else 1
        if self.data.document is not None and 1 <= number <= len(CRITERIA):
            self.evidence.show(reasons_of(self.data.document, number))
            self.show_pane("why")

    def on_output(self, message: Output) -> None:
        """Outputs of evidence are wanted."""
        digests = list(message.row.outputs.values())
        self.workbench.carry_out(lambda place: output_lines(place, digests), self._take_outputs)

    def _take_outputs(self, found: dict[str, list[str]]) -> None:
        for digest, lines in found.items():
            self.evidence.take_output(digest, lines)

    def act_show_new(self) -> None:
        """The newer revision in place of this one."""
        newer, app = self.data.newer, self.workbench
        if newer:
            app.pop_screen()
            routes.open_thing(app, "mrp", newer)

    def off_show_new(self) -> str:
        """Only when there is one."""
        return "" if self.data.newer else "this is the newest revision"

    def copied(self) -> str:
        """The pack's id, the path of the file, or the words of the evidence."""
        reason = self.evidence.rows.row
        row = self.files.row
        if self.pane_name in ("why", "detail") and reason is not None:
            return f"{reason.name} {reason.words}".strip()
        return row.file.path if self.pane_name == "diff" and row is not None else self.pack_id


def _open(place: Workplace, pack: PackState) -> tuple[tuple[ChangedFile, ...], Reading]:
    files = changed_files(place, pack.base_commit, pack.tree)
    return files, reading_of(place, pack, files)


def _since(place: Workplace, pack: PackState, earlier: str) -> tuple[str, tuple[ChangedFile, ...]]:
    tree = since(place, pack, earlier)
    return tree, changed_files(place, tree, pack.tree) if tree else ()
