"""The dialogs in which a pack is merged, and a merge is taken back: exactly what moves, and what would prevent it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from textual.widget import Widget

from workbench.ace.tui.actions import Action
from workbench.ace.tui.marks import Glyphset
from workbench.ace.tui.prose import Block, Prose, blank, bullet, facts, heading, paragraph
from workbench.ace.tui.screens.dialog import Dialog, Words
from workbench.ace.tui.text import piece
from workbench.ace.tui.widgets.lines import LinesView
from workbench.ace.tui.widgets.still import StillLines
from workbench.ace.tui.words import count
from workbench.ace.wiring.merging import Outcome, merge_pack
from workbench.ace.wiring.reviewing import MergePreview, Undo, undo_merge
from workbench.core.state import PackState
from workbench.model.errors import WorkbenchError


class _Moving(Dialog):
    """Something that moves a branch, shown whole before it does."""

    DEFAULT_CSS = """
    _Moving #problem { display: none; }
    _Moving #problem.-something { display: block; }
    """
    main = "#says"
    waits: ClassVar[str] = ""  # what is waited for
    does: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._moving = False

    def blocks(self) -> list[Block]:
        """What is said."""
        return []

    def move(self) -> None:
        """Carry it out."""

    def body(self) -> Iterator[Widget]:
        """Words, and what went wrong."""
        yield Words(id="says")
        yield StillLines(id="problem")

    def on_mount(self) -> None:
        """Say what would happen."""
        self.query_one("#says", LinesView).show(Prose(self.blocks()))
        super().on_mount()

    def act_confirm(self) -> None:
        """Do it, once."""
        if not self._moving:
            self._moving = True
            self.tell(self.waits, "dim")
            self.move()

    def footer_actions(self) -> list[Action]:
        """What is done by confirming, by its name."""
        return [
            action._replace(label=self.does) if action.id == "confirm" else action
            for action in super().footer_actions()
        ]

    def off_confirm(self) -> str:
        """Why it cannot be done."""
        return ""

    def tell_problem(self, problem: WorkbenchError) -> None:
        """Nothing moved."""
        self._moving = False
        self.tell("")
        place = self.query_one("#problem", StillLines)
        place.set_class(True, "-something")
        place.show(Prose([blank(), paragraph(problem.in_line, "failed")]))


class MergeDialog(_Moving):
    """Merge an approved pack."""

    title_words = "MERGE"
    waits, does = "merging …", "merge"

    def __init__(self, preview: MergePreview, glyphs: Glyphset, merged: Callable[[Outcome], None]) -> None:
        super().__init__()
        self._preview, self._glyphs, self._merged = preview, glyphs, merged

    def blocks(self) -> list[Block]:
        """All of it."""
        return list(merge_blocks(self._preview, self._glyphs))

    def off_confirm(self) -> str:
        """What stands in the way."""
        return "; ".join(self._preview.obstacles)

    def move(self) -> None:
        """Merge."""
        name = self._preview.pack
        self.workbench.carry_out(lambda place: merge_pack(place, name), self._done)

    def _done(self, outcome: Outcome) -> None:
        self.dismiss(None)
        self._merged(outcome)


class UndoDialog(_Moving):
    """Take a merge back: by moving the branch, or else by a commit, after that was said."""

    title_words = "UNDO THE MERGE"
    waits, does = "taking it back …", "take it back"

    def __init__(self, pack: PackState, undone: Callable[[Outcome], None], *, revert: str = "") -> None:
        super().__init__()
        self._pack, self._undone, self._revert = pack, undone, revert

    def blocks(self) -> list[Block]:
        """What moves, and how."""
        merge = self._pack.merge
        if merge is None:
            return [paragraph("It is not merged.")]
        branch = merge.ref.removeprefix("refs/heads/")
        words = f"{branch} goes back from {merge.new[:12]} to {merge.old[:12]}, if nobody else can have it yet."
        if self._revert:
            words = f"{self._revert} A revert commit on {branch} takes the change out again."
        again = "The pack stands approved again afterwards."
        return [paragraph(f"{self._pack.id}  {self._pack.title}", "strong"), paragraph(words), paragraph(again, "dim")]

    def move(self) -> None:
        """Take it back."""
        name, revert = self._pack.id, bool(self._revert)
        self.workbench.carry_out(lambda place: undo_merge(place, name, revert=revert), self._done)

    def _done(self, undo: Undo) -> None:
        app = self.workbench
        self.dismiss(None)
        if undo.outcome is not None:
            self._undone(undo.outcome)
        else:
            app.push_screen(UndoDialog(self._pack, self._undone, revert=undo.needs_revert))


def merge_blocks(preview: MergePreview, glyphs: Glyphset) -> Iterator[Block]:
    """What a merge does: commits, target, mode, message, checkouts, and what ends with it."""
    branch = preview.ref.removeprefix("refs/heads/")
    yield paragraph(preview.pack, "strong")
    for sentence in preview.obstacles:
        yield bullet(sentence, "needs-you", sign=glyphs.sign("failed").text, sign_role="failed", indent=0)
    yield facts(piece("into    ", "dim"), piece(branch, "strong"), piece(f", from {preview.base[:12]}", "dim"))
    yield facts(piece("mode    ", "dim"), piece(preview.mode))
    yield facts(piece("head    ", "dim"), piece(preview.head[:12]), piece("  tree ", "dim"), piece(preview.tree[:12]))
    for path in preview.checkouts:
        yield facts(piece("moves   ", "dim"), piece("the clean checkout ", "dim"), piece(path))
    if not preview.checkouts and not preview.obstacles:
        yield facts(piece("moves   ", "dim"), piece(f"no checkout has {branch}", "dim"))
    if preview.superseded:
        yield paragraph(f"Ends {count(len(preview.superseded), 'other version')}: {', '.join(preview.superseded)}")
    for sentence in preview.waiting:
        yield bullet(sentence, "needs-you", indent=0)
    yield blank()
    yield heading(count(preview.commit_count, "commit").upper())
    for text in preview.commits:
        yield bullet(text)
    if preview.commit_count > len(preview.commits):
        yield bullet(f"and {preview.commit_count - len(preview.commits)} more", "dim")
    if preview.mode != "fast-forward":
        yield blank()
        yield heading("MESSAGE")
        yield paragraph(preview.message)
