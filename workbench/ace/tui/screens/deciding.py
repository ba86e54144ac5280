"""What a person can decide on the pack of a review, and why something cannot be decided right now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from workbench.ace.tui.decisiondrafts import DecisionDrafts
from workbench.ace.tui.reviewing import FileRow, ReviewData
from workbench.ace.tui.screens.base import WorkScreen
from workbench.ace.wiring.gating import Renewal
from workbench.ace.wiring.merging import Outcome
from workbench.ace.wiring.reviewing import preview_merge, renew_evidence, why_not_approvable
from workbench.core.state import PackState

T = TypeVar("T")
_RENEWABLE = ("submitted", "approved", "failed")
_SAID = {
    "approved": "approved: M merges it",
    "changes-requested": "changes requested: the run goes on from your words",
    "rejected": "rejected",
}


class Deciding(WorkScreen):
    """The deciding half of a review."""

    def __init__(self, pack: str) -> None:
        super().__init__()
        self.pack_id = pack
        self.data = ReviewData(None)
        self.rows: list[FileRow] | None = None  # the files; None: not read yet
        self._drafts = DecisionDrafts(pack, lambda work: self.app.run_worker(work, thread=True, exit_on_error=False))

    def on_mount(self) -> None:
        """Look for what was typed and not sent."""
        self.workbench.carry_out(self._drafts.read, self._drafts.take)

    @property
    def pack(self) -> PackState | None:
        """The pack as it stands."""
        return self.data.pack

    @property
    def unread(self) -> list[FileRow]:
        """Files that this person has not marked as read."""
        return []

    # --- why not ---

    def _undecidable(self, *states: str) -> str:
        pack = self.pack
        if pack is None:
            return "the pack is not read yet"
        if self.data.problem:
            return "its document cannot be read"
        if pack.state not in states:
            newer = f"; {self.data.newer} took its place" if pack.state == "superseded" and self.data.newer else ""
            return f"it is {pack.state}{newer}"
        return "its evidence is being made anew" if self.data.is_examined_again else ""

    def off_approve_pack(self) -> str:
        """Only a pack whose files are known; of an approved one the policy says whether it takes one more."""
        return self._undecidable("submitted", "approved") or (
            "" if self.rows is not None else "the change is not read yet"
        )

    def off_request_changes(self) -> str:
        """Also after an approval; not where its run is over, for it was merged and taken back."""
        run = self.data.run
        over = run is not None and run.outcome == "merged"
        return self._undecidable("submitted", "approved") or (
            "it was merged and taken back; its run is over: start a new mission" if over else ""
        )

    def off_reject_pack(self) -> str:
        """Also after an approval."""
        return self._undecidable("submitted", "approved")

    def off_merge_pack(self) -> str:
        """Only what was approved, and has a branch to go to."""
        pack = self.pack
        if pack is not None and pack.state == "submitted":
            return "not approved yet"
        reason = self._undecidable("approved")
        if not reason and pack is not None and not pack.into:
            return "it has no branch to merge into"
        return reason or ("its base moved: x renews the evidence" if self.data.has_moved else "")

    def off_undo_last(self) -> str:
        """Only a merge can be taken back."""
        return "" if self.pack is not None and self.pack.state == "merged" else "it is not merged"

    def off_renew_evidence(self) -> str:
        """Only while its run goes on."""
        run = self.data.run
        reason = self._undecidable(*_RENEWABLE)
        return reason or (f"its run is over ({run.outcome})" if run is not None and run.outcome else "")

    # --- deciding ---

    def act_approve_pack(self) -> None:
        """Say what was not read and not checked, then ask for the reason."""
        pack = self.pack
        if pack is None:
            return
        if pack.verdict != "not-ready" and pack.state == "submitted":
            self._approve(pack)
        else:
            name = pack.id
            self.workbench.carry_out(lambda place: why_not_approvable(place, name), self._when_on_top(self._approvable))

    def _approvable(self, reason: str) -> None:
        if reason:
            self.tell(f"approve: {reason}", "needs-you")
        elif self.pack is not None and not self.off_approve_pack():
            self._approve(self.pack)

    def _approve(self, pack: PackState) -> None:
        from workbench.ace.tui.screens.decision import ApproveDialog

        document = self.data.document
        self.app.push_screen(
            ApproveDialog(
                pack,
                self._drafts.of("approve"),
                self._decided,
                unread=[row.file.path for row in self.unread],
                files=len(self.rows or ()),
                not_checked=document.not_checked if document else (),
                moved=self.data.has_moved,
            )
        )

    def act_request_changes(self) -> None:
        """Ask for the reason and the changes."""
        from workbench.ace.tui.screens.decision import ChangesDialog

        if self.pack is not None:
            self.app.push_screen(ChangesDialog(self.pack, self._drafts.of("request-changes"), self._decided))

    def act_reject_pack(self) -> None:
        """Ask for the reason and the name."""
        from workbench.ace.tui.screens.decision import RejectDialog

        if self.pack is not None:
            self.app.push_screen(RejectDialog(self.pack, self._drafts.of("reject"), self._decided))

    def act_merge_pack(self) -> None:
        """Show what a merge does, then merge."""
        from workbench.ace.tui.screens.merge import MergeDialog

        if self.pack is not None:
            name, glyphs = self.pack.id, self.workbench.glyphs
            self.tell("looking at the branch and its checkouts …", "dim")
            self.workbench.carry_out(
                lambda place: preview_merge(place, name),
                self._when_on_top(lambda found: self.app.push_screen(MergeDialog(found, glyphs, self._merged))),
            )

    def act_undo_last(self) -> None:
        """Take the merge back."""
        from workbench.ace.tui.screens.merge import UndoDialog

        if self.pack is not None:
            self.app.push_screen(UndoDialog(self.pack, self._undone))

    def act_renew_evidence(self) -> None:
        """Have the delivery examined again."""
        if self.pack is not None:
            name = self.pack.id
            self.tell("asking for new evidence …", "dim")
            self.workbench.carry_out(lambda place: renew_evidence(place, name), self._renewed)

    def _when_on_top(self, then: Callable[[T], object]) -> Callable[[T], None]:
        """Open nothing over a screen to which the person went in the meantime."""

        def carefully(value: T) -> None:
            if self.app.screen is self:
                self.tell("")
                then(value)

        return carefully

    # --- afterwards ---

    def _decided(self, pack: PackState) -> None:
        words, below = _SAID.get(pack.state, pack.state), self.data.below
        if pack.state == "approved" and below is not None and below.state != "merged":
            words = f"approved: it can be merged once {below.parent} is"
        self.tell(words, "proven" if pack.state == "approved" else "accent")

    def _merged(self, outcome: Outcome) -> None:
        branch = outcome.ref.removeprefix("refs/heads/")
        along = "; its checkout went along" if outcome.updated else ""
        self.tell(
            f"merged: {branch} stands at {outcome.new[:12]} ({outcome.how}){along}; u takes it back{_noted(outcome)}",
            "proven",
        )

    def _undone(self, outcome: Outcome) -> None:
        branch = outcome.ref.removeprefix("refs/heads/")
        self.tell(f"taken back ({outcome.how}): {branch} stands at {outcome.new[:12]}{_noted(outcome)}", "accent")

    def _renewed(self, renewal: Renewal) -> None:
        why = "its base moved" if renewal.moved else "its base did not move"
        self.tell(f"examined again on {renewal.base[:12]} ({why}): revision {renewal.revision} comes of it", "accent")


def _noted(outcome: Outcome) -> str:
    return f"; {'; '.join(outcome.notes)}" if outcome.notes else ""
