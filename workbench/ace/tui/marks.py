"""How states look: a glyph, a word and a role for each, so that no state is told by colour alone."""

from __future__ import annotations

from typing import Literal, NamedTuple

from workbench.ace.tui.text import Piece, Role, safe

Glyphs = Literal["unicode", "ascii"]


class Mark(NamedTuple):
    """One state: its glyph, the same in ASCII, the word that a person reads, and what it means."""

    glyph: str
    ascii: str
    word: str
    role: Role


MARKS: dict[str, Mark] = {
    "queued": Mark("○", "o", "queued", "dim"),
    "running": Mark("●", "*", "running", "accent"),
    "waiting-human": Mark("◐", "?", "needs you", "needs-you"),
    "waiting-quota": Mark("◌", ".", "waits for quota", "dim"),
    "paused": Mark("‖", "=", "paused", "dim"),
    "done": Mark("✓", "+", "done", "proven"),
    "stopped": Mark("■", "#", "stopped", "dim"),
    "ready": Mark("✓", "+", "ready", "proven"),
    "needs-human": Mark("◐", "?", "needs a person", "needs-you"),
    "not-ready": Mark("✗", "x", "not ready", "failed"),
    "failed": Mark("✗", "x", "failed", "failed"),
    "approved": Mark("✓", "+", "approved", "proven"),
    "changes-requested": Mark("↩", "<", "changes requested", "needs-you"),
    "rejected": Mark("✗", "x", "rejected", "failed"),
    "superseded": Mark("~", "~", "superseded", "stale"),
    "merged": Mark("✓", "+", "merged", "proven"),
    "stale": Mark("~", "~", "stale", "stale"),
    "open": Mark("◐", "?", "open", "needs-you"),
    "resolved": Mark("✓", "+", "answered", "proven"),
    "passed": Mark("✓", "+", "passed", "proven"),
    "unproven": Mark("?", "?", "unproven", "needs-you"),
    "skipped": Mark("–", "-", "skipped", "stale"),
    "no-tests": Mark("?", "?", "no tests", "needs-you"),
    "timed-out": Mark("✗", "x", "timed out", "failed"),
    "error": Mark("✗", "x", "error", "failed"),
    "not-checked": Mark("?", "?", "not checked", "needs-you"),
    "satisfied": Mark("✓", "+", "satisfied", "proven"),
    "unsatisfied": Mark("✗", "x", "unsatisfied", "failed"),
    "overridden": Mark("!", "!", "overridden", "needs-you"),
    "alert": Mark("!", "!", "alert", "failed"),
    "unknown": Mark("?", "?", "unknown", "stale"),
}


def mark(state: str) -> Mark:
    """The mark of a state; one that is not known says so, with its own word."""
    return MARKS.get(state) or Mark("?", "?", state, "stale")


class Glyphset:
    """The marks as pieces, in the glyphs that this terminal shows."""

    def __init__(self, kind: Glyphs = "unicode") -> None:
        self.kind = kind

    def sign(self, state: str) -> Piece:
        """The glyph alone."""
        found = mark(state)
        return Piece(safe(found.glyph if self.kind == "unicode" else found.ascii), found.role)

    def state(self, state: str) -> Piece:
        """Glyph and word."""
        found = mark(state)
        return Piece(safe(f"{self.sign(state).text} {found.word}"), found.role)

    def pick(self, unicode: str, ascii: str) -> str:
        """One of two signs of our own."""
        return unicode if self.kind == "unicode" else ascii
